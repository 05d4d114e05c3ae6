"""Check of a convolution's windows: all of them at once, as a view of the image."""

import torch
from torch.nn import functional as F

from dlcourse.checks.convolution.slopes import with_slopes
from dlcourse.checks.core import Check, Mistake, case


def strided_windows(x, kernel, stride=1, dilation=1):
    """All windows of x (B, C, H, W) as a view (B, C, H_out, W_out, kH, kW),
    by torch's own Tensor.unfold."""
    for axis, length in zip((2, 3), kernel, strict=True):
        x = x.unfold(axis, dilation * (length - 1) + 1, stride)
    return x[..., ::dilation, ::dilation]


def draw(*shapes, seed=0, dtype=torch.float32):
    """Tensors of normal numbers, one for each shape."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


def _windows_and_memory(function, x, *options):
    """The windows of x, of x as a part of something larger, whether they are a view, and whether a
    gradient flows back."""
    pieces = function(x, *options)
    part = F.pad(x, (2, 1, 1, 3), value=9.0)[:, :, 1:-3, 2:-1]
    memory = getattr(pieces, "untyped_storage", x.new_empty(1).untyped_storage)().data_ptr()
    return {
        "windows": pieces,
        "shares memory with x": memory == x.untyped_storage().data_ptr(),
        "windows where x is cut out of a larger image": function(part, *options),
        "gradient of x": SLOPES(function, x, *options)["gradient of x"],
    }


SLOPES = with_slopes("x")
_windows_and_memory.hands_on = True  # the function's own arguments, as a case has them


def _as_if_contiguous(x, kernel, stride=1, dilation=1):
    return strided_windows(
        torch.as_strided(x, x.shape, torch.empty(x.shape).stride(), 0), kernel, stride, dilation
    )


def _window_cases():
    (x,) = draw((2, 3, 7, 9))
    count = torch.arange(12.0).reshape(1, 1, 3, 4)
    return [
        case("3 × 4 pixels, windows of 2 × 2", count, (2, 2)),
        case("3 × 4 pixels, windows of 1 × 3", count, (1, 3), 1, 1),
        case("two images of three channels, windows of 3 × 2", x, (3, 2), 1, 1),
        case("stride 2", x, (3, 2), 2, 1),
        case("dilation 2", x, (3, 2), 1, 2),
        case("stride 3, dilation 2", x, (2, 3), 3, 2),
        case("a transposed image: its memory lies the other way", x.transpose(2, 3), (2, 3), 2, 1),
        case(
            "channels_last, float64", x.double().to(memory_format=torch.channels_last), (3, 3), 2, 2
        ),
    ]


windows = Check(
    "windows",
    reference=strided_windows,
    probe=_windows_and_memory,
    cases=_window_cases,
    mistakes=[
        Mistake("a copy, not a view",
                "Nine overlapping windows of 3 × 3 would hold each pixel nine times. "
                "x.as_strided(size, stride) copies nothing; reshape, contiguous and F.unfold do.",
                lambda *args: strided_windows(*args).contiguous()),
        Mistake("the strides are counted, not asked for",
                "C·H·W, H·W, W and 1 hold for a tensor in one piece only: "
                "a slice, a transpose or channels_last lies otherwise in memory. "
                "Take x.stride(), and leave the storage offset alone.",
                _as_if_contiguous),
        Mistake("stride and dilation are exchanged",
                "The step from window to window is stride, the step from pixel "
                "to pixel inside of one is dilation.",
                lambda x, kernel, stride=1, dilation=1: strided_windows(x, kernel, dilation,
                                                                        stride)),
        Mistake("height and width of the window are exchanged", "kernel is (kH, kW).",
                lambda x, kernel, *rest: strided_windows(x, kernel[::-1], *rest)),
        Mistake("the axes of the window come first",
                "The order asked for is (B, C, H_out, W_out, kH, kW).",
                lambda *args: strided_windows(*args).permute(0, 1, 4, 5, 2, 3)),
        Mistake("dilation is ignored",
                "Inside a window the step is dilation pixels: dilation · x.stride(…).",
                lambda x, kernel, stride=1, dilation=1: strided_windows(x, kernel, stride)),
        Mistake("stride is ignored",
                "From window to window the step is stride pixels: stride · x.stride(…).",
                lambda x, kernel, stride=1, dilation=1: strided_windows(x, kernel, 1, dilation)),
        Mistake("the last window is missing",
                "(H − span) // stride + 1 windows fit, with span = dilation·(k − 1) + 1.",
                lambda *args: strided_windows(*args)[:, :, :-1, :-1]),
    ],
)  # fmt: skip
