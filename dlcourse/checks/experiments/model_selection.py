"""Checks of how a model is judged: folds, and scores without leakage."""

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.words import kind_of


def _folds(n, k, rng, order=None):
    order = rng.permutation(n) if order is None else order
    return [(np.setdiff1d(order, order[i::k]), order[i::k]) for i in range(k)]


def _describe(function, n, k, seed):
    """What must hold of folds, whichever examples are in which."""
    folds, again, other = (
        function(n, k, np.random.default_rng(one)) for one in (seed, seed, seed + 1)
    )
    if not isinstance(folds, (list, tuple)):
        raise TypeError(f"return a list of pairs, not {kind_of(folds)}")
    if any(np.asarray(part).dtype.kind not in "iu" for pair in folds for part in pair):
        raise TypeError("train and held are arrays of whole numbers, positions in the data")
    held = [np.asarray(held).tolist() for _, held in folds]
    flat = [i for one in held for i in one]
    return {
        "folds": len(folds),
        "sizes of the held-out parts": sorted(map(len, held)),
        "examples held out exactly once": sum(flat.count(i) == 1 for i in range(n)),
        "in train and held out at once": sum(
            len(np.intersect1d(train, one)) for train, one in folds
        ),
        "sizes of the training parts": sorted(len(train) for train, _ in folds),
        "examples that stand twice in a training part": sum(
            len(train) - len(set(np.asarray(train).tolist())) for train, _ in folds
        ),
        "the same rng gives the same folds": _parts(folds) == _parts(again),
        "another rng gives others": _parts(folds) != _parts(other),
        "shuffled": any(len(set(np.diff(np.sort(one)))) > 1 for one in held),
    }


def _parts(folds):
    return [np.asarray(held).tolist() for _, held in folds]


def _remainder_dropped(n, k, rng):
    order, size = rng.permutation(n), n // k
    return [
        (np.setdiff1d(order, order[i : i + size]), order[i : i + size])
        for i in range(0, k * size, size)
    ]


