"""Checks of a tensor engine's operations: the gradients of their inputs, un-broadcast."""

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, case


def _by_torch(forward, grad, *arrays):
    """Gradients of `forward` at the arrays, given grad, that of its result:
    one array, or a tuple for several."""
    inputs = [torch.tensor(array, requires_grad=True) for array in arrays]
    found = torch.autograd.grad(forward(*inputs), inputs, torch.tensor(grad))
    found = tuple(one.numpy() for one in found)
    return found if len(found) > 1 else found[0]


def _drawn(seed, *shapes):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=shape) for shape in shapes)


def _unbroadcast(grad, shape):
    return _by_torch(lambda x: torch.broadcast_to(x, grad.shape), grad, np.zeros(shape))


def _leading_only(grad, shape):
    return grad.sum(axis=tuple(range(grad.ndim - len(shape))))


def _ones_only(grad, shape):
    shape = (0,) * (grad.ndim - len(shape)) + shape
    return grad.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1), keepdims=True)


def _axes_kept(grad, shape):
    return _unbroadcast(grad, (1,) * (grad.ndim - len(shape)) + shape)


unbroadcast = Check(
    "unbroadcast",
    reference=_unbroadcast,
    cases=lambda: [
        case("nothing was broadcast", np.array([[1.0, 2.0]]), (1, 2)),
        case("a row (3,) used for 2 rows", np.arange(6.0).reshape(2, 3), (3,)),
        case("a column (2, 1) used for 3 columns", np.arange(6.0).reshape(2, 3), (2, 1)),
        case("a number, shape ()", np.arange(6.0).reshape(2, 3), ()),
        case("a new axis in front and an axis of 1", *_drawn(0, (4, 2, 3)), (2, 1)),
        case("equal sizes in front", *_drawn(1, (3, 3, 3)), (1, 3)),
        case("two axes of size 1", *_drawn(2, (2, 3, 4)), (2, 1, 1)),
    ],
    mistakes=[
        Mistake("axes of size 1 are not summed",
                "A column (2, 1) was stretched along its second axis. Where shape has a 1 and grad "
                "has more, sum over that axis too, with keepdims=True.",
                _leading_only),
        Mistake("new axes in front are not summed",
                "Broadcasting first puts axes in front until both shapes are equally long. Sum "
                "over those first: they are gone in the answer.",
                _ones_only),
        Mistake("the new axes are kept with size 1",
                "The answer must have exactly `shape`. Axes that broadcasting put in front "
                "disappear: sum them without keepdims.",
                _axes_kept),
        Mistake("the mean instead of the sum",
                "Every copy acts on the loss, and the effects add up: sum.",
                lambda grad, shape: _unbroadcast(grad, shape) * np.prod(shape) / grad.size),
        Mistake("nothing is summed",
                "The gradient must have the shape of the input, not of the result: sum over all "
                "axes along which the input was repeated.",
                lambda grad, shape: grad.copy()),
    ],
)  # fmt: skip


def _pair(function, grad, a, b):
    """The two gradients; a list would be taken for one gradient by the notebook's `apply`."""
    return as_tuple(function(grad, a, b))


def as_tuple(found):
    """What a backward function returned, which must not be a list."""
    if isinstance(found, list):
        raise TypeError("return a tuple: the engine takes a list for a single gradient")
    return found


PAIRS = [  # label, shapes of grad, a and b
    ("two numbers", (), (), ()),
    ("two rows of one shape", (3,), (3,), (3,)),
    ("a matrix (2, 3) and a row (3,)", (2, 3), (2, 3), (3,)),
    ("a column (3, 1) and a row (3,)", (3, 3), (3, 1), (3,)),
    ("a number and a stack (2, 3, 2)", (2, 3, 2), (), (2, 3, 2)),
    ("a stack (2, 1, 3) and a matrix (4, 1)", (2, 4, 3), (2, 1, 3), (4, 1)),
]


def _pairs():
    return [case(label, *_drawn(number, *shapes)) for number, (label, *shapes) in enumerate(PAIRS)]


add_backward = Check(
    "add_backward",
    reference=lambda grad, a, b: _by_torch(torch.add, grad, a, b),
    probe=_pair,
    cases=_pairs,
    mistakes=[
        Mistake("the gradients are not un-broadcast",
                "grad has the shape of the sum. "
                "unbroadcast(grad, a.shape) gives it that of a, and so for b.",
                lambda grad, a, b: (grad, grad)),
        Mistake("only the second is un-broadcast",
                "Either of the two may have been stretched: un-broadcast both.",
                lambda grad, a, b: (grad, _unbroadcast(grad, b.shape))),
        Mistake("multiplied by the other one",
                "That is the rule for a product. The slope of a + b with respect to either is 1.",
                lambda grad, a, b: _by_torch(torch.mul, grad, a, b)),
        Mistake("halved",
                "Both inputs get the whole gradient: "
                "a change of either changes the sum by as much.",
                lambda grad, a, b: tuple(one / 2 for one in _by_torch(torch.add, grad, a, b))),
    ],
)  # fmt: skip


