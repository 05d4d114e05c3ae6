"""Checks of the schedule and the steps of few-step sampling,
against formulas written out in another way."""

import math
from functools import partial

import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn

_normal = partial(drawn, dtype=torch.float64)


def _level(value):
    return torch.tensor(value, dtype=torch.float64)


def _step(x0, eps, now, later, eta, noise, fault=None):
    """Through the ratio α = ᾱ_t / ᾱ_s; `fault` names what is wrong, None is right."""
    alpha = now / later
    variance = eta**2 * (1 - alpha) * (1 - later) / (1 - now)
    sigma = variance if fault == "square" else variance.sqrt()
    if fault == "always":
        sigma = variance.clamp(min=1e-2).sqrt()
    signal = {"stays": now.sqrt(), "no root": later}.get(fault, later.sqrt())
    rest = (1 - (now if fault == "stays" else later)) - (0 if fault == "too much" else sigma**2)
    return signal * x0 + rest.clamp(min=0).sqrt() * eps + sigma * noise


def _broken(fault):
    return lambda *args: _step(*args, fault=fault)


def _at(function, x0, eps, now, later, eta, noise):
    """Levels that are vectors are gone through one by one."""
    if not now.dim():
        return function(x0, eps, now, later, eta, noise)
    pairs = zip(now, later, strict=True)
    return torch.stack([function(x0, eps, *pair, eta, noise) for pair in pairs])


def _last_levels(count=64):
    """Of so many steps some have a 1 − ᾱ_s − σ² that is rounded to below 0; which ones, and by
    which formula, depends on the processor."""
    return torch.logspace(-6, -4, count), 1 - torch.arange(1, count + 1) * 2.0**-22


ddim_step = Check(
    "ddim_step",
    reference=_step,
    probe=_at,
    rtol=1e-4,
    atol=1e-6,
    fallback="dlcourse.methods.ddim:ddim_step",
    cases=lambda: [
        case("two numbers, η = 0", _normal(2), _normal(2, seed=1), _level(0.2), _level(0.6), 0.0,
             _normal(2, seed=2)),
        case("two numbers, η = 1", _normal(2), _normal(2, seed=1), _level(0.2), _level(0.6), 1.0,
             _normal(2, seed=2)),
        case("images, η = ½", *(_normal(3, 1, 2, 4, seed=s) for s in (3, 4)), _level(0.5),
             _level(0.55), 0.5, _normal(3, 1, 2, 4, seed=5)),
        case("one image, one pixel wide, η = ½", *(_normal(1, 1, 3, 1, seed=s) for s in (3, 4)),
             _level(0.3), _level(0.7), 0.5, _normal(1, 1, 3, 1, seed=5)),
        case("64 steps that end near ᾱ_s = 1, float32: 1 − ᾱ_s − σ² is rounded to just below 0",
             *(drawn(3, seed=s) for s in (6, 7)), *_last_levels(), 1.0, drawn(3, seed=8)),
        case("the last step, ᾱ_s = 1, η = 1", _normal(4), _normal(4, seed=1), _level(0.99),
             _level(1.0), 1.0, _normal(4, seed=2)),
    ],
    mistakes=[
        Mistake("x stays at time t", "The point is to arrive at s: both weights take ᾱ_s, `later`.",
                _broken("stays")),
        Mistake("σ² for σ", "The formula gives a variance; noise is multiplied by its square root.",
                _broken("square")),
        Mistake("noise on top", "What σ adds is taken from ε's share: √(1 − ᾱ_s − σ²).",
                _broken("too much")),
        Mistake("the root of ᾱ_s is missing", "ᾱ is a share of variance: x0 is multiplied by √ᾱ_s.",
                _broken("no root")),
        Mistake("noise in the last step", "At ᾱ_s = 1 the variance is 0 and x0 is the result.",
                _broken("always")),
    ],
)  # fmt: skip


def _paste(x, known, mask, later, noise):
    return torch.where(
        mask.bool().expand_as(x), later.sqrt() * known + (1 - later).sqrt() * noise, x
    )


