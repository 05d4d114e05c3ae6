"""Checks of RMSprop's and Adam's steps, run over whole trajectories; the judge is torch.optim."""

import torch

from dlcourse.checks.concepts.optimisers import _cases, _follow, one_step
from dlcourse.checks.core import Check, Mistake


def _rmsprop(w, g, s, rate, alpha=0.99, eps=1e-8):
    return one_step(
        lambda weights: torch.optim.RMSprop(weights, rate, alpha, eps), w, g, 1, square_avg=s
    )


def _adam(w, g, m, s, t, rate, betas=(0.9, 0.999), eps=1e-8):
    return one_step(
        lambda weights: torch.optim.Adam(weights, rate, betas, eps),
        w,
        g,
        t,
        exp_avg=m,
        exp_avg_sq=s,
    )


def _rmsprop_wrong(new=lambda s, g, a: a * s + (1 - a) * g**2, below=lambda s, eps: s.sqrt() + eps):
    def step(w, g, s, rate, alpha=0.99, eps=1e-8):
        s = new(s, g, alpha)
        return w - rate * g / below(s, eps), s

    return step


rmsprop_step = Check(
    "rmsprop_step",
    reference=_rmsprop,
    probe=_follow(1),
    cases=lambda: _cases(1e-3, {"alpha": 0.9}, {"alpha": 0.8, "eps": 0.01}, {"eps": 0.1}),
    rtol=1e-6,
    mistakes=[
        Mistake("epsilon inside the root",
                "√s + ε, not √(s + ε): inside the root 1e-8 acts like 1e-4, "
                "far more than was meant.",
                _rmsprop_wrong(below=lambda s, eps: (s + eps).sqrt())),
        Mistake("the root is missing",
                "s has the unit of g². Divide by √s, so that the step does "
                "not depend on the gradient's scale.",
                _rmsprop_wrong(below=lambda s, eps: s + eps)),
        Mistake("α and 1 − α are exchanged", "α = 0.99 is the share of the old average that stays.",
                _rmsprop_wrong(new=lambda s, g, a: (1 - a) * s + a * g**2)),
        Mistake("squares are added up for ever",
                "That is AdaGrad: the steps shrink and shrink. "
                "Let the old average fade: α s + (1 − α) g².",
                _rmsprop_wrong(new=lambda s, g, a: s + g**2)),
        Mistake("the average is of g",
                "Average the squares, g², or positive and negative gradients cancel.",
                _rmsprop_wrong(new=lambda s, g, a: a * s + (1 - a) * g.abs())),
    ],
)  # fmt: skip


def adam_with_fault(w, g, m, s, t, rate, betas=(0.9, 0.999), eps=1e-8, fault=None):
    """One step of Adam (Kingma & Ba 2015, algorithm 1);
    fault names what is wrong with it, None nothing."""
    b1, b2 = betas[::-1] if fault == "betas" else betas
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
    t = {"late": max(t - 1, 1), "early": t + 1}.get(fault, t)
    c1 = 1 if fault in ("no correction", "first only second") else 1 - b1**t
    c2 = 1 if fault in ("no correction", "second only first") else 1 - b2**t
    below = (s / c2 + eps).sqrt() if fault == "eps inside" else (s / c2).sqrt() + eps
    w = w - rate * (m / c1) / below
    return (w, m / c1, s / c2) if fault == "kept" else (w, m, s)


def _broken_adam(fault):
    return lambda *args, **settings: adam_with_fault(*args, **settings, fault=fault)


ADAM_MISTAKES = [  # fault, name, hint
    ("no correction", "no bias correction",
     "m and s start at 0 and are too small at first: divide them by 1 − β₁ᵗ and 1 − β₂ᵗ."),
    ("first only second", "m is not corrected",
     "m starts at 0 as well as s: divide it by 1 − β₁ᵗ."),
    ("second only first", "s is not corrected",
     "s starts at 0 as well as m: divide it by 1 − β₂ᵗ."),
    ("kept", "the corrected averages are kept",
     "The correction is for this step only: return m and s as they were before it, "
     "or it is applied again and again."),
    ("eps inside", "epsilon inside the root",
     "√ŝ + ε, not √(ŝ + ε): inside the root 1e-8 acts like 1e-4."),
    ("betas", "β₁ and β₂ are exchanged",
     "β₁ = 0.9 belongs to the gradient, β₂ = 0.999 to its square."),
    ("late", "the steps are counted from 0",
     "The first step has t = 1, so it divides by 1 − β₁ and 1 − β₂."),
    ("early", "1 is added to t", "t counts from 1 already: the first step divides by 1 − β₁."),
]  # fmt: skip

adam_step = Check(
    "adam_step",
    reference=_adam,
    probe=_follow(2, counted=True),
    cases=lambda: _cases(0.02, {}, {"betas": (0.8, 0.95), "eps": 0.01},
                         {"betas": (0.6, 0.9), "eps": 0.1}),
    rtol=1e-6,
    mistakes=[Mistake(name, hint, _broken_adam(fault)) for fault, name, hint in ADAM_MISTAKES],
)  # fmt: skip
