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


@pytest.mark.parametrize("scores", [True, False])
def test_decision_regions_colour_the_half_planes(scores):
    x = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])

    def predict(points):
        right = (points[:, 0] > 0).long()
        return torch.nn.functional.one_hot(right, 2) if scores else right

    region = plot.decision_regions(predict, x, torch.tensor([0, 1])).images[0].get_array()
    assert (region[:, :90] == 0).all() and (region[:, 110:] == 1).all()


def test_confusion_prints_every_count_that_is_not_zero():
    ax = plot.confusion(torch.tensor([[3, 0], [1, 2]]), ["cat", "dog"])
    assert sorted(text.get_text() for text in ax.texts) == ["1", "2", "3"]
    assert ax.get_ylabel() == "true"


def test_confusion_shows_one_error_in_a_hundred_on_white():
    ax = plot.confusion(torch.tensor([[990, 10, 0], [0, 1, 0], [0, 0, 0]]), ["cat", "dog", "cow"])
    image, names = ax.images[0], {text.get_text(): text.get_color() for text in ax.texts}
    depth = image.get_array()
    assert depth[0, 1] > 0.2 and depth[0, 2] == 0  # visible, and nothing where nothing is
    colours = image.cmap(image.norm(depth))[..., :3]
    assert abs(colours[0, 1] - colours[0, 2]).max() > 0.15
    assert names["990"] == "white" and names["10"] == "black"


def test_reliability_bars_are_the_share_correct():
    ax = plot.reliability(torch.tensor([0.95, 0.92, 0.55]), torch.tensor([True, False, True]))
    assert sorted(bar.get_height() for bar in ax.patches) == [0.5, 1.0]
