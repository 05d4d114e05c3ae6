"""Check of a tensor engine's log-softmax: the gradient of its input."""

import numpy as np
import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.experiments.tensor_engine import _by_torch, _drawn


def _softmax(a):
    return torch.softmax(torch.tensor(a), -1).numpy()


log_softmax_backward = Check(
    "log_softmax_backward",
    reference=lambda grad, a: _by_torch(lambda x: F.log_softmax(x, -1), grad, a),
    cases=lambda: [
        case("one row, two equal scores", np.array([[0.0, -1.0]]), np.array([[0.0, 0.0]])),
        case("3 examples, 3 classes", *_drawn(1, (3, 3), (3, 3))),
        case("a gradient of rows that sum to 0", np.array([[1.0, -1.0], [-2.0, 2.0]]),
             np.array([[1, 0.5], [2, 0]])),
        case("scores of ±1000", np.array([[1.0, 2.0], [3.0, -1.0]]),
             np.array([[1000.0, -1000.0], [0.0, 1000.0]])),
        case("a stack (2, 3, 4)", *_drawn(2, (2, 3, 4), (2, 3, 4))),
        case("one vector of 5 classes", *_drawn(3, (5,), (5,))),
    ],
    mistakes=[
        Mistake("the row's gradients are not summed",
                "Every score acts on all outputs of its row through the normaliser: "
                "subtract p times the row's sum of grad.",
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
                "exp(1000) is inf. Subtract the row's largest score first, "
                "or take exp of a log-softmax.",
                lambda grad, a: grad - np.exp(a) / np.exp(a).sum(-1, keepdims=True)
                * grad.sum(-1, keepdims=True)),
    ],
)  # fmt: skip
