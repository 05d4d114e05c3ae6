"""The pictures of tensors and of loops: what they show is what they were given."""

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dlcourse.pictures import loops, tensors


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def cells(figure):
    return [tuple(np.round(patch.get_facecolor(), 3)) for patch in figure.axes[0].patches]


def test_views_have_the_colours_of_their_memory_and_copies_are_grey():
    base = torch.arange(6).view(2, 3)
    views = {"base": base, "T": base.T, "copy": base.T.reshape(6), "row": base[1].expand(2, 3)}
    colours = cells(tensors.strides(views))
    strip, rest = colours[:6], colours[6:]
    assert len(set(strip)) == 6 and rest[:6] == strip
    assert rest[6:12] == [strip[i] for i in (0, 3, 1, 4, 2, 5)]
    assert set(rest[12:18]) == {(0.88, 0.88, 0.88, 1.0)}
    assert rest[18:] == strip[3:] * 2


def test_the_texts_say_values_shape_and_strides():
    figure = tensors.strides({"every other": torch.arange(8.0)[1::2]})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert (
        texts[:8] == [str(i) for i in range(8)] and "every other\nshape (4,)\nstrides (2,)" in texts
    )
    assert texts[-4:] == ["1", "3", "5", "7"]


@pytest.mark.parametrize("tensor", [torch.zeros(25), torch.zeros(2, 2, 2)])
def test_what_is_too_large_is_refused(tensor):
    with pytest.raises(ValueError, match="up to 24 numbers"):
        tensors.strides({"t": tensor})


def test_maps_have_a_colour_bar_each():
    figure = tensors.maps({"a": torch.rand(3, 4), "b": np.zeros((2, 2))}, "m")
    assert len(figure.axes) == 4 and [ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]
    assert figure.axes[2].get_ylabel() == "m"


def test_live_curves_can_start_empty_and_leave_no_open_figure():
    row = {"epoch": 1, "train loss": 0.5, "loss": 0.4, "accuracy": 0.9}
    for rows in ([], [row]):
        figure = loops.live(rows, 4)
        assert [len(line.get_xdata()) for ax in figure.axes for line in ax.lines] == [len(rows)] * 3
    assert plt.get_fignums() == []


def test_the_clinic_has_a_column_for_each_run_with_the_healthy_one_dotted():
    keys = ["training loss", "validation accuracy", "first layer moved", "last layer moved"]
    run = {key: np.linspace(1, 0, 5) for key in keys}
    figure = loops.loop_clinic({"A": run, "B": run}, run)
    assert len(figure.axes) == 6 and figure.axes[0].get_title() == "A"
    assert [len(ax.lines) for ax in figure.axes] == [2, 2, 2, 2, 4, 4]
    assert {line.get_linestyle() for line in figure.axes[0].lines} == {"-", ":"}


def test_patients_stand_beside_the_healthy_run_and_the_loss_of_guessing():
    runs = {"healthy": [2.0, 1.0, 0.5], "A": [2.0, 1e9, np.inf]}
    figure = loops.patients({"rate 0.2": runs, "rate 0.1": runs}, guessing=np.log(10))
    assert [ax.get_title() for ax in figure.axes] == ["rate 0.2", "rate 0.1"]
    healthy, explodes, guess = figure.axes[1].lines
    assert (healthy.get_linestyle(), guess.get_linestyle()) == ("--", ":")
    assert explodes.get_ydata().max() == 1000 and figure.axes[1].get_ylim() == (0.05, 100)
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts == ["healthy", "A", "guessing"]


def test_the_recorded_graph_shows_the_numbers_and_gradients_it_was_given():
    w, x, t = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0), torch.tensor(10.0)
    y = w * x
    loss = (y - t) ** 2
    y.retain_grad()
    loss.backward()
    texts = {text.get_text() for text in tensors.recorded_graph(w, x, y, t, loss).axes[0].texts}
    assert {
        "w, a leaf\n2",
        "y.detach()\n6",
        "L = (y − t)²\n16",
        "∂L/∂w = −24",
        "∂L/∂y = −8",
    } <= texts
