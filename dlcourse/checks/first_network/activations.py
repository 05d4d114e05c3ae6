"""Checks of a dense layer and its activation functions in NumPy, and of their derivatives."""

import numpy as np
import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _loud(function, *args):
    """An overflow raises: it would reach the notebook as a warning,
    and inf is a wrong number on its way somewhere."""
    with np.errstate(over="raise", invalid="raise"):
        return function(*args)


_loud.hands_on = True  # the function's own arguments, as a case has them


def _batch(*shape, dtype=np.float32):
    return (3 * np.random.default_rng(0).normal(size=shape)).astype(dtype)


def _elementwise_cases():
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


def _derivative_of(function):
    def derivative(z):
        z = torch.tensor(z, requires_grad=True)
        return torch.autograd.grad(function(z).sum(), z)[0].numpy()

    return derivative


def _sigmoid(z):
    return torch.sigmoid(torch.tensor(z)).numpy()


sigmoid = Check(
    "sigmoid",
    reference=_sigmoid,
    probe=_loud,
    cases=_elementwise_cases,
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

sigmoid_derivative = Check(
    "sigmoid_derivative",
    reference=_derivative_of(torch.sigmoid),
    probe=_loud,
    cases=_elementwise_cases,
    mistakes=[
        Mistake("z used where σ(z) belongs",
                "σ′ = σ(1 − σ) holds for the output σ(z); "
                "your function is handed the input z, so apply σ first.",
                lambda z: z * (1 - z)),
        Mistake("the factor 1 − σ is missing",
                "σ is not its own derivative (exp is): far from 0 the curve is flat, "
                "so σ′ must go to 0 on both sides.",
                _sigmoid),
        Mistake("this is the formula of tanh",
                "1 − y² is the derivative of y = tanh(z). "
                "For y = σ(z) it is y(1 − y), at most 1/4.",
                lambda z: 1 - _sigmoid(z) ** 2),
    ],
)  # fmt: skip

tanh_derivative = Check(
    "tanh_derivative",
    reference=_derivative_of(torch.tanh),
    probe=_loud,
    cases=_elementwise_cases,
    mistakes=[
        Mistake("z used where tanh(z) belongs",
                "1 − y² holds for the output y = tanh(z); "
                "your function is handed the input z, so apply tanh first.",
                lambda z: 1 - z**2),
        Mistake("this is the formula of the sigmoid",
                "y(1 − y) is the derivative of y = σ(z). "
                "For y = tanh(z) it is 1 − y², which is 1 at z = 0.",
                lambda z: np.tanh(z) * (1 - np.tanh(z))),
        Mistake("the square is missing",
                "The derivative is 1 − tanh² and not 1 − tanh: it must be the same at z and at −z.",
                lambda z: 1 - np.tanh(z)),
        Mistake("cosh overflows",
                "1/cosh² is right on paper, but cosh(1000) is no float. "
                "1 − tanh² uses numbers between −1 and 1 only.",
                lambda z: 1 / np.cosh(z) ** 2),
    ],
)  # fmt: skip


def _relu_in_place(z):
    z[z < 0] = 0
    return z


def _apart(function, z):
    """What comes back, and whether it is z's own memory: a later change of one would be one of
    the other."""
    value = function(z)
    shared = isinstance(value, np.ndarray) and np.shares_memory(value, z)
    return {"value": value, "an array of its own": not shared}


def _itself(z):
    return z if (z >= 0).all() else np.maximum(z, 0)


relu = Check(
    "relu",
    reference=lambda z: F.relu(torch.tensor(z)).numpy(),
    probe=_apart,
    cases=lambda: [*_elementwise_cases(), case("nothing is negative", np.array([[2.0, 0.0]]))],
    mistakes=[
        Mistake("the caller's own array comes back",
                "Where nothing is negative too the answer is a new array: np.maximum makes one.",
                _itself),
        Mistake("the caller's array is overwritten",
                "z is needed again in the backward pass, with its negative numbers. "
                "np.maximum gives back a new array.",
                _relu_in_place),
        Mistake("this is |z|", "ReLU sets negative numbers to 0, it does not turn them round.",
                np.abs),
        Mistake("this is the derivative",
                "Positive numbers pass unchanged; 1 is the slope there, not the value.",
                lambda z: (z > 0).astype(z.dtype)),
        Mistake("the wrong side is kept",
                "ReLU lets positive numbers pass: it is the larger of z and 0, not the smaller.",
                lambda z: np.minimum(z, 0)),
    ],
)  # fmt: skip


def _dense(x, weight, bias):
    return F.linear(torch.tensor(x), torch.tensor(weight).T, torch.tensor(bias)).numpy()


def _layer(n, d, h, dtype=np.float32, view=False):
    rng = np.random.default_rng(n + d + h)
    x = rng.normal(size=(d, n)).T if view else rng.normal(size=(n, d))
    return (
        x.astype(dtype, order="K"),
        rng.normal(size=(d, h)).astype(dtype),
        rng.normal(size=h).astype(dtype),
    )


dense = Check(
    "dense",
    reference=_dense,
    cases=lambda: [
        case("one example, 2 inputs, 1 output", np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]),
             np.array([0.5])),
        case("a batch of 4, 3 inputs, 2 outputs", *_layer(4, 3, 2)),
        case("as many examples as inputs and outputs", *_layer(3, 3, 3)),
        case("a transposed view, float64", *_layer(5, 2, 4, np.float64, view=True)),
    ],
    mistakes=[
        Mistake("the bias is missing",
                "Add the bias: one number per output, the same for every row.",
                lambda x, weight, bias: x @ weight),
        Mistake("the weight is transposed",
                "The weight has shape (inputs, outputs) here, so rows of x meet its columns in x @ "
                "weight. It is torch.nn.Linear that stores the transpose.",
                lambda x, weight, bias: x @ weight.T + bias),
        Mistake("the bias is added along the wrong axis",
                "There is one bias per output, that is per column. "
                "Broadcasting lines up the last axes by itself: + bias.",
                lambda x, weight, bias: x @ weight + bias[:, None]),
        Mistake("elementwise product",
                "* multiplies entry by entry; a layer needs the matrix product, written @.",
                lambda x, weight, bias: x * weight + bias),
    ],
)  # fmt: skip
