"""Checks of a repaired snippet about modules:
layers that stand in a list and that nobody registered."""

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.repairs.autograd import draw, yes


def _shapes(model):
    return sorted(tuple(p.shape) for p in model.parameters())


def _fill(model):
    """Gives every registered parameter values that depend
    on its shape alone, not on the order of the layers."""
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(draw(len(p), *p.shape))


def _built(cls, widths, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return cls(widths)


def _in_float64(model, x):
    try:
        return model.double()(x.double()).dtype == torch.float64
    except RuntimeError:  # one layer has float64 weights, another float32
        return False


def _tower_judged(cls, widths):
    """What must hold of a network of linear layers, whatever its layers are called."""
    model = _built(cls, widths)
    x = draw(0, widths[0], 4).T  # (4, widths[0]), not contiguous
    with torch.no_grad():
        model(x)  # nn.LazyLinear has its shape after that
    _fill(model)
    output, other = model(x), _built(cls, widths, seed=1)
    output.sum().backward()
    other.load_state_dict(model.state_dict())
    found = {
        "registered shapes": _shapes(model),
        "with a gradient": sum(p.grad is not None for p in model.parameters()),
        "state_dict makes a twin": yes(torch.allclose(output, other(x))),
        "runs in float64": yes(_in_float64(other, x)),
    }
    # only where all are known: else the output hangs on weights that nobody can set
    complete = found["registered shapes"] == _shapes(_stack(widths))
    return found | {"output": output.detach() if complete else "hangs on other parameters"}


def _layers(widths):
    return [nn.Linear(a, b) for a, b in pairwise(widths)]


def _stack(widths):
    return nn.Sequential(*[part for layer in _layers(widths) for part in (nn.ReLU(), layer)][1:])


class _Tower(nn.Module):
    """Hidden layers in a Python list; subclasses repair it badly."""

    def __init__(self, widths):
        super().__init__()
        self.hidden = self.kept(_layers(widths[:-1]))
        self.head = nn.Linear(*widths[-2:])

    def kept(self, layers):
        return layers

    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.head(x)


class _NoneAtAll(_Tower):
    def __init__(self, widths):
        super().__init__(widths)
        self.all = [*self.hidden, self.head]
        del self.head

    def forward(self, x):
        for layer in self.all[:-1]:
            x = F.relu(layer(x))
        return self.all[-1](x)


class _FirstOnly(_Tower):
    def kept(self, layers):
        self.first = layers[0] if layers else None
        return layers


class _Copies(_Tower):
    def kept(self, layers):
        self.registered = nn.ModuleList(copy.deepcopy(layers))
        return layers


class _OwnParameters(_Tower):
    def parameters(self, recurse=True):
        yield from (p for layer in [*self.hidden, self.head] for p in layer.parameters())


class _NoReLU(_Tower):
    def kept(self, layers):
        return nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.hidden:
            x = layer(x)
        return self.head(x)


class _LastReLU(_NoReLU):
    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x))
        return F.relu(self.head(x))


class _Headless(_NoReLU):
    def __init__(self, widths):
        super().__init__(widths)
        self.head = nn.Identity()


Tower = Check(
    "Tower",
    reference=_stack,
    rtol=1e-4,
    atol=1e-5,
    probe=_tower_judged,
    cases=[
        case("2 → 3 → 1", [2, 3, 1]),
        case("4 → 6 → 5 → 3", [4, 6, 5, 3]),
        case("3 → 2, no hidden layer", [3, 2]),
        case("2 → 5 → 4 → 3 → 7 → 6", [2, 5, 4, 3, 7, 6]),
        case("3 → 3 → 3 → 3 → 2", [3, 3, 3, 3, 2]),
    ],
    mistakes=[
        Mistake("the hidden layers stand in a Python list, tuple or dict",
                "A Module looks for modules among its attributes, not inside lists, tuples or "
                "dicts. The optimiser, state_dict and .to(…) miss what it does not find. Use "
                "nn.ModuleList or nn.Sequential.",
                _Tower),
        Mistake("all layers stand in a Python list, tuple or dict",
                "Not a single parameter is registered: an optimiser refuses an empty list. Use "
                "nn.ModuleList or nn.Sequential.",
                _NoneAtAll),
        Mistake("only the first hidden layer is registered",
                "All of them have to be attributes of their own, or stand in an nn.ModuleList.",
                _FirstOnly),
        Mistake("copies are registered",
                "The optimiser would train the copies while forward uses the originals. Let "
                "forward walk through the nn.ModuleList itself.",
                _Copies),
        Mistake("parameters() is patched",
                "The optimiser is content now, but state_dict, .to(…) and .double() still miss the "
                "layers. Register them: nn.ModuleList.",
                _OwnParameters),
        Mistake("no ReLU between the layers", "Without it the tower is one linear layer.", _NoReLU),
        Mistake("the head is missing", "The last layer leads from widths[-2] to widths[-1].",
                _Headless),
        Mistake("ReLU after the last layer", "The output may be negative: no ReLU after the head.",
                _LastReLU),
    ],
)  # fmt: skip
