"""Day 12: a small model that was simply stopped early."""

import torch
from torch.nn import functional as F

from dlcourse.data import text
from dlcourse.models.transformer import GPT
from dlcourse.release.claims.registry import claim

OPERATIONS = 1.5e9  # that either may spend on training


@claim(
    "Day12-Transformers_and_other_architectures",
    "A small model learns fast and is soon full; a larger one starts slowly and goes further.",
)
def larger_goes_further(nb, seed):
    ids, characters = text.encode(text.manual()[:100_000])
    result = {}
    for name, width, layers in (("larger", 32, 2), ("small, stopped later", 16, 1)):
        torch.manual_seed(seed)
        model = GPT(len(characters), width, layers)
        weights = sum(part.numel() for part in model.parameters())
        steps = round(OPERATIONS / (6 * weights * 16 * 32))
        result[name] = train(model, ids, steps)
    return result


def train(model, ids, steps):
    """Cross-entropy in nats over the last tenth of the steps, each on 16 rows of 32 characters."""
    optimiser, seen = torch.optim.AdamW(model.parameters(), 1e-2, fused=True), []
    for _ in range(steps):
        starts = torch.randint(len(ids) - 33, (16, 1))
        rows = ids[starts + torch.arange(33)]
        loss = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen.append(loss.item())
    last = seen[-max(1, steps // 10) :]
    return sum(last) / len(last)
