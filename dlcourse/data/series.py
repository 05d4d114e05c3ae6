"""Two measured series that come with the course: weekly CO₂ at Mauna Loa and
monthly sea temperature off Peru."""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import torch

from dlcourse.data.tables import read_table


class Series(NamedTuple):
    """Values at equal steps in time."""

    time: torch.Tensor  # (N,) float64, years, e.g. 1958.25
    value: torch.Tensor  # (N,) float32, in `unit`
    season: int  # steps in a year
    unit: str


def co2():
    """Weekly CO₂ in air at Mauna Loa, March 1958 to December 2001, in ppm: a Series of 2284 weeks.

    The weeks without a value (2.6 % of them) are filled by the straight line between their
    neighbours: where the gap is long, that looks into the future. Source: Keeling & Whorf (2004),
    public domain; the file names it in full.
    """
    rows = read_table("co2.csv")[1:]
    values = np.array([float(row[1]) if row[1] else np.nan for row in rows])
    there, index = ~np.isnan(values), np.arange(len(values))
    values = np.interp(index, index[there], values[there])
    start = date.fromisoformat(rows[0][0])
    time = [_year(start + timedelta(weeks=week)) for week in range(len(values))]
    return Series(
        torch.tensor(time, dtype=torch.float64),
        torch.tensor(values, dtype=torch.float32),
        52,
        "ppm",
    )


def el_nino():
    """Monthly sea surface temperature off Peru (Niño 1+2), 1950 to
    2010, in °C: a Series of 732 months.

    Source: NOAA, ERSST.v3b, public domain.
    """
    rows = read_table("elnino.csv")[1:]
    # (61, 12) → (732,)
    value = torch.tensor([[float(cell) for cell in row[1:]] for row in rows]).flatten()
    time = float(rows[0][0]) + (torch.arange(len(value), dtype=torch.float64) + 0.5) / 12
    return Series(time, value, 12, "°C")


def _year(day):
    length = date(day.year + 1, 1, 1) - date(day.year, 1, 1)
    return day.year + (day - date(day.year, 1, 1)) / length
