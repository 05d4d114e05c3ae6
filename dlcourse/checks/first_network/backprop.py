"""Checks of gradients in NumPy: central differences,
one layer's backward pass, and a whole two-layer network's."""

import numpy as np
import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _shifted(f, x, index, step):
    moved = x.copy()
    moved[index] += step
    return f(moved)


def _differences(f, x, step, rule):
    return np.array([rule(f, x, index, step) for index in np.ndindex(*x.shape)]).reshape(x.shape)


def _forward_difference(f, x, index, step):
    return (_shifted(f, x, index, step) - f(x)) / step


def _half_width(f, x, index, step):
    return (_shifted(f, x, index, step) - _shifted(f, x, index, -step)) / step


def _central(f, x, step=1e-5):
    return _differences(f, x, step, _half_width) / 2


def _all_at_once(f, x, step=1e-5):
    return np.full(x.shape, (f(x + step) - f(x - step)) / (2 * step))


def _not_put_back(f, x, step=1e-5):
    x, gradient = x.copy(), np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        x[index] += step
        above = f(x)
        x[index] -= 2 * step
        gradient[index] = (above - f(x)) / (2 * step)
    return gradient


def _left_shifted(f, x, step=1e-5):
    gradient = _not_put_back(f, x, step)
    x -= step
    return gradient


def square(x):
    return float((x**2).sum())


def cube(x):
    return float((x**3).sum())


def product_of_sums(x):
    return float(x.sum() * (x[0].sum() + (x**2).sum()))


def softplus(x):
    return float(np.logaddexp(0, x).sum())


numerical_gradient = Check(
    "numerical_gradient",
    reference=_central,
    rtol=1e-6,
    cases=lambda: [
        case("f(x) = x² at x = 3, step 0.5", square, np.array([3.0]), 0.5),
        case("the sum of squares of a 2×3 array, step 0.1", square, np.arange(6.0).reshape(2, 3),
             0.1),
        case("entries that act on one another", product_of_sums,
             np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 1.0]]), 1e-4),
        case("a transposed view", softplus, np.linspace(-2, 3, 6).reshape(2, 3).T, 1e-4),
        case("a single number, an array of shape ()", softplus, np.array(0.5), 1e-3),
        case("f(x) = x³ at x = 2, step 0.5: 3·2² + 0.5²", cube, np.array([2.0]), 0.5),
    ],
    mistakes=[
        Mistake("one-sided difference",
                "(f(x + h) − f(x))/h is wrong by f″·h/2. Stepping both ways, (f(x + h) − f(x − "
                "h))/(2h), cancels that term and leaves an error of order h².",
                lambda f, x, step=1e-5: _differences(f, x, step, _forward_difference)),
        Mistake("divided by h instead of 2h", "x + h and x − h lie 2h apart: divide by 2·step.",
                lambda f, x, step=1e-5: _differences(f, x, step, _half_width)),
        Mistake("all entries moved at once",
                "That is one slope along (1, 1, …). "
                "A partial derivative moves one entry and keeps the others where they are.",
                _all_at_once),
        Mistake("an entry is not put back",
                "After entry i is done it must have its old value again, or entry i + 1 is "
                "differentiated at another point.",
                _not_put_back),
        Mistake("a step of its own",
                "Move each entry by `step`, the argument; a cube shows its size.",
                lambda f, x, step=1e-5: _central(f, x)),
        Mistake("x comes back changed",
                "The caller's x has been moved. Work on a copy, or put each entry back.",
                _left_shifted),
    ],
)  # fmt: skip


def _dense_backward(grad, x, weight):
    x, weight = torch.tensor(x, requires_grad=True), torch.tensor(weight, requires_grad=True)
    bias = torch.zeros(weight.shape[1], dtype=weight.dtype, requires_grad=True)
    found = torch.autograd.grad(F.linear(x, weight.T, bias), (x, weight, bias), torch.tensor(grad))
    return tuple(one.numpy() for one in found)


def _change(position, rule):
    """The right triple with the item at `position` replaced by rule(grad, x, weight)."""

    def wrong(grad, x, weight):
        items = list(_dense_backward(grad, x, weight))
        items[position] = rule(grad, x, weight)
        return tuple(items)

    return wrong


def _layer(n, d, h, dtype=np.float64):
    rng = np.random.default_rng(n)
    return tuple(rng.normal(size=shape).astype(dtype) for shape in [(n, h), (n, d), (d, h)])


