"""The pictures of graphs and of physics show what they were given."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dlcourse.pictures import graphs_and_physics


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_influence_counts_the_nodes_that_hear():
    places, edges = torch.rand(4, 2), torch.tensor([[0, 1, 2], [1, 2, 3]])
    reach = {
        "1 layer": torch.tensor([1.0, 0.5, 0, 0]),
        "2 layers": torch.tensor([1.0, 0.5, 0.1, 0]),
    }
    figure = graphs_and_physics.reach_maps(places, edges, reach, 0)
    assert [ax.get_title() for ax in figure.axes] == ["1 layer: 2 of 4", "2 layers: 3 of 4"]
    assert all(len(ax.lines) == 3 for ax in figure.axes)  # one for each edge


def test_smoothing_draws_spread_and_accuracy():
    figure = graphs_and_physics.smoothing(
        [1, 4, 16], torch.tensor([1.0, 0.5, 0.1]), torch.rand(3, 3)
    )
    spread, accuracy = figure.axes
    assert spread.lines[0].get_ydata().tolist() == pytest.approx([1.0, 0.5, 0.1])
    assert accuracy.lines[0].get_xdata().tolist() == [1, 4, 16] and accuracy.get_xscale() == "log"


def test_solution_shares_a_scale_and_shows_the_difference():
    truth = torch.linspace(0, 1, 12).reshape(3, 4)
    figure = graphs_and_physics.solution(truth + 0.1, truth)
    answer, exact, error = (ax.images[0] for ax in figure.axes if ax.images)
    assert answer.get_clim() == exact.get_clim() == (0.0, 1.0)
    assert error.get_array().max() == pytest.approx(0.1, abs=1e-6)
    assert graphs_and_physics.solution(truth, truth)  # no error at all can be drawn too
