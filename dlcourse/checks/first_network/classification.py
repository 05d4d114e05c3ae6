"""Checks of what is measured on a classifier, in torch:
accuracy, confusion matrix and calibration error."""

import math

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _classifier(n, classes, dtype=torch.float32):
    """Logits (n, classes) that are right about two times in three, and labels (n,)."""
    generator = torch.Generator().manual_seed(n)
    y = torch.randint(classes, (n,), generator=generator)
    logits = torch.randn(n, classes, generator=generator) + 2.0 * F.one_hot(y, classes)
    return logits.to(dtype), y


def _share(flags):
    return torch.tensor(sum(flags) / len(flags), dtype=torch.float32)


def _accuracy(logits, y):
    return _share(
        [max(range(len(row)), key=row.__getitem__) == label for row, label in _rows(logits, y)]
    )


def _rows(logits, y):
    return list(zip(logits.tolist(), y.tolist(), strict=True))


accuracy = Check(
    "accuracy",
    reference=_accuracy,
    fallback="dlcourse.metrics:accuracy",
    cases=lambda: [
        case("one example, right", torch.tensor([[0.0, 1.0]]), torch.tensor([1])),
        case("two of three right", torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.5]]),
             torch.tensor([0, 1, 1])),
        case("as many examples as classes", *_classifier(4, 4)),
        case("9 examples, float64", *_classifier(9, 3, torch.float64)),
        case("a transposed view", _classifier(5, 7)[0].T, torch.arange(7) % 5),
    ],
    mistakes=[
        Mistake("argmax over the wrong axis",
                "One row is one example: the prediction is the largest score in each row, "
                "argmax(dim=1). dim=0 picks an example for each class.",
                lambda logits, y:
                    (logits.argmax(0)[: len(y)] == y[: logits.shape[1]]).float().mean()),
        Mistake("a count instead of a share",
                "Divide by the number of examples: mean instead of sum.",
                lambda logits, y: _accuracy(logits, y) * len(y)),
        Mistake("the error rate",
                "Accuracy is the share that is right, ==, not the share that is wrong.",
                lambda logits, y: 1 - _accuracy(logits, y)),
        Mistake("divided by all scores",
                "There is one decision per example, so divide by N and not by N·C.",
                lambda logits, y: _accuracy(logits, y) / logits.shape[1]),
        Mistake("a threshold on the logits",
                "A score above 0 is no decision: the largest of the row wins, whatever its sign.",
                lambda logits, y: (logits > 0).gather(1, y[:, None]).float().mean()),
    ],
)  # fmt: skip


def _confusion(logits, y, classes):
    counts = [[0] * classes for _ in range(classes)]
    for row, label in _rows(logits, y):
        counts[label][row.index(max(row))] += 1
    return torch.tensor(counts)


def _once_each(logits, y, classes):
    matrix = torch.zeros(classes, classes, dtype=torch.int64)
    matrix[y, logits.argmax(1)] += 1
    return matrix


def _seen_only(logits, y, classes):
    size = int(max(y.max(), logits.argmax(1).max())) + 1
    return _confusion(logits, y, size)


confusion_matrix = Check(
    "confusion_matrix",
    reference=_confusion,
    fallback="dlcourse.metrics:confusion_matrix",
    cases=lambda: [
        case("one example of class 0, taken for class 1", torch.tensor([[0.0, 1.0]]),
             torch.tensor([0]), 2),
        case("the same error twice", torch.tensor([[0.0, 1.0], [2.0, 3.0], [1.0, 0.0]]),
             torch.tensor([0, 0, 0]), 2),
        case("12 examples, 3 classes", *_classifier(12, 3), 3),
        case("the last two classes are neither true nor predicted", torch.eye(5)[:4],
             torch.tensor([0, 1, 1, 2]), 6),
        case("a transposed view, float64", _classifier(4, 9)[0].double().T, torch.arange(9) % 4, 4),
    ],
    mistakes=[
        Mistake("rows and columns are exchanged",
                "Rows are the true classes, columns the predicted ones.",
                lambda logits, y, classes: _confusion(logits, y, classes).T),
        Mistake("pairs that occur twice are counted once",
                "matrix[y, predicted] += 1 reads all entries, adds 1, and writes once for each "
                "distinct pair. Count with torch.bincount(y * classes + predicted, …) instead.",
                _once_each),
        Mistake("as many rows as classes seen",
                "A class that this batch lacks still has a row and a column: "
                "the shape is (classes, classes).",
                _seen_only),
        Mistake("shares instead of counts",
                "The matrix holds numbers of examples; "
                "divide by the rows' sums later, where you want shares.",
                lambda logits, y, classes: _confusion(logits, y, classes) / len(y)),
        Mistake("only the right ones are counted",
                "Off the diagonal stand the errors, and they are what the matrix is for.",
                lambda logits, y, classes: _confusion(logits, y, classes).diag().diag()),
    ],
)  # fmt: skip


