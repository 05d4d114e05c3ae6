import random

import numpy as np
import pytest
import torch

from dlcourse.device import describe, get_device, set_seed


def test_a_named_device_is_returned_and_the_default_can_be_set_from_outside(monkeypatch):
    assert get_device("cpu") == torch.device("cpu")
    monkeypatch.setenv("DLCOURSE_DEVICE", "cpu")
    assert get_device() == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "tpu", "meta"])
def test_an_unknown_device_is_named_with_what_there_is(name):
    with pytest.raises(ValueError, match=rf"unknown device '{name}': name one of cpu, cuda, mps"):
        get_device(name)


def test_a_device_that_is_not_here_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="'cuda' is not available here; this machine offers cpu"):
        get_device("cuda")


def test_a_seed_repeats_all_three_generators():
    def draw():
        generator = set_seed(3)
        return random.random(), np.random.rand(), torch.rand(1).item(), torch.rand(1, generator=generator).item()

    assert draw() == draw()


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0"])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(ValueError, match="whole number from 0"):
        set_seed(seed)


def test_describe_names_versions_and_device(capsys):
    describe(torch.device("cpu"))
    out = capsys.readouterr().out
    assert torch.__version__ in out and "CPU with" in out and out.count("\n") == 1
