"""Check of a distance between clouds, pair by pair."""

import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn


def _pairs(a, b, power=1):
    return (a[:, None] - b[None]).square().sum(2).sqrt().pow(power).mean()


def _energy(a, b, power=1):
    return 2 * _pairs(a, b, power) - _pairs(a, a, power) - _pairs(b, b, power)


def _total(a, b):
    return _pairs(a, b) * len(a) * len(b)


def _others(a):
    return _pairs(a, a) * len(a) / (len(a) - 1)


energy_distance = Check(
    "energy_distance",
    reference=_energy,
    fallback="dlcourse.metrics:energy_distance",
    rtol=1e-3,
    atol=1e-5,
    cases=[
        case("two points against three", torch.tensor([[0.0], [1.0]]),
             torch.tensor([[3.0], [4.0], [7.0]])),
        case("4 against 7 points in the plane", drawn(4, 2), drawn(7, 2, seed=1) + 1),
        case("float64, five dimensions", drawn(6, 5, dtype=torch.float64),
             2 * drawn(3, 5, seed=2, dtype=torch.float64)),
        case("a cloud and itself", drawn(5, 3), drawn(5, 3)),
    ],
    mistakes=[
        Mistake("the 2 is missing", "2 E|a − b|: then equal clouds give 0.",
                lambda a, b: _pairs(a, b) - _pairs(a, a) - _pairs(b, b)),
        Mistake("only the distance between the clouds",
                "Subtract the distances within either cloud.", _pairs),
        Mistake("squared distances",
                "The distance itself, not its square: squares only see the means.",
                lambda a, b: _energy(a, b, 2)),
        Mistake("the root of it", "2 E|a − b| − E|a − a′| − E|b − b′| itself, without a root.",
                lambda a, b: _energy(a, b).clamp(min=0).sqrt()),
        Mistake("sums over the pairs", "Expectations: means over all pairs.",
                lambda a, b: 2 * _total(a, b) - _total(a, a) - _total(b, b)),
        Mistake("a point's distance from itself is left out",
                "Here every pair counts, also a point with itself: its 0 is in the mean.",
                lambda a, b: 2 * _pairs(a, b) - _others(a) - _others(b)),
    ],
)  # fmt: skip
