"""The pictures of the strategies: what they show is what they were given."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dlcourse.pictures import strategies


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_loads_are_sorted_and_averaged():
    shares = torch.tensor([[0.1, 0.6, 0.3], [0.8, 0.2, 0.0]])
    figure = strategies.loads({"free": shares, "balanced": torch.full((2, 3), 1 / 3)})
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == pytest.approx([0.7, 0.25, 0.05]) and len(figure.axes) == 2
    assert len(strategies.loads({"one": shares}).axes) == 1


def test_response_draws_rain_level_and_models():
    rain = torch.rand(30)
    figure = strategies.response(rain, rain.cumsum(0), {"a": rain, "b": rain * 2})
    assert len(figure.axes[0].collections[0].get_segments()) == 30
    assert [line.get_label() for line in figure.axes[1].lines] == ["true level", "a", "b"]


def test_arms_show_every_seed():
    figure = strategies.arms(
        {"labels": torch.tensor([0.5, 0.7]), "soft": torch.tensor([0.8, 0.9])}, ylabel="accuracy"
    )
    ax = figure.axes[0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["labels", "soft"]
    assert ax.get_ylabel() == "accuracy" and len(ax.lines) == 2 + 2 * 2
