"""Check of layer norm on the way forward, in NumPy; the judge is torch."""

import numpy as np
import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _by_torch(x, gamma, beta, eps=1e-5):
    x, gamma, beta = (torch.tensor(one) for one in (x, gamma, beta))
    return F.layer_norm(x, x.shape[-1:], gamma, beta, eps).numpy()


def _wrong(axis=-1, ddof=0, below=lambda v, eps: np.sqrt(v + eps), affine=True):
    def layer_norm(x, gamma, beta, eps=1e-5):
        var = x.var(axis=axis, ddof=ddof, keepdims=True)
        y = (x - x.mean(axis=axis, keepdims=True)) / below(var, eps)
        return gamma * y + beta if affine else y

    return layer_norm


def _drawn(seed, *shape):
    """x of this shape, far from 0, gamma and beta (D,)."""
    rng = np.random.default_rng(seed)
    x = 3 * rng.normal(size=shape) + np.arange(shape[-1])
    return x, *rng.normal(size=(2, shape[-1]))


layer_norm = Check(
    "layer_norm",
    reference=_by_torch,
    atol=1e-8,
    cases=lambda: [
        case("one example: 1 and 3", np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2)),
        case("4 examples of 3 features", *_drawn(0, 4, 3)),
        case("as many examples as features", *_drawn(1, 3, 3)),
        case("sequences: 2 × 4 vectors of 3", *_drawn(2, 2, 4, 3)),
        case("one vector of 3, no leading axis", *_drawn(3, 3)),
        case("a transposed view, eps 0.5", _drawn(4, 3, 5)[0].T, *_drawn(5, 4, 3)[1:], 0.5),
        case("an example whose features are all equal, eps 0.1",
             np.array([[4.0, 4.0, 4.0], [1.0, 2.0, 4.0]]), *_drawn(6, 2, 3)[1:], 0.1),
    ],
    mistakes=[
        Mistake("statistics over the batch",
                "That is batch norm. Layer norm takes mean and variance over the features of each "
                "example: the last axis.", _wrong(axis=0)),
        Mistake("unbiased variance",
                "Your variance divides by D − 1: normalising divides by D, NumPy's default.",
                _wrong(ddof=1)),
        Mistake("one mean for everything", "Each example has a mean and a variance of its own.",
                _wrong(axis=None)),
        Mistake("epsilon outside the root", "Here ε stands under the root: √(variance + ε).",
                _wrong(below=lambda v, eps: np.sqrt(v) + eps)),
        Mistake("scale and shift are missing", "After normalising: gamma · x̂ + beta.",
                _wrong(affine=False)),
        Mistake("the root is missing", "Divide by the standard deviation, not by the variance.",
                _wrong(below=lambda v, eps: v + eps)),
    ],
)  # fmt: skip
