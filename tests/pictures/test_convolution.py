"""The drawings of convolutions: they draw what they were asked for, with axes and units."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from dlcourse.pictures import convolution as pictures


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_traces_share_their_time_axis_and_are_marked():
    figure = pictures.traces({"short": torch.zeros(5), "long": torch.ones(10)}, dt=0.5, marks=[2.0])
    assert [len(ax.lines) for ax in figure.axes] == [2, 2]
    assert (
        figure.axes[1].lines[0].get_xdata()[-1] == 4.5 and figure.axes[1].get_xlabel() == "time (s)"
    )
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()


def test_window_writes_every_number_and_frames_window_kernel_and_result():
    x, w = torch.arange(12.0).reshape(3, 4), torch.ones(2, 2)
    figure = pictures.window(x, w, torch.full((2, 3), 7.5), at=(1, 2))
    assert [len(ax.texts) for ax in figure.axes] == [12, 4, 6]
    frames = [ax.patches[0] for ax in figure.axes]
    assert frames[0].get_xy() == (1.5, 0.5) and frames[0].get_width() == 2
    assert frames[2].get_xy() == (1.5, 0.5) and frames[2].get_width() == 1
    assert figure.axes[2].texts[0].get_text() == "7.5"


@pytest.mark.parametrize(
    ("settings", "outputs"),
    [
        ({}, 6),
        ({"padding": 1}, 8),
        ({"stride": 2}, 3),
        ({"dilation": 2}, 4),
        ({"stride": 2, "padding": 1}, 4),
    ],
)
def test_wiring_draws_each_weight_of_each_output_and_counts_as_torch_does(settings, outputs):
    assert (
        torch.nn.functional.conv1d(torch.zeros(1, 1, 8), torch.zeros(1, 1, 3), **settings).shape[-1]
        == outputs
    )
    (ax,) = pictures.wiring({"layer": settings}, n=8).axes
    assert ax.get_title() == f"layer\n8 → {outputs}"
    wires = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert len(wires) == 3 * outputs and len({line.get_color() for line in wires}) == 3
    reached = [line.get_xdata()[0] for line in wires]
    assert min(reached) >= -settings.get("padding", 0) and max(reached) < 8 + settings.get(
        "padding", 0
    )


def test_maps_are_in_kilometres_and_share_limits_where_they_are_given():
    field = np.arange(20.0).reshape(4, 5)
    figure = pictures.maps(
        {"a": field, "b": 2 * field, "c": field}, (100.0, 50.0), "m", columns=2, limits=(0, 10)
    )
    assert figure.axes[0].images[0].get_extent() == [0, 0.25, 0.4, 0]
    assert [ax.images[0].get_clim() for ax in figure.axes[:3]] == [(0, 10)] * 3
    assert (
        figure.axes[0].get_ylabel() == "south (km)" and figure.axes[2].get_xlabel() == "east (km)"
    )


def test_a_matrix_is_white_at_zero():
    image = pictures.matrix(torch.tensor([[0.0, 1.0], [-3.0, 0.0]])).images[0]
    assert image.get_clim() == (-3, 3)


def test_the_pixels_of_a_matrix_are_counted_in_whole_numbers():
    ax = pictures.matrix(torch.eye(12))
    assert all(tick == round(tick) for tick in ax.get_xticks())


def test_panels_have_their_own_scale_or_a_common_one():
    images = {"a": torch.zeros(4, 6) + 2, "b": np.eye(3), "c": -np.eye(3)}
    own = pictures.panels(images, columns=2, limits="symmetric")
    assert [ax.images[0].get_clim() for ax in own.axes[:3]] == [(-2, 2), (-1, 1), (-1, 1)]
    common = pictures.panels(images, limits=(0, 1), frames=True)
    assert [ax.images[0].get_clim() for ax in common.axes] == [(0, 1)] * 3
    assert all(spine.get_visible() for spine in common.axes[0].spines.values())
