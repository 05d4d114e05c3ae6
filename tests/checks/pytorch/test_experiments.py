"""The experiments of Day 3's morning that stand in the library: a run that goes on from its weights
alone, and what a list of losses holds in memory."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.pytorch.graphs import held_by
from dlcourse.checks.pytorch.interrupted import run_losses


@pytest.fixture(scope="module")
def data():
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(10, (130,), generator=generator)
    return F.one_hot(y, 10).float() + 0.3 * torch.randn(130, 10, generator=generator), y


def test_a_run_is_the_same_up_to_its_cut_and_another_one_behind_it(data):
    whole, cut = run_losses(*data, seed=1), run_losses(*data, seed=1, cut=9)
    assert len(whole) == len(cut) == 12
    assert whole[:9] == cut[:9] and whole[9] < cut[9]


def test_a_run_repeats_and_leaves_the_global_generator_alone(data):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert run_losses(*data, seed=2) == run_losses(*data, seed=2) != run_losses(*data, seed=3)
    assert torch.equal(before, torch.get_rng_state())


def kept(batches, learn=False):
    model, losses = nn.Sequential(nn.Linear(3, 5), nn.Sigmoid(), nn.Linear(5, 1)), []
    for _ in range(batches):
        loss = model(torch.rand(7, 3)).mean()
        if learn:
            loss.backward()
        losses.append(loss)
    return losses


def test_what_losses_hold_is_what_their_graphs_have_saved():
    one, three = held_by(kept(1)), held_by(kept(3))
    # x of the first layer (7, 3) and the sigmoid (7, 5), which two nodes share
    assert one[0] == pytest.approx(4 * (21 + 35) / 1e6) and three[0] == pytest.approx(3 * one[0])
    parameters = 4  # whose nodes all batches share
    assert three[1] - parameters == 3 * (one[1] - parameters)


def test_after_backward_only_nodes_are_left_and_of_numbers_nothing():
    memory, nodes = held_by(kept(2, learn=True))
    assert memory == 0 < nodes
    assert held_by([0.5, torch.tensor(1.0), kept(1)[0].detach()]) == (0, 0)
