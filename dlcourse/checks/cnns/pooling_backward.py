"""Check of the way back through max-pooling."""

import torch
from torch.nn import functional as F

from dlcourse.checks.cnns.windows import draw, strided_windows
from dlcourse.checks.core import Check, Mistake, case


def _backward(grad, x, size, stride, pool=F.max_pool2d):
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(pool(x, size, stride), x, grad)[0]


def _judge(function, grad, x, size, stride):
    """The gradient; where several pixels of a window are largest,
    only what every choice among them has in common."""
    found = function(grad, x, size, stride)
    pieces = strided_windows(x, (size, size), stride)
    largest = pieces == pieces.amax((-2, -1), keepdim=True)
    ties = (largest.sum((-2, -1)) > 1).any()
    if not ties or getattr(found, "shape", None) != x.shape:
        return found
    shares = strided_windows(found, (size, size), stride)  # cases with ties have no overlap
    return {
        "sum in every window": shares.sum((-2, -1)),
        "given to pixels that are not the largest": shares[~largest],
        "how many pixels of each window get something": (shares != 0).sum((-2, -1)),
    }


def _shared(grad, x, size, stride, weigh):
    """Every window's gradient times weigh(window), put back by hand."""
    out = torch.zeros_like(x)
    pieces, view = (
        strided_windows(x, (size, size), stride),
        strided_windows(out, (size, size), stride),
    )
    for row in range(grad.shape[2]):
        for column in range(grad.shape[3]):
            view[:, :, row, column] += (
                weigh(pieces[:, :, row, column]) * grad[:, :, row, column, None, None]
            )
    return out


def _equal_parts(window):
    largest = (window == window.amax((-2, -1), keepdim=True)).to(window.dtype)
    return largest / largest.sum((-2, -1), keepdim=True)


def _overwritten(grad, x, size, stride):
    out = torch.zeros_like(x)
    pieces, view = (
        strided_windows(x, (size, size), stride),
        strided_windows(out, (size, size), stride),
    )
    for row in range(grad.shape[2]):
        for column in range(grad.shape[3]):
            piece = pieces[:, :, row, column]
            mask = piece == piece.amax((-2, -1), keepdim=True)
            view[:, :, row, column] = torch.where(
                mask, grad[:, :, row, column, None, None], view[:, :, row, column]
            )
    return out


def _cases():
    (x,) = draw((2, 3, 7, 9))

    def one(label, x, size, stride):
        (grad,) = draw(F.max_pool2d(x, size, stride).shape, seed=1, dtype=x.dtype)
        return case(label, grad, x, size, stride)

    ties = torch.tensor([[0.0, 0, 1, 1], [0, 0, 0, 1], [2, 0, 0, 3], [0, 2, 3, 3]])[None, None]
    return [
        one("2 × 4 pixels, two windows", torch.tensor([[[[1.0, 5, 2, 0], [3, 4, 8, 7]]]]), 2, 2),
        one("two images, a row and a column left over", x, 2, 2),
        one("all negative", -1 - x.abs(), 3, 3),
        one("windows that overlap", x, 3, 2),
        one("windows with gaps, float64", x.double(), 2, 3),
        one("windows that overlap twice", x, 3, 1),
        one("ties: all zeros after a ReLU, say", ties, 2, 2),
    ]


max_pool_backward = Check(
    "max_pool_backward",
    reference=_backward,
    probe=_judge,
    cases=_cases,
    rtol=1e-5,
    atol=1e-5,
    mistakes=[
        Mistake("every one of several largest pixels gets it",
                "After a ReLU windows of zeros are common: then all four would get the whole "
                "gradient. One of them is chosen: argmax gives one.",
                lambda *args: _shared(*args, lambda w: (w == w.amax((-2, -1),
                                                                    keepdim=True)).to(w.dtype))),
        Mistake("several largest pixels share it",
                "That is the slope of amax. Here one of them gets the whole: argmax names one.",
                lambda *args: _shared(*args, _equal_parts)),
        Mistake("all pixels of the window get it",
                "Only the pixel that won has any influence on the output.",
                lambda *args: _shared(*args, torch.ones_like)),
        Mistake("that is average-pooling",
                "The whole gradient goes to the largest pixel, nothing to the others.",
                lambda *args: _backward(*args, pool=F.avg_pool2d)),
        Mistake("windows that overlap overwrite each other",
                "A pixel that wins in two windows gets both gradients: overlap_add.", _overwritten),
        Mistake("times the pixel's value",
                "The slope of a maximum with respect to the winner is 1, not its value.",
                lambda *args: _shared(*args, lambda w: w * (w == w.amax((-2, -1), keepdim=True)))),
        Mistake("the smallest pixel gets it", "The largest one passed: argmax.",
                lambda grad, x, size, stride: _backward(grad, -x, size, stride)),
    ],
)  # fmt: skip
