"""The pictures of operators and of flows show what they were given."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dlcourse.pictures import operators_and_flows


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_fields_draws_the_truth_and_every_answer():
    before, after = torch.rand(2, 8)
    now, later = operators_and_flows.fields(before, after, {"A": after + 1, "B": after + 2}).axes
    assert now.lines[0].get_ydata().tolist() == pytest.approx(before.tolist())
    assert [line.get_label() for line in later.lines] == ["truth", "A", "B"]
    assert later.lines[2].get_ydata().tolist() == pytest.approx((after + 2).tolist())
    assert later.get_title() == "later, on 8 points" and later.get_xlabel()


def test_flow_draws_four_panels_on_one_scale():
    density, lines = torch.rand(5, 5), torch.rand(6, 10, 2)
    figure = operators_and_flows.flow(
        torch.rand(20, 2), torch.rand(30, 2), density, (-2, 2, -1, 1), lines
    )
    data, samples, shown, grid = figure.axes
    assert (
        len(data.collections[0].get_offsets()) == 20
        and len(samples.collections[0].get_offsets()) == 30
    )
    assert shown.images[0].get_array().tolist() == density.tolist()
    assert len(grid.lines) == 6 and grid.get_xlim() == (-2, 2) and grid.get_ylim() == (-1, 1)
