"""Check of the standard deviation with which the weights of a ReLU layer start;
weights are stored as in nn.Linear, (outputs, inputs)."""

import math

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, case


def _kaiming(weight):
    return nn.init.calculate_gain("relu") / math.sqrt(weight.shape[1])  # He et al. (2015), eq. 10


def _weight(outputs, inputs):
    return torch.zeros(outputs, inputs)


kaiming_std = Check(
    "kaiming_std",
    reference=_kaiming,
    cases=lambda: [
        case("3 inputs, 5 outputs", _weight(5, 3)),
        case("2 inputs, 2 outputs", _weight(2, 2)),
        case("784 inputs, 100 outputs", _weight(100, 784)),
    ],
    mistakes=[
        Mistake("fan-in and fan-out swapped",
                "nn.Linear stores its weight as (outputs, inputs), "
                "so the fan-in is weight.shape[1].",
                lambda weight: math.sqrt(2 / weight.shape[0])),
        Mistake("the gain is forgotten",
                "ReLU throws half of the second moment away; the 2 under the root makes up for it.",
                lambda weight: math.sqrt(1 / weight.shape[1])),
        Mistake("this is the variance", "2/fan-in is the variance: take its root.",
                lambda weight: 2 / weight.shape[1]),
        Mistake("this is Xavier's", "Kaiming's variance is 2/fan-in, without the fan-out.",
                lambda weight: math.sqrt(2 / sum(weight.shape))),
        Mistake("the root of 2 is missing", "2 stands under the root: √(2/fan-in), not 2/√fan-in.",
                lambda weight: 2 / math.sqrt(weight.shape[1])),
    ],
)  # fmt: skip
