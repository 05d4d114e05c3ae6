"""Checks of choosing examples:
a split that keeps the shares of the classes, weights that make the classes equal."""

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.words import kind_of


def _split(y, share, generator, order=True, by_class=True, rounding=round, swap=False):
    held = []
    groups = (
        [(y == label).nonzero().flatten() for label in y.unique()]
        if by_class
        else [torch.arange(len(y))]
    )
    for group in groups:
        if order:
            group = group[torch.randperm(len(group), generator=generator)]
        held.append(group[: rounding(share * len(group))])
    chosen = torch.zeros(len(y), dtype=torch.bool)
    chosen[torch.cat(held)] = True
    parts = (~chosen).nonzero().flatten(), chosen.nonzero().flatten()
    return parts[::-1] if swap else parts


def _inspect_split(function, y, share, generator):
    """The properties of a split, which hold for every one that is right."""
    first = function(y, share, generator.clone_state())
    if first is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(first, (tuple, list)) or len(first) != 2:
        raise TypeError(f"return two tensors, (rest, held), not {kind_of(first)}")
    rest, held = first
    if not isinstance(rest, torch.Tensor) or not isinstance(held, torch.Tensor):
        raise TypeError(f"return two tensors, not {kind_of(rest)} and {kind_of(held)}")
    if rest.dtype == torch.bool or rest.is_floating_point():
        raise TypeError(
            f"return positions, whole numbers like those of randperm; these are {rest.dtype}"
        )
    again = function(y, share, generator.clone_state())
    other = function(y, share, torch.Generator().manual_seed(99))[1]
    classes = int(y.max()) + 1
    ends = [
        group[: len(group) // 2]
        for group in ((y == label).nonzero().flatten() for label in y.unique())
    ]
    firsts = torch.isin(held, torch.cat(ends)).double().mean().item()
    return {
        "held out of each class": torch.bincount(y[held], minlength=classes),
        "left of each class": torch.bincount(y[rest], minlength=classes),
        "every example in one part, once": sorted(rest.tolist() + held.tolist())
        == list(range(len(y))),
        "the same generator, the same split": all(
            torch.equal(one.sort().values, two.sort().values)
            for one, two in zip((rest, held), again, strict=True)),
        "another generator, another split": set(other.tolist()) != set(held.tolist())
        or len(y) < 20,
        "those held out lie": "all over the file" if 0 < firsts < 1 or len(y) < 20
        else "at the beginning" if firsts else "at the end",
    }  # fmt: skip


def _replacing(y, share, generator):
    held = []
    for label in y.unique():
        group = (y == label).nonzero().flatten()
        held.append(
            group[torch.randint(len(group), (round(share * len(group)),), generator=generator)]
        )
    held = torch.cat(held)
    return torch.tensor([i for i in range(len(y)) if i not in set(held.tolist())]), held


def _global(y, share, generator):
    return _split(y, share, None)


def _labels(*counts):
    """So many examples of each class, mixed."""
    y = torch.cat([torch.full((count,), label) for label, count in enumerate(counts)])
    return y[torch.randperm(len(y), generator=torch.Generator().manual_seed(len(y)))]


def _seeded(seed):
    return torch.Generator().manual_seed(seed)


stratified_split = Check(
    "stratified_split",
    reference=_split,
    probe=_inspect_split,
    cases=lambda: [
        case("four of each of two classes, a quarter", torch.tensor([0, 1, 0, 1, 0, 1, 0, 1]), 0.25,
             _seeded(0)),
        case("a rare class, a tenth", _labels(90, 20), 0.1, _seeded(1)),
        case("a tenth of 96, 33, 17 and 4: 9.6, 3.3, 1.7 and 0.4", _labels(96, 33, 17, 4), 0.1,
             _seeded(2)),
        case("sorted by class, one label that does not occur", torch.tensor([0] * 40 + [2] * 60),
             0.3, _seeded(3)),
    ],
    mistakes=[
        Mistake("drawn from all examples together",
                "Then chance decides how many of a rare class are held out, perhaps none. Draw "
                "within each class: for label in y.unique().",
                lambda *args: _split(*args, by_class=False)),
        Mistake("the first ones of each class",
                "Files are often in order (by day, by station): "
                "permute the examples of a class first, with the generator.",
                lambda *args: _split(*args, order=False)),
        Mistake("rounded down", "Asked for was the nearest whole number: round(share · n).",
                lambda *args: _split(*args, rounding=int)),
        Mistake("the two parts are exchanged", "Return (rest, held), the larger one first.",
                lambda *args: _split(*args, swap=True)),
        Mistake("drawn with replacement",
                "randint may give the same example twice. torch.randperm gives each once.",
                _replacing),
        Mistake("the generator is not used",
                "torch.randperm(…, generator=generator): or nobody can repeat your split.",
                _global),
    ],
)  # fmt: skip


def _weights(y):
    return (
        1
        / torch.unique(y, return_inverse=True, return_counts=True)[2][
            torch.unique(y, return_inverse=True)[1]
        ]
    )


def _chances(function, y):
    """The chance of each example to be drawn: weights may have any scale."""
    weights = function(y)
    if weights is None:
        raise Untouched("None: is `return` missing?")
    weights = torch.as_tensor(weights, dtype=torch.float64)
    return weights / weights.sum()


balanced_weights = Check(
    "balanced_weights",
    reference=_weights,
    probe=_chances,
    cases=lambda: [
        case("three of one class, one of the other", torch.tensor([0, 0, 1, 0])),
        case("three classes", torch.tensor([2, 0, 1, 1, 2, 2, 2])),
        case("labels 1 and 4 only", torch.tensor([4, 1, 4, 4, 4])),
        case("one class", torch.tensor([0, 0])),
        case("500 and 3", _labels(500, 3)),
    ],
    mistakes=[
        Mistake("the counts, not their inverses",
                "A frequent class needs a small weight: 1 / counts.",
                lambda y: torch.bincount(y)[y].double()),
        Mistake("one weight for each class",
                "The sampler draws examples, so each example needs its weight: "
                "weights[y] looks it up.",
                lambda y: 1 / torch.bincount(y)),
        Mistake("every example the same weight",
                "That is shuffling with replacement, and the rare class stays rare.",
                lambda y: torch.ones(len(y))),
        Mistake("1 − share of the class",
                "Two classes with shares 0.9 and 0.1 would be drawn 0.09 to 0.09, "
                "but three classes would not: the total weight of a class must "
                "not depend on its size, so 1 / count.",
                lambda y: 1 - torch.bincount(y)[y] / (len(y) + 1e-9)),
        Mistake("the inverse root of the counts",
                "Halfway there: 1 / count makes the classes equal.",
                lambda y: torch.bincount(y)[y].double() ** -0.5),
    ],
)  # fmt: skip
