"""Check of Adam's step, run over whole trajectories; the judge is torch.optim."""

import torch

from dlcourse.checks.concepts.optimisers import _cases, _follow, one_step
from dlcourse.checks.core import Check, Mistake


def _adam(w, g, m, s, t, rate, betas=(0.9, 0.999), eps=1e-8):
    return one_step(
        lambda weights: torch.optim.Adam(weights, rate, betas, eps),
        w,
        g,
        t,
        exp_avg=m,
        exp_avg_sq=s,
    )


def adam_with_fault(w, g, m, s, t, rate, betas=(0.9, 0.999), eps=1e-8, fault=None):
    """One step of Adam (Kingma & Ba 2015, algorithm 1);
    fault names what is wrong with it, None nothing."""
    b1, b2 = betas[::-1] if fault == "betas" else betas
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
    t = {"late": max(t - 1, 1), "early": t + 1}.get(fault, t)
    c1 = 1 if fault in ("no correction", "first only second") else 1 - b1**t
    c2 = 1 if fault in ("no correction", "second only first") else 1 - b2**t
    if fault == "no fading":
        c1, c2 = t * (1 - b1), t * (1 - b2)
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
    ("no fading", "the shares are added up as if they did not fade",
     "After two steps of the same gradient m is (1 − β₁) g + β₁ (1 − β₁) g = (1 − β₁²) g, not "
     "2 (1 − β₁) g: divide by 1 − β₁ᵗ."),
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
