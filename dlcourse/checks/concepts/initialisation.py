"""Checks of the standard deviation with which weights start;
weights are stored as in nn.Linear, (outputs, inputs)."""

import math

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, case


def _xavier(weight, gain=1.0):
    outputs, inputs = weight.shape
    return gain * math.sqrt(2 / (inputs + outputs))  # Glorot & Bengio (2010), eq. 12


def _kaiming(weight):
    return nn.init.calculate_gain("relu") / math.sqrt(weight.shape[1])  # He et al. (2015), eq. 10


def _weight(outputs, inputs):
    return torch.zeros(outputs, inputs)


xavier_std = Check(
    "xavier_std",
    reference=_xavier,
    cases=lambda: [
        case("3 inputs, 5 outputs", _weight(5, 3)),
        case("784 inputs, 10 outputs", _weight(10, 784)),
        case("2 inputs, 2 outputs, gain 0.5", _weight(2, 2), 0.5),
        case("64 inputs, 32 outputs, gain 5/3 (torch's for tanh)", _weight(32, 64), 5 / 3),
    ],
    mistakes=[
        Mistake("this is the variance", "2/(fan-in + fan-out) is the variance: take its root.",
                lambda weight, gain=1.0: gain**2 * 2 / sum(weight.shape)),
        Mistake("the gain is forgotten", "The standard deviation is multiplied by the gain.",
                lambda weight, gain=1.0: math.sqrt(2 / sum(weight.shape))),
        Mistake("the gain is under the root",
                "The gain scales the numbers themselves, so it stands before the root.",
                lambda weight, gain=1.0: math.sqrt(2 * gain / sum(weight.shape))),
        Mistake("the 2 is missing",
                "Xavier's variance is one over the *mean* of fan-in and fan-out: 2/(in + out).",
                lambda weight, gain=1.0: gain * math.sqrt(1 / sum(weight.shape))),
        Mistake("only the inputs count",
                "Xavier is a compromise between forward (fan-in) and backward (fan-out): "
                "it takes both.",
                lambda weight, gain=1.0: gain * math.sqrt(1 / weight.shape[1])),
        Mistake("this is the bound of the uniform distribution",
                "√(6/(in + out)) is the half-width of a uniform distribution; "
                "its standard deviation is smaller by √3.",
                lambda weight, gain=1.0: gain * math.sqrt(6 / sum(weight.shape))),
    ],
)  # fmt: skip

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
