"""Check of the sigmoid in NumPy."""

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, case


def _loud(function, *args):
    """An overflow raises: it would reach the notebook as a warning,
    and inf is a wrong number on its way somewhere."""
    with np.errstate(over="raise", invalid="raise"):
        return function(*args)


_loud.hands_on = True  # the function's own arguments, as a case has them


def _batch(*shape, dtype=np.float32):
    return (3 * np.random.default_rng(0).normal(size=shape)).astype(dtype)


def _cases():
    return [
        case("three numbers", np.array([0.0, 1.0, -2.0])),
        case("a batch of two rows", _batch(2, 3)),
        case("a transposed view, float64", _batch(4, 3, dtype=np.float64).T),
        case("a stack of matrices", _batch(2, 3, 2, dtype=np.float64)),
        case("a single number, an array of shape ()", np.array(-1.5)),
        case("very large inputs", np.array([[10.0, 1000.0]])),
        case("very negative inputs", np.array([[-10.0, -1000.0]])),
        case("very large and very negative in float32", np.array([200, -200, 0], dtype=np.float32)),
    ]


def _sigmoid(z):
    return torch.sigmoid(torch.tensor(z)).numpy()


sigmoid = Check(
    "sigmoid",
    reference=_sigmoid,
    probe=_loud,
    cases=_cases,
    mistakes=[
        Mistake("the minus sign in the exponent is missing",
                "σ(z) = 1 / (1 + exp(−z)) must rise with z: yours falls.",
                lambda z: 1 / (1 + np.exp(z))),
        Mistake("exp(−z) overflows for very negative z",
                "exp(1000) is no float. Work with e = exp(−|z|), which never exceeds 1: σ is 1/(1 "
                "+ e) where z ≥ 0 and e/(1 + e) elsewhere.",
                lambda z: 1 / (1 + np.exp(-z))),
        Mistake("exp(z) overflows for large z",
                "exp(1000) is no float, and inf/inf is NaN. Work with e = exp(−|z|), which never "
                "exceeds 1: σ is 1/(1 + e) where z ≥ 0 and e/(1 + e) elsewhere.",
                lambda z: np.exp(z) / (1 + np.exp(z))),
        Mistake("np.where computes both of its branches",
                "np.where only chooses afterwards, so the branch that overflows is computed all "
                "the same. Take e = exp(−|z|) once and use it in both.",
                lambda z: np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))),
    ],
)  # fmt: skip
