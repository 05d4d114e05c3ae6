"""Check of finding the errors worth looking at: those of which the network was sure."""

import torch

from dlcourse.checks.core import Check, Mistake, case


def _confident(logits, y, count, by=None, keep="wrong", descending=True):
    p, predicted = logits.double().softmax(1).max(1)
    value = p if by is None else by(logits, y)
    chosen = {
        "wrong": predicted != y,
        "all": torch.ones_like(y, dtype=torch.bool),
        "right": predicted == y,
    }[keep]
    rows = chosen.nonzero().flatten()
    return rows[value[rows].argsort(descending=descending)][:count]


def _score_cases():
    def one(label, n, classes, count, seed, above=0):
        generator = torch.Generator().manual_seed(seed)
        logits = 3 * torch.randn(n, classes, generator=generator)
        logits = logits + 5 * torch.randn(n, 1, generator=generator) + above
        return case(label, logits, torch.randint(classes, (n,), generator=generator), count)

    four = torch.tensor([[0.0, 3.0], [2.0, 0.0], [1.0, 4.0], [9.0, 8.5]])
    return [
        case("four examples, two of them wrong", four, torch.tensor([1, 1, 1, 1]), 2),
        one("ten examples, the three worst", 10, 3, 3, 0),
        one("fewer errors than asked for", 6, 2, 10, 1),
        one("200 examples, eight", 200, 5, 8, 2),
        case("a single error", four, torch.tensor([0, 0, 1, 0]), 3),
        case("no error", four, four.argmax(1), 3),
        one("large logits", 12, 4, 5, 3, 300.0),
    ]


confident_errors = Check(
    "confident_errors",
    reference=_confident,
    cases=_score_cases,
    mistakes=[
        Mistake("right answers are among them", "Only examples whose prediction differs from y.",
                lambda *args: _confident(*args, keep="all")),
        Mistake("the least confident first", "The highest confidence comes first: descending=True.",
                lambda *args: _confident(*args, descending=False)),
        Mistake("sorted by the logit, not by the probability",
                "A logit means something only next to those of the same example: softmax first.",
                lambda *args: _confident(*args, by=lambda logits, y: logits.max(1).values)),
        Mistake("sorted by the loss",
                "That is the probability of the true class, a different order. Asked for is how "
                "sure it was of its own answer.",
                lambda *args: _confident(*args, by=lambda logits, y:
                    -logits.log_softmax(1).gather(1, y[:, None])[:, 0])),
        Mistake("those that are right", "Wrong is where argmax differs from y: !=.",
                lambda *args: _confident(*args, keep="right")),
        Mistake("positions within the errors",
                "Return positions in the whole batch: rows[order], not order.",
                lambda logits, y, count: _confident(
                    logits[rows := _confident(logits, y, len(y)).sort().values], y[rows], count)),
    ],
)  # fmt: skip