def _remainder_last(n, k, rng):
    order = rng.permutation(n)
    cuts = [*range(0, n // k * k, n // k), n]
    parts = [order[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]
    return [(np.setdiff1d(order, part), part) for part in parts]


k_fold = Check(
    "k_fold",
    reference=_folds,
    probe=_describe,
    cases=[case("9 examples, 3 folds", 9, 3, 0), case("11 examples, 3 folds", 11, 3, 1),
           case("20, 6", 20, 6, 2)],
    mistakes=[
        Mistake("not shuffled",
                "Data often come in an order. Cut up rng.permutation(n), not range(n).",
                lambda n, k, rng: _folds(n, k, rng, np.arange(n))),
        Mistake("the rest is dropped",
                "11 examples in 3 folds are 4, 4 and 3: np.array_split cuts them so.",
                _remainder_dropped),
        Mistake("the rest goes to the last fold",
                "Sizes may differ by one at most: np.array_split cuts them so.", _remainder_last),
        Mistake("a new order for every fold",
                "Then some examples are held out twice and others never. "
                "Draw one order and cut it up.",
                lambda n, k, rng: [_folds(n, k, rng)[i] for i in range(k)]),
        Mistake("trained on everything", "The held-out examples must not be in the training part.",
                lambda n, k, rng: [(np.arange(n), held) for _, held in _folds(n, k, rng)]),
        Mistake("train and held out are exchanged", "Return (train, held): the large part first.",
                lambda n, k, rng: [pair[::-1] for pair in _folds(n, k, rng)]),
    ],
)  # fmt: skip


def _standardised(x, rows, correction=0, guard=True, axis=0, scale=True):
    """x with the mean of its rows `rows` taken off, divided by their standard deviation."""
    x = torch.tensor(x)
    mean = x[rows].mean(axis) if axis == 0 else x[rows].mean()
    sigma = (
        x[rows].std(axis, correction=correction)
        if axis == 0
        else x[rows].std(correction=correction)
    )
    sigma = torch.where(sigma == 0, 1.0, sigma) if guard else sigma
    return ((x - mean) / (sigma if scale else 1)).numpy()


def _scores(x, y, folds, score, **options):
    scaled = [_standardised(x, train, **options) for train, _ in folds]
    return [score(z[a], y[a], z[b], y[b]) for z, (a, b) in zip(scaled, folds, strict=True)]


def _a_little_added(x, y, folds, score):
    scaled = [(x - x[a].mean(0)) / (x[a].std(0) + 1e-8) for a, _ in folds]
    return [score(z[a], y[a], z[b], y[b]) for z, (a, b) in zip(scaled, folds, strict=True)]


def _leaky(x, y, folds, score):
    z = _standardised(x, np.arange(len(x)))
    return [score(z[a], y[a], z[b], y[b]) for a, b in folds]


def _own_statistics(x, y, folds, score):
    return [score(_standardised(x, a)[a], y[a], _standardised(x, b)[b], y[b]) for a, b in folds]


def _train_only(x, y, folds, score):
    return [score(_standardised(x, a)[a], y[a], x[b], y[b]) for a, b in folds]


def held_mean(x_train, y_train, x_held, y_held):
    """A score that shows which mean was taken off."""
    return float(x_held.mean() + 10 * x_train.mean() + y_held[0])


def all_moments(x_train, y_train, x_held, y_held):
    """A score that depends on every number it is given."""
    return float(
        (x_held**3).mean()
        + 3 * (x_train[:, 0] ** 2 * y_train).mean()
        + (x_held[:, 0] * y_held).sum()
    )


def _flat_in_training():
    x = np.array([[1.0, 5.0], [4.0, 5.0], [2.0, 5.0], [0.0, 8.0], [3.0, 1.0]])
    return x, np.arange(5.0), [(np.array([0, 1, 2]), np.array([3, 4]))]


def _tables():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(10, 3)) * np.array([1.0, 10.0, 0.1]) + np.array([0.0, 5.0, -3.0])
    flat = x.copy()
    flat[:, 1] = 4.0
    line, y = np.array([[0.0], [2.0], [4.0], [12.0]]), rng.normal(size=10)
    two = [(np.array([0, 1]), np.array([2, 3])), (np.array([2, 3]), np.array([0, 1]))]
    folds = _folds(10, 3, rng)
    return [
        case("4 examples, 1 feature, 2 folds", line, np.arange(4.0), two, held_mean),
        case("10 examples, 3 features of different size, 3 folds", x, y, folds, all_moments),
        case("a feature that is the same everywhere", flat, y, folds, all_moments),
        case("a feature that is the same in training alone", *_flat_in_training(), all_moments),
    ]


cross_validate = Check(
    "cross_validate",
    reference=_scores,
    cases=_tables,
    mistakes=[
        Mistake("normalised before the split",
                "Mean and standard deviation of all of the data have seen the held-out part: fit "
                "them on x[train], inside the loop.",
                _leaky),
        Mistake("the held-out part is normalised by itself",
                "A single new example has no mean of its own. "
                "Use the training part's statistics for both.",
                _own_statistics),
        Mistake("the held-out part is not normalised",
                "The model expects the same units: x[held] too.", _train_only),
        Mistake("nothing is normalised",
                "Take off the mean of x[train], divide by its standard deviation.",
                lambda x, y, folds, score: [score(x[a], y[a], x[b], y[b]) for a, b in folds]),
        Mistake("one mean for all features",
                "Features have units of their own: statistics along axis 0.",
                lambda *args: _scores(*args, axis=None)),
        Mistake("divided by n − 1", "Here the biased standard deviation is meant, NumPy's default.",
                lambda *args: _scores(*args, correction=1)),
        Mistake("a constant feature is divided by 0",
                "Its standard deviation is 0 and the result NaN: divide by 1 where that happens.",
                lambda *args: _scores(*args, guard=False)),
        Mistake("1e-8 added to the standard deviation",
                "A feature that is the same in training may differ in the held-out part, and is "
                "then divided by 1e-8. The text's rule: divide by 1 where it is 0.",
                _a_little_added),
        Mistake("the scale is left",
                "After the mean is taken off, divide by the standard deviation.",
                lambda *args: _scores(*args, scale=False)),
        Mistake("only the mean of the scores",
                "Return every fold's score: their spread matters too.",
                lambda *args: float(np.mean(_scores(*args)))),
    ],
)  # fmt: skip
