"""Check of the rule of broadcasting."""

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case


def _numbers(seed, *shape, dtype=torch.float32):
    return torch.randn(
        shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).to(dtype)


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
