"""Checks of the parts of a DCGAN. A block is judged by its own weights: it must compute what
torch's functions compute with them in the order asked for."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.gan.initialisation import _after, _broken_start, _initialise, _networks


def _inspect(function, c_in, c_out, size, up):
    block = function(c_in, c_out)
    if block is None:
        raise Untouched("None: is `return` missing?")
    x = torch.randn(3, c_in, *size, generator=torch.Generator().manual_seed(1))
    block(x)  # a lazy layer learns its sizes
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            # as after some training: no two channels alike, one factor negative
            module.weight.data = torch.linspace(-1, 2, module.num_features)
            module.bias.data = torch.linspace(-0.5, 1, module.num_features)
    y, rested = block.train()(x), block.eval()(x)
    shapes = [tuple(p.shape) for p in block.parameters()]
    found = {
        "shape of the output": list(y.shape),
        "shapes of the weights": ", ".join(map(str, sorted(shapes))),
    }
    kernel = (c_in, c_out, 4, 4) if up else (c_out, c_in, 4, 4)
    norms = [m for m in block.modules() if isinstance(m, nn.BatchNorm2d)]
    gaps = ["not compared"] * 2
    if sorted(shapes) == sorted([kernel, (c_out,), (c_out,)]) and norms:
        weight = [p for p in block.parameters() if p.shape == kernel][0]
        gaps = [
            _gap(y, _own(x, weight, norms[0], up, True)),
            _gap(rested, _own(x, weight, norms[0], up, False)),
        ]
    return found | {
        "output, compared with what its weights give": gaps[0],
        "the same in eval mode": gaps[1],
        "shape of the output of 7 × 5 pixels": list(block(torch.zeros(3, c_in, 7, 5)).shape),
    }


def _gap(y, own):
    if y.shape != own.shape:
        return "another shape"
    gap = (y - own).abs().max().item()
    return f"off by {gap:.2g}" if gap > 1e-4 else "the same"


def _own(x, weight, norm, up, training):
    convolve = F.conv_transpose2d if up else F.conv2d
    x = convolve(x, weight, stride=2, padding=1)
    means = (None, None) if training else (norm.running_mean, norm.running_var)
    if not training and norm.running_mean is None:
        return x[:0]  # no statistics are kept: nothing to compare with
    x = F.batch_norm(x, *means, norm.weight, norm.bias, training=training)
    return F.relu(x) if up else F.leaky_relu(x, 0.2)


class _Block(nn.Module):
    """Convolution, batch norm, non-linearity; `fault` names what is wrong."""

    def __init__(self, c_in, c_out, up, fault=None):
        super().__init__()
        kind = nn.ConvTranspose2d if up and fault != "ordinary" else nn.Conv2d
        kernel, stride = {"kernel 3": (3, 2), "stride 1": (3, 1)}.get(fault, (4, 2))
        self.conv = kind(c_in, c_out, kernel, stride, 1, bias=fault == "bias")
        self.norm = nn.Identity() if fault == "no norm" else nn.BatchNorm2d(c_out)
        slope = {"other": 0.2 if up else 0.0, "slope": 0.01}.get(fault, 0.0 if up else 0.2)
        self.active, self.fault = nn.LeakyReLU(slope), fault

    def forward(self, x):
        if self.fault == "last":
            return self.norm(self.active(self.conv(x)))
        if self.fault == "first":
            return self.conv(self.active(x))
        return (
            self.norm(self.conv(x))
            if self.fault == "linear"
            else self.active(self.norm(self.conv(x)))
        )


def _block(up, fault=None):
    return lambda c_in, c_out: _Block(c_in, c_out, up, fault)


def _cases(up):
    sides = ((2, 3), (7, 7), (5, 4)) if up else ((4, 6), (14, 14), (8, 10))
    return [
        case(f"1 → 2 channels, {sides[0][0]} × {sides[0][1]} pixels", 1, 2, sides[0], up),
        case(f"6 → 3 channels, {sides[1][0]} × {sides[1][1]} pixels", 6, 3, sides[1], up),
        case(f"4 → 4 channels, {sides[2][0]} × {sides[2][1]} pixels", 4, 4, sides[2], up),
    ]


def _common(up):
    return [
        Mistake("the convolution keeps a bias",
                "Batch norm subtracts the mean, and any constant with it: bias=False.",
                _block(up, "bias")),
        Mistake("no batch norm",
                "Between convolution and non-linearity stands nn.BatchNorm2d(c_out).",
                _block(up, "no norm")),
        Mistake("batch norm comes last", "The order is convolution, batch norm, non-linearity.",
                _block(up, "last")),
        Mistake("a 3 × 3 kernel",
                "With stride 2 it misses the size by one and covers pixels unevenly: "
                "kernel 4, stride 2, padding 1.",
                _block(up, "kernel 3")),
        Mistake("stride 1", "The stride is what changes height and width: stride=2.",
                _block(up, "stride 1")),
        Mistake("nothing non-linear", "A ReLU (leaky on the way down) closes the block.",
                _block(up, "linear")),
    ]  # fmt: skip


up_block = Check(
    "up_block",
    reference=_block(True),
    probe=_inspect,
    cases=_cases(True),
    fallback="dlcourse.models.gan:up_block",
    mistakes=[
        *_common(True),
        Mistake("an ordinary convolution",
                "It halves the image; the transposed one doubles it: nn.ConvTranspose2d.",
                _block(True, "ordinary")),
        Mistake("a leaky ReLU on the way up",
                "DCGAN has plain ReLUs in the generator, leaky ones in D.", _block(True, "other")),
    ],
)  # fmt: skip

down_block = Check(
    "down_block",
    reference=_block(False),
    probe=_inspect,
    cases=_cases(False),
    fallback="dlcourse.models.gan:down_block",
    mistakes=[
        *_common(False),
        Mistake("a plain ReLU on the way down",
                "Half of its units are silent and let no gradient through to the generator: "
                "LeakyReLU(0.2).", _block(False, "other")),
        Mistake("the default slope",
                "nn.LeakyReLU has a slope of 0.01 unless told otherwise: LeakyReLU(0.2).",
                _block(False, "slope")),
    ],
)  # fmt: skip


initialise_dcgan = Check(
    "initialise_dcgan",
    reference=_initialise,
    probe=_after,
    cases=lambda: [
        case("a convolution and its bias", nn.Sequential(_networks()[1][0])),
        case("a generator: transposed convolutions and a batch norm", _networks()[0]),
        case("a discriminator, its layers in a box within a box", _networks()[1]),
    ],
    fallback="dlcourse.models.gan:initialise_dcgan",
    mistakes=[
        Mistake("0.02 as a variance", "nn.init.normal_ takes the standard deviation: 0.02 itself.",
                _broken_start("variance")),
        Mistake("a spread of 0.01", "Radford et al. (2016) draw with a standard deviation of 0.02.",
                _broken_start("hundredth")),
        Mistake("the scales of batch norm are drawn around 0",
                "A scale near 0 silences its channel: N(1, 0.02²).", _broken_start("around 0")),
        Mistake("batch norm is left out", "Its weight is drawn from N(1, 0.02²), its bias is 0.",
                _broken_start("no norms")),
        Mistake("transposed convolutions are left out",
                "nn.ConvTranspose2d is no nn.Conv2d: "
                "isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)).",
                _broken_start("one kind")),
        Mistake("the biases stay as they are",
                "Where there is one (it is None with bias=False) set it to 0.",
                _broken_start("biases")),
        Mistake("layers in a box are left out",
                "model.children() sees the outermost modules only: model.modules() sees all.",
                _broken_start("children")),
        Mistake("linear layers are drawn too", "Convolutions and batch norms only, whatever else "
                                               "there is.", _broken_start("linear")),
    ],
)  # fmt: skip
