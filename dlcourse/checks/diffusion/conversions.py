"""Check of the four things a network may predict: each is turned into x0 and the noise."""

import math

import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.diffusion.forward import _LATE3, _T3, _abar, _each, _shifted
from dlcourse.checks.draws import drawn


def _named(change=None):
    def function(output, xt, t, abar, kind):
        def rule(level, before, output, xt):
            s, n = math.sqrt(level), math.sqrt(1 - level)
            if change == "roots":
                s, n = level, 1 - level
            if kind == "x0":
                return output, (xt - s * output) / n
            if kind == "v":
                sign = -1 if change == "sign" else 1
                return s * xt - sign * n * output, n * xt + sign * s * output
            eps = output
            if kind == "score":
                eps = {"sign": n, "score": -n * n}.get(change, -n) * output
            return ((xt - n * eps) if change == "scale" else (xt - n * eps) / s), eps

        return _each(rule)(
            output, xt, t, _shifted(abar).clamp(max=0.999) if change == "late" else abar
        )

    return function


to_x0_eps = Check(
    "to_x0_eps",
    reference=_named(),
    fallback="dlcourse.methods.diffusion:to_x0_eps",
    atol=1e-5,
    rtol=1e-4,
    single=False,
    cases=[
        *(case(f"kind {kind}, three points", drawn(3, 2), drawn(3, 2, seed=1), _T3, _abar(), kind)
          for kind in ("eps", "x0", "v", "score")),
        *(case(f"kind {kind}, as many images as columns", drawn(3, 1, 2, 3),
               drawn(3, 1, 2, 3, seed=1), _T3, _abar(),
               kind) for kind in ("eps", "x0", "v", "score")),
        *(case(f"kind {kind}, three axes in float64, abar of nine steps",
               drawn(3, 4, 2, dtype=torch.float64), drawn(3, 4, 2, seed=1, dtype=torch.float64),
               _LATE3, _abar(9), kind) for kind in ("eps", "x0", "v", "score")),
        case("kind v, a single image", drawn(1, 1, 3, 1), drawn(1, 1, 3, 1, seed=1),
             torch.tensor([4]), _abar(), "v"),
    ],
    mistakes=[
        Mistake("the roots are missing",
                "Signal and noise are multiplied by √abar and √(1 − abar).", _named("roots")),
        Mistake("a sign is turned",
                "v = √abar eps − √(1 − abar) x0, and the score is −eps / √(1 − abar).",
                _named("sign")),
        Mistake("√abar is not divided out",
                "Solve xt = √abar x0 + √(1 − abar) eps for x0: divide at the end.",
                _named("scale")),
        Mistake("σ² against σ",
                "The score is −eps / √(1 − abar): multiply by the root, not by the variance.",
                _named("score")),
        Mistake("off by one in t", "Use abar[t], not abar[t − 1].", _named("late")),
    ],
)  # fmt: skip
