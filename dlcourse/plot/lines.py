"""Lines over steps or settings, with logarithmic axes that can be read."""

import numpy as np

from dlcourse.plot.style import MARKERS, axes_or_new
from dlcourse.plot.ticks import log_axes
from dlcourse.report import to_numpy


def _finish(ax, xlabel, ylabel, logx, logy, legend):
    ax.set(xlabel=xlabel, ylabel=ylabel)
    log_axes(ax, logx, logy)
    if legend:
        ax.legend()
    return ax


def curves(series, xlabel, ylabel, ax=None, logx=False, logy=False, title=None):
    """Lines over steps or over x.

    series: {name: values} or {name: (x, values)}; x defaults to 1, 2, 3 …. Returns the axes.
    """
    ax = axes_or_new(ax)
    for name, values in series.items():
        x, y = values if isinstance(values, tuple) else (None, values)
        y = to_numpy(y)
        ax.plot(np.arange(1, len(y) + 1) if x is None else to_numpy(x), y, label=name)
    if title:
        ax.set_title(title)
    return _finish(ax, xlabel, ylabel, logx, logy, legend=len(series) > 1)


def bands(x, series, xlabel, ylabel, ax=None, logx=False, logy=False, title=None):
    """Mean over seeds with the spread from the worst to the best seed.

    x: (K,) values. series: {name: runs}, runs of shape (seeds, K). Returns the axes.
    Raises ValueError where runs do not have one column for each x.
    """
    ax, x = axes_or_new(ax), to_numpy(x)
    for index, (name, runs) in enumerate(series.items()):
        runs = to_numpy(runs)
        if runs.ndim != 2 or runs.shape[1] != len(x):
            raise ValueError(f"bands: {name!r} has shape {runs.shape}, expected (seeds, {len(x)})")
        line = ax.plot(
            x, runs.mean(0), marker=MARKERS[index % len(MARKERS)], markersize=5, label=name
        )[0]
        ax.fill_between(x, runs.min(0), runs.max(0), color=line.get_color(), alpha=0.2, linewidth=0)
    if title:
        ax.set_title(title)
    return _finish(ax, xlabel, ylabel, logx, logy, legend=len(series) > 1)
