"""The pictures of the second day of convolutional networks: what they
show is what they were given."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dlcourse.pictures import architectures as pictures


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def texts(ax):
    return [one.get_text() for one in ax.texts]


def test_costs_show_every_network_in_both_panels():
    networks = {"small": (6e4, 4e5, 0.5), "large": (1.4e8, 1.5e10, 400.0)}
    figure = pictures.costs(networks)
    left, right = figure.axes
    points = [line for line in right.lines if line.get_linestyle() == "None"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in points] == [
        (4e-4, 0.5),
        (15.0, 400.0),
    ]
    assert [line.get_ydata()[0] for line in left.lines] == [0.06, 140.0]
    assert texts(left) == texts(right) == ["large", "small"]  # from top to bottom
    assert [one.xy[0] for one in right.texts] == [15.0, 4e-4]  # each with a line to its point
    low, high = right.get_ylim()
    assert low < 0.5 and high > 400


def test_reach_frames_what_has_a_gradient():
    gradient = np.zeros((20, 30))
    gradient[4:11, 10:17] = 0.5
    gradient[7, 13] = 2.0
    figure = pictures.reach(gradient, 7)
    left, right = figure.axes[:2]
    assert left.images[0].get_array().sum() == 49 and right.images[0].get_array().max() == 1
    frame = left.patches[0]
    assert (*frame.get_xy(), frame.get_width()) == (9.5, 3.5, 7)  # pixel 10 begins at 9.5


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_an_hourglass_names_the_maps_of_every_level(levels):
    ax = pictures.hourglass(width=4, levels=levels, size=32, outputs=3).axes[0]
    written = texts(ax)
    for level in range(levels + 1):
        assert written.count(f"{4 * 2**level} × {32 // 2**level}²") == (1 if level == levels else 2)
    assert len(ax.patches) == 2 * levels + 1 and "1×1 → 3 × 32²" in written


def test_sections_outline_what_is_there_and_nothing_else():
    x = np.random.default_rng(0).normal(size=(3, 1, 8, 10))
    mask = np.zeros((3, 1, 8, 10), dtype=bool)
    mask[0, 0, 3:6, 2:7] = True
    mask[2] = True  # everywhere: no outline either
    figure = pictures.sections(
        x, {"salt": mask, "fault": mask}, 0.004, 25.0, ["a", "b", "c"], columns=2
    )
    assert [len(ax.collections) for ax in figure.axes] == [2, 0, 0, 0]
    assert figure.axes[0].images[0].get_extent() == [0, 0.25, 0.032, 0]  # km and seconds
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c", ""]
    assert (
        figure.get_supxlabel() == "distance (km)" and figure.get_supylabel() == "two-way time (s)"
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_heat_lies_over_the_whole_image(channels):
    images = np.full((2, channels, 28, 56), 0.5)
    maps = np.arange(2 * 7 * 14).reshape(2, 7, 14)
    figure = pictures.heat(images, maps, ["left", "right"], columns=1)
    for ax, one, title in zip(figure.axes, maps, ("left", "right"), strict=True):
        image, heat = ax.images
        assert image.get_extent() == heat.get_extent() == [0, 56, 28, 0]
        assert np.array_equal(heat.get_array(), one) and ax.get_title() == title
