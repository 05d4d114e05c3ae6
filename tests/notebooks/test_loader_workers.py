"""Worker processes that are spawned, as on macOS and Windows: what they can be
given, and what noise they draw."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset, get_worker_info

from dlcourse.checks.pytorch import loaders
from dlcourse.checks.pytorch.loaders import NoisyGauges

pytestmark = pytest.mark.executes  # each worker imports torch: half a minute in all


def seed_by_initial_seed(worker_id):
    get_worker_info().dataset.rng = np.random.default_rng(torch.initial_seed())


def noise(worker_init_fn=None, epochs=2):
    """(epochs, workers) of the first noise of two spawned workers."""
    torch.manual_seed(0)
    options = {
        "num_workers": 2,
        "multiprocessing_context": "spawn",
        "worker_init_fn": worker_init_fn,
    }
    loader = DataLoader(NoisyGauges(4), batch_size=2, **options)
    readings = [zip(loader, (0, 2), strict=True) for _ in range(epochs)]
    return [[round(float(batch[0]) - first, 6) for batch, first in epoch] for epoch in readings]


def test_a_library_dataset_reaches_spawned_workers_whole():
    x = torch.arange(10.0)
    loader = DataLoader(
        TensorDataset(x), batch_size=4, num_workers=1, multiprocessing_context="spawn"
    )
    assert torch.equal(torch.cat([batch[0] for batch in loader]), x)


@pytest.mark.parametrize(
    ("function", "different"), [(None, 1), (seed_by_initial_seed, 4)], ids=["none", "seed"]
)
def test_the_check_plays_what_spawned_workers_do(function, different):
    drawn = noise(function)
    assert len(set(np.ravel(drawn))) == different
    if function is seed_by_initial_seed:
        assert loaders.seed_worker(function) is function
        assert noise(function, epochs=1) == drawn[:1]


def test_a_class_that_stands_in_no_file_cannot_be_unpickled_elsewhere():
    code = "import pickle, sys; pickle.load(sys.stdin.buffer)"
    cell = type("InACell", (NoisyGauges,), {"__module__": "__main__"})
    main = sys.modules["__main__"]
    main.InACell = cell
    try:
        packed = pickle.dumps(cell())
    finally:
        del main.InACell
    done = subprocess.run([sys.executable, "-c", code], input=packed, capture_output=True)
    assert done.returncode != 0 and b"Can't get attribute 'InACell'" in done.stderr
    assert (
        subprocess.run([sys.executable, "-c", code], input=pickle.dumps(NoisyGauges())).returncode
        == 0
    )