def _calibration(logits, y, bins=10, weigh=True, largest=True, absolute=True, closed=True):
    """Loop over the bins with the definition as it is written;
    the switches turn it into a mistake."""
    confidence, predicted = logits.softmax(1).max(1)
    confidence = confidence if largest else logits.softmax(1).gather(1, y[:, None])[:, 0]
    right = (predicted == y).to(confidence.dtype)
    gaps, weights = [], []
    for b in range(bins):
        low, high = b / bins, (b + 1) / bins
        inside = (
            (low < confidence) & (confidence <= high)
            if closed
            else (low <= confidence) & (confidence < high)
        )
        if inside.any():
            gap = right[inside].mean() - confidence[inside].mean()
            gaps.append(gap.abs() if absolute else gap)
            weights.append(inside.sum() / len(y) if weigh else torch.tensor(1.0))
    return sum(g * w for g, w in zip(gaps, weights, strict=True)) / (1 if weigh else len(gaps))


def _maximum_logit(logits, y, bins=10):
    right = (logits.argmax(1) == y).float()
    return (right - logits.max(1).values).abs().mean()


def _gap_per_example(logits, y, bins=10):
    confidence, predicted = logits.softmax(1).max(1)
    return ((predicted == y).to(confidence.dtype) - confidence).abs().mean()


def _mean_of_nothing(logits, y, bins=10):
    """The right answer, but NaN as soon as one bin is empty."""
    confidence = logits.softmax(1).amax(1)
    filled = (confidence * bins).ceil().clamp(1, bins).unique()
    return _calibration(logits, y, bins) if len(filled) == bins else logits.new_tensor(math.nan)


def _floor(logits, y, bins=10):
    """Bins [a, b), and the last one with its end."""
    confidence, predicted = logits.softmax(1).max(1)
    which = (confidence * bins).long().clamp(max=bins - 1)
    gap = (predicted == y).to(confidence.dtype) - confidence
    return gap.new_zeros(bins).index_add(0, which, gap).abs().sum() / len(y)


def _sure(probabilities):
    """Logits of two classes for which class 0 has these probabilities."""
    p = torch.tensor(probabilities)
    return torch.stack([p.log(), (1 - p).log()], 1)


calibration_error = Check(
    "calibration_error",
    reference=_calibration,
    fallback="dlcourse.metrics:calibration_error",
    single=False,
    rtol=1e-4,
    atol=1e-6,
    cases=lambda: [
        case("one example, 0.75 sure and right: 0.25", _sure([0.75]), torch.tensor([0])),
        case("two 0.75 sure, one of them right: 0.25", _sure([0.75, 0.75]), torch.tensor([0, 1])),
        case("three bins, filled unequally", _sure([0.95, 0.94, 0.93, 0.65, 0.55]),
             torch.tensor([0, 0, 1, 0, 1])),
        case("a confidence of exactly 0.5, wrong, and one of 0.55, right: two bins",
             torch.tensor([[0.0, 0.0, -200.0], [math.log(0.55 / 0.45), -200.0, 0.0]]),
             torch.tensor([2, 0])),
        case("certain: a confidence of exactly 1", torch.tensor([[200.0, 0.0], [0.0, 200.0]]),
             torch.tensor([0, 0])),
        case("40 examples, 3 classes, 10 bins", *_classifier(40, 3)),
        case("25 examples, 3 classes, 6 bins", *_classifier(25, 3), 6),
        case("40 examples, 3 classes, 4 bins, float64", *_classifier(40, 3, torch.float64), 4),
    ],
    mistakes=[
        Mistake("all bins weigh the same",
                "A bin that holds one example would count as much as one that holds a thousand. "
                "Weigh each gap by its share of the examples.",
                lambda logits, y, bins=10: _calibration(logits, y, bins, weigh=False)),
        Mistake("gaps of opposite sign cancel",
                "A net too sure in one bin and too modest in another is not calibrated: take the "
                "absolute value in each bin. With one bin for everything they cancel too.",
                lambda logits, y, bins=10: _calibration(logits, y, bins, absolute=False).abs()),
        Mistake("the confidence of the true class",
                "Confidence is the largest probability, whether the prediction is right or wrong: "
                "the user does not know the true class.",
                lambda logits, y, bins=10: _calibration(logits, y, bins, largest=False)),
        Mistake("the gap of each example",
                "One example is right or wrong, 1 or 0, so it always misses its confidence. "
                "Compare means within a bin: share correct and mean confidence.",
                _gap_per_example),
        Mistake("logits taken for probabilities",
                "A confidence lies between 0 and 1: apply softmax(dim=1) first.",
                _maximum_logit),
        Mistake("a confidence of exactly 1 is in no bin",
                "Bins closed on the left end below 1, and a very sure net reaches 1 in floating "
                "point. Close them on the right: a < confidence ≤ b.",
                lambda logits, y, bins=10: _calibration(logits, y, bins, closed=False)),
        Mistake("bins closed on the left",
                "A confidence on a bound belongs to the bin below it: a < confidence ≤ b.", _floor),
        Mistake("an empty bin has a mean",
                "The mean of no numbers is NaN. A bin without an example counts 0: skip it.",
                _mean_of_nothing),
        Mistake("the number of bins is ignored",
                "Use the argument `bins`: 10 is its default only.",
                lambda logits, y, bins=10: _calibration(logits, y, 10)),
    ],
)  # fmt: skip
