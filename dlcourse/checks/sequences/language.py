"""Checks of a language model's units, baseline, batches and state."""

import math

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.draws import drawn

bits_and_perplexity = Check(
    "bits_and_perplexity",
    reference=lambda nats: (math.log2(math.exp(nats)), 2.0 ** (nats / math.log(2))),
    cases=[case("a fair coin", math.log(2)), case("a certain character", 0.0),
           case("3.2 nats", 3.2)],
    mistakes=[
        Mistake("bits as nats · ln 2",
                "A bit is ln 2 = 0.69 nats, so there are more bits than nats: divide.",
                lambda nats: (nats * math.log(2), math.exp(nats))),
        Mistake("perplexity as 2 to the nats", "2 goes with bits, e with nats: e^nats = 2^bits.",
                lambda nats: (nats / math.log(2), 2**nats)),
        Mistake("perplexity as e to the bits", "2 goes with bits, e with nats: e^nats = 2^bits.",
                lambda nats: (nats / math.log(2), math.exp(nats / math.log(2)))),
        Mistake("exchanged", "Bits first, then the perplexity.",
                lambda nats: (math.exp(nats), nats / math.log(2))),
    ],
)  # fmt: skip


def _pairs(ids, vocabulary, smooth=1.0, gap=1, columns=False):
    counts = torch.full((vocabulary, vocabulary), float(smooth))
    for a, b in zip(ids[:-gap].tolist(), ids[gap:].tolist(), strict=True):
        counts[a, b] += 1
    return counts / counts.sum(0 if columns else 1, keepdim=True)


bigram = Check(
    "bigram",
    any_dtype=True,
    reference=lambda ids, vocabulary: _pairs(ids, vocabulary).log(),
    cases=lambda: [case("abab", torch.tensor([0, 1, 0, 1]), 2),
                   case("one character never occurs", torch.tensor([0, 2, 2, 0, 2]), 4),
                   case("200 of 5", torch.randint(5, (200,),
                                                  generator=torch.Generator().manual_seed(0)), 5)],
    mistakes=[
        Mistake("no count is added",
                "A pair never seen would cost infinitely many bits: add 1 to every count.",
                lambda ids, v: _pairs(ids, v, smooth=0).log()),
        Mistake("columns sum to one", "Row a holds what follows a: divide by the sum of the row.",
                lambda ids, v: _pairs(ids, v, columns=True).log()),
        Mistake("rows and columns exchanged", "The row is the last character, the column the next.",
                lambda ids, v: _pairs(ids.flip(0), v).log()),
        Mistake("probabilities, not their logarithms", "Return the logarithm.", _pairs),
        Mistake("two characters on", "Pairs are neighbours: ids[:-1] with ids[1:].",
                lambda ids, v: _pairs(ids, v, gap=2).log()),
    ],
)  # fmt: skip


def _text(count, seed):
    """Characters in no order: what comes next cannot be computed from what is there."""
    return torch.randint(50, (count,), generator=torch.Generator().manual_seed(seed))


def _streams(ids, size, length, shift=1, mixed=False, flat=False):
    steps = (len(ids) - 1) // (size * length)
    items = []
    for k in range(steps):
        starts = [
            (k * size + b) * length if mixed else b * steps * length + k * length
            for b in range(size)
        ]
        x = torch.stack([ids[s : s + length] for s in starts])
        y = torch.stack([ids[s + shift : s + shift + length] for s in starts])
        items.append((x.T, y.T) if flat else (x, y))
    return items


def _paired(ids, others, *sizes):
    """Inputs of one text with targets of another."""
    return [
        (x, y)
        for (x, _), (_, y) in zip(_streams(ids, *sizes), _streams(others, *sizes), strict=True)
    ]


streams = Check(
    "streams",
    reference=_streams,
    cases=lambda: [case("13 numbers, 2 rows of 3", torch.arange(13), 2, 3),
                   case("3 rows of 4, some left over", _text(31, 0), 3, 4),
                   case("one row", _text(10, 1), 1, 2),
                   case("just too short for another step", _text(24, 2), 2, 4)],
    mistakes=[
        Mistake("the target is the input",
                "The target is what comes one character later: ids shifted by 1.",
                lambda *a: _streams(*a, shift=0)),
        Mistake("two characters on", "The target is one character later, not two.",
                lambda ids, *a: _paired(ids, ids.roll(-1), *a)),
        Mistake("the character before",
                "The target is what comes, not what was: one character later.",
                lambda ids, *a: _paired(ids, ids.roll(2), *a)),
        Mistake("the rows do not go on",
                "Row b of the next item must begin where row b of this one ended: first one "
                "long strip a row, then slices of columns.", lambda *a: _streams(*a, mixed=True)),
        Mistake("time first", "Shapes are (size, length).", lambda *a: _streams(*a, flat=True)),
        Mistake("batches are missing", "Return every full batch, the last one too.",
                lambda *a: _streams(*a)[:1]),
    ],
)  # fmt: skip


def _graph(function, state):
    # as an LSTM returns it: computed, so that its graph cannot be switched off
    state = _parts(state, lambda part: part * 1.0)
    found = function(state)
    if state is None:
        return "None" if found is None else "something"
    if found is None:
        raise Untouched("None: is `return` missing?")
    parts = found if isinstance(found, (tuple, list)) else (found,)
    given = state if isinstance(state, tuple) else (state,)
    return {
        "kind": "tensor" if isinstance(found, torch.Tensor) else "tuple",
        "numbers": [p.detach().clone() for p in parts],
        "has a graph": [p.requires_grad for p in parts],
        "the state that was given keeps its graph": all(p.requires_grad for p in given),
    }


def _parts(state, change):
    if state is None:
        return None
    return (
        change(state) if isinstance(state, torch.Tensor) else tuple(change(part) for part in state)
    )


def _state(*shape, seed=0):
    return drawn(*shape, seed=seed).requires_grad_()


detach_state = Check(
    "detach_state",
    reference=lambda state: _parts(state, torch.Tensor.detach),
    probe=_graph,
    cases=lambda: [case("an LSTM's (h, c)", (_state(1, 2, 3), _state(1, 2, 3, seed=1))),
                   case("a GRU's h", _state(2, 1, 4)),
                   case("none yet", None)],
    mistakes=[
        Mistake("the graph stays",
                "Call .detach(): else backward goes on into the batches before, which are freed.",
                lambda state: state),
        Mistake("begins at zero", "The numbers are to go on, only the graph ends.",
                lambda state: _parts(state, lambda p: torch.zeros_like(p).detach())),
        Mistake("only h is detached", "c has a graph too: detach both.",
                lambda state: (state[0].detach(), state[1]) if isinstance(state, tuple)
                else _parts(state, torch.Tensor.detach)),
    ],
)  # fmt: skip
