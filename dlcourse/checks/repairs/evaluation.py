"""Checks of repaired snippets about evaluation:
a forecast that sees its target, a root that is averaged."""

import math

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.repairs.autograd import draw


def _pairs(series, width, ahead=1, keep=None):
    """Windows and the value `ahead` steps after the last one of each, counted out one by one."""
    starts = list(range(len(series) - width - ahead + 1))[:keep]
    rows = torch.tensor([[i + k for k in range(width)] for i in starts], dtype=torch.long).reshape(
        -1, width
    )
    return series[rows], series[[i + width - 1 + ahead for i in starts]]


def _still_inside(series, width):
    windows = series.unfold(0, width, 1)
    return windows[:-1], series[width - 1 : -1]


def _one_more(series, width):
    return series.unfold(0, width, 1), series[width - 1 :]


def _backwards(series, width):
    return series.unfold(0, width, 1)[1:], series[:-width]


def _apart(series, width):
    x, y = _pairs(series, width)
    return x[::width], y[::width]


forecast_pairs = Check(
    "forecast_pairs",
    reference=_pairs,
    cases=lambda: [
        case("3 values, windows of 2", torch.tensor([1.0, 2.0, 4.0]), 2),
        case("8 values, windows of 3", torch.tensor([3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0]), 3),
        case("windows of 1", draw(0, 5), 1),
        case("float64, not contiguous", draw(1, 12, 2, dtype=torch.float64)[:, 1], 4),
    ],
    mistakes=[
        Mistake("the target is the last value of its own window",
                "The network only has to copy its last input. The first window ends at "
                "series[width − 1]; the value after it is series[width].",
                _one_more),
        Mistake("one pair fewer, the target still inside",
                "The lengths were right before, the values are wrong: print x[0] and y[0]. The "
                "first target is series[width].",
                _still_inside),
        Mistake("one step too far ahead",
                "The value right after the window is asked for: the first target is series[width].",
                lambda series, width: _pairs(series, width, ahead=2)),
        Mistake("the past is forecast",
                "The target comes after its window, not before it.",
                _backwards),
        Mistake("the last pair is missing",
                "T values give T − width pairs: the last target is series[−1].",
                lambda series, width: _pairs(series, width, keep=len(series) - width - 1)),
        Mistake("windows without overlap",
                "A window starts at every value: the step of unfold is 1.",
                _apart),
        Mistake("windows from new to old",
                "The values of a window stay in the order of time.",
                lambda series, width: (_pairs(series, width)[0].flip(1), _pairs(series, width)[1])),
    ],
)  # fmt: skip


def _errors(model, batches):
    """One tensor of squared errors a batch."""
    with torch.no_grad():
        return [(model(x) - y).square() for x, y in batches]


def _batches(seed, sizes, features, outputs, dtype=torch.float32, scales=None):
    """Batches of the given sizes, the targets of each on a scale of its own."""
    batches = []
    for i, size in enumerate(sizes):
        scale = (1 + 3 * i) if scales is None else scales[i]
        x, y = (
            draw(seed + 2 * i, size, features, dtype=dtype),
            draw(seed + 2 * i + 1, size, outputs, dtype=dtype),
        )
        batches.append((x, scale * y))
    return batches


def _linear(features, outputs, dtype=torch.float32):
    layer = nn.Linear(features, outputs, dtype=dtype)
    layer.load_state_dict(
        {"weight": draw(0, outputs, features, dtype=dtype), "bias": draw(1, outputs, dtype=dtype)}
    )
    return layer


def _identity(*pairs):
    """Batches of one number each, (prediction, target),
    for a model that hands through what it is given."""
    return nn.Identity(), [(torch.tensor([[p]]), torch.tensor([[t]])) for p, t in pairs]


def _root_of_mean_of_means(model, batches):
    return math.sqrt(sum(e.mean().item() for e in _errors(model, batches)) / len(batches))


def _per_row(model, batches):
    errors = _errors(model, batches)
    return math.sqrt(sum(e.sum().item() for e in errors) / sum(len(e) for e in errors))


def _weighted_roots(model, batches):
    errors = _errors(model, batches)
    return sum(e.mean().sqrt().item() * len(e) for e in errors) / sum(len(e) for e in errors)


total_rmse = Check(
    "total_rmse",
    reference=lambda model, batches: torch.cat(_errors(model, batches)).mean().sqrt().item(),
    cases=lambda: [
        case("2 batches of one number: errors 1 and 7", *_identity((1.0, 0.0), (0.0, 7.0))),
        case("3 batches, the last one short", _linear(3, 1), _batches(0, [4, 4, 1], 3, 1)),
        case("2 outputs, 2 short batches", _linear(4, 2), _batches(10, [5, 2], 4, 2)),
        case("1 batch, float64", _linear(2, 3, torch.float64),
             _batches(20, [6], 2, 3, torch.float64)),
    ],
    rtol=1e-4,
    mistakes=[
        Mistake("roots are averaged",
                "The mean of roots is below the root of the mean, and how far "
                "depends on the batches. Add up squares and counts over all batches; "
                "divide and take the root once, at the end.",
                _weighted_roots),
        Mistake("roots are averaged, and short batches count in full",
                "Better weights alone do not heal it either: a mean of roots is no root of a mean. "
                "Add up squares and counts; divide and take the root once.",
                lambda model, batches: sum(e.mean().sqrt().item() for e in _errors(model, batches))
                / len(batches)),
        Mistake("batch means count alike",
                "The root is in its place now, but a short last batch counts as much as a full "
                "one. Add up squares and counts, not means.",
                _root_of_mean_of_means),
        Mistake("divided by the rows",
                "A row with two outputs holds two errors: count numbers, y.numel().",
                _per_row),
        Mistake("the root is missing", "RMSE: take the root of the mean at the end.",
                lambda model, batches: torch.cat(_errors(model, batches)).mean().item()),
        Mistake("only the last batch",
                "Start the sums before the loop and add to them inside it.",
                lambda model, batches: _errors(model, batches)[-1].mean().sqrt().item()),
        Mistake("absolute errors",
                "RMSE is the root of the mean square; "
                "a mean of absolute errors weighs large ones less.",
                lambda model, batches: torch.cat(_errors(model, batches)).sqrt().mean().item()),
    ],
)  # fmt: skip
