"""Pictures of studies with few labelled images:
scores with their spread over seeds, and gradients layer by layer."""

import numpy as np

from dlcourse.plot import MARKERS, PALETTE, axes_or_new
from dlcourse.report import to_numpy


def error_bars(x, series, xlabel, ylabel, ax=None, logx=True):
    """Mean over seeds with bars of one standard deviation (n − 1),
    the series set side by side so that none hides.

    x: (K,) positive values. series: {name: (seeds, K)}, at least two seeds. Returns the axes.
    Raises ValueError where a series has not one column for each x.
    """
    ax, x = axes_or_new(ax), to_numpy(x).astype(float)
    for index, (name, runs) in enumerate(series.items()):
        runs = to_numpy(runs)
        if runs.ndim != 2 or runs.shape[1] != len(x):
            raise ValueError(
                f"error_bars: {name!r} has shape {runs.shape}, expected (seeds, {len(x)})"
            )
        aside = index - (len(series) - 1) / 2
        place = x * 1.04**aside if logx else x + 0.01 * np.ptp(x) * aside
        ax.errorbar(place, runs.mean(0), runs.std(0, ddof=1), marker=MARKERS[index],
                    color=PALETTE[index], capsize=3, markersize=5, label=name)  # fmt: skip
    if logx:
        ax.set_xscale("log")
        ax.minorticks_off()
    ax.set_xticks(x, [f"{value:g}" for value in x])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    return ax
