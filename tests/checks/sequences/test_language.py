"""Checks of language models and decoding: wrong answers no table foresees, right ones
written differently; readers."""

import itertools
import math

import pytest
import torch
from answers import WARNINGS_ARE_ERRORS, right_and_wrong
from torch.nn import functional as F

from dlcourse.checks.sequences import clinic as broken_readers
from dlcourse.checks.sequences import decoding, language
from dlcourse.data import text

pytestmark = WARNINGS_ARE_ERRORS


def counted_by_hand(ids, vocabulary):
    one = F.one_hot(ids, vocabulary).double()
    counts = one[:-1].T @ one[1:] + 1
    return torch.log(counts) - torch.log(counts.sum(1, keepdim=True))


def strips_as_views(ids, size, length):
    steps = (len(ids) - 1) // (size * length)
    x = ids[: size * steps * length].view(size, steps, length).transpose(0, 1)
    y = ids[1 : size * steps * length + 1].view(size, steps, length).transpose(0, 1)
    return tuple(zip(x, y, strict=True))


def by_sorting(logits, temperature=1.0, k=None):
    p = (logits.double() / temperature).softmax(1)
    if k is not None:
        order = p.argsort(dim=1, descending=True)
        p = p.scatter(1, order[:, k:], 0.0)
    return p / p.sum(1, keepdim=True)


def by_topk(logits, temperature=1.0, k=None):
    """Asks topk for k values even where there are fewer."""
    least = logits.topk(logits.shape[1] if k is None else k, dim=1).values[:, -1:]
    return (logits.masked_fill(logits < least, -math.inf) / temperature).softmax(1)


def beams_by_tuples(log_probs, steps, width):
    beams = [(0.0, ())]
    for _ in range(steps):
        longer = [(s + g, (*b, t)) for s, b in beams for t, g in enumerate(log_probs(b).unbind())]
        beams = sorted(longer, reverse=True)[:width]
    return beams[0][1], beams[0][0]  # the score is a 0-d tensor


def beams_as_lists(log_probs, steps, width):
    beams = [(0.0, [])]
    for _ in range(steps):
        beams = sorted(
            (
                (s + g, [*b, t])
                for s, b in beams
                for t, g in enumerate(log_probs(tuple(b)).tolist())
            ),
            reverse=True,
        )[:width]
    return beams[0][1], beams[0][0]


def many_empty_beams(log_probs, steps, width):
    beams = [((), 0.0)] * width
    for _ in range(steps):
        longer = [((*b, t), s + g) for b, s in beams for t, g in enumerate(log_probs(b).tolist())]
        beams = sorted(longer, key=lambda beam: -beam[1])[:width]
    return beams[0]


