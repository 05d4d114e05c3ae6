"""Checks of what training needs: the embedding of time, the loss with its random times.

The loss draws its own times and noise, so it is judged by what the model was given: a spy keeps x_t
and t, and the loss must be that of the noise which is in x_t.
"""

import math

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.diffusion.forward import _abar
from dlcourse.checks.draws import drawn
from dlcourse.checks.probes import judge


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
        case("a third one, one time", torch.tensor([6]), 4, 30.0),
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
    """A model with one weight, its answer is weight · xt; keeps what it was given."""

    def __init__(self):
        self.weight, self.seen = torch.tensor(0.3, requires_grad=True), []

    def __call__(self, xt, t):
        self.seen.append((xt.detach(), t.clone() if isinstance(t, torch.Tensor) else t))
        return self.weight * xt


def _seen(function, x0, abar, kind):
    first, second = _Spy(), _Spy()
    loss = function(first, x0, abar, kind)
    if loss is None:
        raise Untouched("None: is `return` missing?")
    function(second, x0, abar, kind)
    if not first.seen:
        raise Untouched("a loss that was made without calling the model")
    xt, t = first.seen[0]
    times = isinstance(t, torch.Tensor) and t.shape == (len(x0),) and not t.is_floating_point()
    report = {"calls of the model": len(first.seen), "the model's t is (B,) int64": times,
              "dtype of xt": str(xt.dtype)}  # fmt: skip
    report |= {"shape of xt": list(xt.shape), "earliest and latest time": None}
    if not times or xt.shape != x0.shape or t.min() < 0 or t.max() >= len(abar):
        outside = [t.min().item(), t.max().item()] if times else None
        return report | {"earliest and latest time": outside} | dict.fromkeys(_LATER)
    level = abar[t].reshape(-1, *[1] * (x0.dim() - 1))
    eps = (xt.double() - level.sqrt() * x0.double()) / (1 - level).sqrt()
    again, s, n = second.seen[0][0], level.sqrt(), (1 - level).sqrt()
    goal = {"eps": eps, "x0": x0.double(), "v": s * eps - n * x0.double()}
    return (
        report
        | _drawn_times(t, len(abar))
        | _drawn_noise(eps)
        | {"other draws at the next call": not torch.equal(xt, again)}
        | _shares(loss, first, goal[kind])
    )


# what is looked at where xt and t are as they should be
_LATER = [
    "different times in the batch",
    "each time is drawn about equally often",
    "mean of the noise in xt is near 0",
    "its standard deviation is near 1",
    "each number of an example has its own noise",
    "each example has its own noise",
    "other draws at the next call",
    "loss, divided by what it should be",
    "gradient by the model's weight, divided by what it should be",
]


def _drawn_times(t, steps):
    count = t.bincount(minlength=steps)
    mean = len(t) / steps
    return {
        "earliest and latest time": [t.min().item(), t.max().item()],
        "different times in the batch": len(t.unique()),
        "each time is drawn about equally often": bool((count - mean).abs().max() < 5 * mean**0.5),
    }


def _drawn_noise(eps):
    """Whether it is N(0, 1), for every number of every example on its own. Five deviations."""
    flat = eps.flatten(1) - eps.mean()
    across = (flat[:, 0] * flat[:, 1]).mean().abs() < 5 / len(flat) ** 0.5
    down = (flat[:-1] * flat[1:]).mean().abs() < 5 / flat[1:].numel() ** 0.5
    return {
        "mean of the noise in xt is near 0": bool(eps.mean().abs() < 0.07),
        "its standard deviation is near 1": bool((eps.std() - 1).abs() < 0.05),
        "each number of an example has its own noise": bool(across),
        "each example has its own noise": bool(down),
    }


def _shares(loss, model, goal):
    """The loss and its gradient, divided by what they should be."""
    xt = model.seen[0][0].double()
    gap = 0.3 * xt - goal
    right = {"loss": gap.square().mean().item()}
    right["gradient by the model's weight"] = 2 * (gap * xt).mean().item()
    found = judge(loss, {"the model's weight": model.weight})
    return {
        f"{name}, divided by what it should be": value
        if isinstance(value, str)
        else value / right[name]
        for name, value in found.items()
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
        kind = "eps" if fault == "always eps" else kind
        wanted = {"eps": told, "x0": x0, "v": s * told - n * x0}[kind]
        square = (output - wanted).abs().pow(1 if fault == "absolute" else 2)
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
        case("images, nine times", drawn(900, 2, 3, 1, seed=9), _abar(9), "eps"),
        case("a model of v", _MANY, _abar(), "v"),
        case("a model of x0", _MANY + 1, _abar(), "x0"),
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
        Mistake("the absolute error", "Asked for is the mean of the squared error.",
                _loss("absolute")),
        Mistake("the noise is learnt whatever the kind",
                "What the model should answer is target(x0, eps, t, abar, kind).",
                _loss("always eps")),
    ],
)  # fmt: skip
