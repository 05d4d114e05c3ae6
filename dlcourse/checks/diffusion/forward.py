"""Checks of the way from data to noise: schedule, closed form, posterior.

References go one example after the other in float64, so that nothing can be broadcast wrongly.
"""

import math

import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn


def _betas(steps):
    return torch.linspace(0.02, 0.3, steps, dtype=torch.float64)


def _abar(steps=6):
    return torch.tensor(
        [math.prod((1 - _betas(steps))[: t + 1].tolist()) for t in range(steps)],
        dtype=torch.float64,
    )


_T3 = torch.tensor([0, 5, 2])
_LATE3 = torch.tensor([7, 0, 4])  # of a schedule of nine steps


def _shifted(abar):
    return torch.cat([abar.new_ones(1), abar[:-1]])


def _each(rule):
    """rule(level, level before, *one example's tensors) → tensor or tuple;
    called for every example, then stacked."""

    def function(*args):
        *tensors, t, abar = args
        before = _shifted(abar)
        rows = [
            rule(abar[i].item(), before[i].item(), *(x[n] for x in tensors))
            for n, i in enumerate(t.tolist())
        ]
        if isinstance(rows[0], tuple):
            return tuple(torch.stack(part) for part in zip(*rows, strict=True))
        return torch.stack(rows)

    return function


cumulative = Check(
    "cumulative",
    reference=lambda betas: torch.stack([(1 - betas[: t + 1]).prod() for t in range(len(betas))]),
    fallback="dlcourse.methods.diffusion:cumulative",
    rtol=1e-4,
    single=False,
    cases=[
        case("one step", torch.tensor([0.1])),
        case("three steps", torch.tensor([0.1, 0.2, 0.5])),
        case("float64, every second of a longer row", _betas(10)[::2]),
        case("1000 steps", torch.linspace(1e-4, 0.02, 1000)),
    ],
    mistakes=[
        Mistake("abar is one step late",
                "abar[0] has one step of noise in it already: it is 1 − β₀, not 1.",
                lambda betas: _shifted((1 - betas).cumprod(0))),
        Mistake("α where abar is meant",
                "1 − β is what one step leaves; multiply up all steps so far.",
                lambda betas: 1 - betas),
        Mistake("the noise added up",
                "Signal is multiplied by √(1 − β) at each step: a product, not a sum.",
                lambda betas: 1 - betas.cumsum(0)),
        Mistake("product of β", "Each step keeps 1 − β of the variance: take the product of those.",
                lambda betas: betas.cumprod(0)),
        Mistake("root taken", "abar is the share of variance; the root comes later, in q_sample.",
                lambda betas: (1 - betas).cumprod(0).sqrt()),
    ],
)  # fmt: skip


def _noised(signal, noise):
    return lambda level, before, x0, eps: signal(level) * x0 + noise(level) * eps


def _mixed(rule):
    """The arguments of q_sample (x0, t, eps, abar) in the order that _each wants."""
    return lambda x0, t, eps, abar: _each(rule)(x0, eps, t, abar)


def _columns(x0, t, eps, abar):
    level = abar[t].to(x0.dtype)
    return level.sqrt() * x0 + (1 - level).sqrt() * eps


q_sample = Check(
    "q_sample",
    reference=_mixed(_noised(math.sqrt, lambda level: math.sqrt(1 - level))),
    fallback="dlcourse.methods.diffusion:q_sample",
    atol=1e-6,
    single=False,
    cases=[
        case("one number", torch.tensor([[1.0]]), torch.tensor([2]), torch.tensor([[-1.0]]),
             _abar()),
        case("three points, each with a time of its own", drawn(3, 2), _T3, drawn(3, 2, seed=1),
             _abar()),
        case("as many images as columns of pixels", drawn(3, 1, 2, 3), _T3,
             drawn(3, 1, 2, 3, seed=1), _abar()),
        case("float64, not contiguous", drawn(2, 3, dtype=torch.float64).T, _T3,
             drawn(2, 3, seed=1, dtype=torch.float64).T, _abar()),
        case("three axes, not contiguous, abar of nine steps in float32", drawn(3, 4, 6)[..., ::2],
             _LATE3, drawn(3, 4, 3, seed=1), _abar(9).float()),
        case("float64, and what is left after large numbers cancel",
             1e4 * torch.ones(2, 1, dtype=torch.float64), _T3[:2],
             -1e4 * torch.stack([_abar()[t].sqrt() / (1 - _abar()[t]).sqrt() for t in (0, 5)])[
                 :, None
             ] + 1e-3, _abar()),
        case("t = 0 for all", drawn(2, 4), torch.zeros(2, dtype=torch.int64), drawn(2, 4, seed=2),
             _abar()),
    ],
    mistakes=[
        Mistake("the roots are missing",
                "abar and 1 − abar are variances; x0 and eps are multiplied by their roots.",
                _mixed(_noised(lambda level: level, lambda level: 1 - level))),
        Mistake("no root on the noise",
                "1 − abar is the variance of the noise: multiply eps by its root.",
                _mixed(_noised(math.sqrt, lambda level: 1 - level))),
        Mistake("off by one in t", "abar[t] as it is: t = 0 has one step of noise in it.",
                lambda x0, t, eps, abar: q_sample.reference(x0, t, eps, _shifted(abar))),
        Mistake("t not broadcast over pixels",
                "abar[t] is (B,) and lines up with the last axis: "
                "spread(abar, t, x0) makes it (B, 1, …).", _columns),
        Mistake("the same t for the whole batch",
                "Every example has a time of its own: use all of t, not t[0].",
                lambda x0, t, eps, abar: q_sample.reference(x0, t[:1].expand(len(x0)), eps, abar)),
        Mistake("signal and noise exchanged", "abar belongs to x0, 1 − abar to eps.",
                _mixed(_noised(lambda level: math.sqrt(1 - level), math.sqrt))),
    ],
)  # fmt: skip


