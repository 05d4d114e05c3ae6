"""Checks of what training needs: the embedding of time,
the loss with its random times, a distance of clouds.

The loss draws its own times and noise, so it is judged by what the model was given: a spy keeps x_t
and t, and the loss must be that of the noise which is in x_t.
"""

import math

import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.diffusion.forward import _abar
from dlcourse.checks.draws import drawn


def _waves(t, width, period=10_000.0):
    half = width // 2
    rows = [
        [
            wave(float(one) * period ** (-i / half))
            for wave in (math.sin, math.cos)
            for i in range(half)
        ]
        for one in t
    ]
    return torch.tensor(rows, dtype=torch.float32)


def _wrong_waves(shape):
    def function(t, width, period=10_000.0):
        half, t = width // 2, t.float()[:, None]
        i = torch.arange(half)
        frequency = {"last": period ** (-i / max(half - 1, 1)), "width": period ** (-i / width),
                     "up": period ** (i / half)}.get(shape, period ** (-i / half))  # fmt: skip
        angle = t * frequency
        parts = (angle.cos(), angle.sin()) if shape == "order" else (angle.sin(), angle.cos())
        return torch.stack(parts, 2).flatten(1) if shape == "turns" else torch.cat(parts, 1)

    return function


time_embedding = Check(
    "time_embedding",
    reference=_waves,
    fallback="dlcourse.models.denoiser:time_embedding",
    rtol=1e-4,
    atol=1e-4,
    cases=[
        case("t = 1, two numbers", torch.tensor([1]), 2),
        case("t = 0, 3, 7, six numbers", torch.tensor([0, 3, 7]), 6),
        case("another period", torch.tensor([5, 2]), 8, 100.0),
        case("late times", torch.tensor([249, 100, 1, 0]), 32),
    ],
    mistakes=[
        Mistake("sines and cosines in turn", "All sines first, then all cosines.",
                _wrong_waves("turns")),
        Mistake("cosines first", "All sines first, then all cosines.", _wrong_waves("order")),
        Mistake("divided by width in place of width/2",
                "There are width/2 frequencies: i / (width/2).", _wrong_waves("width")),
        Mistake("divided by half − 1", "The exponent is −i / half; 1/period itself is not reached.",
                _wrong_waves("last")),
        Mistake("frequencies that grow", "The exponent is negative: waves get longer with i.",
                _wrong_waves("up")),
    ],
)  # fmt: skip


class _Spy:
    def __init__(self):
        self.seen = []

    def __call__(self, xt, t):
        self.seen.append(
            (xt.detach().double(), t.clone() if isinstance(t, torch.Tensor) else torch.tensor([t]))
        )
        return torch.full_like(xt, 0.3)


def _seen(function, x0, abar, kind):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        spy = _Spy()
        loss = function(spy, x0, abar, kind)
    if loss is None:
        return None
    if not spy.seen:
        return {"calls of the model": 0}
    xt, t = spy.seen[0]
    report = {"calls of the model": len(spy.seen), "shape of t": list(t.shape)}
    if list(t.shape) != [len(x0)] or t.min() < 0 or t.max() >= len(abar):
        return report | {"times outside 0 … T − 1": True}
    level = abar[t].reshape(-1, *[1] * (x0.dim() - 1))
    eps = (xt - level.sqrt() * x0.double()) / (1 - level).sqrt()
    wanted = {
        "eps": eps,
        "x0": x0.double(),
        "v": level.sqrt() * eps - (1 - level).sqrt() * x0.double(),
    }[kind]
    return report | {
        "earliest and latest time": [t.min().item(), t.max().item()],
        "different times in the batch": len(t.unique()),
        "mean of the noise in xt is near 0": bool(eps.mean().abs() < 0.05),
        "its standard deviation is near 1": bool((eps.std() - 1).abs() < 0.05),
        "loss over mean squared error of what it should learn": float(loss)
        / (0.3 - wanted).square().mean().item(),
    }


def _loss(fault=None):
    def function(model, x0, abar, kind="eps"):
        low, high = (1 if fault == "late" else 0), len(abar) - (1 if fault == "early" else 0)
        t = torch.randint(low, high, (len(x0),))
        t = t[:1].expand(len(x0)) if fault == "same" else t
        level = abar[t].to(x0.dtype).reshape(-1, *[1] * (x0.dim() - 1))
        eps = torch.rand_like(x0) if fault == "uniform" else torch.randn_like(x0)
        s, n = (level, 1 - level) if fault == "roots" else (level.sqrt(), (1 - level).sqrt())
        output = model(s * x0 + n * eps, t)
        told = torch.randn_like(x0) if fault == "other noise" else eps
        wanted = {"eps": told, "x0": x0, "v": s * told - n * x0}[kind]
        square = (output - wanted).square()
        return square.flatten(1).sum(1).mean() if fault == "sum" else square.mean()

    return function


_MANY = drawn(4000, 2, seed=8)

diffusion_loss = Check(
    "diffusion_loss",
    reference=_loss(),
    probe=_seen,
    fallback="dlcourse.methods.diffusion:diffusion_loss",
    rtol=1e-3,
    cases=[
        case("4000 points, all six times", _MANY, _abar(), "eps"),
        case("images", drawn(900, 1, 3, 4, seed=9), _abar(), "eps"),
        case("a model of v", _MANY, _abar(), "v"),
    ],
    mistakes=[
        Mistake("the same t for the whole batch", "Draw a time for each example: shape (B,).",
                _loss("same")),
        Mistake("t = 0 is never drawn", "randint(len(abar), …) draws 0 … T − 1.", _loss("late")),
        Mistake("the last t is never drawn", "The end of randint is exclusive already: len(abar).",
                _loss("early")),
        Mistake("uniform noise", "randn_like, not rand_like: mean 0 and variance 1.",
                _loss("uniform")),
        Mistake("√ missing", "Use q_sample: √abar x0 + √(1 − abar) eps.", _loss("roots")),
        Mistake("another noise is learnt",
                "The noise in the target is the one that went into xt: draw it once.",
                _loss("other noise")),
        Mistake("sum over the features", "Here the mean goes over all numbers.", _loss("sum")),
    ],
)  # fmt: skip


def _pairs(a, b):
    return (a[:, None] - b[None]).square().sum(2).sqrt().mean()


def _total(a, b):
    return _pairs(a, b) * len(a) * len(b)


energy_distance = Check(
    "energy_distance",
    reference=lambda a, b: 2 * _pairs(a, b) - _pairs(a, a) - _pairs(b, b),
    fallback="dlcourse.metrics:energy_distance",
    rtol=1e-3,
    atol=1e-5,
    cases=[
        case("two points against one", torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0]])),
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
                lambda a, b: 2 * _pairs(a, b) ** 2 - _pairs(a, a) ** 2 - _pairs(b, b) ** 2),
        Mistake("sums over the pairs", "Expectations: means over all pairs.",
                lambda a, b: 2 * _total(a, b) - _total(a, a) - _total(b, b)),
    ],
)  # fmt: skip
