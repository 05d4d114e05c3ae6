"""Check of a tensor engine's graph: the order in which its nodes are walked through."""

import sys

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.experiments.tensor_engine import _drawn


class Node:
    """What a Tensor of the notebook is, with a rule by which torch can compute it too."""

    def __init__(self, data, parents=(), pull=None, rule=None):
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = np.zeros_like(self.data)
        self.parents, self.pull, self.rule = parents, pull, rule

    def __add__(self, other):
        return Node(self.data + other.data, (self, other), lambda grad: (grad, grad), torch.add)

    def __mul__(self, other):
        return Node(
            self.data * other.data,
            (self, other),
            lambda g: (g * other.data, g * self.data),
            torch.mul,
        )

    def sum(self):
        return Node(
            self.data.sum(), (self,), lambda grad: (np.full(self.data.shape, grad),), torch.sum
        )


def _leaves(*shapes):
    return [Node(one) for one in _drawn(3, *shapes)]


def _single():
    (x,) = _leaves((2,))
    return x.sum(), {"x": x}


def _twice():
    (x,) = _leaves((3,))
    return (x * x).sum(), {"x": x}


def _diamond():
    x, y = _leaves((2,), (2,))
    z = x * y
    product = z * x
    return (product + z).sum(), {"x": x, "y": y, "z": z, "z * x": product}


# w is a parent of the result and, ten operations further back, of its other parent
def _shortcut():
    x, y = _leaves((2,), (2,))
    w = x * y
    h = w
    for _ in range(5):
        h = h * y + w
    return (w * h).sum(), {"x": x, "y": y}


# 1,024 paths lead from the result to x: enough to notice, and a loop over all of them still ends
def _doubling():
    (x,) = _leaves(())
    h = x
    for _ in range(10):
        h = h + h
    return h, {"x": x}


def _chain():
    x, y = _leaves((), ())
    h = x
    for _ in range(5000):
        h = h + y
    return h, {"x": x, "y": y}


def _two_results():
    (x,) = _leaves((2,))
    s = x * x
    return (s.sum(), (s * Node([10.0, 10.0])).sum()), {"x": x, "s": s}


def _one_result_twice():
    root, leaves = _diamond()
    return (root, root), leaves


GRAPHS = {
    "the sum of x": _single,
    "x * x: one parent twice": _twice,
    "a diamond: z used twice": _diamond,
    "a short and a long way to one node": _shortcut,
    "ten doublings: 1,024 paths": _doubling,
    "a chain of 5,000 operations": _chain,
}
graph_cases = [case(label, make) for label, make in GRAPHS.items()]
second_calls = [
    case("called twice for one result: only leaves add up", _one_result_twice),
    case("s = x * x: called for its sum, then for ten times its sum", _two_results),
]


def _reachable(root):
    seen, waiting = {id(root): root}, [root]
    while waiting:
        for parent in waiting.pop().parents:
            if id(parent) not in seen:
                seen[id(parent)] = parent
                waiting.append(parent)
    return list(seen.values())


def order_by_counting(root):
    """Parents first: from the result down,
    a node is taken when everything made from it has been taken."""
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


def _without_deep_recursion(function, root):
    """function(root) with Python's usual limit, which an answer may not raise."""
    before = sys.getrecursionlimit()
    usual = min(before, 3000)
    sys.setrecursionlimit(usual)
    try:
        order = function(root)
        if sys.getrecursionlimit() != usual:
            raise RecursionError("the limit was raised: no recursion, please")
        return order
    finally:
        sys.setrecursionlimit(before)


def _describe(function, graph):
    """What can be said of an order, whichever of the right ones it is."""
    function(_diamond()[0])  # an earlier call, of which nothing may be left
    root, _ = graph()
    order = _without_deep_recursion(function, root)
    if order is None:
        raise TypeError("None came back: is `return` missing?")
    if not isinstance(order, (list, tuple)):
        raise TypeError(f"return a list, not a {type(order).__name__}")
    place = {id(node): index for index, node in enumerate(order)}
    links = [(id(parent), id(node)) for node in order for parent in node.parents]
    wrong = sum(place.get(parent, len(order)) >= place[node] for parent, node in links)
    missing = sum(id(node) not in place for node in _reachable(root))
    twice = len(order) - len(place)
    strange = place.keys() - {id(node) for node in _reachable(root)}
    return {
        "tensors of the graph before": "yes" if strange else "no",
        "tensors that are missing": missing,
        "tensors listed twice": twice,
        "tensors before a parent of theirs": wrong,
        "the last one is root": bool(order) and order[-1] is root,
    }


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


KEPT = []  # what a default argument is: one list for all calls


def _never_emptied(root):
    known = {id(node) for node in KEPT}
    KEPT.extend(node for node in order_by_counting(root) if id(node) not in known)
    return KEPT


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
                "Python stops at about 1,000 nested calls. "
                "Keep the nodes that wait on a list of your own.",
                _recursive),
        Mistake("sorted by distance from the result",
                "A node can be near the result by one way and far by another. It may be listed "
                "only when all of its parents are.",
                order_by_distance),
        Mistake("a node is listed each time it is met",
                "Remember what you have seen (a set of id(node)), "
                "or ten doublings are walked through 1,024 times.",
                _without_seen),
        Mistake("the result comes first",
                "Parents first, the result last: backward walks through the list in reverse.",
                lambda root: order_by_counting(root)[::-1]),
        Mistake("the result is left out", "The list ends with the root itself.",
                lambda root: order_by_counting(root)[:-1]),
        Mistake("the list lives on from one call to the next",
                "A default argument such as order=[] is made once and shared by all calls: make "
                "the list inside the function.",
                _never_emptied),
    ],
)  # fmt: skip
