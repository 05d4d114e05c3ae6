"""The pictures of the adversarial game: what they show is what they were given."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.pictures import gan as gans


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_clouds_have_a_panel_each_on_common_axes():
    samples = {0: torch.zeros(5, 2), 1: torch.ones(7, 2), 2: torch.randn(4, 2)}
    figure = gans.clouds(samples, torch.randn(20, 2), {1: "one"}, columns=2)
    assert len(figure.axes) == 4
    assert [ax.get_title() for ax in figure.axes[:3]] == ["0", "one", "2"]
    assert figure.axes[1].collections[1].get_offsets().shape == (7, 2)
    assert {ax.get_xlim() for ax in figure.axes[:3]} == {(-3.0, 3.0)}
    with pytest.raises(ValueError, match="no samples"):
        gans.clouds({}, torch.randn(3, 2))


def test_densities_and_slopes_draw_every_curve():
    x = torch.linspace(0, 1, 11)
    ax = gans.densities(x, x, 1 - x, x / 2)
    assert [line.get_label() for line in ax.lines[:3]] == ["real, p", "generated, q", "best D"]
    assert np.allclose(ax.lines[2].get_ydata(), x / 2)
    ax = gans.loss_slopes(x, x, 1 - x)
    assert np.allclose(ax.lines[1].get_ydata(), 1 - x) and ax.get_xlabel().startswith("D(G(z))")


def test_a_histogram_has_a_bar_for_each_class_and_sampler():
    ax = gans.histogram(
        [torch.tensor([0.5, 0.5, 0.0]), torch.tensor([1.0, 0.0, 0.0])], ["real", "made"]
    )
    assert [patch.get_height() for patch in ax.patches] == [0.5, 0.5, 0.0, 1.0, 0.0, 0.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["real", "made"]


def test_the_clinic_has_a_column_for_each_patient():
    run = {"real": torch.rand(40), "fake": torch.rand(40), "samples": torch.randn(10, 2)}
    figure = gans.clinic({"healthy": run, "A": run}, torch.randn(30, 2))
    assert len(figure.axes) == 4 and [ax.get_title() for ax in figure.axes[:2]] == ["healthy", "A"]
    assert len(figure.axes[0].lines[0].get_xdata()) == 4
