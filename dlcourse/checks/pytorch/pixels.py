"""Checks of arithmetic with images: normalised channels, differences of bytes."""

import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.pytorch.tensors import _numbers


def _along(axis):
    def normalise(x, mean, std):
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        return (x - mean.view(shape)) / std.view(shape)

    return normalise


def _in_place(x, mean, std):
    return x.sub_(mean[:, None, None]).div_(std[:, None, None])


def _images(seed, *shape, dtype=torch.float32):
    means = torch.arange(shape[1], dtype=dtype) - 0.5
    return _numbers(seed, *shape, dtype=dtype), means, torch.linspace(0.5, 2, shape[1], dtype=dtype)


def _image_cases():
    x, mean, std = _images(2, 2, 3, 5, 4)
    return [
        case("one image of 2 channels, 2×2", *_images(0, 1, 2, 2, 2)),
        case("every axis of size 3", *_images(1, 3, 3, 3, 3)),
        case("channels last in memory", x.to(memory_format=torch.channels_last), mean, std),
        case("height and width exchanged by .mT", x.mT, mean, std),
        case("float64, one channel", *_images(3, 4, 1, 3, 2, dtype=torch.float64)),
    ]


normalise_channels = Check(
    "normalise_channels",
    reference=lambda x, mean, std: torch.einsum("bchw,c->bchw",
                                                x - torch.einsum("bchw,c->bchw", x * 0 + 1, mean),
                                                1 / std),
    cases=_image_cases,
    mistakes=[
        Mistake("the means lie along the width",
                "A shape (C,) lines up with the LAST axis, W. Add two axes: "
                "mean[:, None, None] is (C, 1, 1).",
                _along(3)),
        Mistake("the means lie along the height",
                "(C, 1) lines up with (H, W). One axis more: (C, 1, 1).", _along(2)),
        Mistake("the means lie along the batch",
                "Axis 1 of (B, C, H, W) holds the channels, not axis 0.", _along(0)),
        Mistake("statistics of the batch",
                "Use the mean and std that were given: they come from the training set.",
                lambda x, mean, std: (x - x.mean((0, 2, 3), keepdim=True))
                / x.std((0, 2, 3), keepdim=True, correction=0)),
        Mistake("divided before the mean is subtracted", "Brackets: (x − mean) / std.",
                lambda x, mean, std: x / std[:, None, None] - mean[:, None, None]),
        Mistake("the caller's images are overwritten",
                "sub_ and −= change x itself: the next epoch would do it again.", _in_place),
    ],
)  # fmt: skip


difference_image = Check(
    "difference_image",
    reference=lambda a, b: a.to(torch.float32).sub(b.to(torch.float32)).div(255),
    cases=lambda: [
        case("two pixels", torch.tensor([[10, 0]], dtype=torch.uint8),
             torch.tensor([[0, 10]], dtype=torch.uint8)),
        case("the extremes", torch.tensor([[255, 0, 200]], dtype=torch.uint8),
             torch.tensor([[0, 255, 100]], dtype=torch.uint8)),
        case("3×4 pixels, transposed in memory",
             torch.arange(0, 240, 20, dtype=torch.uint8).view(4, 3).T,
             torch.arange(240, 0, -20, dtype=torch.uint8).view(4, 3).T),
    ],
    atol=1e-6,
    mistakes=[
        Mistake("the bytes wrap around",
                "0 − 10 in uint8 is 246. Make floats of both images first, then subtract.",
                lambda a, b: (a - b) / 255),
        Mistake("integer division",
                "// throws the fraction away: 254 // 255 is 0. Divide floats with /.",
                lambda a, b: (a.int() - b.int()).div(255, rounding_mode="floor").float()),
        Mistake("int8 is too small", "int8 ends at 127, so 200 becomes −56. Use float32.",
                lambda a, b: (a.to(torch.int8).float() - b.to(torch.int8).float()) / 255),
        Mistake("the sign is lost", "Darker and brighter are different things: no absolute value.",
                lambda a, b: (a.float() - b.float()).abs() / 255),
        Mistake("not divided by 255", "The answer lies between −1 and 1: divide by 255.",
                lambda a, b: a.float() - b.float()),
    ],
)  # fmt: skip
