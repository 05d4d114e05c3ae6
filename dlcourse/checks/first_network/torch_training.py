"""Check of the training loop in torch."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.first_network.training import SCHEDULES, _problem, untouched


def _watch(function, x, y, model, rate, epochs, size, rng):
    """The losses that the function returns, and the parameters it leaves in the model."""
    before = rng.bit_generator.state
    losses = function(x, y, model, rate, epochs, size, rng)
    count = len(losses) if isinstance(losses, (list, tuple)) else "not a list"
    known = {"number of losses": count, "rng": untouched(rng, before), "losses": losses}
    return known | {name: one.detach() for name, one in model.named_parameters()}


def _fit_torch(x, y, model, rate, epochs, size, rng, fault=None):
    losses, piled = [], [torch.zeros_like(p) for p in model.parameters()]
    orders = [torch.arange(len(x))] * epochs
    if fault != "no shuffling":
        orders = [torch.from_numpy(rng.permutation(len(x))) for _ in range(epochs)]
    for order in orders[:1] * epochs if fault == "one order" else orders:
        end = len(x) if fault == "leftovers too" else len(x) - size + 1
        end -= fault == "one batch short"
        for start in range(0, end, size):
            rows = order[start : start + size]
            output = model(x[rows])
            output = output.softmax(1) if fault == "softmax twice" else output
            targets = y[start : start + size] if fault == "labels shuffled" else y[rows]
            loss = F.cross_entropy(output, targets, reduction="sum" if fault == "sum" else "mean")
            found = torch.autograd.grad(loss, list(model.parameters()))
            piled = (
                [a + b for a, b in zip(piled, found, strict=True)] if fault == "piled up" else found
            )
            with torch.no_grad():
                for parameter, gradient in zip(model.parameters(), piled, strict=True):
                    parameter -= (0 if fault == "no step" else rate) * gradient
            losses.append(loss.item())
    return losses


def _torch_cases():
    cases = []
    for label, problem, rate, epochs, size, seed in SCHEDULES:
        x, y, parameters = (
            part if isinstance(part, dict) else torch.tensor(part) for part in _problem(*problem)
        )
        model = nn.Sequential(nn.Linear(*problem[1:3]), nn.ReLU(), nn.Linear(*problem[2:4])).to(
            x.dtype
        )
        state = {"0.weight": "w1", "0.bias": "b1", "2.weight": "w2", "2.bias": "b2"}
        model.load_state_dict({name: torch.tensor(parameters[p]).t() for name, p in state.items()})
        cases.append(case(label, x, y, model, rate, epochs, size, np.random.default_rng(seed)))
    return cases


def _broken_torch(fault):
    return lambda *args: _fit_torch(*args, fault=fault)


fit_torch = Check(
    "fit_torch",
    reference=_fit_torch,
    probe=_watch,
    cases=_torch_cases,
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("gradients pile up",
                "backward adds to .grad. Call optimiser.zero_grad() before every backward, or each "
                "step follows the sum of all gradients so far.",
                _broken_torch("piled up")),
        Mistake("no step is taken",
                "backward only fills .grad; optimiser.step() moves the weights.",
                _broken_torch("no step")),
        Mistake("softmax twice",
                "F.cross_entropy takes logits and does log-softmax itself: "
                "give it model(x) as it is.",
                _broken_torch("softmax twice")),
        Mistake("x is shuffled without y", "Index both with the same rows: x[rows], y[rows].",
                _broken_torch("labels shuffled")),
        Mistake("the same order in every epoch",
                "Draw a new rng.permutation(len(x)) at the start of each epoch, "
                "inside the loop over the epochs.",
                _broken_torch("one order")),
        Mistake("the examples left over are a batch too",
                "As in `fit`: let start end where a full batch still fits, len(x) - size + 1.",
                _broken_torch("leftovers too")),
        Mistake("nothing is shuffled",
                "Take the rows in the order of rng.permutation(len(x)), a new one for each epoch.",
                _broken_torch("no shuffling")),
        Mistake("the last full batch is left out",
                "As in `fit`: range(0, len(x) - size + 1, size).",
                _broken_torch("one batch short")),
        Mistake("the loss is a sum",
                "F.cross_entropy averages over the batch by default: leave reduction alone.",
                _broken_torch("sum")),
    ],
)  # fmt: skip
