"""Checks of what turns a model's answers into sequences: sampling probabilities, beam search."""

import itertools
import math
from dataclasses import dataclass

import torch

from dlcourse.checks.compare import is_numeric
from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.draws import drawn
from dlcourse.checks.sequences.slopes import steady
from dlcourse.checks.words import kind_of


def _probabilities(logits, temperature=1.0, k=None, fault=None):
    rows = []
    for row in logits:
        scaled = (
            row * temperature
            if fault == "multiplied"
            else row
            if fault == "cold"
            else row / temperature
        )
        if k is not None and fault != "all":
            order = scaled.argsort(descending=fault != "smallest")
            if fault == "after":
                p = scaled.softmax(0)
                rows.append(p.scatter(0, order[k:], 0.0))
                continue
            scaled = scaled.scatter(0, order[k:], 0.0 if fault == "zero" else -math.inf)
        rows.append(scaled.softmax(0))
    return torch.stack(rows)


def _broken(fault):
    return lambda *args: _probabilities(*args, fault=fault)


def _logits(*shape, seed=0, scale=1.0, dtype=torch.float32):
    return scale * drawn(*shape, seed=seed, dtype=dtype)


next_probabilities = Check(
    "next_probabilities",
    probe=steady,
    any_dtype=True,
    reference=_probabilities,
    cases=lambda: [
        case("one row of 3, τ = 2", torch.tensor([[2.0, 0.0, -1.0]]), 2.0),
        case("as the course calls it first: τ = 1, all", _logits(2, 5, seed=5)),
        case("the 2 largest of 4", _logits(2, 4), 1.0, 2),
        case("τ = ½ and the 3 largest, float64", _logits(3, 6, seed=1, dtype=torch.float64), 0.5,
             3),
        case("large logits", _logits(2, 5, seed=2, scale=100.0), 0.7, 4),
        case("logits around 200 in one row, around −200 in the other",
             _logits(2, 5, seed=7) + torch.tensor([[200.0], [-200.0]]), 1.0, 3),
        case("k = V", _logits(2, 3, seed=3), 1.5, 3),
        case("k above V: all stay", _logits(2, 3, seed=4), 1.0, 5),
        case("the largest alone, τ = 0.01", _logits(3, 4, seed=6), 0.01, 1),
    ],
    mistakes=[
        Mistake("temperature multiplied", "Divide: a high temperature makes the choice freer.",
                _broken("multiplied")),
        Mistake("no temperature", "Divide the logits by it before the softmax.", _broken("cold")),
        Mistake("k is not used", "Set all but the k largest to −∞ before the softmax.",
                _broken("all")),
        Mistake("the k smallest", "topk with largest=True keeps the likely ones.",
                _broken("smallest")),
        Mistake("logit 0 instead of −∞", "A logit of 0 has a probability: e⁰ = 1.",
                _broken("zero")),
        Mistake("not normalised again", "What remains must sum to 1: mask before the softmax.",
                _broken("after")),
    ],
)  # fmt: skip


@dataclass(frozen=True)
class _Model:
    """Log probabilities that depend on all of the tokens so far."""

    vocabulary: int
    seed: int
    __name__ = "log_probs"

    def __call__(self, tokens):
        key = self.seed + sum((token + 1) * 31**place for place, token in enumerate(tokens))
        draw = torch.Generator().manual_seed(key)
        return (2 * torch.randn(self.vocabulary, generator=draw, dtype=torch.float64)).log_softmax(
            0
        )


class _Asked:
    """A model that remembers which beginnings it was asked about."""

    __name__ = "log_probs"

    def __init__(self, model):
        self.model, self.seen = model, set()

    def __call__(self, tokens):
        self.seen.add(tuple(tokens))
        return self.model(tokens)

    def told(self, steps):
        """How many of each length below `steps`; asked twice counts once."""
        lengths = [len(tokens) for tokens in self.seen]
        return [lengths.count(length) for length in range(steps)]


def _levels(log_probs, steps, width, fault=None):
    """Level by level, each as a dict."""
    beams = {(): 0.0}
    for _ in range(steps):
        longer = {}
        for tokens, score in beams.items():
            for token, gain in enumerate(
                log_probs(tokens[-1:] if fault == "last" else tokens).tolist()
            ):
                longer[(*tokens, token)] = gain if fault == "step" else score + gain
        best = sorted(longer, key=longer.get, reverse=fault != "worst")
        beams = {tokens: longer[tokens] for tokens in best[: 1 if fault == "greedy" else width]}
    tokens = next(iter(beams))
    return tokens, beams[tokens]


def _found(function, log_probs, steps, width):
    asked = _Asked(log_probs)
    answer = steady(function, asked, steps, width)
    if answer is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise Untouched(f"{kind_of(answer)}: a pair (tokens, log probability) is asked for")
    tokens, score = answer
    return {
        "beginnings that log_probs was asked about, by length": asked.told(steps),
        "tokens": tokens,
        "kind of the tokens": kind_of(tokens),
        "log probability": float(score) if is_numeric(score) else score,
    }


def _exhaustive(log_probs, steps, width):
    score = {s: sum(log_probs(s[:i])[t].item() for i, t in enumerate(s))
             for s in itertools.product(range(len(log_probs(()))), repeat=steps)}  # fmt: skip
    best = max(score, key=score.get)
    return best, score[best]


def _each_beam(log_probs, steps, width):
    beams = {(): 0.0}
    for _ in range(steps):
        longer = {}
        for tokens, score in beams.items():
            gains = log_probs(tokens).tolist()
            best = sorted(range(len(gains)), key=gains.__getitem__, reverse=True)[:width]
            longer |= {(*tokens, token): score + gains[token] for token in best}
        beams = longer
    best = max(beams, key=beams.get)
    return best, beams[best]


beam_search = Check(
    "beam_search",
    reference=_levels,
    probe=_found,
    cases=lambda: [
        case("two steps, width 1", _Model(3, 3), 2, 1),
        *[case(f"4 steps, width {w}, model {s}", _Model(4, s), 4, w)
          for s, w in ((11, 2), (5, 2), (23, 3), (42, 3), (8, 2))],
        case("one step, width 2", _Model(5, 9), 1, 2),
        case("a beam of 2 that misses the best", _Model(3, 130), 3, 2),
        case("wide enough for all", _Model(3, 77), 3, 27),
    ],
    mistakes=[
        Mistake("only one beginning goes on",
                "Keep `width` different ones: neither the best alone, nor copies of it, "
                "which come from starting with more than one empty beam.",
                lambda *a: _levels(*a, fault="greedy")),
        Mistake("the last step's score only", "A beginning's score is the sum over all its tokens.",
                lambda *a: _levels(*a, fault="step")),
        Mistake("the model sees the last token only", "Call log_probs with the whole tuple.",
                lambda *a: _levels(*a, fault="last")),
        Mistake("the unlikeliest are kept", "Sort with the largest score first.",
                lambda *a: _levels(*a, fault="worst")),
        Mistake("`width` are kept of every beam",
                "All extensions of all beams compete: sort them together, and cut once.",
                _each_beam),
        Mistake("everything is kept", "Cut to `width` after each step; this search is exhaustive.",
                _exhaustive),
    ],
)  # fmt: skip
