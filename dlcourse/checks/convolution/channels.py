"""Checks of convolution with channels:
the size of the output, the loops themselves, what a layer costs."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.convolution.slopes import with_slopes
from dlcourse.checks.core import Check, Mistake, case


def _size_by_torch(n, kernel, stride=1, padding=0, dilation=1):
    x, w = (torch.empty(1, 1, length, device="meta") for length in (n, kernel))
    return F.conv1d(x, w, None, stride, padding, dilation).shape[-1]


def _fits(n, kernel, padding=0, dilation=1):
    """How many pixels the kernel can still move."""
    return n + 2 * padding - dilation * (kernel - 1) - 1


output_size = Check(
    "output_size",
    reference=_size_by_torch,
    cases=[
        case("5 pixels, kernel 3", 5, 3),
        case("6 pixels, kernel 3, stride 2", 6, 3, 2),
        case("5 pixels, kernel 3, padding 1", 5, 3, 1, 1),
        case("9 pixels, kernel 3, dilation 2", 9, 3, 1, 0, 2),
        case("as many pixels as weights", 7, 7, 1, 0, 1),
        case("a digit through LeNet's first layer", 28, 5, 1, 2, 1),
        case("a photograph through a stride of 2", 224, 7, 2, 3, 1),
        case("7 pixels, kernel 3, stride 2: all are seen", 7, 3, 2),
        case("10 pixels, kernel 3, stride 3: one is left over", 10, 3, 3),
        case("everything at once", 21, 4, 3, 2, 3),
    ],
    mistakes=[
        Mistake("not rounded down",
                "A window that sticks out does not count: floor, in Python //, not ceil or round.",
                lambda n, k, s=1, p=0, d=1: math.ceil(_fits(n, k, p, d) / s) + 1),
        Mistake("padding on one side only", "Zeros are added at both ends: 2 · padding.",
                lambda n, k, s=1, p=0, d=1: (_fits(n, k, 0, d) + p) // s + 1),
        Mistake("the first window is not counted",
                "The kernel can move so many times; that is one place more.",
                lambda n, k, s=1, p=0, d=1: _fits(n, k, p, d) // s),
        Mistake("stride applied to the input instead of the output",
                "The kernel lies on neighbouring pixels. "
                "What is divided by the stride is how far it can move.",
                lambda n, k, s=1, p=0, d=1: _fits(-(-n // s), k, p, d) + 1),
        Mistake("dilation ignored",
                "Between K weights lie K − 1 gaps of `dilation` pixels: "
                "the kernel covers dilation · (kernel − 1) + 1.",
                lambda n, k, s=1, p=0, d=1: _fits(n, k, p) // s + 1),
        Mistake("one gap too many",
                "Between K weights lie K − 1 gaps, not K: dilation · (kernel − 1) + 1 pixels.",
                lambda n, k, s=1, p=0, d=1: (n + 2 * p - d * k) // s + 1),
        Mistake("/ instead of //", "There is no third of a pixel: // rounds down and gives an int.",
                lambda n, k, s=1, p=0, d=1: _fits(n, k, p, d) / s + 1),
    ],
)  # fmt: skip


def _one_sided(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return F.conv2d(F.pad(x, (0, padding, 0, padding)), weight, bias, stride, 0, dilation)


def _thinned(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return F.conv2d(F.pad(x, [padding] * 4)[..., ::stride, ::stride], weight, bias, 1, 0, dilation)


def _crowded(x, weight, bias=None, stride=1, padding=0, dilation=1):
    rows, columns = F.conv2d(x, weight, bias, stride, padding, dilation).shape[2:]
    return F.conv2d(x, weight, bias, 1, padding, dilation)[:, :, :rows, :columns]


def _across(x, weight, bias=None, *rest):
    y = F.conv2d(x, weight, None, *rest)
    return y if bias is None else y + bias


def _example(batch, channels, outputs, size, kernel, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    shapes = (batch, channels, *size), (outputs, channels, *kernel), (outputs,)
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


def _conv2d_cases():
    x, weight, bias = _example(2, 3, 4, (14, 9), (3, 3), 6, torch.float64)
    spot = torch.zeros(1, 1, 3, 4)
    spot[..., 1, 1] = 1
    return [
        case("one image, one channel, a 1 among zeros", spot,
             torch.arange(1.0, 5).reshape(1, 1, 2, 2)),
        case("a kernel of 2 × 3", *_example(1, 1, 1, (4, 5), (2, 3), 1), 1, 0, 1),
        case("2 channels in", *_example(1, 2, 1, (3, 4), (2, 2), 2), 1, 0, 1),
        case("3 images, 2 channels in and 3 out, 3 columns out",
             *_example(3, 2, 3, (6, 5), (3, 3), 3), 1, 0, 1),
        case("stride 2", *_example(2, 1, 2, (7, 6), (3, 3), 4), 2, 0, 1),
        case("padding 1", *_example(2, 2, 1, (4, 5), (3, 3), 5), 1, 1, 1),
        case("dilation 2", *_example(1, 2, 2, (8, 7), (3, 2), 7), 1, 0, 2),
        case("every second row of an array, no bias, float64", x[:, :, ::2], weight, None, 1, 1, 1),
        case("everything at once, float64", x, weight, bias, 3, 2, 2),
    ]  # fmt: skip


conv2d = Check(
    "conv2d",
    reference=F.conv2d,
    probe=with_slopes("x", "weight", "bias"),
    single=False,
    cases=_conv2d_cases,
    rtol=1e-4,
    atol=1e-5,
    mistakes=[
        Mistake("the kernel is flipped",
                "w[…, 0, 0] meets the upper left pixel of the window: leave the order alone.",
                lambda x, weight, *rest: F.conv2d(x, weight.flip(2, 3), *rest)),
        Mistake("height and width of the kernel are swapped",
                "weight is (O, C, kh, kw), as the image is (B, C, H, W): "
                "its third axis runs down the rows.",
                lambda x, weight, *rest: F.conv2d(x, weight.transpose(2, 3), *rest)),
        Mistake("the sum over the channels is forgotten",
                "Every output channel looks at all input channels: "
                "multiply and sum over C, kh and kw.",
                lambda x, weight, *rest: F.conv2d(x[:, :1], weight[:, :1], *rest)),
        Mistake("stride applied to the input instead of the output",
                "The window's pixels stay neighbours; it is the window that moves by `stride`: its "
                "upper left corner is at (row · stride, column · stride).",
                _thinned),
        Mistake("windows that are one pixel apart",
                "The window of output (i, j) begins at (i · stride, j · stride).", _crowded),
        Mistake("padding on one side only",
                "Zeros belong on all four sides: F.pad(x, (p, p, p, p)).", _one_sided),
        Mistake("the padding is missing",
                "Put `padding` zeros around the image before anything else.",
                lambda x, weight, bias=None, stride=1, padding=0,
                dilation=1: F.conv2d(x, weight, bias, stride, 0,
                                                                                      dilation)),
        Mistake("the stride is ignored",
                "Neighbouring outputs are `stride` pixels apart in the input.",
                lambda x, weight, bias=None, stride=1, *rest: F.conv2d(x, weight, bias, 1, *rest)),
        Mistake("the dilation is ignored",
                "Neighbouring weights are `dilation` pixels apart: slice with that step.",
                lambda x, weight, bias=None, stride=1, padding=0,
                dilation=1: F.conv2d(x, weight, bias, stride,
                                                                                      padding)),
        Mistake("the bias is forgotten",
                "One number for each output channel, added to the whole map.",
                lambda x, weight, bias=None, *rest: F.conv2d(x, weight, None, *rest)),
        Mistake("the bias runs along the width",
                "One number for each output channel: bias[:, None, None], "
                "or it is taken for the last axis.", _across),
    ],
)  # fmt: skip


def _layer(c_in, c_out, kernel, groups):
    return nn.Conv2d(c_in, c_out, kernel, groups=groups, device="meta")


def _parameters(c_in, c_out, kernel, out_h, out_w, groups=1):
    return sum(one.numel() for one in _layer(c_in, c_out, kernel, groups).parameters())


def _multiply_adds(c_in, c_out, kernel, out_h, out_w, groups=1):
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter:
        _layer(c_in, c_out, kernel, groups)(
            torch.empty(1, c_in, out_h + kernel - 1, out_w + kernel - 1, device="meta")
        )
    return counter.get_total_flops() // 2  # torch counts a multiplication and an addition as two


def _cost(parameters, multiply_adds):
    """An answer with one of these counts wrong, or both; None: right."""

    def answer(i, o, k, h, w, g=1):
        args = (i, o, k, h, w, g)
        return (
            (parameters or _parameters)(*args),
            (multiply_adds or _multiply_adds)(*args),
        )

    return answer


layer_cost = Check(
    "layer_cost",
    reference=_cost(None, None),
    cases=[
        case("2 channels in, 3 out, kernel 1, 4 × 5 pixels", 2, 3, 1, 4, 5),
        case("1 channel in, 2 out, kernel 3, 4 × 5 pixels", 1, 2, 3, 4, 5),
        case("LeNet's second convolution", 6, 16, 5, 10, 10, 1),
        case("2 groups", 4, 6, 3, 7, 5, 2),
        case("as many groups as channels", 8, 8, 3, 14, 14, 8),
    ],
    mistakes=[
        Mistake("a bias for every pixel",
                "The bias is shared like the weights: one number for each output channel.",
                _cost(lambda i, o, k, h, w, g=1: o * i * k * k // g + o * h * w, None)),
        Mistake("the biases are missing among the parameters",
                "One for each output channel comes on top of the weights.",
                _cost(lambda i, o, k, h, w, g=1: o * i * k * k // g, None)),
        Mistake("new weights at every pixel",
                "The same weights are used everywhere, whatever the size of the map.",
                _cost(lambda i, o, k, h, w, g=1: (o * i * k * k // g + o) * h * w, None)),
        Mistake("the groups are ignored",
                "An output sees the inputs of its own group only: c_in / groups.",
                _cost(lambda i, o, k, h, w, g=1: o * i * k * k + o,
                      lambda i, o, k, h, w, g=1: h * w * o * i * k * k)),
        Mistake("the kernel is not squared",
                "A kernel has height and width: kernel² weights for each pair of channels.",
                _cost(lambda i, o, k, h, w, g=1: o * i * k // g + o,
                      lambda i, o, k, h, w, g=1: h * w * o * i * k // g)),
        Mistake("one kernel for all input channels",
                "Every pair of an input and an output channel has its own kernel.",
                _cost(lambda i, o, k, h, w, g=1: o * k * k + o,
                      lambda i, o, k, h, w, g=1: h * w * o * k * k)),
        Mistake("multiply-adds of one pixel only",
                "Every pixel of the output needs all weights again: times out_h · out_w.",
                _cost(None, lambda i, o, k, h, w, g=1: o * i * k * k // g)),
        Mistake("multiplications and additions are counted apart",
                "A multiply-add is one operation here, not two.",
                _cost(None, lambda i, o, k, h, w, g=1: 2 * h * w * o * i * k * k // g)),
        Mistake("multiply-adds of one output channel only",
                "Each of the c_out maps costs the same.",
                _cost(None, lambda i, o, k, h, w, g=1: h * w * i * k * k // g)),
        Mistake("the biases are counted among the multiply-adds",
                "Adding a bias multiplies nothing: leave it out.",
                _cost(None, lambda i, o, k, h, w, g=1: h * w * o * (i * k * k // g + 1))),
        Mistake("the two counts are exchanged", "The parameters come first.",
                lambda i, o, k, h, w, g=1: _cost(None, None)(i, o, k, h, w, g)[::-1]),
    ],
)  # fmt: skip
