"""Checks of what turns scores into a loss, in NumPy:
softmax, one-hot and cross-entropy."""

from functools import partial

import numpy as np
import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _softmax(z, axis=-1):
    return torch.softmax(torch.tensor(z), axis).numpy()


def _exp_ratio(z):
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def _one_maximum(z):
    e = np.exp(z - z.max())
    return e / e.sum(-1, keepdims=True)


def _one_sum(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum()


def _softmax_in_place(z):
    z -= z.max(-1, keepdims=True)
    return _softmax(z)


def _scores(n, classes, dtype=np.float32):
    return (2 * np.random.default_rng(n).normal(size=(n, classes))).astype(dtype)


WRONG_AXIS = Mistake(
    "softmax over the wrong axis",
    "axis 0 runs over the examples, so your columns sum to 1. Each row is one example: "
    "normalise along axis=-1, with keepdims=True.",
    lambda z: _softmax(z, 0),
)


def _minus_mean(z):
    e = np.exp(z - z.mean(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


softmax = Check(
    "softmax",
    reference=_softmax,
    cases=lambda: [
        case("one example, two classes", np.array([[0.0, 1.0]])),
        case("two examples, three classes", np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])),
        case("a transposed view, float64", _scores(3, 5, np.float64).T),
        case("four examples in float32", _scores(4, 3)),
        case("very large scores", np.array([[1000.0, 1001.0], [0.0, 1.0]])),
        case("one row of large scores, one of very negative ones",
             np.array([[1000.0, 1001.0], [-1000.0, -1001.0]])),
        case("one score far above the other", np.array([[0.0, 2000.0]])),
    ],
    mistakes=[
        WRONG_AXIS,
        Mistake("the exponential overflows",
                "exp(1000) is inf, and inf/inf is NaN. Subtract each row's maximum first: "
                "numerator and denominator shrink by the same factor, so nothing else changes.",
                _exp_ratio),
        Mistake("one maximum for the whole batch",
                "The row of very negative scores then underflows to 0/0. Each row needs its own "
                "maximum: z.max(axis=-1, keepdims=True).",
                _one_maximum),
        Mistake("the row's mean is subtracted",
                "Scores far apart still overflow: the largest can lie far above the mean. Subtract "
                "the row's maximum.",
                _minus_mean),
        Mistake("one sum for the whole batch",
                "The whole array sums to 1, but each row should: "
                "sum with axis=-1 and keepdims=True.",
                _one_sum),
        Mistake("the caller's array is overwritten",
                "z -= … writes into the caller's scores. z = z - … makes a new array.",
                _softmax_in_place),
    ],
)  # fmt: skip


def _one_hot(y, classes):
    return F.one_hot(torch.tensor(y), classes).float().numpy()


def _whole_columns(y, classes):
    out = np.zeros((len(y), classes), np.float32)
    out[:, y] = 1
    return out


one_hot = Check(
    "one_hot",
    reference=_one_hot,
    cases=lambda: [
        case("one example of class 1, three classes", np.array([1]), 3),
        case("three examples, the last class absent", np.array([2, 0, 2]), 4),
        case("five examples, two classes", np.array([0, 1, 1, 0, 1]), 2),
    ],
    mistakes=[
        Mistake("not in float32",
                "NumPy makes float64 unless you ask for something else, and one such array turns "
                "every gradient into float64: dtype=np.float32.",
                lambda y, classes: _one_hot(y, classes).astype(np.float64)),
        Mistake("classes counted from 1",
                "Class 0 is the first column: the 1 stands in column y, not y − 1.",
                lambda y, classes: np.roll(_one_hot(y, classes), -1, axis=1)),
        Mistake("as many columns as classes seen",
                "A batch need not contain every class. The number of columns is `classes`, always.",
                lambda y, classes: _one_hot(y, int(y.max()) + 1)),
        Mistake("whole columns are set",
                "out[:, y] = 1 fills every row of those columns. Pair each row with its own "
                "column: out[np.arange(len(y)), y] = 1.",
                _whole_columns),
        Mistake("rows and columns are exchanged",
                "One example is one row: the shape is (len(y), classes).",
                lambda y, classes: _one_hot(y, classes).T),
    ],
)  # fmt: skip


def _cross_entropy(logits, y, reduction="mean"):
    return F.cross_entropy(torch.tensor(logits), torch.tensor(y), reduction=reduction).item()


def _log_of_softmax(logits, y, floor=0.0, axis=-1):
    return float(-np.log(np.maximum(_softmax(logits, axis)[np.arange(len(y)), y], floor)).mean())


def _log_sum_exp(logits, y):
    return float((np.log(np.exp(logits).sum(-1)) - logits[np.arange(len(y)), y]).mean())


def _times_one_hot(logits, y):
    log_p = torch.log_softmax(torch.tensor(logits), -1).numpy()
    return float(-(_one_hot(y, logits.shape[1]) * log_p).sum() / len(y))


def _labels(n, classes):
    return np.random.default_rng(n + 1).integers(classes, size=n)


cross_entropy = Check(
    "cross_entropy",
    reference=_cross_entropy,
    cases=lambda: [
        case("one example, two equal scores: the answer is ln 2", np.array([[0.0, 0.0]]),
             np.array([1])),
        case("three examples, two classes", np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 3.5]]),
             np.array([0, 0, 1])),
        case("six examples in float32", _scores(6, 4), _labels(6, 4)),
        case("a transposed view", _scores(3, 5, np.float64).T, _labels(5, 3)),
        case("sure and wrong: p of the true class is 1e-44", np.array([[0.0, 100.0]]),
             np.array([0])),
        case("surer still: p of the true class is below any float", np.array([[0.0, 1000.0]]),
             np.array([0])),
        case("very large scores, sure and right", np.array([[1000.0, 0.0], [0.0, 900.0]]),
             np.array([0, 1])),
        case("a class that is ruled out: its score is −inf", np.array([[0.0, 0.0, -np.inf]]),
             np.array([1])),
    ],
    mistakes=[
        Mistake("log p times the one-hot label",
                "Where log p is −inf, 0 · (−inf) is NaN. Pick the entry of the true class instead: "
                "log_p[np.arange(len(y)), y].",
                _times_one_hot),
        Mistake("the 1/N is missing",
                "The loss is the mean over the batch, so that it does not depend "
                "on the batch size: divide by len(y).",
                lambda logits, y: _cross_entropy(logits, y, "sum")),
        *[
            Mistake("log of a probability with a floor under it",
                    "A floor (a clip, or + 1e-12) caps the loss exactly where the network is most "
                    "wrong, and its gradient there is 0. Take log p = z − max − log Σ exp(z − "
                    "max): no probability, no floor.",
                    partial(_log_of_softmax, floor=floor))
            for floor in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15)
        ],
        Mistake("Σ exp overflows",
                "log Σ exp(z) is right on paper, but exp(1000) is inf. Subtract each row's maximum "
                "from z first and the largest exponential is 1.",
                _log_sum_exp),
        Mistake("log of a probability that has become 0",
                "softmax underflows to 0 and log 0 is −inf. Work with log p = z − max − log Σ "
                "exp(z − max), which never leaves the range of a float.",
                _log_of_softmax),
        Mistake("mean over examples and classes",
                "Only the true class of each example counts. "
                "Sum over the classes, then take the mean over the N examples.",
                lambda logits, y: _cross_entropy(logits, y) / logits.shape[1]),
        Mistake("the minus sign is missing",
                "log p is negative; the loss is −log p, and 0 at best.",
                lambda logits, y: -_cross_entropy(logits, y)),
        Mistake("softmax over the wrong axis",
                "Normalise along the classes, axis=-1: axis 0 runs over the examples.",
                lambda logits, y: _log_of_softmax(logits, y, axis=0)),
        Mistake("logits taken for probabilities",
                "The network's outputs are scores of any sign. "
                "They become log-probabilities only through log-softmax.",
                lambda logits, y: float(-np.log(logits[np.arange(len(y)), y]).mean())),
    ],
)  # fmt: skip