def _bayes(fault=None):
    """Product of two Gaussians, by their precisions."""

    def rule(level, before, x0, xt):
        alpha = level if fault == "bar" else level / before
        beta = 1 - alpha
        room = lambda value: torch.full([1] * x0.dim(), value, dtype=xt.dtype)  # noqa: E731
        if before == 1.0 and fault != "beta":
            return (x0 if fault != "roots" else x0 * 1.0), room(0.0)
        variance = 0.0 if before == 1.0 else 1 / (alpha / beta + 1 / (1 - before))
        a, b = (alpha, before) if fault == "roots" else (math.sqrt(alpha), math.sqrt(before))
        mean = x0 if before == 1.0 else variance * (a * xt / beta + b * x0 / (1 - before))
        if fault == "exchanged":
            mean = variance * (a * x0 / beta + b * xt / (1 - before))
        return mean, room({"beta": beta, "deviation": math.sqrt(variance)}.get(fault, variance))

    return _each(rule)


def _wrapped(x0, xt, t, abar):
    level, before = (
        one.to(xt.dtype).reshape(-1, *[1] * (xt.dim() - 1)) for one in (abar[t], abar[t - 1])
    )
    alpha = level / before
    mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * xt) / (1 - level)
    return mean, (1 - alpha) * (1 - before) / (1 - level)


def _late(x0, xt, t, abar):
    return _bayes()(x0, xt, t, _shifted(abar).clamp(max=1 - 1e-6))


posterior = Check(
    "posterior",
    reference=_bayes(),
    fallback="dlcourse.methods.diffusion:posterior",
    atol=1e-5,
    rtol=1e-4,
    single=False,
    cases=[
        case("one number", torch.tensor([[1.0]]), torch.tensor([[-1.0]]), torch.tensor([3]),
             _abar()),
        case("three points", drawn(3, 2), drawn(3, 2, seed=1), torch.tensor([1, 5, 2]), _abar()),
        case("t = 0: the mean is x0, the variance 0", drawn(2, 3), drawn(2, 3, seed=1),
             torch.tensor([0, 4]), _abar()),
        case("as many images as columns", drawn(3, 1, 2, 3), drawn(3, 1, 2, 3, seed=1), _T3,
             _abar()),
        case("float64", drawn(2, 5, dtype=torch.float64), drawn(2, 5, seed=1, dtype=torch.float64),
             torch.tensor([5, 1]), _abar()),
        case("three axes, abar of nine steps", drawn(3, 4, 2), drawn(3, 4, 2, seed=1), _LATE3,
             _abar(9)),
    ],
    mistakes=[
        Mistake("abar where α is meant",
                "α of one step is abar[t] / abar[t − 1]; abar itself is all steps together.",
                _bayes("bar")),
        Mistake("the roots are missing", "In the mean stand √abar of the step before and √α.",
                _bayes("roots")),
        Mistake("the variance is β",
                "The posterior knows x0 as well: β (1 − abar before) / (1 − abar).",
                _bayes("beta")),
        Mistake("the standard deviation in place of the variance", "Return σ², without a root.",
                _bayes("deviation")),
        Mistake("x0 and xt exchanged",
                "√abar before · β goes with x0, √α (1 − abar before) with xt.",
                _bayes("exchanged")),
        Mistake("off by one in t", "abar[t] belongs to xt, abar[t − 1] to the step before.", _late),
        Mistake("abar[−1] at t = 0",
                "Index −1 is the last entry, all noise; before the first step abar is 1.",
                _wrapped),
    ],
)  # fmt: skip
