"""The pictures of saliency: what they show is what they were given, and a slip is named."""

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dlcourse.pictures import saliency


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_maps_have_a_row_for_each_image_and_colours_symmetric_about_zero():
    images = torch.rand(2, 1, 5, 6)
    columns = {
        "gradient": torch.randn(2, 5, 6),
        "occlusion": [torch.full((3, 4), -2.0), torch.zeros(3, 4)],
    }
    figure = saliency.maps(images, columns, titles=["two", "four"])
    assert len(figure.axes) == 6
    assert [ax.get_title() for ax in figure.axes[:3]] == ["image", "gradient", "occlusion"]
    assert [figure.axes[i].get_ylabel() for i in (0, 3)] == ["two", "four"]
    assert figure.axes[2].images[0].get_clim() == (-2.0, 2.0)
    assert figure.axes[5].images[0].get_clim()[1] > 0  # a map of zeros has a scale too
    assert np.array_equal(figure.axes[0].images[0].get_array(), images[0, 0].numpy())


def test_a_column_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match="column 'gradient' has 1 maps for 2 images"):
        saliency.maps(torch.rand(2, 5, 5), {"gradient": torch.rand(1, 5, 5)})


def test_two_maps_share_their_ground_and_name_their_units():
    figure = saliency.pair_of_maps(
        torch.rand(4, 6), torch.rand(4, 6), ("height", "relief"), ("m a.s.l.", "m"), (0, 3, 0, 2)
    )
    left, right, *bars = figure.axes
    assert [left.get_title(), right.get_title()] == ["height", "relief"]
    assert left.images[0].get_extent() == right.images[0].get_extent() == [0, 3, 0, 2]
    assert [bar.get_ylabel() for bar in bars] == ["m a.s.l.", "m"]
