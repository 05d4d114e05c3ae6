"""Check of a repaired snippet about training loops: a snapshot that is none."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parameters_to_vector

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.repairs.autograd import draw


def _slopes(model, x, y):
    return torch.autograd.grad(F.mse_loss(model(x), y), list(model.parameters()))


def _stepped(model, x, y, rate):
    """One step by hand; the change of every parameter."""
    changes = [-rate * slope for slope in _slopes(model, x, y)]
    with torch.no_grad():
        for parameter, change in zip(model.parameters(), changes, strict=True):
            parameter.copy_(parameter + change)
    return changes


def _length(tensors):
    return torch.cat([t.flatten() for t in tensors]).square().sum().sqrt().item()


def _movement_judged(function, model, x, y, rate):
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)  # left over from the step before
    moved = function(model, x, y, rate)
    if moved is None:
        raise Untouched("None: is `return` missing?")
    return {
        "moved": moved,
        "the weights afterwards": parameters_to_vector(model.parameters()).detach(),
    }


def _aliased(model, x, y, rate):
    before = [p.detach() for p in model.parameters()]
    _stepped(model, x, y, rate)
    return _length([p.detach() - b for p, b in zip(model.parameters(), before, strict=True)])


def _difference_of_lengths(model, x, y, rate):
    before = _length([p.detach() for p in model.parameters()])
    _stepped(model, x, y, rate)
    return abs(_length([p.detach() for p in model.parameters()]) - before)


def _undone(model, x, y, rate):
    return _length([rate * slope for slope in _slopes(model, x, y)])


def _left_over(model, x, y, rate):
    changes = [-rate * (slope + 1) for slope in _slopes(model, x, y)]
    with torch.no_grad():
        for parameter, change in zip(model.parameters(), changes, strict=True):
            parameter.copy_(parameter + change)
    return _length(changes)


def _network(seed, *widths, dtype=torch.float32):
    """Linear layers with tanh between them and weights that are the same at each call."""
    parts = []
    for i, (a, b) in enumerate(zip(widths, widths[1:], strict=False)):
        layer = nn.Linear(a, b, dtype=dtype)
        layer.load_state_dict(
            {
                "weight": draw(seed + i, b, a, dtype=dtype),
                "bias": draw(seed + 9 + i, b, dtype=dtype),
            }
        )
        parts += [layer, nn.Tanh()]
    return nn.Sequential(*parts[:-1])


weight_movement = Check(
    "weight_movement",
    reference=lambda model, x, y, rate: _length(_stepped(model, x, y, rate)),
    probe=_movement_judged,
    cases=lambda: [
        case("1 weight, 1 bias, 1 example", _network(0, 1, 1), torch.tensor([[1.0]]),
             torch.tensor([[3.0]]), 0.1),
        case("3 → 4 → 2", _network(1, 3, 4, 2), draw(20, 5, 3), draw(21, 5, 2), 0.05),
        case("float64, not contiguous", _network(2, 4, 3, 1, dtype=torch.float64),
             draw(22, 4, 6, dtype=torch.float64).T, draw(23, 6, 1, dtype=torch.float64), 0.5),
    ],
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("the snapshot moves along",
                "detach, .data, list(…), state_dict() and its copy() give other "
                "names for the same memory, and the optimiser writes into it. "
                "Copy the numbers: p.detach().clone(), or deepcopy.",
                _aliased),
        Mistake("the difference of two lengths",
                "Weights can move far and keep their length. Subtract first, then take the length.",
                _difference_of_lengths),
        Mistake("a sum of one length for each tensor",
                "All weights are one long vector: add up squares over all tensors, then one root.",
                lambda *args: sum(_length([change]) for change in _stepped(*args))),
        Mistake("the root is missing", "A length is the root of the sum of squares.",
                lambda *args: _length(_stepped(*args)) ** 2),
        Mistake("only the first tensor is measured",
                "Go through all of model.parameters().",
                lambda *args: _length(_stepped(*args)[:1])),
        Mistake("the last step's gradient is still there",
                "backward adds to .grad: call zero_grad before it.",
                _left_over),
        Mistake("the model is not where the step takes it",
                "The function takes the step, optimiser.step(), and measuring must not undo it.",
                _undone),
    ],
)  # fmt: skip
