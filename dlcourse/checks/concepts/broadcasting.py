"""Check of un-broadcasting: a gradient gets the shape of what it belongs to."""

import torch

from dlcourse.checks.core import Check, Mistake, case


def _added_axes_only(grad, shape):
    return grad.sum(tuple(range(grad.ndim - len(shape)))) if grad.ndim > len(shape) else grad


def _axes(grad, shape):
    """The axes of grad along which something of this shape was repeated."""
    added = grad.ndim - len(shape)
    return [
        i for i in range(grad.ndim) if i < added or (shape[i - added] == 1 and grad.shape[i] != 1)
    ]


def _squeezed(grad, shape):
    return grad.sum(_axes(grad, shape)) if _axes(grad, shape) else grad


def _mean(grad, shape):
    return (
        grad.mean(_axes(grad, shape), keepdim=True).reshape(shape) if _axes(grad, shape) else grad
    )


def _first(grad, shape):
    index = tuple(slice(0, 1) if i in _axes(grad, shape) else slice(None) for i in range(grad.ndim))
    return grad[index].reshape(shape)


def _empty_tuple_of_axes(grad, shape):
    grad = grad.sum(tuple(range(grad.ndim - len(shape))))
    return grad.sum_to_size(shape) if grad.ndim >= len(shape) else grad


def _grad(*shape, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=dtype)


unbroadcast = Check(
    "unbroadcast",
    reference=lambda grad, shape: grad.sum_to_size(shape),
    cases=lambda: [
        case("a bias of 2 for three rows", torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
             (2,)),
        case("nothing was broadcast", _grad(2, 3), (2, 3)),
        case("a column for four columns", _grad(3, 4), (3, 1)),
        case("a row, kept as a row", _grad(3, 4), (1, 4)),
        case("a single number, shape ()", _grad(2, 3), ()),
        case("an axis in front and one inside, float32", _grad(2, 3, 4, dtype=torch.float32),
             (3, 1)),
        case("an axis of size 1 that stays", _grad(3, 1), (3, 1)),
        case("two axes of size 1", _grad(2, 3, 4), (2, 1, 1)),
        case("equal sizes, one axis in front", _grad(3, 3, 3), (1, 3)),
        case("a square: rows that were a vector", _grad(3, 3), (3,)),
        case("a transposed view", _grad(4, 3).T, (3, 1)),
    ],
    mistakes=[
        Mistake("only the added axes are summed",
                "An axis of size 1 is stretched by broadcasting too: "
                "sum over it, with keepdim=True.",
                _added_axes_only),
        Mistake("an axis of size 1 is lost",
                "A gradient has the shape of what it belongs to: "
                "keepdim=True where the size was 1.",
                _squeezed),
        Mistake("mean instead of sum",
                "Each copy acted on the result, and all of their shares add up: sum.", _mean),
        Mistake("one copy speaks for all",
                "Each copy has a gradient of its own: add them up, do not pick one.", _first),
        Mistake("an empty tuple of axes",
                "grad.sum(()) sums over *all* axes: sum only where an axis was added.",
                _empty_tuple_of_axes),
        Mistake("everything is summed", "Sum only along the axes that broadcasting has stretched.",
                lambda grad, shape: grad.sum().expand(shape)),
    ],
)  # fmt: skip
