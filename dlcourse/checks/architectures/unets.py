"""Checks of the U-Net: its junctions, and the whole of it, whatever its layers are called."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.architectures.modules import made, ready
from dlcourse.checks.core import Check, Mistake, case


def _on_pixels_of(x, skip):
    """x on the pixels of skip, the last row and column repeated."""
    rows, columns = (torch.arange(size) for size in skip.shape[2:])
    return x[:, :, rows.clamp(max=x.shape[2] - 1)][..., columns.clamp(max=x.shape[3] - 1)]


def _join(x, skip):
    return torch.cat([skip, _on_pixels_of(x, skip)], 1)


def _padded(x, skip, first=False):
    rows, columns = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
    sides = (columns, 0, rows, 0) if first else (0, columns, 0, rows)
    return torch.cat([skip, F.pad(x, sides, mode="replicate" if first else "constant")], 1)


def _draw(*shapes, dtype=torch.float32):
    generator = torch.Generator().manual_seed(sum(map(sum, shapes)))
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


def _join_cases():
    x, skip = _draw((2, 2, 4, 12), (2, 3, 5, 7), dtype=torch.float64)
    return [
        case("same size, one channel each", *_draw((1, 1, 2, 2), (1, 1, 2, 2))),
        case("4 channels and 2, 3 images", *_draw((3, 4, 4, 6), (3, 2, 4, 6))),
        case("an odd number of rows", *_draw((2, 2, 4, 6), (2, 2, 5, 6))),
        case("an odd number of columns", *_draw((2, 3, 4, 6), (2, 3, 4, 7))),
        case("both odd, a view, float64", x[..., ::2], skip),
        case("two rows and three columns short", *_draw((1, 2, 3, 4), (1, 1, 5, 7))),
    ]


join = Check(
    "join",
    reference=_join,
    cases=_join_cases,
    fallback="dlcourse.models.unet:join",
    mistakes=[
        Mistake("joined along the batch",
                "Channels are axis 1: torch.cat([…], dim=1). Axis 0 would mix images.",
                lambda x, skip: torch.cat([skip, _on_pixels_of(x, skip)], 0)),
        Mistake("joined along the height", "Channels are axis 1: torch.cat([…], dim=1).",
                lambda x, skip: torch.cat([skip, _on_pixels_of(x, skip)], 2)),
        Mistake("joined along the width", "Channels are axis 1; dim=-1 is the width.",
                lambda x, skip: torch.cat([skip, _on_pixels_of(x, skip)], 3)),
        Mistake("x comes first", "The skip's channels first, then those of x.",
                lambda x, skip: torch.cat([_on_pixels_of(x, skip), skip], 1)),
        Mistake("the sizes are taken for equal",
                "An odd size was rounded down when it was halved: x may be "
                "a row or a column short. Pad it.", lambda x, skip: torch.cat([skip, x], 1)),
        Mistake("the skip is cut instead", "Then the mask would be smaller than the image: pad x.",
                lambda x, skip: torch.cat([skip[..., : x.shape[2], : x.shape[3]], x], 1)),
        Mistake("padded with zeros",
                "Zeros are an edge that is not there: mode=\"replicate\" repeats the last pixels.",
                _padded),
        Mistake("the first row or column is repeated, not the last",
                "Halving drops the last one: F.pad counts (left, right, top, bottom). "
                "F.interpolate repeats earlier ones, too.",
                lambda x, skip: _padded(x, skip, first=True)),
        Mistake("stretched instead of padded",
                "Stretching displaces every pixel against the skip: "
                "only add the last row and column.",
                lambda x, skip:
                    torch.cat([skip, F.interpolate(x, size=skip.shape[2:], mode="bilinear")], 1)),
        Mistake("added instead of concatenated",
                "A residual block adds; a U-Net keeps both side by side.",
                lambda x, skip: skip + _on_pixels_of(x, skip)[:, : skip.shape[1]]),
    ],
)  # fmt: skip


class _Two(nn.Module):
    """Two convolutions with norm and ReLU."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.kernels = nn.ParameterList(
            [torch.empty(outputs, inputs, 3, 3), torch.empty(outputs, outputs, 3, 3)]
        )
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)])

    def forward(self, x):
        for kernel, norm in zip(self.kernels, self.norms, strict=True):
            x = F.relu(norm(F.conv2d(x, kernel, padding=1)))
        return x


