"""Check of gradients accumulated over parts of a batch: they must be those of the whole batch."""

import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.pytorch.epochs import Watched, classifier


def _pieces_probe(function, model, x, y, size):
    """The loss, the gradients that are left in the model,
    and the largest piece that went through it."""
    watched = Watched(copy.deepcopy(model))
    for parameter in watched.parameters():
        parameter.grad = torch.ones_like(parameter)  # left over from the step before
    value = function(watched, x, y, size)
    if value is None:
        raise Untouched("None: is `return` missing?")
    rows, _, _, alive = zip(*watched.calls, strict=True) if watched.calls else [(0,)] * 4
    return {"mean loss": value,
            "gradients": {name: p.grad for name, p in watched.model.named_parameters()},
            "weights are as they were": all(map(torch.equal, model.parameters(),
                                                watched.parameters())),
            "largest piece": max(rows),
            "graphs of earlier pieces are let go": max(alive) <= 2}  # fmt: skip


def _accumulate(model, x, y, size, fault=None):
    if fault != "left over":
        model.zero_grad()
    starts, total = range(0, len(x), size), 0.0
    held = 0.0
    for start in starts[:-1] if fault == "last" and len(starts) > 1 and len(x) % size else starts:
        if fault == "zeroed":
            model.zero_grad()
        rows, targets = x[start : start + size], y[start : start + size]
        share = {"not divided": 1.0, "pieces": 1 / len(starts), "all full": size / len(x)}.get(
            fault, len(rows) / len(x)
        )
        loss = share * F.cross_entropy(model(rows), targets)
        if fault == "one graph":
            held = held + loss
        else:
            loss.backward()
        total += loss.item()
    if fault == "one graph":
        held.backward()
    return total


def _whole(model, x, y, size):
    model.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    return loss.item()


def _wrong(fault):
    return lambda model, x, y, size: _accumulate(model, x, y, size, fault)


def _problem(rows, inputs, classes, size, dtype=torch.float32):
    """Model, x, y, size; inputs: a number, or the shape of an example."""
    generator = torch.Generator().manual_seed(rows)
    shape = inputs if isinstance(inputs, tuple) else (inputs,)
    x = torch.randn(rows, *shape, generator=generator, dtype=torch.float64).to(dtype)
    x[-1] *= 4  # unlike the others, so that it matters how the last piece is weighed
    model = classifier(math.prod(shape), classes, dtype, dropout=0)
    return (
        nn.Sequential(nn.Flatten(), *model) if len(shape) > 1 else model,
        x,
        torch.randint(classes, (rows,), generator=generator),
        size,
    )


accumulate = Check(
    "accumulate",
    reference=_accumulate,
    probe=_pieces_probe,
    cases=lambda: [
        case("four rows, pieces of 2", *_problem(4, 2, 2, 2)),
        case("five rows, pieces of 2: the last has one row", *_problem(5, 3, 4, 2)),
        case("three rows, pieces of 8", *_problem(3, 2, 3, 8)),
        case("11 rows, pieces of 2, float64", *_problem(11, 4, 3, 2, torch.float64)),
        case("7 images (1, 3, 2), pieces of 3", *_problem(7, (1, 3, 2), 3, 3)),
    ],
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("the losses are not weighed",
                "The gradients of the pieces' MEAN losses add up to too much: multiply "
                "each loss by its share len(rows) / len(x) before backward.",
                _wrong("not divided")),
        Mistake("divided by the number of pieces",
                "Right only if all pieces are equally long. "
                "The share of a piece is len(rows) / len(x).", _wrong("pieces")),
        Mistake("every piece counts as a full one",
                "The last piece may be short. Its share is len(rows) / len(x), not size / len(x).",
                _wrong("all full")),
        Mistake("zero_grad for every piece",
                "Then only the last piece is left in .grad. Zero once, before the loop.",
                _wrong("zeroed")),
        Mistake("gradients were left over",
                "backward adds to what is there: model.zero_grad() once, at the start.",
                _wrong("left over")),
        Mistake("the short last piece is left out",
                "Let start run over range(0, len(x), size): "
                "the last slice is short by itself.", _wrong("last")),
        Mistake("one backward for all",
                "Adding up losses keeps the graphs of all pieces in memory, which is what we "
                "wanted to avoid: call backward for every piece.", _wrong("one graph")),
        Mistake("the whole batch at once",
                "Right numbers, but it needs the memory of the whole batch: at most `size` "
                "rows may go through the model together.", _whole),
    ],
)  # fmt: skip
