"""Checks of what several seeds say:
mean and standard error, and a comparison of two methods seed by seed."""

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, case

MAY_BE_A_LIST = "The scores may be a list: np.asarray makes an array of it first."


def _error(values, correction=1):
    """Mean and standard error, by torch."""
    values = torch.tensor(values, dtype=torch.float64)
    return values.mean().item(), (values.std(correction=correction) / len(values) ** 0.5).item()


def _scores(seed, n):
    rng = np.random.default_rng(seed)
    shared = rng.normal(0.9, 0.05, n)
    return shared + rng.normal(0.01, 0.005, n), shared


mean_and_error = Check(
    "mean_and_error",
    reference=_error,
    cases=lambda: [
        case("two seeds, 1 and 3", np.array([1.0, 3.0])),
        case("four seeds", np.array([0.91, 0.93, 0.90, 0.98])),
        case("ten seeds, as a list", _scores(0, 10)[0].tolist()),
    ],
    mistakes=[
        Mistake("the standard deviation itself",
                "That is the spread of single runs. The mean of n runs is surer: divide by √n.",
                lambda values: (_error(values)[0], float(np.std(values, ddof=1)))),
        Mistake("divided by n instead of n − 1",
                "The mean was fitted to the same few values, "
                "so their spread is underestimated: ddof=1.",
                lambda values: _error(values, correction=0)),
        Mistake("divided by n instead of its root",
                "The variance of a mean is σ²/n, its standard error σ/√n.",
                lambda values: (_error(values)[0], float(np.std(values, ddof=1)) / len(values))),
        Mistake("the variance of the mean", "Take the root: an error has the unit of the values.",
                lambda values: (_error(values)[0], _error(values)[1] ** 2)),
        Mistake("a list has no .mean", MAY_BE_A_LIST,
                lambda values: (float(values.mean()), _error(values)[1])),
        Mistake("a list has no .size", MAY_BE_A_LIST,
                lambda values: (_error(values)[0], _error(values)[1] * values.size / len(values))),
        Mistake("a list has no .std", MAY_BE_A_LIST,
                lambda values: (_error(values)[0], float(values.std(ddof=1)) / len(values) ** 0.5)),
    ],
)  # fmt: skip


def _paired(a, b):
    return _error(np.subtract(a, b))


def _unpaired(a, b):
    return float(np.mean(a) - np.mean(b)), float(np.hypot(_error(a)[1], _error(b)[1]))


paired_comparison = Check(
    "paired_comparison",
    reference=_paired,
    cases=lambda: [
        case("two seeds", np.array([2.0, 5.0]), np.array([1.0, 3.0])),
        case("five seeds that vary together", *_scores(1, 5)),
        case("lists of four scores", [0.9, 0.85, 0.8, 0.95], [0.88, 0.86, 0.75, 0.9]),
        case("three seeds that vary against one another", np.array([1.0, 2.0, 3.0]),
             np.array([3.5, 2.0, 1.0])),
    ],
    mistakes=[
        Mistake("the pairs are ignored",
                "Adding the two variances forgets that both methods had the same easy and hard "
                "seeds. Take the differences first, then their standard error.",
                _unpaired),
        Mistake("the wrong way round", "Take a − b: positive where a is better.",
                lambda a, b: _paired(b, a)),
        Mistake("the differences lose their sign",
                "A seed where b won must count against a: no absolute values.",
                lambda a, b: _error(np.abs(np.subtract(a, b)))),
        Mistake("the spread instead of the standard error", "Divide by √n, as in mean_and_error.",
                lambda a, b: (_paired(a, b)[0], float(np.std(np.subtract(a, b), ddof=1)))),
        Mistake("lists cannot be subtracted", MAY_BE_A_LIST, lambda a, b: _error(a - b)),
    ],
)  # fmt: skip
