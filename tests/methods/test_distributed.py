"""Two processes do what one does: the same gradient, the same losses, the same weights."""

import copy
import sys

import pytest
import torch
from torch import nn

from dlcourse.methods import distributed


def task():
    torch.manual_seed(0)
    x, y = torch.randn(48, 5), torch.randint(3, (48,))
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)), x, y


@pytest.mark.executes  # starts three interpreters that import torch
def test_two_processes_equal_one(monkeypatch):
    monkeypatch.delenv("DLCOURSE_SMOKE", raising=False)
    model, x, y = task()
    before = copy.deepcopy(model.state_dict())
    first, second = distributed.launch(model, x, y, processes=2, size=8, epochs=2, rate=0.3)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])  # the caller's model stays as it is
        assert torch.equal(first["weights"][name], second["weights"][name])
    loader = distributed.shard(x, y, 8)
    gradient = distributed.batch_gradient(model, loader)
    assert not torch.allclose(first["local"], second["local"], atol=1e-3)
    for result in (first, second):
        assert torch.allclose(result["ddp"], gradient, rtol=0, atol=1e-6)
        assert torch.allclose(result["by_hand"], gradient, rtol=0, atol=1e-6)
    rows = list(distributed.fit_digits(model, loader, 2, 0.3))
    for one, a, b in zip(rows, first["rows"], second["rows"], strict=True):
        assert (a["loss"] + b["loss"]) / 2 == pytest.approx(one["loss"], abs=1e-5)
    for name, value in model.state_dict().items():
        assert torch.allclose(first["weights"][name], value, rtol=0, atol=1e-5)


@pytest.mark.executes
def test_what_goes_wrong_in_a_process_is_told():
    model, x, y = task()
    with pytest.raises(RuntimeError, match="Target 3 is out of bounds"):
        distributed.launch(model, x, y + 1, processes=2, size=8)


def test_a_batch_that_cannot_be_shared_is_refused_before_anything_starts():
    with pytest.raises(ValueError, match="7 rows cannot be shared evenly by 2"):
        distributed.launch(*task(), processes=2, size=7)


def test_a_command_that_never_ends_is_stopped():
    with pytest.raises(RuntimeError, match="within 0.5 s"):
        distributed.run_quietly([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.5)


def test_shares_are_disjoint_and_make_up_the_batch():
    x = torch.arange(24)
    loaders = [distributed.shard(x, x, 8, rank, 2) for rank in range(2)]
    for whole, left, right in zip(distributed.shard(x, x, 8), *loaders, strict=True):
        assert len(left[0]) == len(right[0]) == 4
        assert sorted(torch.cat([left[0], right[0]]).tolist()) == sorted(whole[0].tolist())
    with pytest.raises(ValueError, match="choose a multiple"):
        distributed.shard(x, x, 7, 0, 2)


def test_the_first_gradient_leaves_nothing_behind():
    model, x, y = task()
    gradient = distributed.batch_gradient(model, distributed.shard(x, y, 6))
    assert gradient.shape == (sum(p.numel() for p in model.parameters()),)
    assert all(p.grad is None for p in model.parameters())
