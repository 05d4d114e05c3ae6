"""The drawings of the lectures: they draw what they were asked for, and say so when they cannot."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from dlcourse.pictures import first_network as pictures


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_neuron_names_every_input_and_weight():
    found = texts(pictures.neuron(("a", "b")))
    assert {"$a$", "$b$", "$w_1$", "$w_2$"} <= set(found)
    with pytest.raises(ValueError, match="at least one input"):
        pictures.neuron(())


def test_layer_graph_states_the_shape_of_each_weight_matrix():
    found = texts(pictures.layer_graph((784, 128, 10)))
    assert any("128×784" in text for text in found) and any("10×128" in text for text in found)
    assert found.count("⋮") == 3
    with pytest.raises(ValueError, match="two layers"):
        pictures.layer_graph((3,))
    with pytest.raises(ValueError, match="2 layers and 1 names"):
        pictures.layer_graph((3, 4), ["input"])


def test_half_planes_need_a_direction():
    assert pictures.half_planes((1, 2), -1).get_xlabel() == "$x_1$"
    with pytest.raises(ValueError, match="not zero"):
        pictures.half_planes((0, 0), 1)


def test_descent_stops_drawing_where_the_path_leaves_the_span():
    figure = pictures.descent(
        np.square, {"in": [1.0, 0.5, 0.2], "out": [1.0, -2.0, 4.0, -8.0]}, (-3, 3)
    )
    drawn = [len(ax.lines[1].get_xdata()) for ax in figure.axes]
    assert drawn == [3, 2]


def test_landforms_leave_negative_classes_bare_and_draw_the_border():
    z = np.random.default_rng(0).normal(size=(12, 10)) * 20
    forms = torch.zeros(12, 10, dtype=torch.int64)
    forms[:, 5:] = -1
    figure = pictures.landforms(
        z, {"one": forms, "two": forms}, ("low", "high"), (90.0, 70.0), border=5
    )
    assert len(figure.axes) == 2
    classes = figure.axes[0].images[1].get_array()
    assert classes.mask[:, 5:].all() and not classes.mask[:, :5].any()
    assert figure.axes[0].lines[0].get_xdata()[0] == pytest.approx(0.35)  # km
