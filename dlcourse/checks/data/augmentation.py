"""Check of a Dataset that augments:
what an item looks like depends on seed, epoch and index, and on nothing else."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch.utils.data import Dataset

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.words import kind_of


class _Augmented(Dataset):
    """`mix` makes the seed of an item from (seed, epoch, index)."""

    def __init__(self, data, augment, seed=0, mix=None, fault=None):
        self.data, self.augment, self.seed, self.epoch = data, augment, seed, 0
        self.mix, self.fault = mix or self.sequence, fault
        self.own = torch.Generator().manual_seed(seed)

    @staticmethod
    def sequence(*numbers):
        return int(np.random.SeedSequence(numbers).generate_state(1)[0])

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        x, y = self.data[index]
        if self.fault == "off":
            return x, y
        if self.fault == "global":
            self.own.manual_seed(int(torch.randint(2**31, ())))
            return self.augment(x, self.own), y
        generator = self.own
        if self.fault != "own":
            generator = torch.Generator().manual_seed(self.mix(self.seed, self.epoch, index))
        return self.augment(
            x, generator
        ), generator.initial_seed() % 10 if self.fault == "label" else y


class _Items(Dataset):
    """As many items as asked for, none of them stored:
    twice the index, 2 times, and the index modulo 7."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return torch.full((2,), 2.0 * index, dtype=torch.float64), index % 7


@dataclass(frozen=True)
class Visits:
    """Items to be asked for: each of these seeds, epochs and indices with each other."""

    seeds: tuple
    epochs: tuple
    indices: tuple
    sign: int = 1  # of the noise that augment adds

    def augment(self, x, generator):
        return x + self.sign * torch.rand(2, generator=generator, dtype=torch.float64)


def _item(data, epoch, index):
    data.epoch = epoch
    item = data[index]
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        raise TypeError(f"an item should be a pair, (image, label), not {kind_of(item)}")
    return item


def _inspect(function, wanted):
    """What must hold of the items of all these seeds,
    epochs and indices, whatever the random numbers are."""
    sets = {seed: function(_Items(max(wanted.indices) + 1), wanted.augment, seed)
            for seed in wanted.seeds}  # fmt: skip
    visits = list(product(wanted.seeds, wanted.epochs, wanted.indices))
    state = torch.get_rng_state()
    first = {visit: _item(sets[visit[0]], *visit[1:]) for visit in visits}
    drawn_globally = not torch.equal(state, torch.get_rng_state())
    twin = function(_Items(max(wanted.indices) + 1), wanted.augment, visits[0][0])
    same = torch.equal(_item(twin, *visits[0][1:])[0], first[visits[0]][0])
    again = {visit: _item(sets[visit[0]], *visit[1:]) for visit in reversed(visits)}
    noise = {visit: (x - 2 * visit[2]) * wanted.sign for visit, (x, _) in first.items()}
    drawn = {visit: tuple(x.mul(1e6).round().tolist()) for visit, x in noise.items()}
    twins = sorted(drawn, key=lambda visit: drawn[visit])
    twins = [
        pair for pair in zip(twins, twins[1:], strict=False) if drawn[pair[0]] == drawn[pair[1]]
    ]
    return {
        "length": len(sets[wanted.seeds[0]]),
        "items that are not augment(their own image)": sum(
            not bool(((x > 0) & (x < 1)).all()) for x in noise.values()),
        "labels as they were": all(y == visit[2] % 7 for visit, (_, y) in first.items()),
        "first item of a data set with the same seed": "the same" if same else "another",
        "visited again in another order": "the same" if all(
            torch.equal(again[visit][0], first[visit][0]) for visit in visits) else "another",
        "augmented alike, (seed, epoch, index)": " and ".join(map(str,
                                                                  sorted(twins[0]))) if twins
                                                                  else "none",
        "draws from the global generator, or seeds it": drawn_globally,
    }  # fmt: skip


def _mixed(mix):
    return lambda data, augment, seed=0: _Augmented(data, augment, seed, mix)


def _faulty(fault):
    return lambda data, augment, seed=0: _Augmented(data, augment, seed, fault=fault)


Augmented = Check(
    "Augmented",
    reference=_Augmented,
    probe=_inspect,
    cases=[
        case("one item in two epochs", Visits((0,), (0, 1), (3,))),
        case("two items, two epochs, two seeds", Visits((0, 1), (0, 1), (0, 1), sign=-1)),
        case("far apart", Visits((0, 1, 1000), (0, 1, 2, 10, 100),
                                 (0, 1, 2, 10, 100, 1000, 10_000, 59_999))),
    ],
    mistakes=[
        Mistake("the epoch is left out",
                "Every epoch then shows the same images: the data have not grown at all.",
                _mixed(lambda seed, epoch, index: _Augmented.sequence(seed, index))),
        Mistake("the index is left out", "All images of an epoch then move by the same step.",
                _mixed(lambda seed, epoch, index: _Augmented.sequence(seed, epoch))),
        Mistake("the seed is left out",
                "Another seed must give another run: self.seed belongs into the mixture.",
                _mixed(lambda seed, epoch, index: _Augmented.sequence(epoch, index))),
        Mistake("seed + epoch + index",
                "The sum is the same for image 1 of epoch 0 and image 0 of epoch 1: every epoch is "
                "the last one, later by an image. Let np.random.SeedSequence((…)) mix the three.",
                _mixed(lambda seed, epoch, index: seed + epoch + index)),
        Mistake("seeds that differ above the 32nd bit only",
                "PyTorch's generator on the CPU looks at the lower 32 bits of its seed: those "
                "above are lost. np.random.SeedSequence mixes everything into 32.",
                _mixed(lambda seed, epoch, index: (seed << 56) + (epoch << 32) + index)),
        Mistake("one generator for all items",
                "What it gives depends on what was asked before: the order, "
                "and with workers which one it was, each of them having a copy that begins alike. "
                "Make a fresh generator from (seed, epoch, index).",
                _faulty("own")),
        Mistake("the global generator",
                "Then an item depends on all random numbers drawn before. "
                "Make a generator of its own.",
                _faulty("global")),
        Mistake("nothing is augmented", "Return self.augment(x, generator), y.", _faulty("off")),
        Mistake("the label changes", "Only the image is augmented: y is returned as it came.",
                _faulty("label")),
    ],
)  # fmt: skip
