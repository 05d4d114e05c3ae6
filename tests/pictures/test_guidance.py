"""The pictures of guided sampling: what they show is what they were given."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dlcourse.pictures import guidance


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_the_tradeoff_names_every_scale():
    figure = guidance.guidance_tradeoff(
        [0.0, 1.0, 2.5], [0.1, 0.5, 0.9], [3.0, 2.0, 1.0], torch.ones(3), (1.0, 2.0)
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["0", "1", "2.5"]
    assert (
        figure.axes[0].lines[1].get_xdata()[0] == 2.0
        and len(figure.axes[1].lines[0].get_xdata()) == 3
    )
    assert len(guidance.guidance_tradeoff([0.0], [0.1], [3.0], [1.0]).axes[0].lines) == 1


def test_steps_are_the_ticks_and_lines_may_be_shorter():
    figure = guidance.steps_and_seconds(
        [3, 10], {"η = 0": torch.tensor([9.0, 5.0]), "η = 1": [7.0]}, [0.1, 0.3], 2.0
    )
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["3", "10"]
    assert [len(line.get_xdata()) for line in figure.axes[0].lines[:2]] == [2, 1]


def test_a_contest_has_one_kind_of_dot_for_each_method():
    rows = [
        {"method": name, "distance": 10.0 + i, "seconds_per_1000": 0.1}
        for name in "ab"
        for i in range(3)
    ]
    ax = guidance.contest(rows, 1.0)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert [len(dots.get_offsets()) for dots in ax.collections] == [3, 3]


def test_the_clinic_has_a_column_for_each_patient():
    run = {"spread": torch.ones(5), "samples": torch.randn(20, 2), "wanted": torch.arange(20) % 4}
    figure = guidance.clinic({"healthy": run, "A": run}, torch.randn(4, 2), 0.3)
    assert len(figure.axes) == 4 and [ax.get_title() for ax in figure.axes[:2]] == ["healthy", "A"]
    assert len(figure.axes[2].patches) == 4
