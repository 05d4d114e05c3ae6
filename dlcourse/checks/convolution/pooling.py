"""Checks of max-pooling, and of the distance of a layer from being equivariant to translation."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn_each


def _max_pool(x, size, stride=None):
    return F.max_pool2d(x, size, stride)


def _scattered(x, size, stride=None):
    """The windows' pixels taken from far apart: reshaped in the wrong order."""
    b, c, h, w = x.shape
    x = x[:, :, : h - h % size, : w - w % size]
    return x.reshape(b, c, size, h // size, size, w // size).amax((2, 4))


def _pool_cases():
    (x,) = drawn_each((2, 3, 9, 14), seed=1)
    return [
        case("4 × 4 pixels, windows of 2", torch.arange(16.0).reshape(1, 1, 4, 4), 2),
        case("everything is negative", -1 - torch.arange(8.0).reshape(1, 1, 2, 4), 2, 2),
        case("5 × 7 pixels, windows of 2", *drawn_each((1, 1, 5, 7)), 2, 2),
        case("windows of 3 that overlap, stride 2", *drawn_each((2, 2, 7, 9)), 3, 2),
        case("windows of 2 with gaps, stride 3", *drawn_each((1, 2, 8, 8)), 2, 3),
        case("stride not given: the size of the window", *drawn_each((3, 2, 6, 9)), 3, None),
        case(
            "every second column of an array, huge values, float64",
            1e30 * x.double()[..., ::2],
            2,
            2,
        ),
    ]


max_pool = Check(
    "max_pool",
    reference=_max_pool,
    cases=_pool_cases,
    mistakes=[
        Mistake("the mean instead of the maximum",
                "Max-pooling keeps the largest value of each window.",
                lambda x, size, stride=None: F.avg_pool2d(x, size, stride)),
        Mistake("the maximum starts at 0", "A window of negative numbers has a negative maximum.",
                lambda x, size, stride=None: _max_pool(x, size, stride).clamp_min(0)),
        Mistake("rounded up instead of down",
                "Only windows that lie wholly inside count: the odd row is left out.",
                lambda x, size, stride=None: F.max_pool2d(x, size, stride, ceil_mode=True)),
        Mistake("the maximum over the channels too",
                "Every channel is pooled by itself: amax over the last two axes.",
                lambda x, size, stride=None: _max_pool(x, size, stride).amax(1, keepdim=True)),
        Mistake("the stride is ignored",
                "Windows begin every `stride` pixels; only without one is it their size.",
                lambda x, size, stride=None: _max_pool(x, size)),
        Mistake("windows at every pixel",
                "Without a stride the windows lie side by side: stride = size.",
                lambda x, size, stride=None: _max_pool(x, size, stride or 1)),
        Mistake("pixels that are no neighbours",
                "Split the height as (H // size, size), the window's axis second: the other order "
                "takes pixels from all over the image.",
                _scattered),
    ],
)  # fmt: skip


def _gap(layer, x, shift, stride=1, move=None, back=None, measure=lambda d: d.abs().max()):
    """How far layer(move(x)) is from back(layer(x))."""
    move = move or (lambda z: z.roll(shift, -1))
    back = back or (lambda z: z.roll(shift // stride, -1))
    return float(measure(layer(move(x)) - back(layer(x))))


def times_column(x):
    """A layer that knows where it is: every column is multiplied by its number."""
    return x * torch.arange(x.shape[-1], dtype=x.dtype)


def _conv(mode, stride=1):
    conv = (
        nn.Conv2d(1, 2, 3, stride, padding=1, padding_mode=mode, bias=False)
        .double()
        .requires_grad_(False)
    )
    conv.weight.copy_(torch.arange(18.0).reshape(2, 1, 3, 3).cos())
    conv.weight[1] *= 2  # the largest difference is not in the first channel
    return conv


def _equivariance_cases():
    image = torch.randn(
        2, 1, 6, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    image[1] *= 2  # nor in the first image
    row = torch.tensor([[[[0.0, 1.0, 5.0, 2.0]]]])
    return [
        case("every column times its number, one pixel", times_column, row, 1),
        case("ReLU, three pixels", torch.relu, image, 3, 1),
        case("a convolution that wraps around", _conv("circular"), image, 2, 1),
        case("a convolution padded with zeros", _conv("zeros"), image, 2, 1),
        case("stride 2, moved by 4 pixels", _conv("circular", 2), image, 4, 2),
        case("stride 2, moved by 2 pixels to the left", _conv("circular", 2), image, -2, 2),
        case("stride 2, padded with zeros, moved by 4", _conv("zeros", 2), image, 4, 2),
    ]


equivariance_error = Check(
    "equivariance_error",
    reference=_gap,
    cases=_equivariance_cases,
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("that is invariance",
                "Equivariant means: the output moves along. Roll layer(x) before you compare.",
                lambda layer, x, shift, stride=1: _gap(layer, x, shift, back=lambda z: z)),
        Mistake("the output is moved by as many pixels as the input",
                "With a stride one pixel of the output is `stride` pixels of the input: "
                "shift // stride.",
                lambda layer, x, shift, stride=1: _gap(layer, x, shift,
                                                       back=lambda z: z.roll(shift, -1))),
        Mistake("the output is moved the other way", "Input and output move in the same direction.",
                lambda layer, x, shift, stride=1: _gap(layer, x, shift,
                                                       back=lambda z: z.roll(-shift // stride,
                                                                             -1))),
        Mistake("moved down instead of to the right",
                "The width is the last axis: roll(…, dims=-1).",
                lambda layer, x, shift, stride=1: _gap(layer, x, shift, 1,
                                                       lambda z: z.roll(shift, -2),
                                                       lambda z: z.roll(shift // stride, -2))),
        Mistake("rolled without an axis",
                "Without dims roll moves the numbers as if all lay in one row: dims=-1.",
                lambda layer, x, shift, stride=1: _gap(layer, x, shift, 1, lambda z: z.roll(shift),
                                                       lambda z: z.roll(shift // stride))),
        Mistake("the mean instead of the largest difference",
                "One wrong pixel is enough: abs().max().",
                lambda layer, x, shift, stride=1: _gap(layer, x, shift, stride,
                                                       measure=lambda d: d.abs().mean())),
        Mistake("differences without abs", "A difference of −3 is one of 3: abs() before max().",
                lambda layer, x, shift, stride=1: _gap(layer, x, shift, stride, measure=torch.max)),
    ],
)  # fmt: skip
