"""Checks of a loss over sequences of unequal length,
and of the state after the last real step of each."""

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn
from dlcourse.checks.probes import with_gradient
from dlcourse.checks.sequences.slopes import through


def _rows(logits, targets, lengths):
    """Row by row, with no mask at all."""
    rows = zip(logits, targets, lengths.tolist(), strict=True)
    return torch.cat([F.cross_entropy(row[:n], y[:n], reduction="none") for row, y, n in rows])


def _each(logits, targets, lengths):
    means = [
        _rows(logits[i : i + 1], targets[i : i + 1], lengths[i : i + 1]).mean()
        for i in range(len(lengths))
    ]
    return torch.stack(means).mean()


def _off(logits, targets, lengths):
    return _rows(logits, targets, (lengths + 1).clamp(max=targets.shape[1])).mean()


def _zeroed(logits, targets, lengths):
    """Logits and targets of the padding are 0, and it counts: ln V for each place of it."""
    real = torch.arange(targets.shape[1]) < lengths[:, None]
    logits = logits.masked_fill(~real[..., None], 0.0)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def _zeroed_sum(logits, targets, lengths):
    return _zeroed(logits, targets, lengths) * targets.numel() / lengths.sum()


def _case(label, lengths, vocabulary, seed, scale=1.0, dtype=torch.float32, rubbish=False, far=0.0):
    draw, lengths = torch.Generator().manual_seed(seed), torch.tensor(lengths)
    shape = len(lengths), int(lengths.max()) + seed % 2  # sometimes padded beyond the longest
    logits = scale * torch.randn(*shape, vocabulary, generator=draw, dtype=dtype)
    logits += far * torch.linspace(1, -1, len(lengths), dtype=dtype)[:, None, None]
    targets = torch.randint(vocabulary, shape, generator=draw)
    if rubbish:
        return case(label, logits, targets, lengths)
    return case(label, logits, targets * (torch.arange(shape[1]) < lengths[:, None]), lengths)


masked_loss = Check(
    "masked_loss",
    reference=lambda *args: _rows(*args).mean(),
    probe=with_gradient(0),
    cases=lambda: [_case("two rows of 1 and 2 tokens", [1, 2], 3, 0),
                   _case("3 rows, 0 is a real token too", [4, 2, 5], 4, 1),
                   _case("one row, padded", [3], 6, 3),
                   _case("targets that are not 0 in the padding", [2, 6, 3], 4, 4, rubbish=True),
                   _case("large logits, float64", [3, 6], 5, 2, 30.0, torch.float64),
                   _case("logits around 200 in one row, around −200 in the other", [4, 2], 4, 5,
                         far=200.0),
                   _case("logits around ±2000, float64", [2, 3], 3, 6, 40.0, torch.float64,
                         far=2000.0)],
    mistakes=[
        Mistake("padding counts", "Leave out what lies at or behind a row's length.",
                lambda logits, y, n: F.cross_entropy(logits.flatten(0, 1), y.flatten())),
        Mistake("the padding's logits are 0, and it still counts",
                "Equal logits cost ln V, not nothing: leave the padding out of sum and number.",
                _zeroed),
        Mistake("the sum holds ln V for every place of the padding",
                "Logits of 0 are equal ones, and cost ln V: leave the padding out of the sum.",
                _zeroed_sum),
        Mistake("divided by all places",
                "Divide the sum by the number of real tokens, lengths.sum().",
                lambda logits, y, n: _rows(logits, y, n).sum() / y.numel()),
        Mistake("0 is taken for padding",
                "0 is a real token too: only the lengths say what is padding.",
                lambda logits, y, n: F.cross_entropy(logits.flatten(0, 1), y.flatten(),
                                                     ignore_index=0)),
        Mistake("a mean of means", "Each token weighs the same, not each row.", _each),
        Mistake("one place too many", "Row b has places 0 … lengths[b] − 1: the comparison is <.",
                _off),
        Mistake("the sum over time", "Mean over real tokens.",
                lambda logits, y, n: _rows(logits, y, n).sum() / len(y)),
    ],
)  # fmt: skip


def _pick(shift=0, first=False):
    """The state `shift` steps from each row's last real one, within the row's T places."""

    def function(states, lengths):
        steps = [
            0 if first else min(max(int(n) - 1 + shift, 0), states.shape[1] - 1) for n in lengths
        ]
        return torch.stack([row[step] for row, step in zip(states, steps, strict=True)])

    return function


def _not_zero(states, lengths):
    """As many steps as there are states that are not 0."""
    steps = (states != 0).any(2).sum(1).clamp(min=1) - 1
    return states[torch.arange(len(states)), steps]


def _states(label, lengths, steps, hidden, seed, dtype=torch.float32, exchanged=False, zero=False):
    states = drawn(len(lengths), steps, hidden, seed=seed, dtype=dtype)
    if zero:
        states[torch.arange(steps) >= torch.tensor(lengths)[:, None]] = 0.0
    return case(
        label,
        states.transpose(0, 1).contiguous().transpose(0, 1) if exchanged else states,
        torch.tensor(lengths),
    )


last_states = Check(
    "last_states",
    single=False,
    reference=_pick(),
    probe=through(states=0),
    cases=lambda: [
        _states("two rows of 1 and 2 steps", [1, 2], 3, 1, 0),
        _states("4 rows, time first in memory", [4, 2, 5, 1], 5, 3, 1, exchanged=True),
        _states("one row", [2], 4, 3, 3),
        _states("as many rows as steps, float64", [3, 1, 2], 3, 2, 2, torch.float64),
        _states("0 in the padding", [2, 5, 3, 4], 6, 2, 4, zero=True),
    ],
    mistakes=[
        Mistake("the last column", "Short rows end earlier: the last column of theirs is padding.",
                lambda states, n: states[:, -1]),
        Mistake("the padding is told by zeros",
                "Padded states need not be 0: only the lengths say where a row ends.", _not_zero),
        Mistake("one step too late", "A row of n steps ends at index n − 1.", _pick(1)),
        Mistake("one step too early", "The last real step has index n − 1, not n − 2.", _pick(-1)),
        Mistake("all steps of all rows",
                "states[:, lengths − 1] takes every step for every row: give rows as well.",
                lambda states, n: states[:, n - 1]),
        Mistake("the mean over real steps", "One state is asked for, that of the last real step.",
                lambda states, n: torch.stack(
                    [row[:k].mean(0) for row, k in zip(states, n.tolist(), strict=True)])),
    ],
)  # fmt: skip
