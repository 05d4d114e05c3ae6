"""The pictures of agents: what they show is what they were given."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.methods.worlds import GridWorld
from dlcourse.pictures import rl

WORLD = GridWorld(["S.G", ".#x"], slip=0.1, rewards={"G": 1.0, "x": -1.0}, ends="Gx")


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_maps_show_values_and_arrows_of_the_squares_where_one_acts():
    v = torch.arange(6, dtype=torch.float64)
    figure = rl.value_maps(WORLD, {"one": v, "two": -v}, {"one": torch.tensor([1, 1, 0, 0, 0, 0])})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "→\n0.00" in texts and "→\n1.00" in texts and "↑\n3.00" in texts
    # the goal, the rock, the hole
    assert not any("2.00" in text or "4.00" in text or "5.00" in text for text in texts)
    assert figure.axes[1].get_title() == "two" and "-1.00" in [
        text.get_text() for text in figure.axes[1].texts
    ]


def test_a_route_passes_through_its_squares():
    ax = rl.paths(WORLD, {"mine": [0, 1, 2]})
    line = next(line for line in ax.lines if line.get_label() == "mine")
    assert np.allclose(line.get_xdata(), [0, 1, 2]) and np.allclose(line.get_ydata(), 0)


def test_a_film_begins_with_the_first_and_ends_with_the_last_moment():
    states = torch.zeros(101, 4)
    states[:, 2] = torch.linspace(0, 0.2, 101)
    figure = rl.film({"falling": states, "still": torch.zeros(11, 4)}, frames=5)
    assert len(figure.axes) == 10
    assert figure.axes[0].get_title() == "0.00 s" and figure.axes[4].get_title() == "2.00 s"
    pole = figure.axes[4].lines[-1]
    assert pole.get_xdata()[1] == pytest.approx(np.sin(0.2))


def test_smoothing_is_a_running_mean():
    values = torch.arange(12.0).reshape(2, 6)
    assert np.allclose(rl.running_mean(values, 3), [[1, 2, 3, 4], [7, 8, 9, 10]])
    assert rl.running_mean(values, 7).shape == (2, 0)


def test_the_clinic_and_the_state_maps_have_a_panel_each():
    run = {name: torch.rand(30) for name in ("value", "training", "evaluation")}
    figure = rl.clinic({"healthy": run, "A": run}, exact=0.6)
    assert [ax.get_title() for ax in figure.axes] == ["healthy", "A"] and len(
        figure.axes[0].lines
    ) == 4
    x, y = torch.meshgrid(torch.linspace(-1, 1, 5), torch.linspace(0, 2, 4), indexing="ij")
    figure = rl.state_maps(x, y, {"a": x * y, "b": x + y}, "x", "y")
    assert [ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]
