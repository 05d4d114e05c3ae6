"""Checkpoints: a resumed run is the uninterrupted one, bit for bit; a bad file
is named and nothing is lost."""

import errno
import os
import random
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from dlcourse import checkpoint
from dlcourse.checkpoint import CheckpointError, resume, save_checkpoint
from dlcourse.data.batches import Batches
from dlcourse.device import get_rng_state, set_rng_state, set_seed
from dlcourse.train import descend, train

EPOCHS, STOP = 4, 2


def a_run(optimiser="AdamW", loader="Batches", seed=0, width=8):
    """All that a run consists of, as it stands before its first epoch. Dropout, noise
    and shuffling make it random."""
    set_seed(seed)
    x, y = torch.randn(50, 6), torch.randint(3, (50,))
    model = nn.Sequential(
        nn.Linear(6, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 3)
    )
    options = {"momentum": 0.9} if optimiser == "SGD" else {}
    optimiser = getattr(torch.optim, optimiser)(model.parameters(), lr=0.01, **options)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    generator = torch.Generator().manual_seed(7)
    averaged = torch.optim.swa_utils.AveragedModel(model)
    if loader == "Batches":
        batches = Batches(x, y, size=16, shuffle=True, generator=generator)
    else:
        batches = DataLoader(TensorDataset(x, y), 16, shuffle=True, generator=generator)
    parts = {
        "model": model,
        "optimiser": optimiser,
        "scheduler": scheduler,
        "generator": generator,
        "ema": averaged,
    }
    return SimpleNamespace(parts=parts, batches=batches, history=[])


def go_on(run, start, end):
    model, optimiser, scheduler, _, averaged = run.parts.values()

    def step(x, y):
        # all three generators
        x = x + 0.1 * torch.from_numpy(np.random.randn(*x.shape)).float() * random.random()
        loss = F.cross_entropy(model(x), y)
        descend(loss, optimiser)
        averaged.update_parameters(model)
        return {"loss": loss}

    for row in train(step, run.batches, epochs=end, start=start, progress=False):
        scheduler.step()
        run.history.append(row)
    return run


def states(run):
    return [checkpoint._get_state(part) for part in run.parts.values()] + [
        run.history,
        get_rng_state(),
    ]


def identical(one, other):
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(identical(one[key], other[key]) for key in one)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(identical, one, other))
    return one == other


@pytest.mark.parametrize("loader", ["Batches", "DataLoader"])
@pytest.mark.parametrize("optimiser", ["SGD", "AdamW", "RMSprop"])
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(optimiser, loader, tmp_path):
    whole = states(go_on(a_run(optimiser, loader), 0, EPOCHS))
    first = go_on(a_run(optimiser, loader), 0, STOP)
    save_checkpoint(tmp_path / "run.pt", **first.parts, epoch=STOP, history=first.history)
    # other weights, other data order, other generators …
    second = a_run(optimiser, loader, seed=99)
    second.batches = a_run(optimiser, loader).batches  # … the same data
    if loader == "Batches":
        second.batches.generator = second.parts["generator"]
    else:
        second.batches = DataLoader(
            second.batches.dataset, 16, shuffle=True, generator=second.parts["generator"]
        )
    set_seed(1234)
    values = resume(tmp_path / "run.pt", **second.parts)
    second.history = values["history"]
    assert values["epoch"] == STOP
    assert identical(states(go_on(second, values["epoch"], EPOCHS)), whole)
    # the comparison can fail
    assert not identical(states(go_on(a_run(optimiser, loader, seed=1), 0, EPOCHS)), whole)


@pytest.mark.parametrize("left_out", ["optimiser", "scheduler", "generator"])
def test_each_part_is_needed_for_that(left_out, tmp_path):
    whole = states(go_on(a_run(), 0, EPOCHS))
    first = go_on(a_run(), 0, STOP)
    first.parts.pop(left_out)
    save_checkpoint(tmp_path / "run.pt", **first.parts, history=first.history)
    second = a_run()
    kept = {name: part for name, part in second.parts.items() if name != left_out}
    second.history = resume(tmp_path / "run.pt", **kept)["history"]
    assert not identical(states(go_on(second, STOP, EPOCHS)), whole)


@pytest.mark.slow
def test_it_goes_on_in_another_process(tmp_path):
    code = (
        "import sys, torch; sys.path.insert(0, sys.argv[2]); from test_checkpoint import *\n"
        "run = a_run(seed=0); values = resume(sys.argv[1] + '/run.pt', **run.parts); run.history = "
        "values['history']\n"
        "go_on(run, values['epoch'], EPOCHS); torch.save(states(run), sys.argv[1] + '/end.pt')"
    )
    first = go_on(a_run(), 0, STOP)
    save_checkpoint(tmp_path / "run.pt", **first.parts, epoch=STOP, history=first.history)
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), os.path.dirname(__file__)], check=True
    )
    assert identical(torch.load(tmp_path / "end.pt"), states(go_on(first, STOP, EPOCHS)))


