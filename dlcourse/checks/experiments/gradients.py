"""Checks of the way back through a graph of tensors,
and of a gradient checker with a relative error."""

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.experiments.tensor_graph import (
    graph_cases,
    order_by_counting,
    order_by_distance,
    second_calls,
)


def _by_torch(root):
    """The judge: torch computes the same graph, and its gradients are written into the nodes."""
    values, order = {}, order_by_counting(root)
    for node in order:
        inputs = [values[id(parent)] for parent in node.parents]
        values[id(node)] = (
            node.rule(*inputs) if inputs else torch.tensor(node.data, requires_grad=True)
        )
        values[id(node)].retain_grad()
    values[id(root)].backward()
    for node in order:
        grad = values[id(node)].grad.numpy()
        node.grad = grad if node.parents else node.grad + grad
    return values[id(root)].item()


def run_backward(root, order=order_by_counting, start=1.0, add=True, clears="inner"):
    """Fills .grad of all that root was computed from,
    returns the value of root; what a blank goes on with.

    clears: whose old gradient is set to 0 first, "inner" nodes (those with parents), "all" or
    "none".
    """
    for node in order(root):
        if clears == "all" or (clears == "inner" and node.parents):
            node.grad = np.zeros_like(node.data)
    root.grad = np.full_like(root.data, start)
    for node in reversed(order(root)):
        for parent, grad in zip(
            node.parents, node.pull(node.grad) if node.parents else (), strict=True
        ):
            parent.grad = parent.grad + grad if add else grad
    return float(root.data)


def _gradients(function, graph):
    roots, tensors = graph()
    for root in roots if isinstance(roots, tuple) else (roots,):
        value = function(root)
    return {"value": value} | {f"gradient of {name}": one.grad for name, one in tensors.items()}


def _every_path(root):
    """Hands on the whole gradient of a node each time that something arrives there."""
    root.grad, waiting = np.ones_like(root.data), [root]
    for node in waiting:
        for parent, grad in zip(
            node.parents, node.pull(node.grad) if node.parents else (), strict=True
        ):
            parent.grad = parent.grad + grad
            waiting.append(parent)
    return float(root.data)


backward = Check(
    "backward",
    reference=_by_torch,
    fallback="dlcourse.checks.experiments.gradients:run_backward",
    probe=_gradients,
    cases=graph_cases + second_calls,
    mistakes=[
        Mistake("overwritten instead of added",
                "A node that is used twice gets a gradient from each use, and they add up: "
                "parent.grad + share.",
                lambda root: run_backward(root, add=False)),
        Mistake("walked through by distance from the result",
                "A node that is near by one way and far by another hands on its gradient too "
                "early. Walk through the reversed topological order.",
                lambda root: run_backward(root, order=order_by_distance)),
        Mistake("all gradients stay 0",
                "Start with ∂L/∂L: root.grad must be 1 before anything is handed on. And write "
                "into the nodes' .grad, not into variables of your own.",
                lambda root: run_backward(root, start=0.0)),
        Mistake("walked through forwards",
                "A node may hand on its gradient only when everything made from it has added its "
                "share: take the order in reverse, the result first.",
                lambda root: run_backward(root, order=lambda r: order_by_counting(r)[::-1])),
        Mistake("handed on before it is complete",
                "A node must wait until all of its shares have arrived, then hand on, once.",
                _every_path),
        Mistake("what an earlier call left in between is passed on again",
                "Before you start, set the gradient of every tensor that has parents to 0: what an "
                "earlier call has left there would go down to the leaves a second time.",
                lambda root: run_backward(root, clears="none")),
        Mistake("the leaves are cleared too",
                "Gradients of the leaves add up over several calls, as in torch: set only tensors "
                "that have parents to 0.",
                lambda root: run_backward(root, clears="all")),
        Mistake("the value of root is not returned",
                "Return float(root.data): the loss, ready to be printed.",
                lambda root: run_backward(root) and float(root.grad)),
    ],
)  # fmt: skip


def _differences(f, x, step):
    """Central differences, one entry at a time."""
    slopes = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        slopes[index] = (f(up) - f(down)) / (2 * step)
    return slopes


def _largest(numerical, claimed, floor=1e-8):
    scale = np.maximum(np.maximum(np.abs(numerical), np.abs(claimed)), floor)
    return (np.abs(numerical - claimed) / scale).max()


