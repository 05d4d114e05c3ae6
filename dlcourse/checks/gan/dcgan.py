"""Checks of the parts of a DCGAN. A block is judged by its own weights:
it must compute what torch's functions compute with them in the order asked for;
the initialisation by the mean and the spread of what it draws."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _seeded(make, *args):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make(*args)


def _inspect(function, c_in, c_out, size, up):
    block = _seeded(function, c_in, c_out)
    if block is None:
        return None
    x = torch.randn(3, c_in, *size, generator=torch.Generator().manual_seed(1))
    for module in block.modules():
        if isinstance(
            module, nn.BatchNorm2d
        ):  # as after some training: no two channels alike, one factor negative
            module.weight.data = torch.linspace(-1, 2, module.num_features)
            module.bias.data = torch.linspace(-0.5, 1, module.num_features)
    y = block.train()(x)
    shapes = [tuple(p.shape) for p in block.parameters()]
    found = {"shape of the output": list(y.shape), "shapes of the weights": sorted(shapes)}
    kernel = (c_in, c_out, 4, 4) if up else (c_out, c_in, 4, 4)
    if sorted(shapes) == sorted([kernel, (c_out,), (c_out,)]):
        own = _own(x, [p for p in block.parameters() if p.shape == kernel][0], block, up)
        gap = (y - own).abs().max().item() if y.shape == own.shape else "another shape"
        found["output, compared with what its weights give"] = (
            gap if isinstance(gap, str) or gap > 1e-4 else 0.0
        )
    return found


def _own(x, weight, block, up):
    norm = [m for m in block.modules() if isinstance(m, nn.BatchNorm2d)]
    scale, shift = (norm[0].weight, norm[0].bias) if norm else (None, None)
    x = (
        F.conv_transpose2d(x, weight, stride=2, padding=1)
        if up
        else F.conv2d(x, weight, stride=2, padding=1)
    )
    x = F.batch_norm(x, None, None, scale, shift, training=True)
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


def _spread(values, drawn):
    """A mean and a standard deviation in words, those asked for within what chance allows."""
    if not drawn:
        return f"all {values.mean():.3g}" if values.std() == 0 else f"spread {values.std():.2g}"
    mean, std = float(values.mean()), float(values.std())
    near = [wanted for wanted in (0.0, 1.0) if abs(mean - wanted) < 0.01]
    spread = 0.02 if abs(std / 0.02 - 1) < 0.15 else float(f"{std:.1g}")
    return f"mean {near[0] if near else round(mean, 2):g}, spread {spread:g}"


def _after(function, model):
    with torch.no_grad():
        before = [p.clone() for p in model.parameters()]
        _seeded(function, model)
        if all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)):
            raise NotImplementedError("no weight has changed")
    found = {}
    for name, module in model.named_modules():
        for kind, value in module.named_parameters(recurse=False):
            drawn = kind == "weight" and not isinstance(module, nn.Linear)
            found[f"{type(module).__name__} {name}, {kind}"] = _spread(value.detach(), drawn)
    return found


def _initialise(model, fault=None):
    std = {"variance": 0.02**0.5, "hundredth": 0.01}.get(fault, 0.02)
    for module in model.modules():
        if isinstance(module, nn.ConvTranspose2d) and fault == "one kind":
            continue
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.weight.data.normal_(0.0, std)
        elif isinstance(module, nn.BatchNorm2d) and fault != "no norms":
            module.weight.data.normal_(0.0 if fault == "around 0" else 1.0, std)
        else:
            continue
        if module.bias is not None and fault != "biases":
            module.bias.data.zero_()


def _broken_start(fault):
    return lambda model: _initialise(model, fault)


def _networks():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        up = nn.Sequential(nn.ConvTranspose2d(16, 40, 7, bias=False), nn.BatchNorm2d(4000),
                           nn.ReLU(), nn.ConvTranspose2d(40, 8, 4), nn.Tanh())  # fmt: skip
        down = nn.Sequential(
            nn.Conv2d(1, 64, 4),
            nn.Sequential(nn.Conv2d(64, 32, 4, bias=False), nn.BatchNorm2d(2000)),
        )
        for model in (up, down):
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.bias.data.normal_()
    return up, down


initialise_dcgan = Check(
    "initialise_dcgan",
    reference=_initialise,
    probe=_after,
    returns=False,
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
    ],
)  # fmt: skip
