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


def test_maps_gives_each_class_a_colour_of_its_own_and_its_number_at_its_median():
    y = torch.arange(10).repeat_interleave(3)
    points = torch.stack([y.float(), torch.tensor([0.0, 1.0, 5.0]).repeat(10)], dim=1)
    ax = latents.maps({"a": points}, y).axes[0]
    assert len({tuple(one.get_facecolor()[0]) for one in ax.collections}) == 10
    assert [text.get_text() for text in ax.texts] == [str(k) for k in range(10)]
    assert [text.get_position() for text in ax.texts] == [(k, 1) for k in range(10)]


def test_maps_refuses_codes_that_are_not_flat():
    with pytest.raises(ValueError, match=r"'a' has shape \(4, 3\)"):
        latents.maps({"a": torch.randn(4, 3)}, torch.zeros(4).long())


def test_traversals_name_rows_and_columns():
    figure = latents.traversals(torch.rand(6, 1, 4, 4), (-2, 0, 2), ["first", "second"])
    assert [ax.get_title() for ax in figure.axes[:3]] == ["-2.0", "+0.0", "+2.0"]
    assert [figure.axes[i].texts[0].get_text() for i in (0, 3)] == ["first", "second"]


def test_the_clinic_shows_every_run_and_the_baseline():
    run = {
        "kl": torch.tensor([1.0, 2.0]),
        "from a draw": torch.tensor([9.0, 8.0]),
        "from the mean": torch.ones(2),
    }
    figure = latents.clinic({"healthy": run, "A": run}, baseline=206.0)
    assert [ax.get_title() for ax in figure.axes] == ["healthy", "A"]
    lines = figure.axes[1].lines
    assert list(lines[0].get_xdata()) == [10, 20] and list(lines[1].get_ydata()) == [9.0, 8.0]
    assert lines[3].get_ydata()[0] == 206.0


def test_rate_distortion_names_every_beta_and_shows_the_lowest_sum():
    points = torch.tensor([[9.0, 1.0], [4.0, 4.0], [1.0, 9.0]])
    ax = latents.rate_distortion_curve(
        points, (0.5, 1, 2), {"free bits": torch.tensor([[5.0, 5.0]])}
    )
    assert [text.get_text().strip() for text in ax.texts] == ["β = 0.5", "β = 1", "β = 2"]
    x, y = ax.lines[-1].get_data()
    assert [a + b for a, b in zip(x, y, strict=True)] == [8, 8]
    assert [label.get_text() for label in ax.get_legend().get_texts()] == ["β", "free bits"]


def test_novelty_shows_each_digit_left_out_and_seen():
    left_out, seen = [0.9, 0.2, 0.7], [0.6, 0.1, 0.5]
    figure = latents.novelty({"a": left_out, "b": seen}, {"a": seen, "b": seen})
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
    full, open_, chance = figure.axes[0].lines
    assert list(full.get_ydata()) == left_out and list(open_.get_ydata()) == seen
    assert full.get_linestyle() == open_.get_linestyle() == "None"
    assert open_.get_markerfacecolor() == "white" and set(chance.get_ydata()) == {0.5}


def test_correlations_have_a_cell_for_each_latent_and_factor():
    table = torch.tensor([[1.0, 0.0, -1.0], [0.5, 0.2, 0.1]])
    figure = latents.correlations({"β = 1": table, "β = 4": -table}, ["slant", "scale", "aspect"])
    first, second, bar = figure.axes
    assert (first.images[0].get_array() == table.numpy()).all()
    assert first.images[0].get_clim() == (-1, 1) and second.get_title() == "β = 4"
    assert [label.get_text() for label in first.get_yticklabels()] == ["$z_{1}$", "$z_{2}$"]
    assert bar.get_ylabel() == "correlation"
