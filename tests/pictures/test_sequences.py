"""The pictures of text and series: what they show is what they were given."""

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dlcourse.data.series import Series
from dlcourse.pictures import sequences


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def drawn(figure):
    figure.canvas.draw()
    return figure


def test_gates_have_a_column_for_each_character_and_show_blanks():
    ax = sequences.gates("a b\n", torch.rand(4, 7))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "␣", "b", "↵"]
    assert ax.images[0].get_array().shape == (7, 4)
    drawn(ax.figure)


def test_two_series_keep_their_own_axes():
    one = Series(torch.linspace(1958, 2001, 50, dtype=torch.float64), torch.rand(50), 52, "ppm")
    two = Series(torch.linspace(1950, 2010, 40, dtype=torch.float64), torch.rand(40), 12, "°C")
    figure = drawn(sequences.two_series(one, two, ["air", "sea"]))
    assert [ax.get_ylabel() for ax in figure.axes] == ["ppm", "°C"]
    assert [len(ax.lines[0].get_xdata()) for ax in figure.axes] == [50, 40]


def test_a_fan_shows_the_past_that_was_asked_for_and_the_middle_quantile():
    past, future, quantiles = (
        torch.arange(9.0),
        torch.ones(3),
        torch.tensor([[0.0, 1, 2, 3, 4]]).expand(3, -1),
    )
    ax = sequences.fan(past, future, quantiles, "weeks", "ppm", shown=4)
    assert ax.lines[0].get_xdata().tolist() == [-3, -2, -1, 0] and ax.lines[
        0
    ].get_ydata().tolist() == [5, 6, 7, 8]
    assert ax.lines[2].get_ydata().tolist() == [2, 2, 2] and ax.get_xlabel() == "weeks from now"
    figure = drawn(sequences.fans([(past, future, quantiles)] * 2, "weeks", "ppm"))
    assert len(figure.axes) == 2 and len(figure.axes[1].lines[0].get_xdata()) == 9


def test_residuals_are_drawn_over_time_and_by_lag():
    errors = {"one": torch.randn(20), "two": torch.randn(20)}
    figure = sequences.residuals(
        torch.arange(20.0), errors, {name: torch.rand(5) for name in errors}, "°C", "months", 0.3
    )
    left, right = drawn(figure).axes
    assert left.get_ylabel() == "residual (°C)" and right.get_xlabel() == "lag (months)"
    assert len(right.lines) == 2 and len(right.lines[0].get_xdata()) == 5


def test_an_attention_has_the_length_of_what_was_read():
    weights = torch.rand(2, 6)
    ax = sequences.looks("a b", "xy", weights)
    assert np.allclose(ax.images[0].get_array(), weights[:, :3])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "␣", "b"]
    assert len(drawn(sequences.looks_at([("ab", "x", torch.rand(1, 2))] * 3)).axes) == 3


def test_readers_put_both_losses_on_one_scale_of_steps():
    runs = {
        name: {"training": torch.rand(40), "validation": torch.rand(2)} for name in ("healthy", "A")
    }
    figure = drawn(sequences.readers(runs, {"ln V": 4.5, "unigram": 3.2}))
    training, validation = figure.axes
    assert training.lines[0].get_xdata()[-1] == validation.lines[0].get_xdata()[-1] == 40
    assert [line.get_label() for line in training.lines] == ["healthy", "A", "ln V", "unigram"]
