"""Checks of tensors as memory and shape: windows without a copy, broadcasting, distances."""

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.words import kind_of


def _numbers(seed, *shape, dtype=torch.float32):
    return torch.randn(
        shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).to(dtype)


def _windows(function, x, size, hop):
    """The windows of x, those of the same numbers two apart in memory,
    and whether memory is shared: whether they change where x does."""
    spread = torch.stack([-x, x], 1)[:, 1]  # stride 2, and it does not begin at the beginning
    windows, apart = function(x, size, hop), function(spread, size, hop)
    if windows is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(windows, torch.Tensor):
        raise TypeError(f"return one tensor, a view of x, not {kind_of(windows)}")
    found = {"windows": windows, "windows where x itself has stride 2": apart.clone()}
    for name, series in (("x", x.clone()), ("x where x has stride 2", spread)):
        views = function(series, size, hop)
        series += 1
        found[f"shares the memory of {name}"] = bool((views == function(series, size, hop)).all())
    return found


def _count(x, size, hop):
    return 1 + (len(x) - size) // hop


sliding_windows = Check(
    "sliding_windows",
    reference=lambda x, size, hop: x.unfold(0, size, hop),
    probe=_windows,
    cases=lambda: [
        case("one window, as long as the series", torch.tensor([1.0, 2.0, 3.0]), 3, 1),
        case("five numbers, windows of 3, hop 1", torch.arange(5.0), 3, 1),
        case("seven numbers, windows of 3, hop 2", torch.arange(7.0), 3, 2),
        case("one number is left over", torch.arange(8), 3, 2),
        case("a hop longer than the window, float64", _numbers(0, 11, dtype=torch.float64), 2, 4),
    ],
    mistakes=[
        Mistake("the windows are copies",
                "stack, cat and indexing by a list copy every number `size` times. unfold and "
                "as_strided only describe the memory anew.",
                lambda x, size, hop: x.unfold(0, size, hop).clone()),
        Mistake("hop and step within the window are exchanged",
                "From one window to the next memory moves by hop numbers, within a window by 1: "
                "strides (hop, 1), each times x.stride(0).",
                lambda x, size, hop: torch.as_strided(
                    x, (_count(x, size, hop), size),
                    (x.stride(0), hop * x.stride(0))) if hop * size <= len(x)
                else x.unfold(0, size, hop)),
        Mistake("the last window is missing",
                "The first window needs `size` numbers, each further one "
                "`hop` more: 1 + (len(x) − size) // hop.",
                lambda x, size, hop: x.unfold(0, size, hop)[:-1]),
        Mistake("x is taken for contiguous",
                "x may be every second number of another tensor. "
                "Multiply your strides by x.stride(0), or use unfold.",
                lambda x, size, hop: torch.as_strided(x, (_count(x, size, hop), size), (hop, 1))),
        Mistake("the hop is left out", "A new window starts every `hop` numbers.",
                lambda x, size, hop: x.unfold(0, size, 1)),
    ],
)  # fmt: skip


def _shape(a, b):
    try:
        return tuple(torch.broadcast_shapes(a, b))
    except RuntimeError:
        raise ValueError(f"{a} and {b} do not broadcast") from None


def _shape_or_refusal(function, a, b):
    try:
        shape = function(a, b)
    except ValueError:
        return "a ValueError"
    if shape is None:
        raise Untouched("None: is `return` missing?")
    return list(shape) if isinstance(shape, (tuple, list)) else shape


def _by_pairs(a, b, joined):
    """Pairs of sizes with missing axes as 1, the way `joined(p, q)` puts two sizes together."""
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    return tuple(joined(p, q) for p, q in pairs)


def _strict(p, q):
    if p != q and 1 not in (p, q):
        raise ValueError("these sizes do not go together")
    return max(p, q)


def _from_the_left(a, b):
    rank = max(len(a), len(b))
    return _shape(a + (1,) * (rank - len(a)), b + (1,) * (rank - len(b)))


