"""Checks of an LSTM cell and a GRU cell,
which torch's own cells judge, and of an LSTM with weights set by hand."""

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.draws import drawn_each
from dlcourse.checks.sequences.slopes import through
from dlcourse.checks.words import kind_of


def _draw(batch, features, hidden, gates, states, seed, scale=1.0, dtype=torch.float64):
    shapes = [(batch, features), *[(batch, hidden)] * states, (gates * hidden, features),
              (gates * hidden, hidden), (gates * hidden,), (gates * hidden,)]  # fmt: skip
    return drawn_each(*shapes, seed=seed, scale=scale, dtype=dtype)


def _torch_cell(kind):
    def function(x, *rest):
        state, (w_ih, w_hh, b_ih, b_hh) = rest[:-4], rest[-4:]
        values = {"weight_ih": w_ih, "weight_hh": w_hh, "bias_ih": b_ih, "bias_hh": b_hh}
        cell = kind(x.shape[1], w_hh.shape[1], dtype=x.dtype)
        return torch.func.functional_call(cell, values, (x, state if len(state) > 1 else state[0]))

    return function


def _lstm(x, h, c, w_ih, w_hh, b_ih, b_hh, order="ifgo", fault=None):
    memory, second = 0 if fault == "stateless" else h @ w_hh.T, 0 if fault == "bias" else b_hh
    stacked = x @ w_ih.T + b_ih + memory + second
    parts = stacked.unflatten(1, (-1, 4)).unbind(2) if fault == "mixed" else stacked.chunk(4, 1)
    gate = dict(zip(order, parts, strict=True))
    new = gate["g"].sigmoid() if fault == "sigmoid" else gate["g"].tanh()
    keep = 1 - gate["i"].sigmoid() if fault == "coupled" else gate["f"].sigmoid()
    after = keep * c + gate["i"].sigmoid() * new
    shown = after if fault == "no tanh" else (c if fault == "old" else after).tanh()
    state = gate["o"].sigmoid() * shown
    return (after, state) if fault == "swapped" else (state, after)


lstm_cell = Check(
    "lstm_cell",
    single=False,
    reference=_torch_cell(nn.LSTMCell),
    probe=through(c=2, h=1, x=0, w_ih=3, w_hh=4, b_ih=5, b_hh=6),
    fallback="dlcourse.models.rnn:lstm_cell",
    cases=lambda: [
        case("two rows, one feature, two units", *_draw(2, 1, 2, 4, 2, 0)),
        case("3 rows, 2 features, 5 units", *_draw(3, 2, 5, 4, 2, 1)),
        case("one row, one feature, one unit", *_draw(1, 1, 1, 4, 2, 3)),
        case("float32, large weights", *_draw(2, 4, 3, 4, 2, 2, 6.0, torch.float32)),
    ],
    mistakes=[
        Mistake("gates in the order i, f, o, g",
                "torch stacks i, f, g, o: the third is the candidate.",
                lambda *a: _lstm(*a, order="ifog")),
        Mistake("gates in the order f, i, g, o",
                "torch stacks i, f, g, o: the input gate is first.",
                lambda *a: _lstm(*a, order="figo")),
        Mistake("the gates alternate",
                "All H numbers of one gate stand together, then those of the next: chunk(4, 1).",
                lambda *a: _lstm(*a, fault="mixed")),
        Mistake("tanh missing on the cell's output", "h = o · tanh(c): c itself is unbounded.",
                lambda *a: _lstm(*a, fault="no tanh")),
        Mistake("h from the old c", "The new c is used for the new h.",
                lambda *a: _lstm(*a, fault="old")),
        Mistake("sigmoid for the candidate", "g goes through tanh, or c could only grow.",
                lambda *a: _lstm(*a, fault="sigmoid")),
        Mistake("the second bias is left out", "Add both b_ih and b_hh.",
                lambda *a: _lstm(*a, fault="bias")),
        Mistake("f as 1 − i", "This cell has a forget gate of its own.",
                lambda *a: _lstm(*a, fault="coupled")),
        Mistake("h takes no part", "The gates see x and h: add h @ w_hh.T.",
                lambda *a: _lstm(*a, fault="stateless")),
        Mistake("c and h exchanged", "Return h first, then c.",
                lambda *a: _lstm(*a, fault="swapped")),
    ],
)  # fmt: skip


def _gru(x, h, w_ih, w_hh, b_ih, b_hh, order="rzn", fault=None):
    one = dict(zip(order, (x @ w_ih.T + b_ih).chunk(3, 1), strict=True))
    second = 0 * b_hh if fault == "bias" else b_hh
    two = dict(zip(order, (h @ w_hh.T + second).chunk(3, 1), strict=True))
    outside = b_hh.chunk(3)[order.index("n")]
    r, z = (one["r"] + two["r"]).sigmoid(), (one["z"] + two["z"]).sigmoid()
    if fault == "early":
        third, size = order.index("n"), h.shape[1]
        rows = slice(third * size, (third + 1) * size)
        n = (one["n"] + (r * h) @ w_hh[rows].T + b_hh[rows]).tanh()
    elif fault == "bias outside":
        n = (one["n"] + r * (two["n"] - outside) + outside).tanh()
    elif fault == "both":
        n = (r * (one["n"] + two["n"])).tanh()
    else:
        n = one["n"] + (1 if fault == "no reset" else r) * two["n"]
        n = n.sigmoid() if fault == "sigmoid" else n.tanh()
    return z * n + (1 - z) * h if fault == "kept" else (1 - z) * n + z * h


