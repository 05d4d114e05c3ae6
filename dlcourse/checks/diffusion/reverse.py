"""Checks of the way from noise to data:
the exact score of a mixture, a Langevin step, an ancestral step.

The score is judged by autograd through the logarithm of the density,
the ancestral step by the Gaussian it draws from.
"""

import math

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.diffusion.forward import _abar
from dlcourse.checks.draws import drawn


def _log_density(x, level, means, std):
    variance = level * std**2 + 1 - level
    away = (x - math.sqrt(level) * means).square().sum(1)  # (K,)
    return torch.logsumexp(-away / (2 * variance), 0)


def _exact(x, t, means, std, abar):
    rows = []
    for one, index in zip(x, t.tolist(), strict=True):
        one = one.detach().clone().requires_grad_()
        rows.append(torch.autograd.grad(_log_density(one, abar[index].item(), means, std), one)[0])
    return torch.stack(rows)


def _wrong_score(fault):
    def function(x, t, means, std, abar):
        level = abar[t].to(x.dtype)[:, None]
        variance = {"clean": torch.full_like(level, std**2), "std": level * std + 1 - level}.get(
            fault, level * std**2 + 1 - level)  # fmt: skip
        root = level if fault == "root" else level.sqrt()
        away = (root if fault != "clean" else torch.ones_like(root))[..., None] * means - x[:, None]
        share = (-away.square().sum(2) / (2 * variance)).softmax(1)
        if fault == "even":
            share = torch.full_like(share, 1 / share.shape[1])
        total = (share[..., None] * away).sum(1)
        return total / {"sign": -variance, "undivided": torch.ones_like(variance),
                        "deviation": variance.sqrt()}.get(
            fault, variance)  # fmt: skip

    return function


_MEANS = torch.tensor([[1.0, 0.0], [-1.0, 1.0], [0.0, -2.0]])

mixture_score = Check(
    "mixture_score",
    reference=_exact,
    fallback="dlcourse.methods.sampling:mixture_score",
    rtol=1e-4,
    atol=1e-5,
    cases=[
        case("one Gaussian", torch.tensor([[1.0, 2.0]]), torch.tensor([1]),
             torch.tensor([[0.5, 0.0]]), 0.5, _abar()),
        case("three Gaussians, two points", drawn(2, 2), torch.tensor([0, 4]), _MEANS, 0.3,
             _abar()),
        case("as many points as Gaussians", drawn(3, 2), torch.tensor([0, 5, 2]), _MEANS, 0.3,
             _abar()),
        case("far away: every density underflows", torch.tensor([[300.0, -200.0]]),
             torch.tensor([0]), _MEANS, 0.3, _abar()),
        case("one point far away, one near", torch.tensor([[300.0, -200.0], [0.5, -0.25]]),
             torch.tensor([0, 1]), _MEANS, 0.3, _abar()),
        case("five dimensions in float64", drawn(4, 5, dtype=torch.float64),
             torch.tensor([3, 1, 0, 5]), drawn(2, 5, seed=3, dtype=torch.float64), 0.4, _abar()),
        case("abar of nine steps", drawn(4, 2), torch.tensor([7, 0, 8, 3]), _MEANS, 0.2, _abar(9)),
    ],
    mistakes=[
        Mistake("the clean data's score",
                "At time t the means are √abar m and the variance abar s² + 1 − abar.",
                _wrong_score("clean")),
        Mistake("√ missing on the means", "x0 is multiplied by √abar, and the means with it.",
                _wrong_score("root")),
        Mistake("σ² against σ", "std is a standard deviation: its square goes into the variance.",
                _wrong_score("std")),
        Mistake("divided by the standard deviation",
                "∇ ln N(m, σ² I) = (m − x) / σ²: by the variance.", _wrong_score("deviation")),
        Mistake("all components count alike", "Each counts by its share at x: a softmax over k.",
                _wrong_score("even")),
        Mistake("the sign is turned", "The score points uphill, from x towards the means.",
                _wrong_score("sign")),
    ],
)  # fmt: skip


def _plus(slope, shake):
    return lambda x, score, size, noise: torch.add(x, slope(size) * score) + shake(size) * noise


langevin_step = Check(
    "langevin_step",
    reference=_plus(lambda size: size, lambda size: math.sqrt(2 * size)),
    fallback="dlcourse.methods.sampling:langevin_step",
    atol=1e-6,
    cases=[
        case("one number", torch.tensor([[1.0]]), torch.tensor([[-2.0]]), 0.1,
             torch.tensor([[0.5]])),
        case("three points", drawn(3, 2), drawn(3, 2, seed=1), 0.02, drawn(3, 2, seed=2)),
        case("float64, transposed", drawn(2, 5, dtype=torch.float64).T,
             drawn(5, 2, seed=1, dtype=torch.float64),
             1e-4, drawn(5, 2, seed=2, dtype=torch.float64)),
    ],
    mistakes=[
        Mistake("σ² against σ", "2η is the variance of the noise: multiply by its root.",
                _plus(lambda size: size, lambda size: 2 * size)),
        Mistake("the 2 is missing", "The noise has variance 2η.",
                _plus(lambda size: size, math.sqrt)),
        Mistake("downhill", "The score is followed uphill, with a plus.",
                _plus(lambda size: -size, lambda size: math.sqrt(2 * size))),
        Mistake("no noise", "Without noise all walkers end on the peaks.",
                _plus(lambda size: size, lambda size: 0)),
        Mistake("half the slope", "With noise √(2η) the slope counts η, not η/2.",
                _plus(lambda size: size / 2, lambda size: math.sqrt(2 * size))),
    ],
)  # fmt: skip