def _same_rank(a, b):
    if len(a) != len(b):
        raise ValueError("different numbers of axes")
    return _shape(a, b)


def _no_stretching(a, b):
    if any(p != q for p, q in zip(a[::-1], b[::-1], strict=False)):
        raise ValueError("different sizes")
    return max(a, b, key=len)


broadcast_shape = Check(
    "broadcast_shape",
    reference=_shape,
    probe=_shape_or_refusal,
    cases=[
        case("equal shapes", (3,), (3,)),
        case("a column and a row", (3, 1), (4,)),
        case("a number and a matrix", (), (2, 3)),
        case("sizes that do not go together", (2, 3), (2,)),
        case("an axis stretched on either side", (5, 1, 3), (4, 1)),
        case("a mismatch in front", (2, 3), (4, 3)),
        case("an empty axis", (2, 1), (0,)),
        case("an empty axis against one of 3", (0,), (2, 3)),
    ],
    mistakes=[
        Mistake("aligned on the left",
                "Line the shapes up at the RIGHT; missing axes are added in front.",
                _from_the_left),
        Mistake("the same number of axes is demanded",
                "The shorter shape gets axes of size 1 in front.", _same_rank),
        Mistake("a 1 is not stretched",
                "Two sizes go together if they are equal or if one of them is 1.", _no_stretching),
        Mistake("nothing is refused",
                "Sizes that differ, neither of them 1, are an error: raise ValueError.",
                lambda a, b: _by_pairs(a, b, max)),
        Mistake("the larger size is taken", "An axis of 1 takes the OTHER size, and that may be 0.",
                lambda a, b: _by_pairs(a, b, _strict)),
    ],
)  # fmt: skip


def _gaps(x, y):
    return x[:, None] - y[None]


def _coincident():
    """Points of which some are the same: there x² + y² − 2xy may fall below 0."""
    x = 30 + _numbers(4, 60, 7, dtype=torch.float64)
    return x, torch.cat([x[[3, 1]], x[:1] + 1, x[4:]])


def _expanded(x, y):
    return (x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.T).sqrt()


pairwise_distances = Check(
    "pairwise_distances",
    reference=lambda x, y: torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist"),
    cases=lambda: [
        case("one station, one epicentre, 3-4-5", torch.tensor([[0.0, 0.0]]),
             torch.tensor([[3.0, 4.0]])),
        case("two stations, two epicentres", torch.tensor([[0.0, 0.0], [1.0, 0.0]]),
             torch.tensor([[0.0, 2.0], [5.0, 0.0]])),
        case("4 and 3 points in space, float64", _numbers(0, 4, 3, dtype=torch.float64),
             _numbers(1, 3, 3, dtype=torch.float64)),
        case("columns apart in memory", _numbers(2, 2, 5).T, _numbers(3, 2, 6).T),
        case("an epicentre right under a station, float64", *_coincident()),
    ],
    rtol=1e-4,
    atol=1e-5,
    mistakes=[
        Mistake("squared distances", "Take the root at the end.",
                lambda x, y: _gaps(x, y).square().sum(2)),
        Mistake("only row against row",
                "Every point of x meets every point of y: x[:, None] − y makes (N, M, D).",
                lambda x, y: (x[: len(y)] - y[: len(x)]).norm(dim=1)),
        Mistake("rows are the points of y",
                "Rows belong to x, columns to y: the new axis of x comes second.",
                lambda x, y: _gaps(y, x).norm(dim=2)),
        Mistake("the sum runs over the points",
                "(N, M, D): the coordinates are the LAST axis, sum over that.",
                lambda x, y: _gaps(x, y).norm(dim=1)),
        Mistake("the root of a number below 0",
                "|x|² + |y|² − 2 x·y is rounded, and where two points coincide it may be −1e-14: "
                "the root is NaN. Take the differences first, or clamp_min(0) before the root.",
                _expanded),
        Mistake("absolute differences", "Squares first, then the sum, then the root (Pythagoras).",
                lambda x, y: _gaps(x, y).abs().sum(2)),
    ],
)  # fmt: skip
