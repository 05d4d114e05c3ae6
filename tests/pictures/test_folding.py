"""Folded planes and their pieces: everything lies inside its panel."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from dlcourse.pictures import folding


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def assert_inside(ax, points):
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    assert left < low[0] and high[0] < right and bottom < low[1] and high[1] < top


def test_regions_colour_equal_patterns_alike():
    patterns = np.zeros((4, 6, 3), dtype=bool)
    patterns[:, 3:, 1] = True
    colours = folding.regions(patterns, (0, 1, 0, 1)).images[0].get_array()
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == 2


def test_folded_draws_every_point_with_unit_spread():
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 0.1])
    figure = folding.folded([lambda p: p, torch.relu], x, torch.arange(50) % 2, ["before", "after"])
    points = np.concatenate([c.get_offsets() for c in figure.axes[0].collections])
    assert np.allclose(np.asarray(points).std(0), 1, atol=0.02)
    x[0] = 100  # a point far outside: its panel grows
    figure = folding.folded([lambda p: p], x, torch.arange(50) % 2, ["far"])
    points = np.concatenate([c.get_offsets() for c in figure.axes[0].collections])
    assert_inside(figure.axes[0], points)
    with pytest.raises(ValueError, match="1 maps and 2 titles"):
        folding.folded([torch.relu], x, torch.zeros(50), ["a", "b"])


def test_folded_shows_all_of_its_grid_and_names_its_axes():
    x = torch.randn(60, 2, generator=torch.Generator().manual_seed(1))
    figure = folding.folded(
        [lambda p: p, lambda p: p**3], x, torch.arange(60) % 2, ["input", "after block 1"]
    )
    for ax in figure.axes:
        drawn = np.concatenate([line.get_xydata() for line in ax.lines])
        assert_inside(ax, drawn)
        assert ax.get_xlabel() and ax.get_ylabel() and len(ax.get_xticks()) > 1


def test_xor_corners_say_where_two_corners_meet():
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    hidden = np.array([[0, 0], [0, 1], [1, 0], [0, 0]])
    figure = folding.xor_corners(
        corners, hidden, np.array([-1, 1, 1, -1]), [(-0.3, 0.8), (0.8, -0.3)]
    )
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == ["2 corners"]
    assert len(figure.axes[1].lines) == 1
    named = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert named == ["XOR is false", "XOR is true"]