class Network:
    """A model that is a formula of xt and t, and keeps the times it was asked about."""

    def __init__(self, scale=1.0):
        self.scale, self.asked = scale, []

    def __call__(self, xt, t):
        self.asked.append(
            t.tolist() if isinstance(t, torch.Tensor) and t.dim() else f"{t!r}, no (B,)"
        )
        times = torch.as_tensor(t).to(xt.dtype).reshape(-1, *[1] * (xt.dim() - 1))
        return self.scale * (torch.sin(xt) + 0.1 * times)


def _watched(function, scale, xt, t, noise, abar, kind, limit):
    model = Network(scale)
    x = function(model, xt, t, noise, abar, kind, limit)
    if x is None:
        raise Untouched("None: is `return` missing?")
    return {"times the model was asked about": model.asked, "x": x}


def _back(fault=None):
    def function(model, xt, t, noise, abar, kind="eps", limit=None):
        level = abar[t].item()
        before = abar[t - 1].item() if t > 0 else 1.0
        asked = {"late": t + 1, "early": max(t - 1, 0)}.get(fault, t)
        output = model(xt, torch.full((len(xt),), asked))
        s, n = math.sqrt(level), math.sqrt(1 - level)
        x0 = {"eps": (xt - n * output) / s, "x0": output, "v": s * xt - n * output,
              "score": (xt + n**2 * output) / s}[kind]  # fmt: skip
        if limit is not None and fault != "unclipped":
            x0 = x0.clamp(0.0 if fault == "grey" else -limit, limit)
        alpha = level if fault == "bar" else level / before
        b = 1 - alpha
        mean = (math.sqrt(before) * b * x0 + math.sqrt(alpha) * (1 - before) * xt) / (1 - level)
        variance = b * (1 - before) / (1 - level)
        if fault in ("beta", "noise at the end"):
            variance = b if t > 0 or fault == "noise at the end" else 0.0
        return mean + (variance if fault == "variance" else math.sqrt(variance)) * noise

    return function


def _step(label, scale, shape, t, kind, limit=None, dtype=torch.float32, steps=6):
    xt, noise = drawn(*shape, seed=4, dtype=dtype), drawn(*shape, seed=5, dtype=dtype)
    return case(label, scale, xt, t, noise, _abar(steps), kind, limit)


ancestral_step = Check(
    "ancestral_step",
    reference=_back(),
    probe=_watched,
    fallback="dlcourse.methods.sampling:ancestral_step",
    rtol=1e-4,
    atol=1e-5,
    cases=[
        _step("one number in the middle", 0.5, (1, 1), 3, "eps"),
        _step("three points, t = T − 1", 0.5, (3, 2), 5, "eps"),
        _step("t = 0: the model's x0, no noise", 0.5, (3, 2), 0, "eps"),
        _step("a model of v", 0.5, (4, 2), 2, "v"),
        _step("images, x0 clipped at ±0.4", 1.0, (2, 1, 3, 4), 4, "v", 0.4),
        _step("images at t = 0, clipped at ±0.4", 1.0, (2, 1, 3, 4), 0, "eps", 0.4),
        _step("float64, a model of x0", 0.5, (2, 3), 1, "x0", None, torch.float64),
        _step("a model of the score, nine steps", 0.5, (4, 2), 7, "score", steps=9),
    ],
    mistakes=[
        Mistake("noise at t = 0", "The last step ends at the data: its variance is 0.",
                _back("noise at the end")),
        Mistake("σ² against σ", "The noise is multiplied by the standard deviation: √variance.",
                _back("variance")),
        Mistake("abar where α is meant", "In the posterior's mean stands α of one step.",
                _back("bar")),
        Mistake("the variance is β",
                "A choice that Ho et al. allow; here the posterior's variance is asked for.",
                _back("beta")),
        Mistake("off by one in t: the model is asked about t + 1",
                "xt has the noise of t: ask the model at t.", _back("late")),
        Mistake("off by one in t: the model is asked about t − 1",
                "xt has the noise of t: ask the model at t.", _back("early")),
        Mistake("x is clipped, not x0",
                "xt is noisy and may be anywhere; only the guess of x0 has limits.",
                lambda *args: _clip_x(*args)),
        Mistake("x0 clipped to 0 … limit", "Images lie in [−limit, limit]: clip on both sides.",
                _back("grey")),
        Mistake("x0 is not clipped", "Where limit is given, clamp x0 to ±limit.",
                _back("unclipped")),
    ],
)  # fmt: skip


def _clip_x(model, xt, t, noise, abar, kind="eps", limit=None):
    x = _back()(model, xt, t, noise, abar, kind, None)
    return x if limit is None else x.clamp(-limit, limit)
