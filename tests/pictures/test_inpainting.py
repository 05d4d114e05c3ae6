"""The pictures of data sets and of filled holes show what they were given."""

import matplotlib
import numpy as np
import pytest
import torch
from answers import WARNINGS_ARE_ERRORS

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dlcourse.pictures import inpainting as pictures

pytestmark = WARNINGS_ARE_ERRORS


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_fillings_have_a_row_for_each_method_and_the_hole_is_orange():
    x, hole = torch.rand(3, 1, 5, 4), torch.zeros(3, 1, 5, 4, dtype=torch.bool)
    hole[1, 0, 2, 3] = True
    figure = pictures.fillings({"hole": x, "filled": x}, hole)
    assert len(figure.axes) == 6 and [ax.get_ylabel() for ax in figure.axes[::3]] == [
        "hole",
        "filled",
    ]
    shown = figure.axes[1].images[0].get_array()
    assert np.allclose(shown[2, 3], pictures.VEIL) and not np.allclose(shown[2, 2], pictures.VEIL)
    # only the first row hides
    assert not np.allclose(figure.axes[4].images[0].get_array()[2, 3], pictures.VEIL)


def test_fillings_use_the_limits_and_take_images_from_any_device_state():
    x = torch.full((1, 1, 2, 2), 5.0, requires_grad=True)
    ax = pictures.fillings({"a": x}, limits=(0, 10)).axes[0]
    assert np.allclose(ax.images[0].get_array(), 0.5, atol=0.01)


class Handle:
    """What IPython's display returns: it counts how often the figure was shown again."""

    def __init__(self, figure, display_id):
        self.figure, self.updates = figure, 0

    def update(self, figure):
        assert figure is self.figure
        self.updates += 1


def test_live_curves_grow():
    show = pictures.live_curves(Handle, "loss", keys=("loss", "raw"))
    show([{"epoch": 1, "loss": 3.0, "raw": 2.0}])
    show([{"epoch": 1, "loss": 3.0, "raw": 2.0}, {"epoch": 2, "loss": 1.0, "raw": 0.5}])
    ax = show.__closure__[show.__code__.co_freevars.index("ax")].cell_contents
    assert [line.get_label() for line in ax.lines] == ["loss", "raw"]
    assert list(ax.lines[1].get_ydata()) == [2.0, 0.5] and ax.get_ylabel() == "loss"
    handle = show.__closure__[show.__code__.co_freevars.index("handle")].cell_contents
    assert handle.updates == 2 and handle.figure is ax.figure
    assert plt.get_fignums() == []  # closed: a notebook shows it once, by its handle


def test_recalls_have_a_dot_for_each_seed_and_class_and_rare_classes_are_shaded():
    ax = pictures.recalls({"plain": np.zeros((3, 4)), "sampled": torch.ones(3, 4)}, rare=[1, 2])
    assert len([line for line in ax.lines if line.get_marker() in "os"]) == 6
    assert len(ax.patches) == 2 and ax.get_ylabel() == "recall"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["plain", "sampled"]


def test_padding_is_shaded_from_the_end_of_each_signal():
    x, mask = torch.zeros(2, 10, 3), torch.arange(10) < torch.tensor([[4], [10]])
    figure = pictures.padded_signals(x, mask, rate=2)
    assert figure.axes[0].patches[0].get_x() == 2.0 and figure.axes[1].patches[0].get_width() == 0.0
    assert "s" in figure.axes[1].get_xlabel()


def test_a_trade_off_has_a_line_for_each_seed_one_for_the_mean_and_a_named_mark():
    path = np.stack([np.linspace(0.9, 0.8, 5), np.linspace(0.2, 0.6, 5)], axis=1)
    ax = pictures.trade_off({"a": np.stack([path, path + 0.02]), "b": [path]}, {"a": 0, "b": 2})
    assert len(ax.lines) == 2 + 1 + 1 + 1 + 1 + 1
    assert np.allclose(ax.lines[2].get_ydata(), path[:, 1] + 0.01)
    assert [text.get_text() for text in ax.texts] == ["a alone", "b alone"]
    assert np.allclose(ax.lines[-1].get_xydata(), path[2])
