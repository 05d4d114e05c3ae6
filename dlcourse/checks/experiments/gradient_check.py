"""Check of a gradient checker with a relative error and a floor."""

import numpy as np

from dlcourse.checks.core import Check, Mistake, case

FLOOR = 1e-4  # entries below it are judged by their absolute error: rounding hides the relative one


def _differences(f, x, step):
    """Central differences, one entry at a time."""
    slopes = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        slopes[index] = (f(up) - f(down)) / (2 * step)
    return slopes


def _largest(numerical, claimed, floor=FLOOR):
    scale = np.maximum(np.maximum(np.abs(numerical), np.abs(claimed)), floor)
    return (np.abs(numerical - claimed) / scale).max()


def error_by_differences(f, gradient, x, step=1e-5):
    """Largest relative error of `gradient` against central differences of f at x."""
    return float(_largest(_differences(f, x, step), gradient))


def _one_sided(f, gradient, x, step=1e-5):
    slopes = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        up = x.copy()
        up[index] += step
        slopes[index] = (f(up) - f(x)) / step
    return float(_largest(slopes, gradient))


def _single_precision(f, gradient, x, step=1e-5):
    x, gradient = x.astype(np.float32), gradient.astype(np.float32)
    return float(_largest(_differences(lambda v: np.float32(f(v)), x, step), gradient))


def _with(rule):
    return lambda f, gradient, x, step=1e-5: float(rule(_differences(f, x, step), gradient))


def _not_restored(f, gradient, x, step=1e-5):
    error = _largest(_differences(f, x, step), gradient)
    x += step
    return float(error)


def squares(x):
    """Sum of squares."""
    return (x * x).sum()


def cubes(x):
    """Sum of cubes."""
    return (x**3).sum()


def tiny_and_large(x):
    """Slopes of very different size: 10⁻⁴ and 10⁴ times the entry."""
    return 1e-4 * (x[0] * x[0]).sum() + 1e4 * (x[1] * x[1]).sum()


def _gradient_cases():
    x, small = np.array([1.0, -2.0, 4.0]), np.array([1.0, -2.0, 1e-9])
    wrong = 2 * x
    wrong[0] *= 1.25
    tall = np.array([[1.0, -2.0], [3.0, 0.5]])
    scaled = tall * np.array([[2e-4], [2e4]])
    scaled[0, 1] *= 2
    return [
        case("one entry of three 25 % too large", squares, wrong, x, 0.5),
        case("the right gradient of the sum of squares", squares, 2 * x, x, 0.5),
        case("a gradient with its sign turned", squares, -2 * x, x, 1e-3),
        case("a tiny entry twice as large as it should be", tiny_and_large, scaled, tall, 1e-2),
        case("both gradients 0: no error", squares, np.zeros(2), np.zeros(2), 1e-3),
        case("0 where 5e-5 is claimed: half of the floor", squares, np.array([0.0, 5e-5]),
             np.zeros(2), 1e-2),
        case("a right slope of 2e-9 beside slopes of 2 and 4", squares, 2 * small, small, 1e-5),
        case("cubes, right up to differences", cubes, 3 * x**2, x, 1e-4),
        case("cubes, the slope without the step's h² = 0.25", cubes, 3 * x**2, x, 0.5),
        case("cubes, the slope with it", cubes, 3 * x**2 + 0.25, x, 0.5),
        case("a transposed view", cubes, 3 * tall.T**2 * 1.5, tall.T, 0.1),
    ]  # fmt: skip


gradient_check = Check(
    "gradient_check",
    reference=error_by_differences,
    cases=_gradient_cases,
    rtol=1e-3,
    atol=1e-6,
    mistakes=[
        Mistake("an absolute error",
                "A slope of 10⁻⁴ that is twice too large has an absolute error of 10⁻⁴ only. "
                "Divide by the larger of the two sizes.",
                _with(lambda a, b: np.abs(a - b).max())),
        Mistake("relative to the whole gradient",
                "Large entries hide a wrong small one. "
                "Divide entry by entry, then take the largest.",
                _with(lambda a, b: np.abs(a - b).max() / np.abs(a).max().clip(FLOOR))),
        Mistake("the mean instead of the largest",
                "One wrong entry among thousands disappears in a mean: take the maximum.",
                _with(lambda a, b: (np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)),
                                                               FLOOR)).mean())),
        Mistake("no floor under the division",
                "Where both gradients are 0, 0/0 is NaN: divide by at least 10⁻⁴.",
                _with(lambda a, b: _largest(a, b, floor=0.0))),
        Mistake("a floor far below the rounding",
                "n itself is rounded by some 10⁻¹¹, so the relative error of a slope of 10⁻⁹ says "
                "nothing: divide by at least 10⁻⁴.",
                _with(lambda a, b: _largest(a, b, floor=1e-8))),
        Mistake("the sign of the difference is kept",
                "An error of −25 % is as bad as one of +25 %: absolute values above and below.",
                _with(lambda a, b: ((b - a) / np.maximum(np.maximum(np.abs(a), np.abs(b)),
                                                         FLOOR)).max())),
        Mistake("a one-sided difference",
                "(f(x + h) − f(x))/h is wrong by f″·h/2: step both ways and divide by 2h.",
                _one_sided),
        Mistake("single precision",
                "float32 has seven digits, and a difference of two nearly equal "
                "numbers loses most of them: work in float64.",
                _single_precision),
        Mistake("x comes back changed", "Work on a copy, or put each entry back.", _not_restored),
    ],
)  # fmt: skip
