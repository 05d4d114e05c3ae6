"""Checks of walking back through a graph of numbers: topological order and backward."""

import torch

from dlcourse.checks.concepts.autograd import Expression, Node, random_expression
from dlcourse.checks.core import Check, Mistake, Untouched, case


def _order(root):
    """Every node after its parents, once each; without recursion, so a deep graph is no problem."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


def _faults_of_order(function, expression):
    """What is wrong with an order, in numbers: there are many right ones."""
    graphs = [expression.nodes([Node(number) for number in expression.numbers]) for _ in range(2)]
    function(graphs[0][-1])  # an earlier call, of which nothing may be left
    nodes = graphs[1]
    order = function(nodes[-1])
    if order is None:
        raise TypeError("None came back: is `return` missing?")
    if not isinstance(order, (list, tuple)):
        raise TypeError(f"return a list, not a {type(order).__name__}")
    place = {id(node): i for i, node in enumerate(order)}  # of the last time that a node comes
    first = {id(node): i for i, node in reversed(list(enumerate(order)))}
    early = sum(first[id(n)] < place.get(id(p), len(order)) for n in order for p in n.parents)
    wanted = {id(node) for node in _order(nodes[-1])}
    return {
        "nodes of the graph before": "yes" if place.keys() - wanted else "no",
        "nodes that are missing": len(wanted - place.keys()),
        "nodes that come twice": len(order) - len(place),
        "nodes that come before one of their parents": early,
    }


def _with_repeats(root):
    order = [node for parent in root.parents for node in _with_repeats(parent)]
    return [*order, root]


def _breadth_first(root):
    order = [root]
    for node in order:
        order += [parent for parent in node.parents if parent not in order]
    return order[::-1]


KEPT = []  # what a default argument is: one list for all calls


def _never_emptied(root):
    known = {id(node) for node in KEPT}
    KEPT.extend(node for node in _order(root) if id(node) not in known)
    return KEPT


def _parents_last(root):
    order = []

    def visit(node):
        if node not in order:
            order.append(node)
            for parent in node.parents:
                visit(parent)

    visit(root)
    return order


def _chain(length):
    return Expression((1.0, 1.0), tuple(("add", i + 1, 0) for i in range(length)))


PRODUCT = Expression((2.0, 3.0), (("mul", 0, 1),))
SQUARE = Expression((3.0,), (("mul", 0, 0),))
TWICE = Expression((2.0, 3.0), (("mul", 0, 1), ("add", 2, 0)))
DIAMOND = Expression((2.0,), (("mul", 0, 0), ("add", 1, 0), ("mul", 2, 1), ("add", 3, 1)))
SHORT_CUT = Expression(
    (2.0, -1.0), (("add", 0, 1), ("relu", 2), ("mul", 3, 0), ("add", 4, 3), ("mul", 5, 2))
)
NEAR_FIRST = Expression((2.0,), (("mul", 0, 0), ("relu", 1), ("add", 1, 2)))
TWO_RESULTS = Expression((3.0, 10.0), (("mul", 0, 0), ("relu", 2), ("mul", 2, 1)))


def _graph_cases():
    return [
        case("a product of two numbers", PRODUCT),
        case("a number times itself", SQUARE),
        case("a number that is used twice", TWICE),
        case("a result that is used three times", DIAMOND),
        case("a short way and a long way to the same number", SHORT_CUT),
        case("a number, and one that was made of it", NEAR_FIRST),
        case("a chain of 100 sums", _chain(100)),
        *[case(f"random expression {seed} of 20", random_expression(seed)) for seed in range(20)],
    ]


topological_order = Check(
    "topological_order",
    reference=_order,
    probe=_faults_of_order,
    cases=lambda: _graph_cases()[:-15],
    mistakes=[
        Mistake("a node that is used twice comes twice",
                "Then its gradient would be passed on twice. Remember which nodes you have seen.",
                _with_repeats),
        Mistake("parents come after their children",
                "Append a node only after all of its parents: visit the parents first.",
                _parents_last),
        Mistake("a node is appended before its parents have been visited",
                "Turning the list round at the end does not help: a node may have been seen on "
                "another way first. Append it after the visits to its parents.",
                lambda root: _parents_last(root)[::-1]),
        Mistake("nodes ordered by their distance from the root",
                "A node can be near the root on one way and far on another. It has to wait for the "
                "longest one: depth first, parents before the node itself.", _breadth_first),
        Mistake("the root is left out", "The root is a node too: it comes last.",
                lambda root: _order(root)[:-1] or [root] * 2),
        Mistake("only the nodes next to the root",
                "Parents have parents: visit those of every node.",
                lambda root: [*dict.fromkeys(root.parents), root]),
        Mistake("the list lives on from one call to the next",
                "A default argument such as order=[] is made once and shared by all calls: make "
                "the list inside the function.",
                _never_emptied),
    ],
)  # fmt: skip


def _backward(root):
    """Gradients of all nodes by torch, on the graph of local slopes."""
    tensors = {}
    for node in _order(root):
        value = torch.zeros((), dtype=torch.float64, requires_grad=True)
        for parent, slope in zip(node.parents, node.slopes, strict=True):
            value = value + slope * tensors[id(parent)][1]
        tensors[id(node)] = (node, value)
    nodes, values = zip(*tensors.values(), strict=True)
    for node, grad in zip(nodes, torch.autograd.grad(values[-1], values), strict=True):
        node.grad = grad.item() + (0.0 if node.parents else node.grad)  # only leaves add up


class _Watched(Node):
    """A Node that knows whether its gradient was ever set."""

    written = False

    def __setattr__(self, name, value):
        if name == "grad" and hasattr(self, "grad"):
            self.__dict__["written"] = True
        self.__dict__[name] = value


def _gradients(function, expression, roots=(-1,)):
    """Gradients of the expression's numbers and of its steps, in their order, after function(root)
    for each of the roots."""
    nodes = expression.nodes([_Watched(number) for number in expression.numbers])
    for root in roots:
        function(nodes[root])
    if not any(node.written for node in nodes):
        raise Untouched("no gradient was written")
    grads = [node.grad for node in nodes]
    return {
        "of the numbers": grads[: len(expression.numbers)],
        "of the steps": grads[len(expression.numbers) :],
    }


def _second_calls():
    return [
        case("called twice for one result: only leaves add up", DIAMOND, (-1, -1)),
        case("called for the result, then for a number on the way to it", DIAMOND, (-1, 2)),
        case("x = 3, s = x²: called for relu(s), then for 10·s", TWO_RESULTS, (3, 4)),
    ]


def _walk(order, update, start=1.0, clears=lambda node: node.parents):
    def backward(root):
        for node in order(root):
            node.grad = 0.0 if clears(node) else node.grad
        root.grad = start
        for node in order(root):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad = update(parent.grad, slope, node.grad)

    return backward


def _reverse(root):
    return _order(root)[::-1]


def _accumulate(old, slope, grad):
    return old + slope * grad


def _breadth(root):
    return _breadth_first(root)[::-1]


backward = Check(
    "backward",
    reference=_backward,
    probe=_gradients,
    cases=lambda: [*_graph_cases(), *_second_calls()],
    rtol=1e-6,
    atol=1e-9,
    mistakes=[
        Mistake("gradients overwritten instead of accumulated",
                "A number that is used twice acts on the result in two ways, and the two add up: "
                "parent.grad += …, not =.", _walk(_reverse, lambda old, slope, grad: slope * grad)),
        Mistake("the order is not reversed",
                "A node may pass its gradient on only when it is complete, so start at the root: "
                "walk through reversed(topological_order(root)).", _walk(_order, _accumulate)),
        Mistake("wrong topological order",
                "A node was served before all of its children had given their share. "
                "Nearest to the root first is not enough: "
                "use topological_order.", _walk(_breadth, _accumulate)),
        Mistake("the root's own gradient is not 1 when the walk begins",
                "The slope of the root with respect to itself is 1. "
                "Start with 0 and everything stays 0.",
                _walk(_reverse, _accumulate, start=0.0)),
        Mistake("what an earlier call left in between is passed on again",
                "Before you start, set the gradient of every node that has parents to 0: what an "
                "earlier call has left there would go down to the leaves a second time.",
                _walk(_reverse, _accumulate, clears=lambda node: False)),
        Mistake("the leaves are cleared too",
                "Gradients of the leaves add up over several calls, as in torch: set only nodes "
                "that have parents to 0.",
                _walk(_reverse, _accumulate, clears=lambda node: True)),
        Mistake("the node's gradient is missing",
                "The chain rule multiplies: local slope times node.grad.",
                _walk(_reverse, lambda old, slope, grad: old + slope)),
        Mistake("slopes are added, not multiplied",
                "Along a path slopes multiply; only different paths add up.",
                _walk(_reverse, lambda old, slope, grad: old + slope + grad)),
    ],
)  # fmt: skip
