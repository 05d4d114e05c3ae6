"""Checks of a tensor engine's reductions: the gradients of a sum and of a maximum."""

import numpy as np

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.experiments.tensor_engine import _by_torch, _drawn


def _reduced(forward):
    """The judge of a reduction: forward(x, axes) with axes None or a tuple."""

    def judge(grad, a, axis=None):
        axes = tuple(range(a.ndim)) if axis is None else axis
        return _by_torch(lambda x: forward(x, axes), grad, a)

    return judge


_sum_backward = _reduced(lambda x, axes: x.sum(dim=axes))
_max_backward = _reduced(lambda x, axes: x.amax(dim=axes))


def _one_by_one(grad, a, axis=None):
    """The axes put back one after the other, each where it stood among all of them."""
    for one in () if axis is None else np.atleast_1d(axis):
        grad = np.expand_dims(grad, int(one))
    return np.broadcast_to(grad, a.shape).copy()


def _expanded(grad, a, axis):
    return grad if axis is None else np.expand_dims(grad, axis)


def _always_expanded(grad, a, axis=None):
    return np.broadcast_to(np.expand_dims(grad, axis), a.shape).copy()


def _one_axis(grad, a, axis=None):
    """Right for None and for a number."""
    shape = list(a.shape)
    if axis is not None:
        shape[axis] = 1
        grad = grad.reshape(shape)
    return np.broadcast_to(grad, a.shape).copy()


def _top(a, axis):
    return (a == a.max(axis=axis, keepdims=True)).astype(float)


def _first_of_ties(grad, a, axis=None):
    axes = range(a.ndim) if axis is None else np.atleast_1d(axis)
    axes = sorted(int(one) % a.ndim for one in axes)
    moved = np.moveaxis(a, axes, range(-len(axes), 0))
    flat = moved.reshape(*moved.shape[: -len(axes)], -1)
    mask = np.eye(flat.shape[-1])[flat.argmax(-1)].reshape(moved.shape)
    return np.moveaxis(mask, range(-len(axes), 0), axes) * _expanded(grad, a, axis)


def _tied():
    """A stack in which each maximum over axes 0 and 2 is reached twice or three times."""
    (a,) = _drawn(9, (2, 3, 4))
    a[0, :, 1], a[1, :, 2] = 3.0, 3.0
    a[1, 2, 0] = 3.0
    return a


def _reductions(seed, stack):
    number, square, tall = np.array(2.0), _drawn(seed, (3,), (3, 3)), _drawn(seed + 1, (4,), (4, 2))
    return [
        case("a row to a number", number, np.array([1.0, -2.0, 3.0]), None),
        case("3 × 3 over axis 0", *square, 0),
        case("3 × 3 over axis 1", *square, 1),
        case("4 × 2 over the last axis, -1", *tall, -1),
        case("4 × 2 to a number", np.array(-1.5), tall[1], None),
        stack,
        case("3 × 3 × 4 over the last two axes, (-2, -1)", *_drawn(seed + 2, (3,), (3, 3, 4)),
             (-2, -1)),
        case("3 × 4 × 3 over axes (2, 1), in this order", *_drawn(seed + 3, (3,), (3, 4, 3)),
             (2, 1)),
    ]  # fmt: skip


NOT_PUT_BACK = (
    "(3,) broadcasts to (3, 3) as a row, whatever axis was summed: "
    "np.expand_dims(grad, axis) first."
)

sum_backward = Check(
    "sum_backward",
    reference=_sum_backward,
    cases=lambda: _reductions(0, case("a stack over axes 0 and 2", *_drawn(5, (3,), (2, 3, 4)),
                                      (0, 2))),
    mistakes=[
        Mistake("the summed axis is not put back",
                NOT_PUT_BACK,
                lambda grad, a, axis=None: np.zeros(a.shape) + grad),
        Mistake("broadcast without the summed axis", NOT_PUT_BACK,
                lambda grad, a, axis=None: np.broadcast_to(grad, a.shape).copy()),
        Mistake("multiplied by ones without the summed axis", NOT_PUT_BACK,
                lambda grad, a, axis=None: grad * np.ones(a.shape)),
        Mistake("axis None is forgotten",
                "None means that all axes were summed: grad is then a number and needs no new "
                "axis, and np.expand_dims does not take None.",
                _always_expanded),
        Mistake("a tuple of axes is forgotten",
                "axis may be a tuple, and a list has no entry for a tuple: np.expand_dims takes "
                "a number or a tuple.",
                _one_axis),
        Mistake("shared out",
                "A sum passes the whole gradient to each of its terms; only a mean divides it.",
                lambda grad, a, axis=None: _sum_backward(grad, a, axis) * grad.size / a.size),
        Mistake("not spread over the terms",
                "Every entry of a gets a gradient: np.broadcast_to(…, a.shape).",
                lambda grad, a, axis=None: _expanded(grad, a, axis).copy()),
        Mistake("the axes are put back one after the other",
                "-1 or 2 count the axes of a, and grad does not have them all until the last one "
                "is back: hand np.expand_dims all axes at once, or sort them from the first on.",
                _one_by_one),
        Mistake("multiplied by a",
                "The slope of a sum with respect to each of its terms is 1, not the term.",
                lambda grad, a, axis=None: _sum_backward(grad, a, axis) * a),
    ],
)  # fmt: skip

max_backward = Check(
    "max_backward",
    reference=_max_backward,
    cases=lambda: [
        *_reductions(7, case("ties: (2, 2, 1) and (0, 0, 0)", np.array([6.0, 3.0]),
                             np.array([[2.0, 2.0, 1.0], [0.0, 0.0, 0.0]]), 1)),
        case("ties in a matrix, to a number", np.array(6.0),
             np.array([[5.0, 1.0, 5.0], [0.0, 5.0, 2.0]]), None),
        case("a stack over axes 0 and 2, with ties", np.array([6.0, 1.0, -3.0]), _tied(), (0, 2)),
    ],
    mistakes=[
        Mistake("every tied entry gets the whole gradient",
                "Two equal largest entries share it: divide the mask by its "
                "sum along the axis, as torch's amax does.",
                lambda grad, a, axis=None: _top(a, axis) * _expanded(grad, a, axis)),
        Mistake("the first of tied entries gets all",
                "argmax finds one of them. Compare with the maximum instead, "
                "and share the gradient among all ties.",
                _first_of_ties),
        Mistake("the largest entry of the whole array",
                "Each row (or column) has a maximum of its own: a.max(axis=axis, keepdims=True).",
                lambda grad, a, axis=None: _top(a, None) * _expanded(grad, a, axis)),
        Mistake("the reduced axis is not put back",
                "(3,) broadcasts to (3, 3) as a row, whatever axis was reduced: "
                "np.expand_dims(grad, axis) first.",
                lambda grad, a, axis=None: _top(a, axis) / _top(a, axis).sum(axis=axis,
                                                                             keepdims=True) * grad),
        Mistake("every entry gets a gradient",
                "A small change of an entry that is not the largest does not change the maximum: "
                "its slope is 0.",
                lambda grad, a, axis=None: _sum_backward(grad, a, axis)),
    ],
)  # fmt: skip