gru_cell = Check(
    "gru_cell",
    single=False,
    reference=_torch_cell(nn.GRUCell),
    probe=through(h=1, x=0, w_ih=2, w_hh=3, b_ih=4, b_hh=5),
    fallback="dlcourse.models.rnn:gru_cell",
    cases=lambda: [
        case("two rows, one feature, two units", *_draw(2, 1, 2, 3, 1, 0)),
        case("3 rows, 2 features, 5 units", *_draw(3, 2, 5, 3, 1, 1)),
        case("one row, one feature, one unit", *_draw(1, 1, 1, 3, 1, 3)),
        case("float32, large weights", *_draw(2, 4, 3, 3, 1, 2, 4.0, torch.float32)),
    ],
    mistakes=[
        Mistake("gates in the order z, r, n", "torch stacks r, z, n: the reset gate is first.",
                lambda *a: _gru(*a, order="zrn")),
        Mistake("z and 1 − z exchanged", "Here z keeps the old state: (1 − z) n + z h.",
                lambda *a: _gru(*a, fault="kept")),
        Mistake("the reset acts before the product",
                "In torch r multiplies V h + b' as a whole, bias included.",
                lambda *a: _gru(*a, fault="early")),
        Mistake("the reset gate is not used", "n = tanh(x part + r · h part).",
                lambda *a: _gru(*a, fault="no reset")),
        Mistake("b' of the candidate stands outside r",
                "r multiplies V h + b' as a whole: here the two biases differ in what they do.",
                lambda *a: _gru(*a, fault="bias outside")),
        Mistake("r multiplies the part of x as well", "r acts on V h + b' alone.",
                lambda *a: _gru(*a, fault="both")),
        Mistake("sigmoid for the candidate", "n goes through tanh, r and z through σ.",
                lambda *a: _gru(*a, fault="sigmoid")),
        Mistake("the second bias is left out", "b_hh stands next to w_hh in all three.",
                lambda *a: _gru(*a, fault="bias")),
    ],
)  # fmt: skip


def _answers(weights, *sequences):
    """Ten times the last state of a one-unit LSTM with these weights, for each sequence (T, 2)."""
    found = weights()
    if found is None:
        raise Untouched("None: is `return` missing?")
    if len(found) != 3 or not all(isinstance(part, torch.Tensor) for part in found):
        kinds = ", ".join(kind_of(part) for part in found)
        raise Untouched(f"{kinds}: three tensors are asked for")
    w_ih, w_hh, b = found
    shapes = str([tuple(part.shape) for part in (w_ih, w_hh, b)])
    if shapes != "[(4, 2), (4, 1), (4,)]":
        return {"shapes of w_ih, w_hh, b": shapes}
    layer = nn.LSTM(2, 1, batch_first=True)
    values = {
        "weight_ih_l0": w_ih,
        "weight_hh_l0": w_hh,
        "bias_ih_l0": b,
        "bias_hh_l0": torch.zeros(4),
    }
    values = {name: value.float() for name, value in values.items()}
    states = [
        torch.func.functional_call(layer, values, (sequence[None],))[0][0, -1, 0]
        for sequence in sequences
    ]
    return {"shapes of w_ih, w_hh, b": shapes, "sums": 10 * torch.stack(states)}


def _marked(values, marks):
    return torch.stack([torch.tensor(values), torch.zeros(len(values))], 1).index_put_(
        (torch.tensor(marks), torch.tensor(1)), torch.tensor(1.0))  # fmt: skip


def _hand(write=20.0, shut=-10.0, keep=10.0, show=10.0, size=0.1, order="ifgo", mark=1):
    rows = {"i": (write, shut), "f": (0.0, keep), "g": (size, 0.0), "o": (0.0, show)}
    w_ih = torch.zeros(4, 2)
    for place, gate in enumerate(order):
        w_ih[place, (1 - mark if gate == "g" else mark)] = rows[gate][0]
    return lambda: (
        w_ih.clone(),
        torch.zeros(4, 1),
        torch.tensor([rows[gate][1] for gate in order]),
    )


adding_weights = Check(
    "adding_weights",
    reference=_hand(),
    probe=_answers,
    atol=0.1,
    cases=lambda: [
        case("0.7 marked, then 0.5 and 0.9 not marked", _marked([0.7, 0.5, 0.9], [0])),
        case("two of four marked", _marked([0.2, 0.7, 0.9, 0.4], [1, 3])),
        case("1 and 1 are marked in 200 steps", _marked([1.0] + [0.5] * 198 + [1.0], [0, 199])),
    ],
    mistakes=[
        Mistake("the forget gate is half shut",
                "σ(0) = ½ halves c at every step: give f a bias of about 10.", _hand(keep=0.0)),
        Mistake("everything is written",
                "Without a mark i must be near 0: a bias of about −10, and 20 times the mark.",
                _hand(shut=10.0)),
        Mistake("nothing is written",
                "With a mark the sum in i must be well above 0: more weight on the mark.",
                _hand(write=0.0)),
        Mistake("gates in the order i, f, o, g",
                "torch stacks i, f, g, o: the third row is the candidate.", _hand(order="ifog")),
        Mistake("number and mark exchanged", "Column 0 holds the numbers, column 1 the marks.",
                _hand(mark=0)),
        Mistake("a gate is half open, and half of the sum comes out",
                "σ(0) = ½: o needs a bias of about 10, and i with the mark a sum of about 10.",
                _hand(show=0.0)),
        Mistake("the numbers are not made small",
                "g = tanh(0.1 x) ≈ 0.1 x: with a weight of 1 tanh bends, "
                "and the answer is read as 10 h.", _hand(size=1.0)),
    ],
)  # fmt: skip
