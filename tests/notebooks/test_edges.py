"""What notebooks define, at the edges of what it is meant for: right, or refused with a reason."""

import ast
import functools
import math
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.release.course import reading
from dlcourse.schedule import stop_early

ROOT = Path(__file__).parents[2]
SOURCES = {Path(one.source).stem: one.source for one in reading.load(ROOT).notebooks()}


@functools.cache
def definitions(stem):
    """Name → its definition, of every function and class of a source."""
    found = {}
    for cell in nbformat.read(ROOT / SOURCES[stem], 4).cells:
        if cell.cell_type == "code" and not cell.source.startswith(("%", "!")):
            nodes = ast.parse(cell.source).body
            found |= {n.name: n for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    return found


def defined(stem, *names):
    """What a source defines under these names, as a dict that they look one another up in."""
    space = {"np": np, "torch": torch, "nn": nn, "F": F, "math": math}
    nodes = [definitions(stem)[name] for name in names]
    exec(compile(ast.Module(nodes, []), stem, "exec"), space)
    return space


ENGINE = "Day02-DL_concepts_afternoon_solutions"
LSTM = "Day11-RNNs_and_LSTMs_solutions"
GPT = "Day12-Transformers_and_other_architectures"
OPERATIONS = ("add", "mul", "sum", "log_softmax")


@pytest.mark.parametrize("small", [1e-9, 1e-6, 1e-5, 0.0])
def test_a_right_gradient_passes_however_small_an_entry(small):
    check = defined(ENGINE, "gradient_check")
    x = np.array([1.0, -2.0, small])
    assert check["gradient_check"](lambda v: (v**2).sum(), 2 * x, x) < 1e-6


def test_the_text_says_why_the_relative_error_has_a_floor():
    source = nbformat.read(ROOT / SOURCES[ENGINE], 4)
    text = " ".join(" ".join(cell.source.split()) for cell in source.cells)
    assert "Without the floor, a correct slope of 10⁻⁹ would be called wrong" in text


@pytest.mark.parametrize("k", [None, 1, 3, 7])
def test_more_than_all_characters_are_all(k):
    chances = defined(LSTM, "next_probabilities")["next_probabilities"]
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    p = chances(logits, 1.0, k)
    if k in (None, 3, 7):
        torch.testing.assert_close(p, logits.softmax(1))
    assert p.sum().item() == pytest.approx(1) and (p > 0).sum() == min(k or 3, 3)


def test_temperature_0_is_refused_or_said_to_be_none():
    drawn = defined(GPT, "drawn")["drawn"]
    with pytest.raises(AssertionError, match="take the arg max"):
        drawn(0)
    chances = defined(LSTM, "next_probabilities")["next_probabilities"]
    assert "temperature: above 0" in chances.__doc__


@pytest.mark.parametrize("tokens", [[-1], [256], [65, -3]])
def test_a_token_that_no_rule_makes_is_refused(tokens):
    with pytest.raises(IndexError):
        defined(GPT, "bpe_decode")["bpe_decode"](tokens, [])


@pytest.mark.parametrize(
    ("losses", "stops"),
    [([math.nan, 0.9, 0.8, 0.7], False), ([0.5, math.nan, math.nan], True), ([math.nan] * 3, True)],
)
def test_nan_is_no_best_loss(losses, stops):
    assert stop_early(losses, 2) is stops


@pytest.fixture
def engine():
    backs = [f"{name}_backward" for name in OPERATIONS]
    names = ("Tensor", "apply", "unbroadcast", "log_softmax", *backs)
    return defined(ENGINE, *names, "topological_order", "backward", "cross_entropy")


def test_the_loss_of_an_impossible_other_class_is_finite(engine):
    logits = engine["Tensor"]([[0.0, -math.inf, 0.0], [1.0, 0.0, -math.inf]])
    loss = engine["cross_entropy"](logits, np.array([2, 0]))
    expected = F.cross_entropy(torch.tensor(logits.data), torch.tensor([2, 0]))
    assert float(loss.data) == pytest.approx(expected.item())


def test_two_losses_over_a_shared_node_add_up_and_no_more(engine):
    x = engine["Tensor"](3.0)
    square = x * x
    for loss in (square.sum(), (square * 10.0).sum()):
        engine["backward"](loss)
    assert float(x.grad) == 66  # as in torch


def test_the_given_adamw_takes_the_steps_of_torch():
    adamw = defined(ENGINE, "SGD", "AdamW")["AdamW"]
    ours = [SimpleNamespace(data=np.ones(3), grad=None), SimpleNamespace(data=np.eye(2), grad=None)]
    theirs = [nn.Parameter(torch.tensor(one.data)) for one in ours]
    optimiser = adamw(ours, rate=0.05, decay=0.1)
    expected = torch.optim.AdamW(theirs, lr=0.05, weight_decay=0.1)
    for step in range(50):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = np.cos(step + 3 * one.data)
            other.grad = torch.tensor(one.grad)
        optimiser.step()
        expected.step()
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.data, other.detach().numpy(), rtol=1e-6)
