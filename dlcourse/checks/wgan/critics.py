"""Check of a critic of images, judged by what its own weights give."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, Untouched, case


class _Critic(nn.Module):
    """Three convolutions with leaky ReLUs between; `fault` names what is wrong."""

    def __init__(self, width, fault=None):
        super().__init__()
        norm = {"norm": nn.BatchNorm2d, "groups": lambda c: nn.GroupNorm(1, c)}.get(
            fault, lambda c: nn.Identity()
        )
        slope = {"plain": 0.0, "default": 0.01}.get(fault, 0.2)
        second = nn.Identity() if fault == "linear" else nn.LeakyReLU(slope)
        self.layers = nn.Sequential(
            nn.Conv2d(1, width, 4, stride=2, padding=1), nn.LeakyReLU(slope),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), norm(2 * width), second,
            nn.Conv2d(2 * width, 1, 7),
        )  # fmt: skip
        self.fault = fault

    def forward(self, x):
        value = self.layers(x)
        if self.fault == "squeezed":
            return value.squeeze()
        value = value if self.fault == "column" else value.flatten()  # (B, 1, 1, 1) → (B,)
        return value.sigmoid() if self.fault == "sigmoid" else value


def _inspect(function, width):
    critic = function(width)
    if critic is None:
        raise Untouched("None: is `return` missing?")
    critic.train()
    x = torch.randn(5, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        value = critic(x)
        if value is None:
            raise Untouched("forward gives None: is `return` missing?")
        single = critic(x[:1])
        company = critic(torch.cat([x[:2], 3 * x[2:] + 1]))
    alone = value.shape == (5,) and torch.allclose(value[:2], company[:2], atol=1e-5)
    shapes = sorted(tuple(p.shape) for p in critic.parameters() if p.dim() > 1)
    found = {
        "shape of the output": list(value.shape),
        "shape of the output for one image": list(single.shape),
        "a value depends on its own example only": bool(alone),
    }
    found["shapes of the convolutions' weights"] = ", ".join(map(str, shapes))
    gap = "not compared"
    if shapes == sorted(
        [(width, 1, 4, 4), (2 * width, width, 4, 4), (1, 2 * width, 7, 7)]
    ) and value.shape == (5,):
        gap = (value - _own(x, critic, width)).abs().max().item()
        gap = f"off by {gap:.2g}" if gap > 1e-4 else "the same"
    return found | {"output, compared with what its weights give": gap}


def _own(x, critic, width):
    by_shape = {tuple(p.shape): p for p in critic.parameters()}
    bias = [by_shape.get((c,)) for c in (width, 2 * width, 1)]
    with torch.no_grad():
        x = F.leaky_relu(F.conv2d(x, by_shape[width, 1, 4, 4], bias[0], 2, 1), 0.2)
        x = F.leaky_relu(F.conv2d(x, by_shape[2 * width, width, 4, 4], bias[1], 2, 1), 0.2)
        return F.conv2d(x, by_shape[1, 2 * width, 7, 7], bias[2]).flatten()


def _faulty(fault):
    return lambda width: _Critic(width, fault)


Critic = Check(
    "Critic",
    reference=_Critic,
    probe=_inspect,
    cases=[case("width 2", 2), case("width 5", 5)],
    mistakes=[
        Mistake("batch norm in the critic",
                "Then an example's value depends on its neighbours, and 'the slope at "
                "this example' means nothing: the penalty is for each example by itself. "
                "Leave the norm out.", _faulty("norm")),
        Mistake("a sigmoid at the end", "A critic gives values of any size, no probabilities.",
                _faulty("sigmoid")),
        Mistake("the output has axes left over",
                "One number an example: flatten() makes (B,) of (B, 1, 1, 1).", _faulty("column")),
        Mistake("squeeze takes the batch's axis, too",
                "One image gives (1,), not (): flatten(), or squeeze of axes 1 to 3 only.",
                _faulty("squeezed")),
        Mistake("a plain ReLU",
                "LeakyReLU(0.2): a silent unit has slope 0 and tells the generator nothing.",
                _faulty("plain")),
        Mistake("the default slope",
                "nn.LeakyReLU has a slope of 0.01 unless told otherwise: LeakyReLU(0.2).",
                _faulty("default")),
        Mistake("no non-linearity after the second convolution",
                "Two convolutions in a row are one: "
                "LeakyReLU(0.2) between them.", _faulty("linear")),
    ],
)  # fmt: skip
