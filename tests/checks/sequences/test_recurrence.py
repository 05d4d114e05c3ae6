"""Checks of cells, gates and padding: wrong answers no table foresees,
right ones written differently."""

import torch
from answers import WARNINGS_ARE_ERRORS, right_and_wrong
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.sequences import gates, padding, recurrence

pytestmark = WARNINGS_ARE_ERRORS


def filled(x, w_x, w_h, b):
    """All inputs projected at once, states written into a tensor made before."""
    drive, states = x @ w_x.T + b, x.new_empty(len(x), x.shape[1], len(b))
    h = torch.zeros_like(drive[:, 0])
    for t in range(x.shape[1]):
        h = states[:, t] = (drive[:, t] + h @ w_h.T).tanh()
    return states


def einsum_backward(grad, x, h, w_x, w_h):
    before = torch.cat([torch.zeros_like(h[:, :1]), h[:, :-1]], dim=1)
    sums, carried = torch.zeros_like(h), torch.zeros_like(h[:, 0])
    for t in range(x.shape[1] - 1, -1, -1):
        sums[:, t] = (grad[:, t] + carried) * (1 - h[:, t].square())
        carried = torch.einsum("bh,hk->bk", sums[:, t], w_h)
    return (
        torch.einsum("bth,btd->hd", sums, x),
        torch.einsum("bth,btk->hk", sums, before),
        sums.sum((0, 1)),
        sums @ w_x,
    )


def singular_values(h, w_h):
    product = torch.eye(len(w_h), dtype=h.dtype)
    norms = [torch.tensor(1.0, dtype=h.dtype)]
    for state in reversed(list(h)):
        product = product @ torch.diag(1 - state**2) @ w_h
        norms.append(torch.linalg.svdvals(product)[0])
    return torch.stack(norms)


def gru_by_update(x, h, w_ih, w_hh, b_ih, b_hh):
    r_x, z_x, n_x = F.linear(x, w_ih, b_ih).chunk(3, 1)
    r_h, z_h, n_h = F.linear(h, w_hh, b_hh).chunk(3, 1)
    n = torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h)
    return n + torch.sigmoid(z_x + z_h) * (h - n)


def other_weights():
    w_ih = torch.tensor([[0.0, 30.0], [0.0, 0.0], [0.1, 0.0], [0.0, 0.0]])
    return w_ih, torch.zeros(4, 1), torch.tensor([-15.0, 12.0, 0.0, 12.0])


def summed(logits, targets, lengths):
    real = torch.arange(targets.shape[1]) < lengths[:, None]
    each = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    return (each * real).sum() / lengths.sum()


def gathered(states, lengths):
    return states.gather(1, (lengths - 1)[:, None, None].expand(-1, 1, states.shape[2]))[:, 0]


def four_products(x, h, c, w_ih, w_hh, b_ih, b_hh):
    sums = [
        x @ w.T + h @ v.T + a + b
        for w, v, a, b in zip(
            w_ih.chunk(4), w_hh.chunk(4), b_ih.chunk(4), b_hh.chunk(4), strict=True
        )
    ]
    c = torch.sigmoid(sums[1]) * c + torch.sigmoid(sums[0]) * torch.tanh(sums[2])
    return torch.sigmoid(sums[3]) * torch.tanh(c), c


def ignore_index(logits, targets, lengths):
    targets = targets.masked_fill(torch.arange(targets.shape[1]) >= lengths[:, None], -100)
    return F.cross_entropy(logits.transpose(1, 2), targets)


RIGHT = {
    "four products": (gates.lstm_cell, four_products),
    "ignore_index": (padding.masked_loss, ignore_index),
    "projected at once": (recurrence.rnn_forward, filled),
    "einsum": (recurrence.rnn_backward, einsum_backward),
    "svdvals": (recurrence.jacobian_norms, singular_values),
    "n + z (h − n)": (gates.gru_cell, gru_by_update),
    "steeper gates": (gates.adding_weights, other_weights),
    "summed and divided": (padding.masked_loss, summed),
    "gather": (padding.last_states, gathered),
}


def carried_over_rows(x, w_x, w_h, b):
    """The state of the row before, not of the step before."""
    h, rows = x.new_zeros(x.shape[1], len(b)), []
    for row in x:
        h = torch.tanh(row @ w_x.T + h @ w_h.T + b)
        rows.append(h)
    return torch.stack(rows)


