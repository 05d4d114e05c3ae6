"""Check of the nearest neighbour in a bank of images."""

from functools import partial

import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn

_normal = partial(drawn, dtype=torch.float64)


def _nearest(x, bank, fault=None):
    """One image after the other; `fault` names what is wrong."""
    distances, rows, bank = [], [], bank.flatten(1)
    for one in x.flatten(1):
        gaps = bank - one
        far = gaps.abs().sum(1) if fault == "city" else gaps.square().sum(1)
        far = far if fault in ("city", "square") else far.sqrt()
        far = far / gaps.shape[1] ** 0.5 if fault == "mean" else far
        row = int(far.argmax() if fault == "far" else far.argmin())
        distances.append(far[row])
        rows.append(row)
    return torch.stack(distances), torch.tensor(rows)


def _nearest_with(fault):
    return lambda x, bank: _nearest(x, bank, fault)


def _other_way(x, bank):
    distances = torch.cdist(x.flatten(1), bank.flatten(1)).min(0)
    return distances.values, distances.indices


def _expanded(x, bank):
    x, bank = x.flatten(1), bank.flatten(1)
    squares = x.square().sum(1, keepdim=True) + bank.square().sum(1) - 2 * x @ bank.T
    distance, row = squares.min(dim=1)
    return distance.sqrt(), row


def _copies():
    """In which ‖x‖² + ‖b‖² − 2x·b may be a little below 0."""
    bank = drawn(40, 1, 5, 5, seed=8, dtype=torch.float64)
    return bank[::2].clone(), bank


nearest = Check(
    "nearest",
    reference=_nearest,
    fallback="dlcourse.metrics:nearest",
    rtol=1e-3,
    atol=1e-4,
    cases=lambda: [
        case("one image, a bank of three", _normal(1, 1, 1, 2).float(),
             _normal(3, 1, 1, 2, seed=1).float()),
        case("four images, a bank of seven", _normal(4, 1, 3, 2).float(),
             _normal(7, 1, 3, 2, seed=1).float()),
        case("images against a bank of rows", drawn(3, 1, 2, 3, seed=4), drawn(5, 6, seed=5)),
        case("float64, a view", _normal(5, 1, 4, 6)[..., ::2], _normal(9, 1, 4, 3, seed=1)),
        case("a copy among the bank's images", *_copies()),
        case("a bank of a single image", drawn(3, 1, 2, 2, seed=6), drawn(1, 1, 2, 2, seed=7)),
    ],
    mistakes=[
        Mistake("squared distances", "The Euclidean distance has a root.", _nearest_with("square")),
        Mistake("the root of a square that is rounded to below 0",
                "‖x‖² + ‖b‖² − 2x·b of a copy may be −1e-14, and its root is NaN: .clamp(min=0) "
                "before the root, or torch.cdist.", _expanded),
        Mistake("absolute differences", "Euclidean: the root of the sum of squares.",
                _nearest_with("city")),
        Mistake("the mean over the pixels", "The squares of all pixels are added up.",
                _nearest_with("mean")),
        Mistake("the farthest", "The smallest distance, and where it is: min(dim=1).",
                _nearest_with("far")),
        Mistake("for each image of the bank",
                "One answer for each image of x: the smallest of a row, dim=1.", _other_way),
    ],
)  # fmt: skip
