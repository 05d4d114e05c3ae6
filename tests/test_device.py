import random

import numpy as np
import pytest
import torch

from dlcourse import device as device_module
from dlcourse.device import (
    autocast,
    bfloat16_pays,
    describe,
    for_linalg,
    get_device,
    set_seed,
)


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
        return (
            random.random(),
            np.random.rand(),
            torch.rand(1).item(),
            torch.rand(1, generator=generator).item(),
        )

    assert draw() == draw()


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0"])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(ValueError, match="whole number from 0"):
        set_seed(seed)


@pytest.mark.parametrize(("seconds", "expected"), [(1.0, torch.bfloat16), (1.9, torch.float32)])
def test_bfloat16_is_used_where_it_is_clearly_faster(seconds, expected, monkeypatch):
    timed = {torch.bfloat16: seconds, torch.float32: 2.0}
    monkeypatch.setattr(device_module, "_convolution_seconds", timed.get)
    bfloat16_pays.cache_clear()
    with autocast(torch.device("cpu")):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    bfloat16_pays.cache_clear()
    assert product.dtype == expected


def test_whether_bfloat16_pays_is_measured_once():
    bfloat16_pays.cache_clear()
    answers = [bfloat16_pays("cpu") for _ in range(3)]
    assert len(set(answers)) == 1 and bfloat16_pays.cache_info().misses == 1
    assert device_module._convolution_seconds(torch.float32) > 0
    assert not bfloat16_pays("mps")


def test_describe_names_versions_and_device(capsys):
    describe(torch.device("cpu"))
    out = capsys.readouterr().out
    assert torch.__version__ in out and "CPU with" in out and out.count("\n") == 1
    assert out.startswith("Ready: ") and ("thread" in out) and "1 threads" not in out


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64])
def test_what_goes_to_linear_algebra_is_float64_on_the_cpu(dtype):
    x = torch.arange(6).reshape(2, 3).to(dtype)
    ready = for_linalg(x)
    assert ready.dtype == torch.float64 and ready.device.type == "cpu" and ready.equal(x.double())


def test_gradients_pass_on_the_way_to_linear_algebra():
    x = torch.eye(2, requires_grad=True)
    for_linalg(x).sum().backward()
    assert x.grad.equal(torch.ones(2, 2))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_counted_and_the_tensor_is_named(number):
    x = torch.zeros(2, 3)
    x[1, :2] = number
    with pytest.raises(ValueError, match=r"^weight, of shape \(2, 3\), holds 2 of 6 numbers"):
        for_linalg(x, "weight")
    with pytest.raises(ValueError, match="^the matrix"):
        for_linalg(x)
