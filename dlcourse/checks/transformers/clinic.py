"""A clinic: small language models of characters with one fault each,
seen in what their outputs depend on."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.clinic import descend, fault_of

FAULTS = {
    "A": "no residual stream",
    "B": "softmax over the queries",
    "C": "no mask",
    "D": "mask transposed",
}


class _Layer(nn.Module):
    def __init__(self, width, fault):
        super().__init__()
        self.fault, self.norm1, self.norm2 = fault, nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def attend(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=2)  # (B, T, width) each
        scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[2])  # (B, T, T)
        allowed = torch.ones_like(scores[0], dtype=torch.bool).tril()
        allowed = allowed.T if self.fault == "mask transposed" else allowed
        if self.fault != "no mask":
            scores = scores.masked_fill(~allowed, -math.inf)
        return self.out(
            scores.softmax(dim=1 if self.fault == "softmax over the queries" else 2) @ v
        )

    def forward(self, x):
        keep = 0.0 if self.fault == "no residual stream" else 1.0
        x = keep * x + self.attend(self.norm1(x))
        return keep * x + self.mlp(self.norm2(x))


class _Reader(nn.Module):
    def __init__(self, vocabulary, length, fault, width=32):
        super().__init__()
        self.embedding, self.position = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.layers = nn.Sequential(*(_Layer(width, fault) for _ in range(2)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, vocabulary))

    def forward(self, ids):
        return self.head(self.layers(self.embedding(ids) + self.position.weight[: ids.shape[1]]))


def broken_gpt(patient, ids, vocabulary, seed=0, steps=150, length=16):
    """One training run on random pieces of ids (N,); patient "healthy", "A" … "D".

    Returns {"training": (steps,) nats a character, "influence": (length, length),
    the size of the change of the logits of row t when token s, the column, is another one}.
    Raises KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    losses = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _Reader(vocabulary, length, fault)
        optimiser = torch.optim.Adam(model.parameters(), 5e-3)
        for _ in range(steps):
            text = ids[torch.randint(len(ids) - length, (32, 1)) + torch.arange(length + 1)]
            loss = F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
            descend(loss, optimiser)
            losses.append(loss.item())
        return {
            "training": torch.tensor(losses),
            "influence": _influence(model, ids[:length], vocabulary),
        }


def _influence(model, ids, vocabulary):
    changed = ids.repeat(len(ids), 1)  # row s: the text with token s replaced
    changed[torch.arange(len(ids)), torch.arange(len(ids))] = (ids + 1) % vocabulary
    with torch.no_grad():
        return (model(changed) - model(ids[None])).norm(dim=2).T  # (T, T)
