"""Curves and bands draw what they are given, and label it."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from dlcourse import plot


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_curves_label_axes_and_lines():
    ax = plot.curves(
        {"a": [3.0, 2.0], "b": ([1, 10], torch.tensor([1.0, 2.0]))}, "step", "loss", logx=True
    )
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()) == ("step", "loss", "log")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert list(ax.lines[0].get_xdata()) == [1, 2]


def test_bands_draw_the_mean_and_refuse_runs_of_another_length():
    ax = plot.bands([1, 2], {"a": [[0.0, 1.0], [2.0, 3.0]]}, "width", "error")
    assert list(ax.lines[0].get_ydata()) == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"'a' has shape \(2, 3\), expected \(seeds, 2\)"):
        plot.bands([1, 2], {"a": np.zeros((2, 3))}, "width", "error")
