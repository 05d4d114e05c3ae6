"""Checks of the transposed convolution, and of the output padding that brings a size back."""

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from dlcourse.checks.core import Check, Mistake, case


def _gradient(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    """What it is by definition: the gradient of a convolution with respect to its input."""
    size = [(n - 1) * stride - 2 * padding + k + output_padding
            for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)]  # fmt: skip
    with torch.enable_grad():
        image = x.new_zeros(len(x), weight.shape[1], *size, requires_grad=True)
        y = F.conv2d(image, weight, stride=stride, padding=padding)
        found = torch.autograd.grad(y, image, x)[0]
    return found if bias is None else found + bias[:, None, None]


class _Watch(TorchFunctionMode):
    """Counts the calls of torch's own transposed convolutions."""

    calls = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.calls += "conv_transpose" in getattr(function, "__name__", "")
        return function(*args, **(kwargs or {}))


def _watched(function, *args):
    with _Watch() as watch:
        output = function(*args)
    return {"output": output, "calls of torch's conv_transpose": watch.calls}


_watched.hands_on = True  # the function's own arguments, as a case has them


def _apart(x, stride, last=False):
    """The pixels of x with stride − 1 zeros between them; with `last` also behind the last one."""
    b, c, h, w = x.shape
    wide = x.new_zeros(b, c, h * stride, w * stride)
    wide[..., ::stride, ::stride] = x
    return wide if last else wide[..., : (h - 1) * stride + 1, : (w - 1) * stride + 1]


def _by_steps(x, weight, bias=None, stride=1, padding=0, extra=0, fault=None):
    """Zeros, padding, correlation: with one fault."""
    kh, kw = weight.shape[2:]
    x = x if fault == "no zeros" else _apart(x, stride, fault == "zeros behind")
    high, wide = kh - 1 - padding, kw - 1 - padding
    if fault == "padded as usual":
        high = wide = padding
    if fault == "one size":
        wide = high
    sides = {"other end": (wide + extra, wide, high + extra, high),
             "both ends": (wide + extra, wide + extra, high + extra, high + extra)}  # fmt: skip
    x = F.pad(x, sides.get(fault, (wide, wide + extra, high, high + extra)))
    weight = weight if fault == "channels" else weight.transpose(0, 1)
    weight = weight if fault == "not flipped" else weight.flip(2, 3)
    return F.conv2d(x, weight, None if fault == "no bias" else bias)


def _broken(fault):
    return lambda *args: _by_steps(*args, fault=fault)


def _without_extra(x, weight, bias=None, stride=1, padding=0, extra=0):
    return _gradient(x, weight, bias, stride, padding)


def _zeros_added(x, weight, bias=None, stride=1, padding=0, extra=0):
    y = _gradient(x, weight, None, stride, padding)
    y = F.pad(y, (0, extra, 0, extra))
    return y if bias is None else y + bias[:, None, None]


def _swapped(x, weight, *rest):
    return _gradient(x, weight.transpose(2, 3), *rest)


