"""Checks of labels that do not fit their image, and of the loss that uses them."""

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.probes import with_gradient


def _others(y, classes, generator=None):
    weights = 1.0 - F.one_hot(y.cpu(), classes).float()
    return torch.multinomial(weights, 1, generator=generator)[:, 0].to(y.device)


def _statistics(function, y, classes, seed):
    generator = torch.Generator().manual_seed(seed)
    wrong = function(y, classes, generator)
    if wrong is None:
        raise Untouched("None: is `return` missing?")
    more = function(y, classes, generator)
    again = function(y, classes, torch.Generator().manual_seed(seed))
    if wrong.shape != y.shape:
        raise ValueError(f"the shape should be {tuple(y.shape)}, yours is {tuple(wrong.shape)}")
    found = {"dtype": str(wrong.dtype)}
    found["labels that fit after all"] = int((wrong == y).sum())
    found["labels that do not exist"] = int(((wrong < 0) | (wrong >= classes)).sum())
    found |= _table(wrong.long().clamp(0, classes - 1), y, classes)
    found["the same draw from the same generator"] = torch.equal(wrong, again)
    if len(y) > 1000:
        other = function(y, classes, torch.Generator().manual_seed(seed + 1))
        pairs = [function(y, classes) for _ in range(2)]
        found |= {
            "another draw from another generator": not torch.equal(wrong, other),
            "the next draw of a generator is another one": not torch.equal(wrong, more),
            "two draws without a generator differ": not torch.equal(*pairs),
        }
    return found


def _table(wrong, y, classes):
    counts = torch.bincount(y * classes + wrong, minlength=classes**2)
    table = counts.reshape(classes, classes)
    share = table / table.sum(1, keepdim=True).clamp(min=1)
    asked = table.sum(1) > 1000  # elsewhere chance says nothing
    off = ~torch.eye(classes, dtype=torch.bool) & asked[:, None]
    return {
        "each other label as likely as the next": bool(
            ((share[off] * (classes - 1) - 1).abs() < 0.25).all()
        ),
        "different steps from label to wrong label": len(((wrong - y) % classes).unique()),
    }


def _draw(low, high):
    return lambda y, classes, g=None: torch.randint(low, high(classes), y.shape, generator=g)


wrong_labels = Check(
    "wrong_labels",
    reference=_others,
    probe=_statistics,
    cases=[
        case("one label of two", torch.tensor([0]), 2, 0),
        case("every label the same", torch.full((2000,), 2), 3, 1),
        case("10,000 labels of five", torch.arange(10_000) % 5, 5, 2),
        case("20,000 labels of ten, most of them 7", (torch.arange(20_000) % 100).clamp(max=7), 10,
             3),
    ],
    mistakes=[
        Mistake("the labels in another order",
                "Some rows get their own label back, and of a batch with one class all "
                "do: add a random step from 1 to classes − 1 to each label, modulo classes.",
                lambda y, classes, g=None: y[torch.randperm(len(y), generator=g)]),
        Mistake("any label at all",
                "One in ten of ten classes is then right: the step must not be 0.",
                lambda y, classes, g=None: torch.randint(classes, y.shape, generator=g)),
        Mistake("always the next label",
                "D would learn to reject one neighbour only: draw the step.",
                lambda y, classes, g=None: (y + 1) % classes),
        Mistake("one step for the whole batch", "Draw a step for each row: size y.shape.",
                lambda y, classes, g=None:
                    (y + torch.randint(1, classes, (1,), generator=g)) % classes),
        Mistake("beyond the last class", "Take the sum modulo classes.",
                lambda y, classes, g=None: y + _draw(1, lambda k: k)(y, classes, g)),
        Mistake("a label that is never drawn",
                "randint leaves its upper end out: "
                "randint(1, classes) gives 1 … classes − 1.",
                lambda y, classes, g=None:
                    (y + _draw(1, lambda k: max(2, k - 1))(y, classes, g)) % classes),
    ],
)  # fmt: skip


def _matching(real, wrong, fake):
    loss = F.binary_cross_entropy_with_logits
    halves = [loss(one, torch.zeros_like(one)) / 2 for one in (wrong, fake)]
    return loss(real, torch.ones_like(real)) + halves[0] + halves[1]


def _logits(count, seed, scale=1.0, dtype=torch.float32):
    return scale * torch.randn(count, generator=torch.Generator().manual_seed(seed), dtype=dtype)


_soft = F.softplus
matching_d_loss = Check(
    "matching_d_loss",
    reference=_matching,
    probe=with_gradient(0, 1, 2),
    cases=[
        case("one of each, guessed", torch.zeros(1), torch.zeros(1), torch.zeros(1)),
        case("one of each", torch.tensor([2.0]), torch.tensor([-1.0]), torch.tensor([0.5])),
        case("3 real, 5 wrong, 2 fake", _logits(3, 0), _logits(5, 1), _logits(2, 2)),
        case("tables of 2 × 3, 4 × 1 and 1 × 2", _logits((2, 3), 6), _logits((4, 1), 7),
             _logits((1, 2), 8)),
        case("sure of itself, float64", *(_logits(4, seed, 300.0, torch.float64)
                                          for seed in (3, 4, 5))),
    ],
    mistakes=[
        Mistake("three equal parts",
                "Real pairs on one side, the two kinds of wrong ones share the other: ½ each.",
                lambda real, wrong, fake:
                    _soft(-real).mean() + _soft(wrong).mean() + _soft(fake).mean()),
        Mistake("real images with a wrong label count as real",
                "The image is real, the pair is not: D must reject it.",
                lambda real, wrong, fake:
                    _soft(-real).mean() + (_soft(-wrong).mean() + _soft(fake).mean()) / 2),
        Mistake("the wrong pairs are left out", "That is the old loss: add ½ mean softplus(wrong).",
                lambda real, wrong, fake: _soft(-real).mean() + _soft(fake).mean()),
        Mistake("the fakes are left out",
                "Real images with wrong labels alone teach G nothing about looks.",
                lambda real, wrong, fake: _soft(-real).mean() + _soft(wrong).mean()),
        Mistake("everything halved", "Only the two kinds of wrong pairs share a weight of 1.",
                lambda real, wrong, fake:
                    (_soft(-real).mean() + _soft(wrong).mean() + _soft(fake).mean()) / 2),
        Mistake("one mean over both kinds",
                "With unequal numbers the larger kind weighs more: two means.",
                lambda real, wrong, fake: _soft(-real).mean()
                + _soft(torch.cat([wrong.flatten(), fake.flatten()])).mean()),
        Mistake("a logarithm of a sigmoid", "It overflows for sure answers: F.softplus.",
                lambda real, wrong, fake:
                    -real.sigmoid().log().mean() - (1 - wrong.sigmoid()).log().mean() / 2
                    - (1 - fake.sigmoid()).log().mean() / 2),
    ],
)  # fmt: skip
