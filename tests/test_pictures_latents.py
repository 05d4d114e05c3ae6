"""The pictures of the day of variational autoencoders draw what they are given."""

import matplotlib.pyplot as plt
import pytest
import torch

from dlcourse.pictures import latents


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_maps_has_a_panel_for_each_set_of_codes_and_a_point_for_each_image():
    y = torch.tensor([0, 1, 1, 9])
    figure = latents.maps({"a": torch.randn(4, 2), "b": torch.randn(4, 2)}, y, rings=(1, 2))
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
    assert sum(len(one.get_offsets()) for one in figure.axes[0].collections) == 4
    assert [patch.radius for patch in figure.axes[1].patches] == [1, 2]


def test_maps_refuses_codes_that_are_not_flat():
    with pytest.raises(ValueError, match=r"'a' has shape \(4, 3\)"):
        latents.maps({"a": torch.randn(4, 3)}, torch.zeros(4).long())


def test_traversals_name_rows_and_columns():
    figure = latents.traversals(torch.rand(6, 1, 4, 4), (-2, 0, 2), ["first", "second"])
    assert [ax.get_title() for ax in figure.axes[:3]] == ["-2.0", "+0.0", "+2.0"]
    assert [figure.axes[i].texts[0].get_text() for i in (0, 3)] == ["first", "second"]


def test_the_clinic_shows_every_run_and_the_baseline():
    run = {"kl": torch.tensor([1.0, 2.0]), "from a draw": torch.tensor([9.0, 8.0]), "from the mean": torch.ones(2)}
    figure = latents.clinic({"healthy": run, "A": run}, baseline=206.0)
    assert [ax.get_title() for ax in figure.axes] == ["healthy", "A"]
    lines = figure.axes[1].lines
    assert list(lines[0].get_xdata()) == [10, 20] and list(lines[1].get_ydata()) == [9.0, 8.0]
    assert lines[3].get_ydata()[0] == 206.0