def test_generators_come_back():
    set_seed(3)
    state = get_rng_state()
    drawn = [random.random(), np.random.rand(), torch.rand(1).item()]
    set_rng_state(state)
    assert [random.random(), np.random.rand(), torch.rand(1).item()] == drawn


@pytest.fixture
def saved(tmp_path):
    run = go_on(a_run(), 0, 1)
    path = tmp_path / "run.pt"
    save_checkpoint(path, **run.parts, epoch=1)
    return path


def refused(path, run, text):
    """`resume` refuses with this text, changes neither the parts nor the
    generators, and leaves the file alone."""
    before, content = states(run), path.read_bytes()
    before = [clone(state) for state in before]
    with pytest.raises(CheckpointError, match=text):
        resume(path, **run.parts)
    assert identical(states(run), before) and path.read_bytes() == content


def clone(state):
    if isinstance(state, torch.Tensor):
        return state.clone()
    if isinstance(state, dict):
        return {key: clone(value) for key, value in state.items()}
    return type(state)(map(clone, state)) if isinstance(state, (tuple, list)) else state


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_named(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    refused(
        saved, a_run(), "truncated or damaged" if share else "is empty: its writing was cut short"
    )


def test_a_flipped_bit_is_noticed_wherever_it_matters(saved):
    content, rng = saved.read_bytes(), random.Random(0)
    right = checkpoint._read(saved)
    noticed = 0
    for _ in range(300):
        flipped = bytearray(content)
        flipped[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        saved.write_bytes(flipped)
        try:
            # in the padding between two records, say
            assert identical(checkpoint._read(saved), right)
        except CheckpointError:
            noticed += 1
    assert noticed > 200


def test_another_version_is_named(saved, monkeypatch):
    monkeypatch.setattr(checkpoint, "VERSION", 2)
    refused(saved, a_run(), "written in version 1 of the format, this dlcourse reads version 2")


def test_another_model_is_named(saved):
    refused(
        saved,
        a_run(width=9),
        r"of another model: 0.weight has shape \(8, 6\) in the file and \(9, 6\) here",
    )
    run = a_run()
    run.parts["model"].append(nn.Linear(3, 3))
    refused(saved, run, "of another model: the file lacks 5.bias, 5.weight")
    run = a_run()
    del run.parts["model"][4]
    refused(saved, run, "of another model: the file has besides 4.bias, 4.weight")


def test_another_optimiser_is_named(saved):
    refused(saved, a_run("SGD"), "of another optimiser: it was of type AdamW, here it is SGD")
    run = a_run()
    run.parts["optimiser"] = torch.optim.AdamW(list(run.parts["model"].parameters())[:2])
    refused(
        saved, run, "of another optimiser: it had .6. parameters in its groups, here it has .2."
    )


def test_parts_that_are_missing_or_forgotten_are_named(saved):
    run = a_run()
    run.parts["critic"] = nn.Linear(1, 1)
    refused(saved, run, "holds no critic: it holds ema, generator, model, optimiser, scheduler")
    run = a_run()
    del run.parts["scheduler"]
    refused(saved, run, "also holds the state of scheduler")


def test_what_is_no_checkpoint_is_named(tmp_path):
    path = tmp_path / "other.pt"
    path.write_text("epoch,loss\n1,0.5\n")
    refused(path, a_run(), "is no file of torch.save")
    torch.save(a_run().parts["model"].state_dict(), path)
    refused(path, a_run(), "not written by save_checkpoint.*load_state_dict")
    with pytest.raises(FileNotFoundError, match="start from the beginning"):
        resume(tmp_path / "nowhere.pt", model=nn.Linear(1, 1))
    with pytest.raises(TypeError, match="epoch has no state"):
        resume(path, epoch=3)


@pytest.mark.parametrize("where", ["write", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(saved, where, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = saved.read_bytes()
    monkeypatch.setattr(checkpoint.os, {"write": "fsync", "replace": "replace"}[where], full)
    with pytest.raises(CheckpointError, match="No space left on device.*untouched"):
        save_checkpoint(saved, **a_run().parts, epoch=2)
    assert saved.read_bytes() == before and os.listdir(saved.parent) == ["run.pt"]


def test_an_interrupt_in_the_middle_leaves_the_old_file(saved, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    before = saved.read_bytes()
    monkeypatch.setattr(checkpoint.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(saved, **a_run().parts, epoch=2)
    assert saved.read_bytes() == before and os.listdir(saved.parent) == ["run.pt"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="cannot write .*No such file"):
        save_checkpoint(tmp_path / "nowhere" / "run.pt", model=nn.Linear(1, 1))


def test_what_could_not_be_read_back_is_refused_before_the_old_file_goes(saved):
    before = saved.read_bytes()
    with pytest.raises(TypeError, match="history holds something that could not be read back"):
        save_checkpoint(saved, **a_run().parts, history=[np.float64(0.5)])
    with pytest.raises(ValueError, match="name what is to be saved"):
        save_checkpoint(saved)
    assert saved.read_bytes() == before
