"""Checks of a tensor engine: gradients of ReLU and log-softmax, and the order of the graph."""

import numpy as np
import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.tensor_engine import _by_torch, _drawn

relu_backward = Check(
    "relu_backward",
    reference=lambda grad, a: _by_torch(F.relu, grad, a),
    cases=lambda: [
        case("below and above", np.array([2.0, -3.0]), np.array([-1.0, 1.0])),
        case("an input of exactly 0", np.array([1.0, -2.0, 3.0]), np.array([-1.0, 0.0, 1.5])),
        case("a matrix, gradients of both signs", *_drawn(0, (3, 4), (3, 4))),
    ],
    mistakes=[
        Mistake("0 counted as open", "At the kink we take slope 0, as torch does: the mask is a > 0.",
                lambda grad, a: grad * (a >= 0)),
        Mistake("the mask is taken from the gradient",
                "What decides is the sign of the input a, not that of the gradient on its way back.",
                lambda grad, a: np.maximum(grad, 0)),
        Mistake("the incoming gradient is missing",
                "(a > 0) is the local slope. The chain rule multiplies it by what comes from above: grad.",
                lambda grad, a: (a > 0) * 1.0),
        Mistake("multiplied by a", "The slope of ReLU is 1 or 0; relu(a) is its value.",
                lambda grad, a: grad * np.maximum(a, 0)),
    ],
)  # fmt: skip


def _softmax(a):
    return torch.softmax(torch.tensor(a), -1).numpy()


log_softmax_backward = Check(
    "log_softmax_backward",
    reference=lambda grad, a: _by_torch(lambda x: F.log_softmax(x, -1), grad, a),
    cases=lambda: [
        case("one row, two equal scores", np.array([[0.0, -1.0]]), np.array([[0.0, 0.0]])),
        case("3 examples, 3 classes", *_drawn(1, (3, 3), (3, 3))),
        case("a gradient of rows that sum to 0", np.array([[1.0, -1.0], [-2.0, 2.0]]), np.array([[1, 0.5], [2, 0]])),
        case("scores of ±1000", np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[1000.0, -1000.0], [0.0, 1000.0]])),
        case("a stack (2, 3, 4)", *_drawn(2, (2, 3, 4), (2, 3, 4))),
    ],
    mistakes=[
        Mistake("the row's gradients are not summed",
                "Every score acts on all outputs of its row through the normaliser: subtract p times the row's sum of "
                "grad.",
                lambda grad, a: grad - _softmax(a)),
        Mistake("the slope of softmax, without the logarithm",
                "p·(grad − Σ grad·p) belongs to softmax. For log-softmax it is grad − p·Σ grad.",
                lambda grad, a: _by_torch(lambda x: F.softmax(x, -1), grad, a)),
        Mistake("summed over the whole array",
                "Each row has its own normaliser: grad.sum(axis=-1, keepdims=True).",
                lambda grad, a: grad - _softmax(a) * grad.sum()),
        Mistake("summed over the examples",
                "The classes lie along the last axis: axis=-1, not 0.",
                lambda grad, a: grad - _softmax(a) * grad.sum(axis=0)),
        Mistake("the exponential overflows",
                "exp(1000) is inf. Subtract the row's largest score first, or take exp of a log-softmax.",
                lambda grad, a: grad - np.exp(a) / np.exp(a).sum(-1, keepdims=True) * grad.sum(-1, keepdims=True)),
    ],
)  # fmt: skip


class Node:
    """What a Tensor of the notebook is, with a rule by which torch can compute it too."""

    def __init__(self, data, parents=(), pull=None, rule=None):
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = np.zeros_like(self.data)
        self.parents, self.pull, self.rule = parents, pull, rule

    def __add__(self, other):
        return Node(self.data + other.data, (self, other), lambda grad: (grad, grad), torch.add)

    def __mul__(self, other):
        return Node(self.data * other.data, (self, other), lambda g: (g * other.data, g * self.data), torch.mul)

    def sum(self):
        return Node(self.data.sum(), (self,), lambda grad: (np.full(self.data.shape, grad),), torch.sum)


