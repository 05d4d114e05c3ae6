"""The two measured series that come with the course."""

import pytest
import torch

from dlcourse.data import series
from dlcourse.data.tables import read_table


def test_co2_is_weekly_without_gaps_and_in_ppm():
    air = series.co2()
    assert air.time.shape == air.value.shape == (2284,) and air.value.dtype == torch.float32
    assert air.unit == "ppm" and air.season == 52
    steps = air.time.diff()
    assert steps.min() > 6.9 / 366 and steps.max() < 7.1 / 365
    assert air.time[0].item() == pytest.approx(1958 + 87 / 365) and 2001.9 < air.time[-1] < 2002
    assert air.value.isfinite().all() and air.value.min() > 310 and air.value.max() < 375
    assert air.value[0].item() == pytest.approx(316.1)
    # the rise of a year
    assert (air.value[52:] - air.value[:-52]).mean().item() == pytest.approx(1.3, abs=0.2)


def test_a_missing_week_is_on_the_line_between_its_neighbours():
    rows = read_table("co2.csv")[1:]
    values = series.co2().value
    empty = [i for i, row in enumerate(rows) if not row[1]]
    assert 0.02 < len(empty) / len(rows) < 0.03
    alone = next(i for i in empty if rows[i - 1][1] and rows[i + 1][1])
    assert values[alone].item() == pytest.approx(
        (float(rows[alone - 1][1]) + float(rows[alone + 1][1])) / 2, abs=1e-3
    )


def test_the_sea_off_peru_is_monthly_and_warmest_in_march():
    sea = series.el_nino()
    assert sea.time.shape == sea.value.shape == (732,) and sea.unit == "°C" and sea.season == 12
    assert sea.time[0].item() == pytest.approx(1950 + 0.5 / 12) and sea.time[-1] < 2011
    usual = sea.value.reshape(-1, 12).mean(0)  # (years, months) → (months,)
    assert usual.argmax() == 2 and usual.argmin() in (7, 8, 9)
    warm = sea.time[(sea.value.reshape(-1, 12) - usual).flatten().argmax()].item()
    assert 1982.5 < warm < 1983.6 or 1997 < warm < 1998.6  # the two great El Niños of the century
