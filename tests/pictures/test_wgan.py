"""The pictures of the earth mover's distance and of its critics: what they
show is what they were given."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from torch import nn

from dlcourse.pictures import wgan


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_a_measure_has_a_panel_and_infinity_is_marked_apart():
    shift = torch.linspace(-1, 1, 5)
    infinite = torch.tensor([torch.inf, torch.inf, 0.0, torch.inf, torch.inf])
    figure = wgan.separation(shift, {"KL": infinite, "W": shift.abs()})
    assert [ax.get_title() for ax in figure.axes] == ["KL", "W"]
    assert (
        len(figure.axes[0].lines[0].get_xdata()) == 1
        and len(figure.axes[0].lines[1].get_xdata()) == 4
    )
    assert np.allclose(figure.axes[1].lines[0].get_ydata(), shift.abs())


def test_a_plan_stands_between_its_piles():
    places, shares = torch.arange(4.0), torch.full((4,), 0.25)
    figure = wgan.plan(places, shares, shares.flip(0), torch.diag(shares))
    middle, top, left = figure.axes
    assert np.allclose(middle.images[0].get_array(), torch.diag(shares))
    assert [bar.get_height() for bar in top.patches] == [0.25] * 4
    assert [bar.get_width() for bar in left.patches] == [0.25] * 4


def test_prices_show_both_umpires():
    x = torch.linspace(0, 1, 7)
    figure = wgan.prices(x, x, 1 - x, 2 * x, x / 2)
    assert np.allclose(figure.axes[1].lines[0].get_ydata(), 2 * x)
    assert np.allclose(figure.axes[1].lines[1].get_ydata(), x / 2)


def test_a_surface_and_a_histogram_for_each_critic():
    critic = nn.Linear(2, 1)
    figure = wgan.surfaces(
        {"a": critic, "b": nn.Linear(2, 1)}, torch.randn(30, 2), torch.randn(30, 2)
    )
    assert len(figure.axes) == 4 and [ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]
    # the bias is not counted
    assert sum(patch.get_height() for patch in figure.axes[2].patches) == 2


def test_the_surface_is_not_mirrored():
    class East(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1, 1))

        def forward(self, x):
            return (x[:, :1] > 1.5).float()

    figure = wgan.surfaces({"east": East()}, torch.zeros(3, 2), torch.zeros(3, 2))
    high = [path for path in figure.axes[0].collections[0].get_paths() if len(path.vertices)][-1]
    assert high.vertices[:, 0].min() > 1.3 and high.vertices[:, 1].min() < -3


def test_the_clinic_has_a_column_for_each_patient():
    run = {"estimate": torch.randn(40), "slope": torch.rand(40), "samples": torch.randn(10, 2)}
    figure = wgan.clinic({"healthy": run, "A": run}, torch.randn(30, 2))
    assert len(figure.axes) == 6 and [ax.get_title() for ax in figure.axes[:2]] == ["healthy", "A"]


def test_a_duel_against_updates_and_against_seconds():
    away = {"one": torch.rand(3, 4) + 1, "two": torch.rand(3, 2) + 1}
    where = {"one": torch.arange(4), "two": torch.arange(2)}
    figure = wgan.duel(where, {name: 2 * x for name, x in where.items()}, away, 0.5)
    assert np.allclose(figure.axes[1].lines[0].get_xdata(), [0, 2, 4, 6])
    assert np.allclose(figure.axes[0].lines[1].get_ydata(), away["two"].mean(0))


def test_estimates_beside_exact_distances_and_losses_followed():
    figure = wgan.agreement({"n = 1": [torch.tensor([[1.0, 2.0], [2.0, 1.5]])]})
    assert figure.axes[0].lines[0].get_xdata().tolist() == [2.0, 1.5]
    assert figure.axes[0].lines[1].get_ydata().tolist() == [2.0]
    losses, away = {"DCGAN": torch.rand(3, 4)}, {"DCGAN": torch.rand(3, 4) + 1}
    figure = wgan.follows(losses, away, {"DCGAN": "nats"})
    assert len(figure.axes[0].lines) == 3 and figure.axes[0].get_xlabel() == "nats"
