"""Checks of forecasting and of attention: wrong answers that no table foresees,
right ones written differently."""

import math

import torch
from answers import WARNINGS_ARE_ERRORS, right_and_wrong

from dlcourse.checks.sequences import attention, forecasting

pytestmark = WARNINGS_ARE_ERRORS


def in_numpy_style(values, share):
    past, future = values.tensor_split([int(len(values) * share)])
    mean = past.sum() / len(past)
    std = ((past - mean).square().sum() / (len(past) - 1)).sqrt()
    return [(past - mean) / std, (future - mean) / std, mean, std]


def by_index(values, context, horizon):
    rows = torch.arange(len(values) - context - horizon + 1)[:, None] + torch.arange(
        context + horizon
    )
    return values[rows[:, :context]], values[rows[:, context:]]


def one_quantile_at_a_time(predicted, y, quantiles):
    pairs = zip(predicted.unbind(-1), quantiles, strict=True)
    losses = [torch.where(y >= p, q * (y - p), (1 - q) * (p - y)).mean() for p, q in pairs]
    return sum(losses) / len(losses)


def growing(predict, window, horizon):
    size = window.shape[1]
    for _ in range(horizon):
        window = torch.cat([window, predict(window[:, -size:])], dim=1)
    return window[:, size:]


def row_by_row(query, keys, lengths):
    contexts, weights = [], []
    for b, n in enumerate(lengths.tolist()):
        real = (keys[b, :n] @ query[b] * query.shape[1] ** -0.5).softmax(0)
        weights.append(torch.cat([real, real.new_zeros(keys.shape[1] - n)]))
        contexts.append(real @ keys[b, :n])
    return torch.stack(contexts), torch.stack(weights)


def written_after_use(query, keys, lengths):
    """Right in its numbers; but a row is written while the one before is still needed backwards."""
    contexts, weights = [], torch.zeros(keys.shape[:2], dtype=keys.dtype)
    for b, n in enumerate(lengths.tolist()):
        weights[b, :n] = (keys[b, :n] @ query[b] * query.shape[1] ** -0.5).softmax(0)
        contexts.append(weights[b] @ keys[b])
    return torch.stack(contexts), weights


def softmax_by_exp(query, keys, lengths):
    scores = (query[:, None] * keys).sum(2) / math.sqrt(query.shape[1])
    weights = scores.exp() * (torch.arange(keys.shape[1]) < lengths[:, None])
    weights = weights / weights.sum(1, keepdim=True)
    return (weights[..., None] * keys).sum(1), weights


def with_floats(values, share):
    past, future, mean, std = in_numpy_style(values, share)
    return past, future, mean.item(), std.item()


def attend_with(floor, query, keys, lengths):
    scores = (query[:, None] * keys).sum(2) / math.sqrt(query.shape[1])
    padding = torch.arange(keys.shape[1]) >= lengths[:, None]
    weights = scores.masked_fill(padding, floor).softmax(1)
    return (weights[..., None] * keys).sum(1), weights


RIGHT = {
    "mean and deviation as floats": (forecasting.split_and_scale, with_floats),
    "mean and deviation by hand": (forecasting.split_and_scale, in_numpy_style),
    "windows by index": (forecasting.windows, by_index),
    "a quantile at a time": (forecasting.pinball, one_quantile_at_a_time),
    "a growing window": (forecasting.recursive_forecast, growing),
    "row by row": (attention.attend, row_by_row),
}


def filled_with_zeros(values, context, horizon):
    x, y = by_index(values, context, horizon)
    return torch.zeros(x.shape).copy_(x), torch.zeros(y.shape).copy_(y)


WRONG = {  # check, wrong answer, the case it must be shown, what the message must say
    "the level is kept": (
        forecasting.split_and_scale,
        lambda v, s: (
            tuple(part / v[: int(s * len(v))].std() for part in v.tensor_split([int(s * len(v))]))
            + (v[: int(s * len(v))].mean(), v[: int(s * len(v))].std())
        ),
        "half",
        "Item 1 of 4",
    ),
    "two parts only": (
        forecasting.split_and_scale,
        lambda v, s: (v[: int(s * len(v))], v[int(s * len(v)) :]),
        "half",
        "items",
    ),
    "one window too many": (
        forecasting.windows,
        lambda v, c, h: (v.unfold(0, c, 1), v[c:].unfold(0, h, 1)),
        "0 to 5",
        "shape",
    ),
    "a gap of one": (
        forecasting.windows,
        lambda v, c, h: (v.unfold(0, c + h + 1, 1)[:, :c], v.unfold(0, c + h + 1, 1)[:, c + 1 :]),
        "0 to 5",
        "shape",
    ),
    "halved": (
        forecasting.pinball,
        lambda p, y, q: one_quantile_at_a_time(p, y, q) / 2,
        "too low by 2",
        "0.5 times",
    ),
    "median for all": (
        forecasting.pinball,
        lambda p, y, q: one_quantile_at_a_time(p, y, torch.full_like(q, 0.5)),
        "too low by 2",
        "got",
    ),
    "always the mean": (
        forecasting.recursive_forecast,
        lambda f, w, h: torch.cat([w.mean(1, keepdim=True)] * h, 1),
        "2 in, 2 steps",
        "got",
    ),
    "the share is rounded": (
        forecasting.split_and_scale,
        lambda v, s: forecasting._split(v, round(s * len(v)) / len(v) + 1e-9),
        "a rising series",
        "shape",
    ),
    "a float for the loss": (
        forecasting.pinball,
        lambda *a: one_quantile_at_a_time(*a).item(),
        "too low by 2",
        "a float",
    ),
    "cut off": (
        forecasting.pinball,
        lambda p, y, q: one_quantile_at_a_time(p.detach(), y, q),
        "too low by 2",
        "cut off",
    ),
    "attention without a graph": (
        attention.attend,
        torch.no_grad()(row_by_row),
        "two rows",
        "cut off",
    ),
    "written after use": (attention.attend, written_after_use, "two rows", "backward fails"),
    "a large negative number for the padding": (
        attention.attend,
        lambda *a: attend_with(-1e4, *a),
        "real scores far below 0",
        "differs",
    ),
    "windows in float32": (forecasting.windows, filled_with_zeros, "3 in, 2 out", "float64"),
    "exp overflows": (attention.attend, softmax_by_exp, "large query", "inf or NaN"),
    "weights only": (attention.attend, lambda q, k, n: row_by_row(q, k, n)[1], "two rows", "tuple"),
}


test_a_right_answer_written_differently_passes, test_an_unforeseen_mistake_is_caught = (
    right_and_wrong(RIGHT, WRONG)
)
