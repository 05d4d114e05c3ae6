"""Drawings for strategies that make networks larger,
longer, smaller or faster; each returns the figure."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import MARKERS, PALETTE


def loads(shares):
    """How much of the data each expert gets.
    shares: {name: (seeds, E)}, rows add up to 1; sorted here.

    Bars: the mean over seeds of the largest, second largest … share;
    dots: single seeds; dotted: equal shares.
    """
    figure, axes = plt.subplots(
        1, len(shares), figsize=(4.2 * len(shares), 3.0), sharey=True, squeeze=False
    )
    for index, (ax, (name, runs)) in enumerate(zip(axes[0], shares.items(), strict=True)):
        runs = -np.sort(-np.asarray(runs, dtype=float), axis=1)
        experts = np.arange(1, runs.shape[1] + 1)
        ax.bar(experts, runs.mean(0), color=PALETTE[index], alpha=0.6)
        for row in runs:
            ax.plot(experts, row, ".", color="black", markersize=5)
        ax.axhline(1 / runs.shape[1], color="0.3", linestyle=":", label="equal shares")
        ax.set(title=name, xlabel="expert, busiest first", xticks=experts)
    axes[0, 0].set_ylabel("share of the images")
    axes[0, -1].legend()
    return figure


def response(rain, level, models):
    """A rain series above, what it does to a water level below, with models of it.

    rain, level: (T,) by day. models: {name: (T,)}, drawn over the level.
    """
    figure, axes = plt.subplots(2, 1, figsize=(8.4, 4.4), sharex=True, height_ratios=(1, 2.2))
    axes[0].vlines(np.arange(len(rain)), 0, np.asarray(rain), color=PALETTE[5], linewidth=1)
    axes[0].set_ylabel("rain\n(arbitrary units)")
    axes[1].plot(np.asarray(level), color="black", linewidth=3, alpha=0.35, label="true level")
    for index, (name, values) in enumerate(models.items()):
        axes[1].plot(
            np.asarray(values), color=PALETTE[index], linestyle=("-", "--")[index % 2], label=name
        )
    axes[1].set(xlabel="day", ylabel="water level\n(arbitrary units)")
    figure.legend(loc="outside right upper", fontsize=9)
    return figure


def arms(scores, ylabel="test accuracy"):
    """Every seed of every way of training as a dot, the same seed joined by a line.
    scores: {name: (seeds,)}."""
    figure, ax = plt.subplots(figsize=(6.4, 3.4))
    values = np.array([np.asarray(runs, dtype=float) for runs in scores.values()])  # (ways, seeds)
    places = np.arange(len(values))
    ax.plot(places, values, color="0.75", linewidth=1)
    for place, row in zip(places, values, strict=True):
        ax.plot(
            np.full(len(row), place),
            row,
            MARKERS[place % 8],
            color=PALETTE[place % 8],
            markersize=7,
        )
        ax.plot([place - 0.2, place + 0.2], [row.mean()] * 2, color=PALETTE[place % 8], linewidth=3)
    ax.set_xticks(places, list(scores))
    ax.set(ylabel=ylabel, xlim=(-0.5, len(values) - 0.5))
    return figure
