"""Logarithmic axes have ticks that can be read."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from dlcourse import plot


@pytest.fixture(autouse=True)
def close_figures():
    with plt.rc_context():
        yield
    plt.close("all")


def labels(ax, axis="y"):
    """The labels of the major ticks inside the limits, and how many minor ticks have labels."""
    ax.figure.draw_without_rendering()
    axis = ax.yaxis if axis == "y" else ax.xaxis
    low, high = sorted(axis.get_view_interval())
    places, texts = axis.get_majorticklocs(), axis.get_majorticklabels()
    shown = [text.get_text() for place, text in zip(places, texts, strict=False)
             if low <= place <= high and text.get_text()]  # fmt: skip
    assert not any(text.get_text() for text in axis.get_minorticklabels())
    return shown


EXPECTED = {
    (0.0009, 1.1): ["0.001", "0.01", "0.1", "1"],
    (0.9, 11): ["1", "2", "5", "10"],
    (0.3, 40): ["0.5", "1", "2", "5", "10", "20"],
    (0.55, 0.95): ["0.6", "0.7", "0.8", "0.9"],
    (8, 60_000): ["10", "100", "1,000", "10,000"],
    (1e-9, 10): [f"$10^{{{k}}}$" for k in (-8, -6, -4, -2, 0)],
    (1.5e-5, 3e-4): [r"$2 \cdot 10^{-5}$", r"$5 \cdot 10^{-5}$", "$10^{-4}$", r"$2 \cdot 10^{-4}$"],
}


@pytest.mark.parametrize("limits", EXPECTED)
def test_ticks_of_a_logarithmic_axis(limits):
    ax = plot.curves({"a": [1.0, 2.0]}, "x", "y", logy=True)
    ax.set_ylim(*limits)
    assert labels(ax) == EXPECTED[limits]
    ax.set_ylim(*limits[::-1])  # an axis that was turned round
    assert sorted(labels(ax)) == sorted(EXPECTED[limits])


def test_bands_and_curves_have_such_ticks_on_both_axes_and_only_where_asked():
    x = [10, 100, 1000]
    runs = {"a": np.array([[1.0, 0.1, 0.02], [2.0, 0.2, 0.03]])}
    ax = plot.bands(x, runs, "images", "error", logx=True, logy=True)
    assert labels(ax, "x") == ["10", "100", "1,000"]
    assert all("$" not in text for text in labels(ax)) and len(labels(ax)) >= 3
    ax = plot.bands(x, runs, "images", "error", logx=True)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")


@pytest.mark.parametrize("width", [1.6, 2.5, 6.0])
@pytest.mark.parametrize("top", [1.5, 20, 3e4, 1e8, 1e30])
def test_ticks_never_touch_and_are_never_alone(width, top):
    ax = plt.subplots(figsize=(width, 2.0), layout="constrained")[1]
    plot.curves({"a": ([1, top], [1, top])}, "x", "y", ax=ax, logx=True, logy=True)
    for axis, name in ((ax.xaxis, "x"), (ax.yaxis, "y")):
        shown = labels(ax, name)
        boxes = [text.get_window_extent() for text in axis.get_majorticklabels()]
        boxes = [box for box in boxes if box.width]
        assert len(shown) >= 2
        assert not any(a.overlaps(b) for a, b in zip(boxes, boxes[1:], strict=False))


def test_ticks_that_are_set_afterwards_stay():
    ax = plot.curves({"a": ([4, 8, 32], [1, 2, 3])}, "x", "y", logx=True)
    ax.set_xticks([4, 8, 32], ["four", "eight", "many"])
    assert labels(ax, "x") == ["four", "eight", "many"]
    ax = plot.curves({"a": ([4, 8, 32], [1, 2, 3])}, "x", "y", logx=True)
    ax.set_xticks([4, 8, 16])
    assert labels(ax, "x") == ["4", "8", "16"]


def test_axes_that_share_a_scale_share_its_ticks():
    _, (left, right) = plt.subplots(1, 2, sharey=True)
    plot.log_axes(right, y=True)
    left.plot([0, 1], [0.002, 2.0])
    assert left.get_yscale() == "log" and labels(left) == ["0.01", "0.1", "1"]
    assert list(right.get_yticks()) == list(left.get_yticks())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_run_that_diverged_at_once_is_drawn(value):
    plot.set_style()
    ax = plot.curves({"loss": [value] * 3}, "step", "loss", logx=True, logy=True)
    ax.figure.canvas.draw()
    assert labels(ax) == []
    ax.plot([1, 10], [0.5, 500])  # and the next one on the same axes has its ticks
    assert labels(ax) == ["1", "10", "100"]