def _product_of_sums(grad, a, b):
    def share(one, other):
        sums = _unbroadcast(np.broadcast_to(other, grad.shape).copy(), one.shape)
        return _unbroadcast(grad, one.shape) * sums

    return share(a, b), share(b, a)


mul_backward = Check(
    "mul_backward",
    reference=lambda grad, a, b: _by_torch(torch.mul, grad, a, b),
    probe=_pair,
    cases=_pairs,
    mistakes=[
        Mistake("each gets its own value",
                "The slope of a·b with respect to a is b: the factors change places.",
                lambda grad, a, b: (_unbroadcast(grad * a, a.shape),
                                    _unbroadcast(grad * b, b.shape))),
        Mistake("un-broadcast before the multiplication",
                "Each copy of a met its own entry of b. "
                "Multiply first, in the large shape, then sum.",
                lambda grad, a, b: (_unbroadcast(grad, a.shape) * b,
                                    _unbroadcast(grad, b.shape) * a)),
        Mistake("a product of sums",
                "Each copy of a met its own entry of grad and its own of b: multiply first, "
                "grad * b in the large shape, then sum the products.",
                _product_of_sums),
        Mistake("the gradients are not un-broadcast",
                "grad * b has the shape of the product. "
                "unbroadcast(grad * b, a.shape) gives it that of a.",
                lambda grad, a, b: (grad * b, grad * a)),
        Mistake("the incoming gradient is missing",
                "b alone is the local slope. "
                "The chain rule multiplies it by what comes from above: grad.",
                lambda grad, a, b: _by_torch(torch.mul, np.ones_like(grad), a, b)),
    ],
)  # fmt: skip


def _order_exchanged(grad, a, b):
    return _by_torch(torch.matmul, grad, a, b)[::-1]


matmul_backward = Check(
    "matmul_backward",
    reference=lambda grad, a, b: _by_torch(torch.matmul, grad, a, b),
    probe=_pair,
    cases=lambda: [
        case("a row (1, 2) times a column (2, 1)", *_drawn(0, (1, 1), (1, 2), (2, 1))),
        case("(4, 3) @ (3, 2)", *_drawn(1, (4, 2), (4, 3), (3, 2))),
        case("all square, 3 × 3", *_drawn(2, (3, 3), (3, 3), (3, 3))),
        case("two stacks of 2 matrices", *_drawn(3, (2, 4, 2), (2, 4, 3), (2, 3, 2))),
        case("a stack (5, 4, 3) @ one matrix (3, 2)", *_drawn(4, (5, 4, 2), (5, 4, 3), (3, 2))),
        case("one matrix (4, 3) @ a stack (5, 3, 2)", *_drawn(5, (5, 4, 2), (4, 3), (5, 3, 2))),
        case("stacks (2, 1, 4, 3) @ (5, 3, 2)",
             *_drawn(6, (2, 5, 4, 2), (2, 1, 4, 3), (5, 3, 2))),
    ],
    mistakes=[
        Mistake("no transpose", "Forward mixed with b, so backward goes through b transposed: "
                                "grad @ bᵀ and aᵀ @ grad.",
                lambda grad, a, b: (grad @ b, a @ grad)),
        Mistake("both gradients are transposed",
                "A gradient has the shape of what it belongs to: grad @ bᵀ for a, aᵀ @ grad for b.",
                lambda grad, a, b: (b @ grad.swapaxes(-1, -2), grad.swapaxes(-1, -2) @ a)),
        Mistake(".T on a stack",
                ".T turns all axes around, the stack's too. "
                "swapaxes(-1, -2) exchanges only the last two.",
                lambda grad, a, b: (_unbroadcast(grad @ b.T, a.shape),
                                    _unbroadcast(a.T @ grad, b.shape))),
        Mistake("a stack's gradient is not summed",
                "One matrix b served every matrix of the stack: "
                "unbroadcast(aᵀ @ grad, b.shape) adds their shares.",
                lambda grad, a, b: (grad @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ grad)),
        Mistake("the two are exchanged", "Return the gradient of a first, then that of b.",
                _order_exchanged),
    ],
)  # fmt: skip
