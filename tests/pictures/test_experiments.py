"""The pictures of experiments: what they show is what they were given, and a slip is named."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dlcourse.pictures import experiments as pictures


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_histograms_have_a_row_for_each_experiment_and_a_line_for_each_layer():
    panel = {"layer 1": np.random.default_rng(0).normal(size=(5, 4)), "layer 2": np.zeros((5, 4))}
    figure = pictures.layer_histograms(
        {"small": (panel, panel), "large": (panel, panel)}, ["output", "gradient"]
    )
    assert len(figure.axes) == 4 and all(len(ax.patches) == 2 for ax in figure.axes)
    assert [ax.get_title() for ax in figure.axes] == ["small", "small", "large", "large"]
    with pytest.raises(ValueError, match="row 'odd' has not one panel"):
        pictures.layer_histograms({"odd": (panel,)}, ["output", "gradient"])


def test_seed_dots_show_every_seed_and_join_pairs_only():
    ax = pictures.seed_dots(
        {"a": [0.1, 0.2], "b": [0.3, 0.4]}, "accuracy", {"a": (0.15, 0.05), "b": (0.35, 0.05)}
    )
    assert sorted(
        np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() == "o"])
    ) == [
        0.1,
        0.2,
        0.3,
        0.4,
    ]
    assert [one.get_text() for one in ax.get_xticklabels()] == [
        "a",
        "b",
    ] and ax.get_ylabel() == "accuracy"
    assert len(pictures.seed_dots({"a": [1, 2], "b": [3]}, "y").lines) == 2  # nothing to pair


def test_a_clinic_has_a_column_for_each_run():
    run = {
        "loss of the step": np.linspace(3, 1, 50),
        "validation": [0.1, 0.2],
        "fresh data": [0.1, 0.3],
    }
    figure = pictures.clinic({"A": run, "B": run}, guessing=2.3, last=10)
    assert len(figure.axes) == 6
    assert len(figure.axes[2].lines[0].get_xdata()) == 10 and len(figure.axes[4].lines) == 2


def test_searches_stand_side_by_side_with_a_dot_for_each_trial():
    trials = [({"rate": 0.1, "decay": 1.0}, 0.5), ({"rate": 0.01, "decay": 0.1}, 0.9)]
    figure = pictures.search_trials({"random": trials, "grid": trials[:1]}, "accuracy")
    first, second, bar = figure.axes
    assert [len(ax.collections[0].get_offsets()) for ax in (first, second)] == [2, 1]
    assert (first.get_xlabel(), first.get_ylabel()) == ("rate", "decay")
    assert first.get_title() == "random" and bar.get_ylabel() == "accuracy"
