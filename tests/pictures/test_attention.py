"""The pictures of attention show what they were given; the clinic's patients
have the faults that are claimed."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.checks.transformers.clinic import FAULTS, broken_gpt
from dlcourse.pictures import attention


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_lookups_share_one_scale_and_mark_the_stations():
    truth = torch.arange(12.0).reshape(3, 4)
    figure = attention.lookups(
        truth, torch.tensor([[0, 1], [2, 3]]), {"near": truth, "far": truth + 100}, (0.5, 2.0)
    )
    panels = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title() for ax in panels[:3]] == ["truth and stations", "near", "far"]
    assert {ax.images[0].get_clim() for ax in panels[:3]} == {(0.0, 11.0)}
    assert panels[0].collections[0].get_offsets().tolist() == [
        [2.0, 0.0],
        [6.0, 1.0],
    ]  # east, south in km


def test_tables_have_a_panel_each_with_their_labels():
    figure = attention.tables({"a": torch.eye(3), "b": torch.zeros(3, 2)}, rows="xyz", columns=None)
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["x", "y", "z"]
    with pytest.raises(ValueError, match="no tables"):
        attention.tables({})


def test_codes_race_frontier_and_costs_draw_every_curve():
    figure = attention.position_codes(
        torch.rand(8, 4), {"one": torch.rand(5), "two": torch.rand(5)}
    )
    assert len(figure.axes[1].lines) == 2
    rows = [
        {"seconds": 1.0, "characters": 2e6, "bits": 3.0},
        {"seconds": 2.0, "characters": 4e6, "bits": 2.0},
    ]
    figure = attention.race_panels({"GPT": rows, "LSTM": rows[:1]}, {"bigram": 3.5})
    assert np.allclose(figure.axes[1].lines[0].get_xdata(), [2.0, 4.0])
    ax = attention.frontier({"small": (torch.tensor([1e9, 1e10]), torch.tensor([4.0, 3.0]))})
    assert ax.get_xscale() == ax.get_yscale() == "log" and len(ax.lines) == 1
    ax = attention.costs((64, 128), {"attention": [1.0, 4.0], "MLP": [1.0, 2.0]}, {"attention": 2})
    # the line of slope 2 through the last point
    assert np.allclose(ax.lines[1].get_ydata(), [1.0, 4.0])


@pytest.mark.parametrize("patient", ["healthy", *FAULTS])
def test_what_a_patients_outputs_depend_on(patient):
    ids = torch.randint(12, (300,), generator=torch.Generator().manual_seed(0))
    state = torch.get_rng_state()
    run = broken_gpt(patient, ids, 12, steps=3, length=8)
    assert torch.equal(torch.get_rng_state(), state)
    influence = run["influence"]
    assert run["training"].shape == (3,) and influence.shape == (8, 8)
    leaks = influence.triu(1).max() > 0
    assert bool(leaks) == (FAULTS.get(patient) not in (None, "no residual stream"))
    assert bool((influence.tril(-1) > 0).any()) == (FAULTS.get(patient) != "mask transposed")


def test_there_are_no_other_patients():
    with pytest.raises(KeyError, match="healthy"):
        broken_gpt("E", torch.zeros(50, dtype=torch.long), 2)
