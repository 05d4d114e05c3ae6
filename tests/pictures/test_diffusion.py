"""The pictures of diffusion: what they show is what they were given."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.pictures import diffusion

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_a_filmstrip_has_a_panel_for_each_cloud():
    clouds = [torch.randn(n, 2) for n in (5, 7, 4)]
    figure = diffusion.filmstrip(clouds, ["a", "b", "c"])
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c"]
    assert [len(ax.collections[0].get_offsets()) for ax in figure.axes] == [5, 7, 4]
    even = [torch.randn(6, 2) for _ in range(4)]
    figure = diffusion.filmstrip(even, "abcd", rows=2, colour=torch.arange(6))
    assert len(figure.axes) == 4 and np.array_equal(
        figure.axes[3].collections[0].get_array(), np.arange(6)
    )


def test_schedules_show_abar_and_its_log_snr():
    figure = diffusion.schedules(
        {"a": torch.tensor([0.9, 0.5, 0.1]), "b": torch.tensor([0.8, 0.4, 0.2])}
    )
    left, right = figure.axes
    assert np.allclose(left.lines[0].get_ydata(), [0.9, 0.5, 0.1])
    assert right.lines[0].get_ydata()[1] == pytest.approx(0.0)
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["a", "b"]


def test_fields_have_a_row_for_each_name_and_arrows_as_long_as_roots():
    places = torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0))
    arrows = {"exact": [4 * places, places], "learnt": [-places, places]}
    figure = diffusion.fields(places, arrows, [torch.randn(9, 2)] * 2, ["t = 1", "t = 2"])
    assert len(figure.axes) == 4 and figure.axes[2].get_ylabel().startswith("learnt")
    quiver = figure.axes[0].collections[1]
    lengths = np.hypot(quiver.U, quiver.V)
    assert np.allclose(lengths, np.sqrt(4 * places.norm(dim=1).numpy()), atol=1e-4)


def test_paths_draw_every_way_from_its_start_to_its_end():
    journey = torch.randn(6, 4, 2)
    figure = diffusion.paths({"SDE": journey, "ODE": journey})
    assert len(figure.axes) == 2 and len(figure.axes[0].lines) == 4
    assert np.allclose(figure.axes[1].collections[1].get_offsets(), journey[-1])


def test_the_embedding_has_a_column_for_each_time():
    waves = torch.rand(11, 6)
    ax = diffusion.embedding(waves)
    assert ax.images[0].get_array().shape == (6, 11) and ax.get_xlabel() == "t"