class _Level(nn.Module):
    """One level of the U with everything below it, which is again a level."""

    def __init__(self, inputs, width, below, fault):
        super().__init__()
        self.fault, self.first = fault, _Two(inputs, width)
        self.inner = None
        if below:
            wider = width if fault == "one width" else 2 * width
            self.inner = _Level(width, wider, below - 1, fault)
            self.up = nn.Parameter(torch.empty(wider, width, 2, 2))
            self.bias = nn.Parameter(torch.empty(width))
            self.last = _Two(width if fault in ("no skip", "added") else 2 * width, width)

    def forward(self, x):
        fault, seen = self.fault, x
        x = self.first(x)
        if self.inner is None:
            return x
        pool = F.avg_pool2d if fault == "average" else F.max_pool2d
        y = self.inner(pool(x, 2))
        y = F.conv_transpose2d(y, self.up, self.bias, stride=2)
        y = F.relu(y) if fault == "ReLU" else y
        if fault == "zeros":
            return self.last(torch.cat([torch.zeros_like(x), _on_pixels_of(y, x)], 1))
        if fault == "small":
            return self.last(torch.cat([x[..., : y.shape[2], : y.shape[3]], y], 1))
        if fault == "no skip":
            return self.last(_on_pixels_of(y, x))
        if fault == "added":
            return self.last(x + _on_pixels_of(y, x))
        return self.last(_join(y, seen if fault == "early" and seen.shape[1] == x.shape[1] else x))


class _Net(nn.Module):
    fault = None

    def __init__(self, channels=1, outputs=1, width=8, levels=3):
        super().__init__()
        self.body = _Level(channels, width, levels - (self.fault == "shallow"), self.fault)
        self.kernel, self.bias = (
            nn.Parameter(torch.empty(outputs, width, 1, 1)),
            nn.Parameter(torch.empty(outputs)),
        )

    def forward(self, x):
        logits = F.conv2d(self.body(x), self.kernel, self.bias)
        return {"sigmoid": torch.sigmoid, "last ReLU": F.relu}.get(self.fault, torch.clone)(logits)


def _maps(make, settings, x):
    """Parameters of a net, and what it makes of x in evaluation."""
    model = ready(made(lambda: make(**settings)), x).eval()
    with torch.no_grad():
        maps = model(x)
    return {"number of parameters": sum(one.numel() for one in model.parameters()), "output": maps}


def _settings(channels, outputs, width, levels):
    return {"channels": channels, "outputs": outputs, "width": width, "levels": levels}


def _broken(fault):
    return type("Net", (_Net,), {"fault": fault})


def _net_cases():
    (wide,) = _draw((2, 1, 12, 32), dtype=torch.float64)
    return [
        case("one level, one image", _settings(1, 1, 2, 1), *_draw((1, 1, 4, 6))),
        case("two levels, 2 channels in, 3 out", _settings(2, 3, 2, 2), *_draw((2, 2, 8, 12))),
        case("three levels", _settings(1, 1, 3, 3), *_draw((2, 1, 16, 24))),
        case("odd sizes at every level", _settings(1, 2, 2, 3), *_draw((3, 1, 31, 15))),
        case("as many channels as the width", _settings(3, 1, 3, 1), *_draw((2, 3, 9, 7))),
        case("a view in float64", _settings(1, 1, 2, 2), wide[..., ::2]),
        case("nothing given, as few pixels as can be", {}, *_draw((2, 1, 8, 9))),
    ]


UNet = Check(
    "UNet",
    reference=_Net,
    probe=_maps,
    cases=_net_cases,
    fallback="dlcourse.models.unet:UNet",
    rtol=1e-3,
    atol=1e-4,
    mistakes=[
        Mistake("no skip connections",
                "Keep what each level makes before pooling, and join it on the way up.",
                _broken("no skip")),
        Mistake("zeros come through the skips",
                "Store the output of the level itself, before it is pooled.", _broken("zeros")),
        Mistake("skips are added",
                "join puts them side by side, so the next DoubleConv has 2 · C channels in.",
                _broken("added")),
        Mistake("a level is missing",
                "`levels` halvings: levels + 1 DoubleConvs on the way down, with the deepest.",
                _broken("shallow")),
        Mistake("the width stays", "The channels double with each halving.", _broken("one width")),
        Mistake("averages instead of maxima", "F.max_pool2d(x, 2) on the way down.",
                _broken("average")),
        Mistake("a ReLU after the transposed convolution", "Nothing between it and join.",
                _broken("ReLU")),
        Mistake("probabilities instead of logits", "No sigmoid at the end: the losses take logits.",
                _broken("sigmoid")),
        Mistake("a ReLU at the end",
                "Logits may be negative: the 1 × 1 convolution is the last layer.",
                _broken("last ReLU")),
        Mistake("the result is smaller than the image", "Let `join` pad x; do not cut the skip.",
                _broken("small")),
        Mistake("the skip starts before its level",
                "What goes through the skip is the output of DoubleConv.", _broken("early")),
    ],
)  # fmt: skip
