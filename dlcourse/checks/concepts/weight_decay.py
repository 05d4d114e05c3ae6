"""Checks of weight decay: the decoupled kind of AdamW."""

import torch

from dlcourse.checks.concepts.adaptive import adam_with_fault
from dlcourse.checks.concepts.optimisers import _cases, _follow, one_step
from dlcourse.checks.core import Check, Mistake


def _adamw(w, g, m, s, t, rate, decay=0.01, shrunk=None, gradient=None):
    """AdamW with another shrinking, or with the decay in the gradient."""
    g = g if gradient is None else gradient(g, w, decay)
    w, m, s = adam_with_fault(w if shrunk is None else shrunk(w, rate, decay), g, m, s, t, rate)
    return w, m, s


def _adamw_by_torch(w, g, m, s, t, rate, decay=0.01):
    return one_step(lambda weights: torch.optim.AdamW(weights, rate, weight_decay=decay), w, g, t,
                    exp_avg=m, exp_avg_sq=s)  # fmt: skip


def _late(w, g, m, s, t, rate, decay=0.01):
    new, m, s = adam_with_fault(w, g, m, s, t, rate)
    return new - rate * decay * new, m, s


def _wrong(**rules):
    return lambda *args, **settings: _adamw(*args, **settings, **rules)


adamw_step = Check(
    "adamw_step",
    reference=_adamw_by_torch,
    probe=_follow(2, counted=True),
    cases=lambda: _cases(0.02, {"decay": 0.5}, {"decay": 0.2}),
    rtol=1e-6,
    mistakes=[
        Mistake("decay added to the gradient",
                "g + λw goes through Adam's division: weights with large gradients are hardly "
                "decayed. AdamW shrinks w itself by 1 − ηλ and leaves g alone.",
                _wrong(gradient=lambda g, w, decay: g + decay * w)),
        Mistake("the decay is not multiplied by the rate",
                "Shrink by 1 − ηλ, so that a schedule acts on both.",
                _wrong(shrunk=lambda w, rate, decay: w * (1 - decay))),
        Mistake("there is no decay", "This is plain Adam: shrink the weights by 1 − ηλ first.",
                _wrong()),
        Mistake("the weights grow", "Decay pulls towards 0: 1 − ηλ, not 1 + ηλ.",
                _wrong(shrunk=lambda w, rate, decay: w * (1 + rate * decay))),
        Mistake("the new weights are shrunk",
                "The decay acts on the old weights, not on Adam's step as well.", _late),
    ],
)  # fmt: skip
