"""Checks of correlation with a loop and as a matrix,
and of the slope of a terrain by Sobel."""

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn_each


def _correlate(x, w, padding=0):
    return F.conv1d(x[None, None], w[None, None], padding=padding)[0, 0]


def _wrapped(x, w):
    return _correlate(torch.cat([x, x[: len(w) - 1]]), w)


def _correlate_cases():
    strided, w = drawn_each(18, 4, seed=1, dtype=torch.float64)
    return [
        case(
            "a single 1 among zeros",
            torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0]),
            torch.tensor([1.0, 2.0, 3.0]),
        ),
        case(
            "differences of neighbours",
            torch.tensor([1.0, 2.0, 4.0, 7.0]),
            torch.tensor([-1.0, 1.0]),
        ),
        case("a template of one number", *drawn_each(5, 1)),
        case("a template as long as the signal", *drawn_each(6, 6)),
        case("every second number of an array, float64", strided[::2], w),
        case("large values, float64", 1e9 * strided, w),
        case("40 samples and 9 weights", *drawn_each(40, 9, seed=2)),
    ]


correlate = Check(
    "correlate",
    reference=_correlate,
    single=False,
    cases=_correlate_cases,
    mistakes=[
        Mistake("the kernel is flipped",
                "That is a convolution as in signal processing. Here w[0] meets the first sample "
                "of the window: add up w[k] · x[i + k].",
                lambda x, w: _correlate(x, w.flip(0))),
        Mistake("the last place is left out",
                "A template of K fits into T samples at T − K + 1 places: count them for K = T.",
                lambda x, w: _correlate(x, w)[:-1]),
        Mistake("padded with zeros",
                "Use only the places at which the template lies wholly inside: T − K + 1 numbers.",
                lambda x, w: _correlate(x, w, padding=len(w) // 2)),
        Mistake("padded with zeros until nothing overlaps any more",
                "Use only the places at which the template lies wholly inside: T − K + 1 numbers.",
                lambda x, w: _correlate(x, w, padding=len(w) - 1)),
        Mistake("wrapped around the end", "The last sample has no successor: stop at i = T − K.",
                _wrapped),
        Mistake("a mean instead of a sum", "Add the products up and leave the sum as it is.",
                lambda x, w: _correlate(x, w) / len(w)),
    ],
)  # fmt: skip


def _toeplitz(w, n):
    # what the operation makes of every unit vector: the columns of its matrix
    return F.conv1d(torch.eye(n, dtype=w.dtype)[:, None], w[None, None])[:, 0].T.contiguous()


def _square(w, n):
    matrix = torch.zeros(n, n, dtype=w.dtype)
    for i in range(n):
        for k in range(min(len(w), n - i)):
            matrix[i, i + k] = w[k]
    return matrix


def _circulant(w, n):
    padded = torch.cat([w, w.new_zeros(n - len(w))])
    return torch.stack([padded.roll(i) for i in range(n)])


toeplitz = Check(
    "toeplitz",
    reference=_toeplitz,
    single=False,
    cases=lambda: [
        case("two weights, three samples", torch.tensor([1.0, 2.0]), 3),
        case("three weights, seven samples", torch.tensor([1.0, -2.0, 5.0]), 7),
        case("one weight", torch.tensor([4.0]), 3),
        case("as many weights as samples, float64", *drawn_each(4, dtype=torch.float64), 4),
    ],
    mistakes=[
        Mistake("transposed", "A row for every output, a column for every input: (n − K + 1, n).",
                lambda w, n: _toeplitz(w, n).T),
        Mistake("the kernel is flipped",
                "Row i holds w[0] in column i, w[1] in column i + 1, and so on.",
                lambda w, n: _toeplitz(w.flip(0), n)),
        Mistake("a square matrix",
                "Rows in which the template runs out of the signal do not belong: n − K + 1 rows.",
                _square),
        Mistake("rows that wrap around",
                "The template does not begin again on the left: n − K + 1 rows.", _circulant),
        Mistake("the same row every time",
                "Every row is the one above, moved by one column: w goes to matrix[i, i : i + K].",
                lambda w, n: _toeplitz(w, n)[:1].expand(n - len(w) + 1, n)),
    ],
)  # fmt: skip


def _slopes(z, dy, dx):
    """Northward and eastward slopes by differences of smoothed neighbours, without a kernel."""
    rows = (z[2:] - z[:-2]) / (2 * dy)
    columns = (z[:, 2:] - z[:, :-2]) / (2 * dx)
    down = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4
    return down, (columns[:-2] + 2 * columns[1:-1] + columns[2:]) / 4


def _slope(z, dy, dx):
    return torch.hypot(*_slopes(z, dy, dx))


def _prewitt(z, dy, dx):
    rows, columns = (z[2:] - z[:-2]) / (2 * dy), (z[:, 2:] - z[:, :-2]) / (2 * dx)
    down = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 3
    return torch.hypot(down, (columns[:-2] + columns[1:-1] + columns[2:]) / 3)


def _plane(height, width, down, right, dtype=torch.float32):
    rows, columns = torch.arange(height, dtype=dtype), torch.arange(width, dtype=dtype)
    return 100 + down * rows[:, None] + right * columns


def _slope_cases():
    rough = 50 * drawn_each((9, 14), seed=5, dtype=torch.float64)[0]
    return [
        case(
            "rises 5 m a pixel eastwards, pixels of 20 m × 10 m", _plane(3, 4, 0.0, 5.0), 20.0, 10.0
        ),
        case(
            "falls 8 m a pixel southwards, pixels of 20 m × 10 m",
            _plane(4, 3, -8.0, 0.0),
            20.0,
            10.0,
        ),
        case("both at once", _plane(5, 6, 3.0, 4.0, torch.float64), 30.0, 10.0),
        case("flat", _plane(3, 5, 0.0, 0.0), 90.0, 70.0),
        case("rough ground, every second column of an array", rough[:, ::2], 25.0, 40.0),
    ]


slope = Check(
    "slope",
    reference=_slope,
    single=False,
    cases=_slope_cases,
    mistakes=[
        Mistake("Sobel's sum is not divided by 8",
                "The weights of one side add up to 4 and the two sides are 2 pixels apart: "
                "divide by 8 pixel sizes.",
                lambda z, dy, dx: 8 * _slope(z, dy, dx)),
        Mistake("divided by 4 instead of 8",
                "The weights of one side add up to 4, but the two sides "
                "are 2 pixels apart: 4 · 2 = 8.",
                lambda z, dy, dx: 2 * _slope(z, dy, dx)),
        Mistake("height and width of a pixel are swapped",
                "Differences between columns run eastwards: "
                "they belong to dx, those between rows to dy.",
                lambda z, dy, dx: _slope(z, dx, dy)),
        Mistake("one pixel size for both directions",
                "A pixel is dy metres high and dx metres wide: "
                "each difference is divided by its own.",
                lambda z, dy, dx: _slope(z, dx, dx)),
        Mistake("the pixel size is missing", "Metres per metre: divide by 8 · dx and 8 · dy.",
                lambda z, dy, dx: _slope(z, 1.0, 1.0)),
        Mistake("the two slopes are added up",
                "They are the sides of a right angle: the root of the sum of squares.",
                lambda z, dy, dx: sum(one.abs() for one in _slopes(z, dy, dx))),
        Mistake("only the eastward slope",
                "The steepest ascent has two components: combine both by Pythagoras.",
                lambda z, dy, dx: _slopes(z, dy, dx)[1].abs()),
        Mistake("the root is missing", "The sum of squares is the slope squared.",
                lambda z, dy, dx: _slope(z, dy, dx) ** 2),
        Mistake("equal weights on all three rows",
                "That is Prewitt's kernel. Sobel's weights are 1, 2, 1.", _prewitt),
    ],
)  # fmt: skip