def carried_by_the_input(grad, x, h, w_x, w_h):
    right = recurrence.rnn_backward.reference(grad, x, h, w_x, w_h)
    return (*right[:3], 2 * right[3])


def largest_entries(h, w_h):
    return recurrence._products(h, w_h, norm=float("inf"))


def tanh_gates(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).tanh().chunk(4, dim=1)
    c = f * c + i * g
    return o * c.tanh(), c


LEFT = []


def keeps_its_state(x, w_x, w_h, b):
    """Begins where the call before ended."""
    h, states = LEFT[-1] if LEFT and LEFT[-1].shape[1:] == b.shape else 0 * b[None], []
    for t in range(x.shape[1]):
        h = torch.tanh(x[:, t] @ w_x.T + h[: len(x)] @ w_h.T + b)
        states.append(h)
    LEFT.append(h.detach()[:1])
    return torch.stack(states, 1)


WRONG = {  # check, wrong answer, the case it must be shown, what the message must say
    "state of the last call": (
        recurrence.rnn_forward,
        keeps_its_state,
        "one row, two steps",
        "a second call",
    ),
    "rows as time": (recurrence.rnn_forward, carried_over_rows, "one row, two steps", "got"),
    "x twice": (recurrence.rnn_backward, carried_by_the_input, "one row, one step", "2 times"),
    "states without a graph": (
        recurrence.rnn_forward,
        torch.no_grad()(filled),
        "one row, two steps",
        "cut off",
    ),
    "c without a graph": (
        gates.lstm_cell,
        lambda x, h, c, *rest: four_products(x, h, c.detach(), *rest),
        "two rows",
        "gradient by c",
    ),
    "exp and log written out": (
        padding.masked_loss,
        lambda z, y, n: summed((z.exp() / z.exp().sum(2, keepdim=True)).log(), y, n),
        "around 200",
        "NaN",
    ),
    "one maximum for all rows": (
        padding.masked_loss,
        lambda z, y, n: summed(
            ((z - z.max()).exp() / (z - z.max()).exp().sum(2, keepdim=True)).log(), y, n
        ),
        "around 200",
        "NaN",
    ),
    "what is not 0": (padding.last_states, padding._not_zero, "two rows", "told by zeros"),
    "states in float32": (
        recurrence.rnn_forward,
        lambda *a: filled(*(part.float() for part in a)),
        "one row, two steps",
        "float64",
    ),
    "the second bias outside": (
        gates.gru_cell,
        lambda *a: gates._gru(*a, fault="bias outside"),
        "two rows",
        "stands outside r",
    ),
    "a loss without a graph": (
        padding.masked_loss,
        lambda *args: torch.tensor(summed(*args).item()),
        "two rows",
        "cut off",
    ),
    "squeezed": (
        padding.last_states,
        lambda states, n: gathered(states, n).squeeze(),
        "two rows of 1 and 2",
        "shape",
    ),
    "infinity norm": (recurrence.jacobian_norms, largest_entries, "two steps, two units", "got"),
    "every gate tanh": (gates.lstm_cell, tanh_gates, "two rows", "got"),
    "one tensor": (
        gates.lstm_cell,
        lambda *args: gates.lstm_cell.reference(*args)[0],
        "two rows",
        "should be a tuple",
    ),
    "sigmoid candidate": (
        gates.gru_cell,
        lambda x, h, w, v, a, b: nn.functional.sigmoid(x @ w.T)[:, : h.shape[1]],
        "two rows",
        "got",
    ),
    "two biases": (
        gates.adding_weights,
        lambda: (torch.zeros(4, 2), torch.zeros(4, 1), torch.zeros(8)),
        "0.7 marked",
        "(8,)",
    ),
    "transposed": (
        gates.adding_weights,
        lambda: (torch.zeros(2, 4), torch.zeros(1, 4), torch.zeros(4)),
        "0.7 marked",
        "(2, 4)",
    ),
    "padded with class 0": (
        padding.masked_loss,
        lambda logits, y, n: F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=0),
        "3 rows",
        "0 is taken for padding",
    ),
    "the first state": (padding.last_states, lambda states, n: states[:, 0], "two rows", "got"),
}


test_a_right_answer_written_differently_passes, test_an_unforeseen_mistake_is_caught = (
    right_and_wrong(RIGHT, WRONG)
)