def _leaves(*shapes):
    return [Node(one) for one in _drawn(3, *shapes)]


def _single():
    (x,) = _leaves((2,))
    return x.sum(), [x]


def _twice():
    (x,) = _leaves((3,))
    return (x * x).sum(), [x]


def _diamond():
    x, y = _leaves((2,), (2,))
    z = x * y
    return (z * x + z).sum(), [x, y, z]


def _shortcut():  # w is a parent of the result and, ten operations further back, of its other parent
    x, y = _leaves((2,), (2,))
    w = x * y
    h = w
    for _ in range(5):
        h = h * y + w
    return (w * h).sum(), [x, y]


def _doubling():  # 1,024 paths lead from the result to x: enough to notice, and a loop over all of them still ends
    (x,) = _leaves(())
    h = x
    for _ in range(10):
        h = h + h
    return h, [x]


def _chain():
    x, y = _leaves((), ())
    h = x
    for _ in range(5000):
        h = h + y
    return h, [x, y]


GRAPHS = {
    "the sum of x": _single,
    "x * x: one parent twice": _twice,
    "a diamond: z used twice": _diamond,
    "a short and a long way to one node": _shortcut,
    "ten doublings: 1,024 paths": _doubling,
    "a chain of 5,000 operations": _chain,
}
graph_cases = [case(label, make) for label, make in GRAPHS.items()]


def _reachable(root):
    seen, waiting = {id(root): root}, [root]
    while waiting:
        for parent in waiting.pop().parents:
            if id(parent) not in seen:
                seen[id(parent)] = parent
                waiting.append(parent)
    return list(seen.values())


def order_by_counting(root):
    """Parents first: from the result down, a node is taken when everything made from it has been taken."""
    children = {id(node): 0 for node in _reachable(root)}
    for node in _reachable(root):
        for parent in node.parents:
            children[id(parent)] += 1
    order, free = [], [root]
    while free:
        order.append(free.pop())
        for parent in order[-1].parents:
            children[id(parent)] -= 1
            if children[id(parent)] == 0:
                free.append(parent)
    return order[::-1]


def _describe(function, make):
    """What can be said of an order, whichever of the right ones it is."""
    root, _ = make()
    order = list(function(root))
    place = {id(node): index for index, node in enumerate(order)}
    links = [(id(parent), id(node)) for node in order for parent in node.parents]
    wrong = sum(place.get(parent, len(order)) >= place[node] for parent, node in links)
    missing = sum(id(node) not in place for node in _reachable(root))
    twice = len(order) - len(place)
    return {"missing": missing, "listed twice": twice, "before a parent of theirs": wrong, "last": order[-1] is root}


def _recursive(root):
    order, seen = [], set()

    def visit(node):
        if id(node) not in seen:
            seen.add(id(node))
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order


def order_by_distance(root):
    """A wrong order: the nodes nearest to the result last, however far they are by another way."""
    seen, order = {id(root)}, [root]
    for node in order:  # grows while it is walked through
        for parent in node.parents:
            if id(parent) not in seen:
                seen.add(id(parent))
                order.append(parent)
    return order[::-1]


def _without_seen(root):
    order = [root]
    for node in order:  # grows while it is walked through
        order.extend(node.parents)
    return order[::-1]


topological_order = Check(
    "topological_order",
    reference=order_by_counting,
    probe=_describe,
    cases=graph_cases,
    mistakes=[
        Mistake("recursion",
                "Python stops at about 1,000 nested calls. Keep the nodes that wait on a list of your own.",
                _recursive),
        Mistake("sorted by distance from the result",
                "A node can be near the result by one way and far by another. It may be listed only when all of its "
                "parents are.",
                order_by_distance),
        Mistake("a node is listed each time it is met",
                "Remember what you have seen (a set of id(node)), or ten doublings are walked through 1,024 times.",
                _without_seen),
        Mistake("the result comes first",
                "Parents first, the result last: backward walks through the list in reverse.",
                lambda root: order_by_counting(root)[::-1]),
        Mistake("the result is left out", "The list ends with the root itself.",
                lambda root: order_by_counting(root)[:-1]),
    ],
)  # fmt: skip
