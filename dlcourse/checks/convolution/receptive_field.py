"""Check of the receptive field: the formula against the pixels that really have a gradient."""

import math

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def footprint(layers, length=4096):
    """Extent of the inputs that act on one output of
    a stack of convolutions, measured by its gradient.

    layers: (kernel, stride, dilation) of each, first layer first. length: pixels of the
    one-dimensional input. All weights are 1/kernel, so that nothing cancels. Returns an int.
    """
    x = torch.zeros(1, 1, length, dtype=torch.float64, requires_grad=True)
    y = x
    for kernel, stride, dilation in layers:
        y = F.conv1d(
            y, torch.ones(1, 1, kernel, dtype=torch.float64) / kernel, None, stride, 0, dilation
        )
    if y.shape[-1] < 3:
        raise ValueError(f"an input of {length} pixels is too short for these layers")
    (slope,) = torch.autograd.grad(y[0, 0, y.shape[-1] // 2], x)
    reached = slope[0, 0].nonzero()
    return int(reached.max() - reached.min()) + 1


def _jumps(layers):
    """Pixels of the input from one place to the next, before each layer."""
    return [math.prod(stride for _, stride, _ in layers[:i]) for i in range(len(layers))]


def _grown(layers, jumps):
    return 1 + sum((k - 1) * d * jump for (k, _, d), jump in zip(layers, jumps, strict=True))


def _own_stride(layers):
    return _grown(layers, [math.prod(s for _, s, _ in layers[: i + 1]) for i in range(len(layers))])


def _added(layers):
    return _grown(layers, [max(1, sum(s for _, s, _ in layers[:i])) for i in range(len(layers))])


receptive_field = Check(
    "receptive_field",
    reference=footprint,
    cases=[
        case("one kernel of 3", [(3, 1, 1)]),
        case("two kernels of 3", [(3, 1, 1), (3, 1, 1)]),
        case("no layer at all", []),
        case("stride 2 in the last layer", [(3, 1, 1), (3, 2, 1)]),
        case("stride 2 in the first layer", [(3, 2, 1), (3, 1, 1)]),
        case("a dilation of 2", [(3, 1, 2), (3, 1, 1)]),
        case("LeNet's convolutions and poolings", [(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1)]),
        case("dilations 1, 2, 4, 8", [(3, 1, 1), (3, 1, 2), (3, 1, 4), (3, 1, 8)]),
        case("strides 2, 3 and 1, dilations 1, 1 and 2", [(7, 2, 1), (3, 3, 1), (3, 1, 2)]),
    ],
    mistakes=[
        Mistake("grows by K − 1 a layer, the strides ignored",
                "After a stride of 2 neighbours are 2 pixels apart: what a layer adds is "
                "multiplied by all strides before it.",
                lambda layers: _grown(layers, [1] * len(layers))),
        Mistake("a layer's own stride is counted",
                "A stride spreads the outputs of its layer: it counts from the next layer on.",
                _own_stride),
        Mistake("the strides are added up",
                "Strides multiply: after 2 and 2 neighbours are 4 pixels apart.", _added),
        Mistake("the dilations are ignored",
                "K weights with gaps cover dilation · (K − 1) + 1 pixels.",
                lambda layers: _grown([(k, s, 1) for k, s, _ in layers], _jumps(layers))),
        Mistake("K instead of K − 1",
                "The first weight lies on what has been covered already: a layer adds K − 1.",
                lambda layers: _grown([(k + 1, s, d) for k, s, d in layers], _jumps(layers))),
        Mistake("the 1 to begin with is missing",
                "Without a layer the field is one pixel, not none.",
                lambda layers: _grown(layers, _jumps(layers)) - 1),
        Mistake("from the last layer to the first",
                "What counts for a layer are the strides before it, not after.",
                lambda layers: _grown(layers[::-1], _jumps(layers[::-1]))),
    ],
)  # fmt: skip
