"""The pictures of recurrent networks: what they show is what they were given."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.pictures import recurrent

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_the_chain_has_a_state_more_than_inputs_and_the_same_weights_at_each_step():
    ax = recurrent.unrolled(3)
    texts = [text.get_text() for text in ax.texts if text.get_text()]
    assert (
        sum("mathbf{h}" in text for text in texts) == 4
        and sum("mathbf{x}" in text for text in texts) == 3
    )
    assert sum("W}_h" in text for text in texts) == 3 and sum("W}_x" in text for text in texts) == 3
    ax.figure.canvas.draw()


def test_driven_lines_are_dashed_in_the_colour_of_their_pair():
    ax = recurrent.reach(
        {
            "a": torch.ones(3),
            "a, driven": torch.rand(3),
            "b": torch.ones(3),
            "b, driven": torch.rand(3),
        }
    )
    styles, colours = (
        [line.get_linestyle() for line in ax.lines],
        [line.get_color() for line in ax.lines],
    )
    assert styles == ["-", "--", "-", "--"]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert list(ax.lines[0].get_xdata()) == [0, 1, 2] and ax.get_yscale() == "log"


def test_an_explosion_is_drawn_at_the_top_and_not_left_out():
    wild = (
        torch.tensor([1.0, 1e20, float("inf"), float("nan")]),
        torch.tensor([2.0, 3.0, 1e15, float("inf")]),
    )
    figure = recurrent.explosion({"wild": wild, "tame": (torch.ones(4), torch.ones(4))}, most=1e9)
    assert np.allclose(figure.axes[0].lines[0].get_ydata(), [1, 1e9, 1e9, 1e9])
    assert np.allclose(figure.axes[1].lines[0].get_ydata(), [2, 3, 1e9, 1e9])
    figure.canvas.draw()
