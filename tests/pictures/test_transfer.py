import matplotlib.pyplot as plt
import numpy as np
import pytest

from dlcourse.pictures.transfer import error_bars


def test_error_bars_show_mean_and_one_standard_deviation_side_by_side():
    runs = {
        "one": np.array([[0.5, 0.8], [0.7, 0.9], [0.6, 1.0]]),
        "two": np.array([[0.1, 0.2], [0.3, 0.2]]),
    }
    ax = error_bars([5, 20], runs, "images", "accuracy")
    first, second = ax.containers
    assert list(first.lines[0].get_ydata()) == pytest.approx([0.6, 0.9])
    low, high = first.lines[1]
    assert high.get_ydata()[0] - low.get_ydata()[0] == pytest.approx(2 * 0.1)
    assert first.lines[0].get_xdata()[0] < 5 < second.lines[0].get_xdata()[0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["5", "20"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]
    plt.close("all")


def test_runs_that_do_not_match_the_sizes_are_named():
    with pytest.raises(ValueError, match=r"'one' has shape \(3,\), expected \(seeds, 2\)"):
        error_bars([5, 20], {"one": np.zeros(3)}, "x", "y")