def error_by_differences(f, gradient, x, step=1e-5):
    """Largest relative error of `gradient` against central differences of f at x."""
    return float(_largest(_differences(f, x, step), gradient))


def _one_sided(f, gradient, x, step=1e-5):
    slopes = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        up = x.copy()
        up[index] += step
        slopes[index] = (f(up) - f(x)) / step
    return float(_largest(slopes, gradient))


def _single_precision(f, gradient, x, step=1e-5):
    x, gradient = x.astype(np.float32), gradient.astype(np.float32)
    return float(_largest(_differences(lambda v: np.float32(f(v)), x, step), gradient))


def _with(rule):
    return lambda f, gradient, x, step=1e-5: float(rule(_differences(f, x, step), gradient))


def _not_restored(f, gradient, x, step=1e-5):
    error = _largest(_differences(f, x, step), gradient)
    x += step
    return float(error)


def squares(x):
    """Sum of squares."""
    return (x * x).sum()


def cubes(x):
    """Sum of cubes."""
    return (x**3).sum()


def tiny_and_large(x):
    """Slopes of very different size: 10⁻⁴ and 10⁴ times the entry."""
    return 1e-4 * (x[0] * x[0]).sum() + 1e4 * (x[1] * x[1]).sum()


def _gradient_cases():
    x = np.array([1.0, -2.0, 4.0])
    wrong = 2 * x
    wrong[0] *= 1.25
    tall = np.array([[1.0, -2.0], [3.0, 0.5]])
    scaled = tall * np.array([[2e-4], [2e4]])
    scaled[0, 1] *= 2
    return [
        case("one entry of three 25 % too large", squares, wrong, x, 0.5),
        case("the right gradient of the sum of squares", squares, 2 * x, x, 0.5),
        case("a gradient with its sign turned", squares, -2 * x, x, 1e-3),
        case("a tiny entry twice as large as it should be", tiny_and_large, scaled, tall, 1e-2),
        case("both gradients 0: no error", squares, np.zeros(2), np.zeros(2), 1e-3),
        case("0 where 5e-9 is claimed: half of the floor", squares, np.array([0.0, 5e-9]),
             np.zeros(2), 1e-2),
        case("cubes, right up to differences", cubes, 3 * x**2, x, 1e-4),
        case("cubes, the slope without the step's h² = 0.25", cubes, 3 * x**2, x, 0.5),
        case("cubes, the slope with it", cubes, 3 * x**2 + 0.25, x, 0.5),
        case("a transposed view", cubes, 3 * tall.T**2 * 1.5, tall.T, 0.1),
    ]  # fmt: skip


gradient_check = Check(
    "gradient_check",
    reference=error_by_differences,
    cases=_gradient_cases,
    rtol=1e-3,
    atol=1e-6,
    mistakes=[
        Mistake("an absolute error",
                "A slope of 10⁻⁴ that is twice too large has an absolute error of 10⁻⁴ only. "
                "Divide by the larger of the two sizes.",
                _with(lambda a, b: np.abs(a - b).max())),
        Mistake("relative to the whole gradient",
                "Large entries hide a wrong small one. "
                "Divide entry by entry, then take the largest.",
                _with(lambda a, b: np.abs(a - b).max() / np.abs(a).max().clip(1e-8))),
        Mistake("the mean instead of the largest",
                "One wrong entry among thousands disappears in a mean: take the maximum.",
                _with(lambda a, b: (np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)),
                                                               1e-8)).mean())),
        Mistake("no floor under the division",
                "Where both gradients are 0, 0/0 is NaN: divide by the larger of the two and 10⁻⁸.",
                _with(lambda a, b: _largest(a, b, floor=0.0))),
        Mistake("the sign of the difference is kept",
                "An error of −25 % is as bad as one of +25 %: absolute values above and below.",
                _with(lambda a, b: ((b - a) / np.maximum(np.maximum(np.abs(a), np.abs(b)),
                                                         1e-8)).max())),
        Mistake("a one-sided difference",
                "(f(x + h) − f(x))/h is wrong by f″·h/2: step both ways and divide by 2h.",
                _one_sided),
        Mistake("single precision",
                "float32 has seven digits, and a difference of two nearly equal "
                "numbers loses most of them: work in float64.",
                _single_precision),
        Mistake("x comes back changed", "Work on a copy, or put each entry back.", _not_restored),
    ],
)  # fmt: skip
