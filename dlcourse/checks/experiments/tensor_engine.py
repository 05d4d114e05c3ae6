"""Check of a tensor engine's matrix product: the gradients of both factors, un-broadcast."""

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


def _pair(function, grad, a, b):
    """The two gradients; a list would be taken for one gradient by the notebook's `apply`."""
    return as_tuple(function(grad, a, b))


def as_tuple(found):
    """What a backward function returned, which must not be a list."""
    if isinstance(found, list):
        raise TypeError("return a tuple: the engine takes a list for a single gradient")
    return found


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
