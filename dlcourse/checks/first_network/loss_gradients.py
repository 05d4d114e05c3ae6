"""Check of the gradient of cross-entropy with respect to the logits, in NumPy."""

import numpy as np
import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.first_network.losses import _labels, _one_hot, _scores, _softmax


def _gradient(logits, y, reduction="mean"):
    logits = torch.tensor(logits, requires_grad=True)
    return torch.autograd.grad(
        F.cross_entropy(logits, torch.tensor(y), reduction=reduction), logits
    )[0].numpy()


softmax_cross_entropy_backward = Check(
    "softmax_cross_entropy_backward",
    reference=_gradient,
    cases=lambda: [
        case("one example, two equal scores", np.array([[0.0, 0.0]]), np.array([1])),
        case("two examples, three classes", np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]]),
             np.array([2, 0])),
        case("two examples, the last class absent", np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]]),
             np.array([1, 0])),
        case("six examples in float32", _scores(6, 4), _labels(6, 4)),
        case("a transposed view", _scores(3, 5, np.float64).T, _labels(5, 3)),
        case("very large scores", np.array([[1000.0, 0.0], [0.0, 1.0]]), np.array([1, 1])),
    ],
    mistakes=[
        Mistake("the 1/N is missing",
                "The loss is a mean over N examples, so each one's share of "
                "the gradient is divided by N too.",
                lambda logits, y: _gradient(logits, y, "sum")),
        Mistake("opposite sign",
                "The gradient is p − one_hot: positive for wrong classes, "
                "so that a step downhill lowers their scores.",
                lambda logits, y: -_gradient(logits, y)),
        Mistake("the softmax is missing",
                "The gradient compares probabilities with the one-hot label, "
                "not the logits themselves.",
                lambda logits, y: (logits - _one_hot(y, logits.shape[1])) / len(y)),
        Mistake("the one-hot label is missing",
                "p/N pushes every score down. Subtract 1 at the true class before you divide.",
                lambda logits, y: _softmax(logits) / len(y)),
        Mistake("only p is divided by N",
                "Brackets: (p − one_hot) / N.",
                lambda logits, y: _softmax(logits) / len(y) - _one_hot(y, logits.shape[1])),
        Mistake("mean over examples and classes",
                "The loss sums over classes and averages over examples: divide by N only.",
                lambda logits, y: _gradient(logits, y) / logits.shape[1]),
        Mistake("softmax over the wrong axis",
                "Each row's probabilities sum to 1, so each row of the gradient sums to 0. "
                "Normalise along axis=-1.",
                lambda logits, y: (_softmax(logits, 0) - _one_hot(y, logits.shape[1])) / len(y)),
    ],
)  # fmt: skip