def _pasting(label, level, mask, *shape, seed=0, dtype=torch.float64):
    x, known, noise = (drawn(*shape, seed=seed + s, dtype=dtype) for s in range(3))
    mask = torch.tensor(mask, dtype=dtype)
    return case(label, x, known, mask, torch.tensor(level, dtype=dtype), noise)


paste_known = Check(
    "paste_known",
    reference=_paste,
    fallback="dlcourse.methods.ddim:paste_known",
    cases=lambda: [
        _pasting("half-way, columns known", 0.6, [[0.0, 1.0, 1.0]], 2, 1, 2, 3),
        _pasting("the end, rows known", 1.0, [[1.0], [0.0]], 3, 1, 2, 4, seed=3),
        _pasting("three channels, float32, other pixels in each image", 0.3,
                 [[[[1.0, 0.0], [0.0, 0.0]]], [[[0.0, 1.0], [1.0, 1.0]]]], 2, 3, 2, 2, seed=6,
                 dtype=torch.float32),
    ],
    mistakes=[
        Mistake("clean pixels among noisy ones",
                "The model expects ᾱ's noise everywhere: add it to the known pixels.",
                lambda x, k, m, a, z: m * k + (1 - m) * x),
        Mistake("the mask is turned round", "1 marks what is known.",
                lambda x, k, m, a, z: _paste(x, k, 1 - m, a, z)),
        Mistake("no roots", "ᾱ is a share of variance: √ᾱ and √(1 − ᾱ).",
                lambda x, k, m, a, z: m * (a * k + (1 - a) * z) + (1 - m) * x),
    ],
)  # fmt: skip


def _cosine(steps, offset=0.008, fault=None):
    """Step by step with math.cos; `fault` names what is wrong."""

    def level(k):
        angle = k / (steps - 1 if fault == "one less" else steps)
        angle = angle if fault == "no offset" else (angle + offset) / (1 + offset)
        angle *= math.pi / (1 if fault == "half a turn" else 2)
        return math.cos(angle) if fault == "no square" else math.cos(angle) ** 2

    levels = [level(k) for k in range(steps + 1)]
    if fault == "level":
        return torch.tensor(levels[1:], dtype=torch.float64)
    pairs = zip(levels[1:], levels, strict=False)
    ratio = torch.tensor([new / old if old else 0.0 for new, old in pairs], dtype=torch.float64)
    beta = ratio if fault == "alpha" else 1 - ratio
    return beta if fault == "no ceiling" else beta.clamp(max=0.999)


def _uneven(fault):
    return lambda steps, offset=0.008: _cosine(steps, offset, fault)


cosine_betas = Check(
    "cosine_betas",
    reference=_cosine,
    fallback="dlcourse.methods.diffusion:cosine_betas",
    cases=[case("2 steps", 2), case("5 steps", 5), case("5 steps, another offset", 5, 0.2),
           case("7 steps, a third offset", 7, 0.05),
           case("250 steps", 250)],
    rtol=1e-6,  # of float64
    atol=1e-10,
    mistakes=[
        Mistake("cos without its square", "abar is a share of variance and falls like cos².",
                _uneven("no square")),
        Mistake("the offset is left out",
                "(k/T + offset) / (1 + offset): otherwise the first steps are far too small.",
                _uneven("no offset")),
        Mistake("α for β", "The ratio of neighbouring levels is α: β is 1 minus it.",
                _uneven("alpha")),
        Mistake("abar for β", "β compares two neighbouring levels: 1 − level[k + 1] / level[k].",
                _uneven("level")),
        Mistake("no ceiling",
                "The last level is 0, so the last β would be 1 and abar exactly 0: clamp at 0.999.",
                _uneven("no ceiling")),
        Mistake("k counted to T − 1", "k/T runs from 0 to 1 in T steps: T + 1 levels.",
                _uneven("one less")),
        Mistake("half a turn", "The angle ends at π/2, where the cosine is 0.",
                _uneven("half a turn")),
    ],
)  # fmt: skip