dense_backward = Check(
    "dense_backward",
    reference=_dense_backward,
    cases=lambda: [
        case("one example, 2 inputs, 1 output", np.array([[2.0]]), np.array([[1.0, 3.0]]),
             np.array([[4.0], [5.0]])),
        case("3 examples, 3 inputs, 3 outputs", *_layer(3, 3, 3)),
        case("5 examples, 3 inputs, 2 outputs", *_layer(5, 3, 2)),
        case("4 examples, 2 inputs, 3 outputs, float32", *_layer(4, 2, 3, np.float32)),
    ],
    mistakes=[
        Mistake("the weight gradient is transposed",
                "A gradient has the shape of what it belongs to: (inputs, outputs), so x.T @ grad.",
                _change(1, lambda grad, x, weight: grad.T @ x)),
        Mistake("the bias gradient is not summed over the batch",
                "Every example uses the same bias, so each adds its share: sum over axis 0.",
                _change(2, lambda grad, x, weight: grad)),
        Mistake("the bias gradient keeps the batch axis",
                "A gradient has the shape of what it belongs to, and the bias is (outputs,): "
                "sum without keepdims.",
                _change(2, lambda grad, x, weight: grad.sum(0, keepdims=True))),
        Mistake("the bias gradient is a mean",
                "The 1/N is already in grad, it came with the loss. "
                "Here shares add up: sum, not mean.",
                _change(2, lambda grad, x, weight: grad.mean(0))),
        Mistake("the bias gradient is summed over the outputs",
                "There is one bias per output: sum over the examples, axis 0.",
                _change(2, lambda grad, x, weight: grad.sum(1))),
        Mistake("divided by N once more",
                "The 1/N is already in grad, it came with the loss: x.T @ grad, no division.",
                _change(1, lambda grad, x, weight: x.T @ grad / len(x))),
        Mistake("the weight is not transposed on the way back",
                "Forward used x @ weight, so backward sends grad through weight.T: "
                "(N, outputs) @ (outputs, inputs).",
                _change(0, lambda grad, x, weight: grad @ weight)),
        Mistake("the order is not the one asked for",
                "Return the gradients for x, weight and bias in that order.",
                lambda grad, x, weight: tuple(_dense_backward(grad, x, weight)[i]
                                              for i in (1, 2, 0))),
    ],
)  # fmt: skip


def _relu_backward(grad, z):
    z = torch.tensor(z, requires_grad=True)
    return torch.autograd.grad(F.relu(z), z, torch.tensor(grad))[0].numpy()


def _relu_backward_in_place(grad, z):
    grad[z <= 0] = 0
    return grad


relu_backward = Check(
    "relu_backward",
    reference=_relu_backward,
    cases=lambda: [
        case("one example: below, above", np.array([[2.0, 3.0]]), np.array([[-1.0, 1.0]])),
        case("gradients of both signs", np.array([[-2.0, 3.0], [4.0, -5.0]]),
             np.array([[1.5, -0.5], [-2.0, 0.25]])),
        case("an input of exactly 0", np.array([[1.0, 1.0, 1.0]]), np.array([[-1.0, 0.0, 1.0]])),
        case("a batch in float32", *_layer(5, 4, 4, np.float32)[:2]),
    ],
    mistakes=[
        Mistake("0 counted as open",
                "At z = 0 there is a kink and no derivative; like torch we take 0. The mask is z > "
                "0: with ≥, a unit whose input is exactly 0 would pass its gradient on.",
                lambda grad, z: grad * (z >= 0)),
        Mistake("the mask is taken from the output with ≥",
                "ReLU's output is never negative, so output ≥ 0 lets all gradients through. "
                "Ask whether the input is > 0.",
                lambda grad, z: grad * (np.maximum(z, 0) >= 0)),
        Mistake("the mask is taken from the gradient",
                "What decides is the sign of the input z on the way forward, "
                "not the sign of the gradient on its way back.",
                lambda grad, z: np.maximum(grad, 0)),
        Mistake("the incoming gradient is missing",
                "(z > 0) is the local slope. "
                "The chain rule multiplies it by what comes from above: grad.",
                lambda grad, z: (z > 0).astype(grad.dtype)),
        Mistake("multiplied by z", "The slope of ReLU is 1 or 0; relu(z) is its value.",
                lambda grad, z: grad * np.maximum(z, 0)),
        Mistake("the caller's array is overwritten",
                "grad may be needed again by another branch. grad * (z > 0) makes a new array.",
                _relu_backward_in_place),
    ],
)  # fmt: skip
