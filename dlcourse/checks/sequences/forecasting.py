"""Checks of honest forecasting: split, windows, quantiles, and going on step by step."""

from dataclasses import dataclass
from functools import partial

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.draws import drawn
from dlcourse.checks.probes import with_gradient
from dlcourse.checks.sequences.slopes import steady

_values = partial(drawn, dtype=torch.float64)


def _split(values, share, seen=None, spread=torch.std):
    cut = int(share * len(values))
    past = values[:cut] if seen is None else seen(values, cut)
    mean, std = past.mean(), spread(past)
    return (values[:cut] - mean) / std, (values[cut:] - mean) / std, mean, std


def _each_alone(values, share):
    past, future = values[: int(share * len(values))], values[int(share * len(values)) :]
    return (
        (past - past.mean()) / past.std(),
        (future - future.mean()) / future.std(),
        past.mean(),
        past.std(),
    )


def _shuffled(values, share):
    return _split(
        values[torch.randperm(len(values), generator=torch.Generator().manual_seed(0))], share
    )


def _measured(function, values, share):
    """What it returns; mean and deviation may be floats as well."""
    found = function(values, share)
    if found is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(found, (tuple, list)) or len(found) != 4:
        return found
    told = (torch.tensor(one).to(values) if isinstance(one, float) else one for one in found[2:])
    return (*found[:2], *told)


_measured.hands_on = True

split_and_scale = Check(
    "split_and_scale",
    single=False,
    reference=_split,
    probe=_measured,
    cases=lambda: [case("1 to 8, half", torch.arange(1.0, 9.0), 0.5),
                   case("a rising series", _values(11) + torch.arange(11.0), 0.8),
                   case("float64 around 300", 300 + _values(40, seed=1), 0.8)],
    mistakes=[
        Mistake("scaled by all data",
                "Mean and std of the training part only: the future is not known yet.",
                lambda v, s: _split(v, s, lambda v, cut: v)),
        Mistake("scaled by the future", "Mean and std of the training part.",
                lambda v, s: _split(v, s, lambda v, cut: v[cut:])),
        Mistake("each part by its own",
                "At forecast time the test part's mean is unknown: scale both alike.", _each_alone),
        Mistake("shuffled before the cut",
                "Neighbours in time would be on both sides: cut, do not shuffle.", _shuffled),
        Mistake("divided by N, not N − 1", "Use the unbiased deviation, as torch's std() gives it.",
                lambda v, s: _split(v, s, spread=lambda past: past.std(correction=0))),
        Mistake("divided by the variance",
                "Divide by the standard deviation, the root of the variance.",
                lambda v, s: _split(v, s, spread=torch.var)),
        Mistake("only centred", "Divide by the standard deviation.",
                lambda v, s: (_split(v, s)[0] * _split(v, s)[3], _split(v, s)[1] * _split(v, s)[3],
                              *_split(v, s)[2:])),
    ],
)  # fmt: skip


def _windows(values, context, horizon, gap=0, stride=1, fewer=0):
    starts = range(0, len(values) - context - horizon + 1 - fewer, stride)
    x = torch.stack([values[s : s + context] for s in starts])
    return x, torch.stack([values[s + context + gap : s + context + gap + horizon] for s in starts])


windows = Check(
    "windows",
    probe=steady,
    single=False,
    reference=_windows,
    cases=lambda: [case("0 to 5, 2 in, 1 out", torch.arange(6.0), 2, 1),
                   case("3 in, 2 out", _values(11), 3, 2),
                   case("room for one window", _values(6, seed=2), 2, 4),
                   case("every other number in memory", _values(24, seed=1)[::2], 4, 3)],
    mistakes=[
        Mistake("the target begins inside the window", "y begins at the first value after x.",
                lambda *a: _windows(*a, gap=-1)),
        Mistake("windows do not overlap", "A window begins at every value: step 1.",
                lambda *a: _windows(*a, stride=a[1] + a[2])),
        Mistake("the last window is missing", "There are N − context − horizon + 1.",
                lambda *a: _windows(*a, fewer=1)),
        Mistake("x and y exchanged", "x first, then what follows it.",
                lambda *a: _windows(*a)[::-1]),
    ],
)  # fmt: skip


