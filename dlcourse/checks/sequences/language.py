"""Checks of a language model's units, baseline, batches and state."""

import math

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.draws import drawn
from dlcourse.checks.sequences.slopes import steady


def _digits(function, nats):
    """Both numbers, and whether they have the digits of a Python float."""
    found = function(nats)
    if not isinstance(found, (tuple, list)) or not all(isinstance(one, float) for one in found):
        return {"bits, perplexity": found, "digits": None}
    right = nats / math.log(2), math.exp(nats)
    exact = all(math.isclose(*two, rel_tol=1e-10) for two in zip(found, right, strict=False))
    return {
        "bits, perplexity": found,
        "digits": "those of a float" if exact else "some 7, those of float32",
    }


_digits.hands_on = True


def _single(nats):
    return torch.tensor(nats).div(math.log(2)).item(), torch.tensor(nats).exp().item()


bits_and_perplexity = Check(
    "bits_and_perplexity",
    reference=lambda nats: (math.log2(math.exp(nats)), 2.0 ** (nats / math.log(2))),
    probe=_digits,
    cases=[case("a fair die of 6", math.log(6)), case("a certain character", 0.0),
           case("3.2 nats", 3.2), case("9.7 nats", 9.7)],
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
        Mistake("computed in float32",
                "torch.tensor(nats) keeps 7 digits of a float's 16: math.log and math.exp.",
                _single),
    ],
)  # fmt: skip


def _counts(ids, vocabulary, smooth=1.0, gap=1):
    counts = torch.full((vocabulary, vocabulary), float(smooth))
    for a, b in zip(ids[:-gap].tolist(), ids[gap:].tolist(), strict=True):
        counts[a, b] += 1
    return counts


def _pairs(ids, vocabulary, smooth=1.0, gap=1, columns=False):
    counts = _counts(ids, vocabulary, smooth, gap)
    return counts / counts.sum(0 if columns else 1, keepdim=True)


def _once(ids, vocabulary):
    """However often a pair is there, one is added."""
    counts = torch.ones(vocabulary, vocabulary)
    counts[ids[:-1], ids[1:]] += 1
    return counts / counts.sum(1, keepdim=True)


def _without_the_added(ids, vocabulary):
    counts = _pairs(ids, vocabulary)
    seen = torch.bincount(ids[:-1], minlength=vocabulary)[:, None]
    return counts * (seen + vocabulary) / seen


bigram = Check(
    "bigram",
    probe=steady,
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
        Mistake("a pair that occurs again is not counted",
                "counts[a, b] += 1 with index tensors adds 1 once for each pair: bincount, "
                "or index_put_ with accumulate=True.", lambda ids, v: _once(ids, v).log()),
        Mistake("the last character is followed by the first",
                "N characters make N − 1 pairs: ids[:-1] with ids[1:], not roll.",
                lambda ids, v: _pairs(torch.cat([ids, ids[:1]]), v).log()),
        Mistake("divided by the counts before 1 was added",
                "Each row must sum to 1: add first, then divide by the row's sum.",
                lambda ids, v: _without_the_added(ids, v).log()),
        Mistake("the counts are taken for logits",
                "Divide a row by its sum and take the logarithm: no softmax.",
                lambda ids, v: _counts(ids, v).log_softmax(1)),
        Mistake("two characters on", "Pairs are neighbours: ids[:-1] with ids[1:].",
                lambda ids, v: _pairs(ids, v, gap=2).log()),
    ],
)  # fmt: skip


def _text(count, seed):
    """Characters in no order: what comes next cannot be computed from what is there."""
    return torch.randint(50, (count,), generator=torch.Generator().manual_seed(seed))


def _streams(ids, size, length, shift=1, mixed=False, flat=False, strip=None):
    steps = (len(ids) - 1) // (size * length)
    items = []
    for k in range(steps):
        starts = [
            (k * size + b) * length if mixed else b * (strip or steps * length) + k * length
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
    probe=steady,
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
        Mistake("rows begin elsewhere",
                "With steps = (N − 1) // (size · length) items, row b begins at "
                "ids[b · length · steps].",
                lambda ids, size, length: _streams(ids, size, length,
                                                   strip=(len(ids) - 1) // size)),
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