RIGHT = {
    "log2": (language.bits_and_perplexity, lambda nats: (nats * math.log2(math.e), math.e**nats)),
    "one-hot products": (language.bigram, counted_by_hand),
    "strips as views": (language.streams, strips_as_views),
    "clones": (
        language.detach_state,
        lambda state: (
            None
            if state is None
            else state.detach().clone()
            if isinstance(state, torch.Tensor)
            else tuple(p.detach().clone() for p in state)
        ),
    ),
    "masked after sorting": (decoding.next_probabilities, by_sorting),
    "a score that is a tensor": (decoding.beam_search, beams_by_tuples),
}
WRONG = {  # check, wrong answer, the case it must be shown, what the message must say
    "bits in float32": (
        language.bits_and_perplexity,
        lambda nats: (float(torch.tensor(nats) / math.log(2)), math.exp(nats)),
        "a fair die",
        "float32",
    ),
    "many empty beams": (
        decoding.beam_search,
        many_empty_beams,
        "width 2",
        "copies of it",
    ),
    "the best of every beam": (
        decoding.beam_search,
        decoding._each_beam,
        "width 2",
        "`width` are kept of every beam",
    ),
    "floored": (
        decoding.next_probabilities,
        lambda z, t=1.0, k=None: by_topk(
            z
            if k is None
            else z.where(z >= z.topk(min(k, z.shape[1])).values[:, -1:], z.new_tensor(-100.0)),
            t,
        ),
        "around −200",
        "differ",
    ),
    "strips of another length": (
        language.streams,
        lambda ids, b, t: language._streams(ids, b, t, strip=(len(ids) - 1) // b),
        "3 rows of 4",
        "rows begin elsewhere",
    ),
    "bits rounded": (
        language.bits_and_perplexity,
        lambda nats: (round(nats / math.log(2), 1), math.exp(nats)),
        "a fair die",
        "item 1 of 2",
    ),
    "counts + 1 in the sum only": (
        language.bigram,
        lambda ids, v: (
            torch.bincount(ids[:-1] * v + ids[1:], minlength=v * v).reshape(v, v) + 1e-9
        ).log(),
        "abab",
        "got",
    ),
    "the whole text as one batch": (
        language.streams,
        lambda ids, size, length: [(ids[:-1], ids[1:])],
        "13 numbers",
        "2 items, yours has 1",
    ),
    "the last step is dropped": (
        language.streams,
        lambda ids, size, length: strips_as_views(ids, size, length)[:-1],
        "13 numbers",
        "One possibility: batches are missing",
    ),
    "h alone": (
        language.detach_state,
        lambda state: None if state is None else state[0].detach(),
        "an LSTM's",
        "kind",
    ),
    "squared temperature": (
        decoding.next_probabilities,
        lambda z, t=1.0, k=None: (z / t**2).softmax(1),
        "τ = 2",
        "got",
    ),
    "temperature after the softmax": (
        decoding.next_probabilities,
        lambda z, t=1.0, k=None: z.softmax(1) / t,
        "τ = 2",
        "got",
    ),
    "k above V": (decoding.next_probabilities, by_topk, "k above V: all stay", "out of range"),
    "tokens in a list": (decoding.beam_search, beams_as_lists, "two steps", "a list"),
    "targets counted on": (
        language.streams,
        lambda *a: [(x, x + 1) for x, _ in language._streams(*a)],
        "3 rows of 4",
        "values differ",
    ),
    "the graph switched off": (
        language.detach_state,
        lambda state: language._parts(state, lambda part: part.requires_grad_(False)),
        "an LSTM's",
        "RuntimeError",
    ),
    "detached in place": (
        language.detach_state,
        lambda state: language._parts(state, torch.Tensor.detach_),
        "an LSTM's",
        "keeps its graph",
    ),
    "a mean score": (
        decoding.beam_search,
        lambda f, steps, width: (lambda b: (b[0], b[1] / steps))(decoding._levels(f, steps, width)),
        "two steps",
        "log probability",
    ),
    "one step too few": (
        decoding.beam_search,
        lambda f, steps, width: decoding._levels(f, steps - 1, width),
        "two steps",
        "beginnings",
    ),
}


test_a_right_answer_written_differently_passes, test_an_unforeseen_mistake_is_caught = (
    right_and_wrong(RIGHT, WRONG)
)


def test_a_wide_beam_finds_what_trying_everything_finds():
    model = decoding._Model(3, 77)
    best = max(
        itertools.product(range(3), repeat=3),
        key=lambda s: sum(model(s[:i])[t].item() for i, t in enumerate(s)),
    )
    assert decoding._levels(model, 3, 27)[0] == best


@pytest.mark.slow
def test_the_readers_show_the_signs_of_their_faults():
    corpus = text.encode(text.manual()[:40_000])
    vocabulary = len(corpus.characters)
    runs = {
        p: broken_readers.broken_reader(p, corpus.ids, vocabulary, steps=60)
        for p in ("healthy", *"ABCD")
    }
    last = {p: run["validation"][-1].item() for p, run in runs.items()}
    assert all(
        run["training"].shape == (60,) and run["validation"].shape == (3,) for run in runs.values()
    )
    assert (
        last["B"] < 1 < last["healthy"] < last["C"] < last["A"] < math.log(vocabulary)
        and last["healthy"] < last["D"]
    )
    assert last["A"] > math.log(vocabulary) - 0.4
    with pytest.raises(KeyError, match="ask for healthy or one of A, B, C, D"):
        broken_readers.broken_reader("E", corpus.ids, vocabulary)
