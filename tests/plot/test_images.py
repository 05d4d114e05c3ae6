"""Grids of images show every image."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
import torch

from dlcourse import plot


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("shape", [(10, 8, 6), (10, 1, 8, 6), (10, 3, 8, 6)])
def test_image_grid_shows_every_image_and_hides_the_empty_places(shape):
    figure = plot.image_grid(torch.rand(shape), titles=[str(i) for i in range(10)], columns=4)
    shown = [ax for ax in figure.axes if ax.images]
    assert len(shown) == 10 and len(figure.axes) == 12
    assert not any(ax.axison for ax in figure.axes)


def test_image_grid_refuses_nothing_and_titles_that_do_not_match():
    with pytest.raises(ValueError, match="no images"):
        plot.image_grid(torch.rand(0, 2, 2))
    with pytest.raises(ValueError, match="2 images and 1 titles"):
        plot.image_grid(torch.rand(2, 4, 4), titles=["a"])
