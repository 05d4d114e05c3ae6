"""Check of a depthwise-separable convolution, judged by its own weights: what it computes must be
what torch's functions compute with them in that order."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.words import kind_of


class _Separable(nn.Module):
    """A k × k convolution of every channel by itself,
    then a 1 × 1 convolution; `fault` names what is wrong."""

    def __init__(self, c_in, c_out, kernel=3, bias=True, fault=None):
        super().__init__()
        groups, padding = (
            (1 if fault == "dense" else c_in),
            (0 if fault == "no padding" else kernel // 2),
        )
        point = 1 if fault != "large point" else kernel
        self.fault = fault
        self.depthwise = nn.Conv2d(
            c_in, c_in, kernel, padding=padding, groups=groups, bias=fault == "two biases"
        )
        self.pointwise = nn.Conv2d(c_in, c_out, point, padding=point // 2, bias=bias)
        if fault == "no point":
            self.depthwise, self.pointwise = (
                nn.Conv2d(c_in, c_out, kernel, padding=padding, bias=bias),
                nn.Identity(),
            )

    def forward(self, x):
        x = self.depthwise(x)
        return self.pointwise(x.relu() if self.fault == "ReLU" else x)


OWN = 20_230_912  # nobody else's


def seeded(make, *args, **kwargs):
    """make(…) with random numbers of our own; if it sets a seed, the check hears of it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(OWN)
        result = make(*args, **kwargs)
        kept = torch.initial_seed() == OWN
    if not kept:
        torch.manual_seed(OWN)
    return result


def _inspect_separable(function, c_in, c_out, options):
    layer, kernel = seeded(function, c_in, c_out, **options), options.get("kernel", 3)
    x = seeded(torch.randn, 2, c_in, 6, 7)
    output, parameters = layer(x), list(layer.parameters())
    by_shape = {tuple(p.shape): p for p in parameters}
    depth, point = by_shape.get((c_in, 1, kernel, kernel)), by_shape.get((c_out, c_in, 1, 1))
    own = None
    if depth is not None and point is not None:
        own = F.conv2d(x, depth, padding=kernel // 2, groups=c_in)
        own = F.conv2d(own, point, by_shape.get((c_out,)))
    return {
        "shapes of its parameters": " ".join(sorted(str(tuple(p.shape)) for p in parameters)),
        "shape of its output": shape_of(output),
        "largest difference of its output from what its two kernels and bias give in a row":
            gap_to(output, own),
    }  # fmt: skip


def shape_of(output):
    """In words, whatever a module returns."""
    return str(tuple(output.shape)) if isinstance(output, torch.Tensor) else kind_of(output)


def gap_to(output, expected):
    if shape_of(output) != shape_of(expected):
        return f"has the shape {shape_of(output)}"
    gap = (output - expected).abs().max().item()
    return 0.0 if gap < 1e-4 else gap


def _broken_separable(fault):
    return lambda c_in, c_out, kernel=3, bias=True: _Separable(c_in, c_out, kernel, bias, fault)


SeparableConv = Check(
    "SeparableConv",
    reference=_Separable,
    probe=_inspect_separable,
    cases=[
        case("two channels to five, 3 × 3, no bias", 2, 5, {"kernel": 3, "bias": False}),
        case("three channels to four, 5 × 5, with a bias", 3, 4, {"kernel": 5, "bias": True}),
        case("four channels to four, kernel and bias not given", 4, 4, {}),
        case("one channel to three, no bias", 1, 3, {"bias": False}),
    ],
    mistakes=[
        Mistake("the first convolution mixes the channels",
                "Depthwise: every channel has a kernel of its own, groups=c_in. "
                "Mixing is the second one's work.",
                _broken_separable("dense")),
        Mistake("the second convolution is not 1 × 1",
                "It only mixes channels, pixel by pixel: kernel size 1.",
                _broken_separable("large point")),
        Mistake("the image shrinks",
                "Pad with kernel // 2, so that an odd kernel keeps height and width.",
                _broken_separable("no padding")),
        Mistake("two biases", "A bias before the 1 × 1 convolution becomes part of its own: "
                              "bias=False in the first.",
                _broken_separable("two biases")),
        Mistake("a ReLU in between",
                "Separable stands for one linear map; what comes between is not asked for here.",
                _broken_separable("ReLU")),
        Mistake("that is an ordinary convolution",
                "Two layers: one over pixels for each channel, one over channels.",
                _broken_separable("no point")),
    ],
)  # fmt: skip
