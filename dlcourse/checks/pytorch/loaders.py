"""Check of the seeding of DataLoader workers, without starting any:
the start of a worker is played."""

import contextlib
import copy
import random

import numpy as np
import torch
from torch.utils.data import Dataset, get_worker_info
from torch.utils.data._utils import worker as torch_worker

from dlcourse.checks.core import Check, Mistake, Untouched, case

# base seeds of two epochs, of 63 bits as torch draws them
BASES = 6_364_136_223_846_793_005, 1_442_695_040_888_963_407


class NoisyGauges(Dataset):
    """Numbers with noise from a generator of its own, as an augmentation would have."""

    def __init__(self, count=4):
        self.count = count
        self.rng = np.random.default_rng(20_061)  # nobody else's

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return index + self.rng.normal()


class _Info:
    """What get_worker_info() returns in a worker."""

    def __init__(self, number, workers, seed, dataset):
        self.id, self.num_workers, self.seed, self.dataset = number, workers, seed, dataset


@contextlib.contextmanager
def _inside_a_worker(info):
    """As torch's worker loop begins: its own seeds for torch, random and NumPy, and its info."""
    before = torch_worker._worker_info, random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(info.seed)
        random.seed(info.seed)
        np.random.seed(info.seed % 2**32)
        torch_worker._worker_info = info
        try:
            yield
        finally:
            torch_worker._worker_info = before[0]
            random.setstate(before[1])
            np.random.set_state(before[2])


def _global_states():
    numpy = np.random.get_state()
    return torch.get_rng_state().numpy().tobytes(), random.getstate(), numpy[1].tobytes(), numpy[2:]


def _epoch(function, workers, seed):
    """The first noise of each worker of an epoch that begins with this base seed, whether
    anything was done, and whether the dataset's generator is another one now."""
    noise, touched = [], False
    for number in range(workers):
        dataset = copy.deepcopy(NoisyGauges())  # what pickling gives a worker
        with _inside_a_worker(_Info(number, workers, seed + number, dataset)):
            before = str(dataset.rng.bit_generator.state), _global_states()
            function(number)
            if not isinstance(dataset.rng, np.random.Generator):
                kind = type(dataset.rng).__name__
                raise TypeError(f"rng should be a NumPy Generator, of default_rng, not a {kind}")
            touched |= before != (str(dataset.rng.bit_generator.state), _global_states())
            fresh = str(dataset.rng.bit_generator.state) != before[0]
            noise.append(float(dataset[0]))
    return noise, touched, fresh


def _play(function, workers):
    """What must hold of the noise, whatever the seeds are."""
    first, touched, fresh = _epoch(function, workers, seed=BASES[0])
    if not touched:
        raise Untouched("nothing was seeded")
    again, other = (
        _epoch(function, workers, seed=BASES[0])[0],
        _epoch(function, workers, seed=BASES[1])[0],
    )
    return {
        "the dataset has a new generator": fresh,
        "workers that draw the same noise as another": workers - len(set(first)),
        "the same base seed gives the same noise": first == again,
        "workers whose noise is the same in another epoch": sum(
            a == b for a, b in zip(first, other, strict=True)
        ),
    }


def _dataset():
    return get_worker_info().dataset


def _seed_worker(worker_id):
    info = get_worker_info()
    info.dataset.rng = np.random.default_rng(info.seed)


def _seeded(choose):
    def seed(worker_id):
        _dataset().rng = np.random.default_rng(choose(worker_id))

    return seed


def _globals_only(worker_id):
    np.random.seed(torch.initial_seed() % 2**32)
    random.seed(worker_id)


seed_worker = Check(
    "seed_worker",
    reference=_seed_worker,
    probe=_play,
    cases=[case("two workers", 2), case("one worker", 1), case("five workers", 5)],
    mistakes=[
        Mistake("the generator in the dataset stays as it is",
                "Seeding NumPy and random does nothing here, and torch does that by itself. "
                "The copy of the dataset in THIS worker is get_worker_info().dataset: "
                "give it a new rng.",
                _globals_only),
        Mistake("the same in every epoch",
                "A seed of worker_id alone repeats the noise in each epoch. torch.initial_seed() "
                "is another number for every worker AND every epoch.",
                _seeded(lambda worker_id: worker_id)),
        Mistake("a constant seed",
                "All workers draw the same noise, in every epoch. torch.initial_seed() is another "
                "number for every worker AND every epoch.",
                _seeded(lambda worker_id: 42)),
        Mistake("one seed for all workers",
                "Take off worker_id and all workers have the base seed again. Use "
                "torch.initial_seed() as it is.",
                _seeded(lambda worker_id: torch.initial_seed() - worker_id)),
        Mistake("nothing can be repeated",
                "Without a seed, or with the time as a seed, every run is another one. Derive the "
                "seed from torch.initial_seed().",
                _seeded(lambda worker_id: None)),
    ],
)  # fmt: skip