def _example(batch, inputs, outputs, size, kernel, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    shapes = (batch, inputs, *size), (inputs, outputs, *kernel), (outputs,)
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


def _cases():
    x, weight, bias = _example(2, 3, 2, (10, 4), (3, 4), 8, torch.float64)
    spot = torch.zeros(1, 1, 2, 3)
    spot[..., 0, 1] = 1
    return [
        case("one pixel of 1, stride 1", spot, torch.arange(1.0, 7).reshape(1, 1, 2, 3)),
        case("stride 2: neighbours overlap", *_example(1, 1, 1, (2, 3), (3, 3), 1), 2, 0, 0),
        case("2 channels in, 3 out, 2 images", *_example(2, 2, 3, (3, 4), (2, 2), 2), 2, 0, 0),
        case("padding 1 cuts the border off", *_example(1, 2, 2, (4, 3), (3, 3), 3), 2, 1, 0),
        case("output padding 1", *_example(1, 1, 2, (3, 4), (3, 3), 4), 2, 1, 1),
        case("a kernel of 2 × 5, stride 3, output padding 2", *_example(2, 2, 1, (3, 2), (2, 5), 5),
             3, 1, 2),
        case("padding larger than the kernel", *_example(1, 1, 2, (6, 5), (2, 2), 6), 2, 3, 0),
        case("every second row of an array, no bias, float64", x[:, :, ::2], weight, None, 2, 1, 1),
        case("everything at once, float64", x, weight, bias, 3, 2, 1),
    ]  # fmt: skip


transposed_conv2d = Check(
    "transposed_conv2d",
    reference=_gradient,
    probe=_watched,
    cases=_cases,
    single=False,
    rtol=1e-4,
    atol=1e-5,
    mistakes=[
        Mistake("the kernel is not flipped",
                "Each input pixel stamps the kernel as it is; seen from an output pixel the "
                "weights come in reverse: weight.flip(2, 3).",
                _broken("not flipped")),
        Mistake("no zeros between the pixels",
                "With stride s there are s − 1 zeros between neighbours: make a tensor of zeros "
                "and fill [..., ::stride, ::stride].",
                _broken("no zeros")),
        Mistake("zeros behind the last pixel",
                "Zeros go between pixels: (H − 1) · stride + 1 rows, not H · stride.",
                _broken("zeros behind")),
        Mistake("padded as an ordinary convolution",
                "Here padding takes away: without it the border is K − 1 wide, "
                "with it K − 1 − padding.",
                _broken("padded as usual")),
        Mistake("the channels of the weight are in the order of an ordinary convolution",
                "weight is (C_in, C_out, kh, kw) here; F.conv2d wants (C_out, C_in, kh, kw): "
                "transpose(0, 1).",
                _broken("channels")),
        Mistake("the output padding is ignored",
                "It makes the result larger at the bottom and at the right.", _without_extra),
        Mistake("the output padding is at the top and left",
                "F.pad counts (left, right, top, bottom): "
                "add it to right and bottom.", _broken("other end")),
        Mistake("the output padding is on both sides", "One side only: right and bottom.",
                _broken("both ends")),
        Mistake("the output padding is filled with zeros",
                "It is no border of zeros: pad *before* the correlation, "
                "so that the kernel still reaches there.",
                _zeros_added),
        Mistake("height and width of the kernel are taken for equal",
                "kh − 1 − padding rows above and below, kw − 1 − padding columns left and right.",
                _broken("one size")),
        Mistake("height and width of the kernel are swapped",
                "The third axis of weight runs down the rows.", _swapped),
        Mistake("the bias is forgotten", "One number for each output channel.", _broken("no bias")),
    ],
)  # fmt: skip


def _search(n, kernel, stride, padding):
    """Tries them all, with torch."""
    w = torch.empty(1, 1, kernel, device="meta")
    small = F.conv1d(torch.empty(1, 1, n, device="meta"), w, stride=stride, padding=padding)
    sizes = [
        F.conv_transpose1d(small, w, None, stride, padding, extra).shape[-1]
        for extra in range(stride)
    ]
    return sizes.index(n)


output_padding_for = Check(
    "output_padding_for",
    reference=_search,
    cases=[
        case("7 pixels, kernel 3, stride 2, padding 1: 4, and back", 7, 3, 2, 1),
        case("8 pixels, kernel 3, stride 2, padding 1: 4 as well", 8, 3, 2, 1),
        case("9 pixels, kernel 2, stride 2", 9, 2, 2, 0),
        case("stride 1 loses nothing", 10, 3, 1, 0),
        case("28 pixels, kernel 5, stride 3, padding 1", 28, 5, 3, 1),
        case("13 pixels, kernel 4, stride 3, no padding", 13, 4, 3, 0),
        case("224 pixels, kernel 7, stride 4, padding 3", 224, 7, 4, 3),
    ],
    mistakes=[
        Mistake("never any",
                "8 pixels and 7 both become 4; without output padding 4 becomes 7 again, never 8.",
                lambda n, kernel, stride, padding: 0),
        Mistake("always stride − 1",
                "Right for 8 pixels, wrong for 7: it depends on what the division left over.",
                lambda n, kernel, stride, padding: stride - 1),
        Mistake("the quotient instead of the rest",
                "What gets lost is the rest of the division: %, not //.",
                lambda n, kernel, stride, padding: (n + 2 * padding - kernel) // stride),
        Mistake("the rest of n itself", "What is divided is n + 2 · padding − kernel.",
                lambda n, kernel, stride, padding: n % stride),
        Mistake("padding on one side only", "Padding is added at both ends: 2 · padding.",
                lambda n, kernel, stride, padding: (n + padding - kernel) % stride),
        Mistake("the kernel is left out", "The kernel can move n + 2 · padding − kernel pixels.",
                lambda n, kernel, stride, padding: (n + 2 * padding) % stride),
    ],
)  # fmt: skip