def _pinball(predicted, y, quantiles, sign=1, swap=False):
    error = sign * (y[..., None] - predicted)
    over, under = (1 - quantiles, quantiles) if not swap else (quantiles, 1 - quantiles)
    return torch.where(error > 0, under * error, -over * error)


pinball = Check(
    "pinball",
    reference=lambda *a: _pinball(*a).mean(),
    probe=with_gradient(0),
    cases=lambda: [case("q = 0.9, too low by 2 and too high by 1", torch.zeros(1, 2, 1),
                        torch.tensor([[2.0, -1.0]]), torch.tensor([0.9])),
                   case("3 rows, 2 horizons, 4 quantiles", _values(3, 2, 4), _values(3, 2, seed=1),
                        torch.tensor([0.1, 0.3, 0.5, 0.9]).double()),
                   case("as many horizons as quantiles", _values(5, 3, 3, seed=2),
                        _values(5, 3, seed=3), torch.tensor([0.05, 0.5, 0.8]).double())],
    mistakes=[
        Mistake("q and 1 − q exchanged",
                "A 0.9-quantile that is too low costs 0.9 a unit: e = y − ŷ > 0 weighs q.",
                lambda *a: _pinball(*a, swap=True).mean()),
        Mistake("(1 − q) e in place of (q − 1) e",
                "Where e < 0 the second term must be the positive one: (q − 1) e.",
                lambda p, y, q: torch.maximum(q * (y[..., None] - p),
                                              (1 - q) * (y[..., None] - p)).mean()),
        Mistake("absolute error", "Both sides weigh the same only for the median.",
                lambda p, y, q: (y[..., None] - p).abs().mean()),
        Mistake("squared error", "A squared error finds the mean, not quantiles.",
                lambda p, y, q: (y[..., None] - p).square().mean()),
        Mistake("a sum", "The mean over batch, horizons and quantiles.",
                lambda *a: _pinball(*a).sum()),
    ],
)  # fmt: skip


def _feed(predict, window, horizon, fault=None):
    values, first = [], window
    for _ in range(horizon):
        values.append(predict(first if fault == "never" else window))
        if fault == "front":
            window = torch.cat([values[-1], window[:, :-1]], dim=1)
        elif fault == "zero":
            window = torch.cat([window[:, 1:], torch.zeros_like(values[-1])], dim=1)
        else:
            window = torch.cat([window[:, 1:], values[-1]], dim=1)
    return values[-1] if fault == "last" else torch.cat(values, dim=1)


@dataclass(frozen=True)
class _Rule:
    """A one-step forecast: windows (B, C) → (B, 1)."""

    weights: tuple
    __name__ = "predict"

    def __call__(self, window):
        return torch.sin(window @ torch.tensor(self.weights, dtype=window.dtype))[:, None]


recursive_forecast = Check(
    "recursive_forecast",
    probe=steady,
    single=False,
    reference=_feed,
    cases=lambda: [case("2 in, 2 steps", _Rule((0.5, 1.0)), _values(1, 2), 2),
                   case("3 rows, 4 in, 7 steps", _Rule((0.7, -1.2, 0.4, 0.9)),
                        _values(3, 4, seed=5), 7),
                   case("one in, 3 steps", _Rule((1.3,)), _values(2, 1, seed=6), 3),
                   case("one step", _Rule((-0.3, 1.1, 0.8)), _values(2, 3, seed=7), 1)],
    mistakes=[
        Mistake("the window never moves", "Append each prediction, drop the oldest value.",
                lambda *a: _feed(*a, fault="never")),
        Mistake("the prediction is put in front", "The newest value is the last one.",
                lambda *a: _feed(*a, fault="front")),
        Mistake("zeros are appended", "Append the prediction itself.",
                lambda *a: _feed(*a, fault="zero")),
        Mistake("only the last step", "Return all of them: (B, horizon).",
                lambda *a: _feed(*a, fault="last")),
    ],
)  # fmt: skip
