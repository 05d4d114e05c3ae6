"""What a scalar autograd engine is judged on: random formulas, nodes, and the check of a product
with its local slopes.

A node is any object with data, grad, parents and slopes:
the notebook's Value, or Node here. The judge is torch.
"""

import random
from dataclasses import dataclass

import torch

from dlcourse.checks.core import Check, Mistake, case


class Value:
    """What the notebook's Value is before mul is written: * would call mul again."""

    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad, self.parents, self.slopes = data, 0.0, parents, slopes


class Node(Value):
    """A number that remembers its parents, and its slope (partial derivative) with respect to each
    of them."""

    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))


@dataclass(frozen=True)
class Expression:
    """A formula that works on any numbers with +, * and .relu(),
    be they Values or tensors: expression(a, b, …).

    numbers: where to evaluate it.
    steps: what makes one node after another, as ("add", i, j), ("mul", i, j) or ("relu", i);
    i and j count the numbers first, then the steps. The last one is the result.
    """

    numbers: tuple
    steps: tuple

    def __call__(self, *leaves):
        return self.nodes(leaves)[-1]

    def nodes(self, leaves):
        nodes = list(leaves)
        for name, *which in self.steps:
            one, other = nodes[which[0]], nodes[which[-1]]
            nodes.append(
                one.relu() if name == "relu" else one + other if name == "add" else one * other
            )
        return nodes

    def __repr__(self):
        texts = [chr(ord("a") + i) for i in range(len(self.numbers))]
        for name, *which in self.steps:
            one, other = texts[which[0]], texts[which[-1]]
            texts.append(
                f"relu({one})"
                if name == "relu"
                else f"({one} {'+' if name == 'add' else '·'} {other})"
            )
        at = ", ".join(f"{texts[i]} = {number:.3g}" for i, number in enumerate(self.numbers))
        return (texts[-1] if len(texts[-1]) < 200 else f"{len(self.steps)} steps") + f" at {at}"


def random_expression(seed):
    """An Expression of 3 to 5 numbers and some 10 to 20 steps,
    in which results are used again and again."""
    rng = random.Random(seed)
    count = rng.randint(3, 5)
    numbers, steps, unused = (
        tuple(rng.uniform(-1.5, 1.5) for _ in range(count)),
        [],
        set(range(count)),
    )
    for made in range(count, count + rng.randint(6, 12)):
        step = rng.choice(["add", "mul", "add", "mul", "relu"])
        step = (step, *rng.sample(range(made), 1 if step == "relu" else 2))
        steps.append(step)
        unused = (unused - set(step[1:])) | {made}
    while len(unused) > 1:  # add up the loose ends, so that every number counts
        last, made = sorted(unused)[-2:], count + len(steps)
        steps.append(("add", *last))
        unused = (unused - set(last)) | {made}
    return Expression(numbers, tuple(steps))


def _by_torch(operation):
    """The engine's operation with value and slopes from torch."""

    def function(*nodes):
        leaves = [
            torch.tensor(float(node.data), dtype=torch.float64, requires_grad=True)
            for node in nodes
        ]
        result = operation(*leaves)
        slopes = tuple(slope.item() for slope in torch.autograd.grad(result, leaves))
        return type(nodes[0])(result.item(), nodes, slopes)

    return function


def _look(function, nodes):
    """Number, parents and slopes of what the function makes of nodes: name → Value. The order of
    the parents is free, if that of the slopes is the same."""
    made = function(*nodes.values())
    if made is None:
        raise TypeError("None came back: is `return` missing?")
    if not hasattr(made, "slopes"):
        raise TypeError(f"return a Value(data, parents, slopes), not a {type(made).__name__}")
    if not all(isinstance(one, (tuple, list)) for one in (made.parents, made.slopes)):
        raise TypeError("parents and slopes are tuples: (a, b), and one number for each of them")
    names = {id(node): name for name, node in reversed(nodes.items())}
    parents = [names.get(id(parent), "a stranger") for parent in made.parents]
    found = {"data": made.data, "parents": sorted(parents), "number of slopes": len(made.slopes)}
    for name in [name for name in nodes if name in names.values()]:
        own = [slope for parent, slope in zip(parents, made.slopes, strict=False) if parent == name]
        found[f"slope with respect to {name}"] = sum(own[1:], own[0]) if own else "none"
    return found


def _look_at_two(function, a, b, same=False):
    """same: b is a, one Value handed over twice."""
    one = Value(a)
    return _look(function, {"a": one, "b": one if same else Value(b)})


def _make(data, slopes, parents=lambda *nodes: nodes):
    """An operation with faults: data and slopes are functions of the numbers."""

    def function(*nodes):
        numbers = [node.data for node in nodes]
        return type(nodes[0])(data(*numbers), parents(*nodes), slopes(*numbers))

    return function


PAIRS = [
    case("2 and 3", 2.0, 3.0),
    case("−1.5 and 0.25", -1.5, 0.25),
    case("0 and −4", 0.0, -4.0),
    case("3 and itself: the same Value twice", 3.0, 3.0, True),
]

mul = Check(
    "mul",
    reference=_by_torch(torch.mul),
    probe=_look_at_two,
    cases=PAIRS,
    mistakes=[
        Mistake("the two slopes are exchanged",
                "The slope of a·b with respect to a is b: how fast it grows with a.",
                _make(lambda a, b: a * b, lambda a, b: (a, b))),
        Mistake("the slopes are those of a sum", "If a grows by 1, a·b grows by b, not by 1.",
                _make(lambda a, b: a * b, lambda a, b: (1.0, 1.0))),
        Mistake("each slope is the product",
                "The slope with respect to a holds b fixed: it is b, without the a.",
                _make(lambda a, b: a * b, lambda a, b: (a * b, a * b))),
    ],
)  # fmt: skip
