"""Pictures of generators that are told a condition:
class by class, asked against drawn, a ruler, a clinic."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.pictures.gan import _bars
from dlcourse.plot import MARKERS, PALETTE
from dlcourse.report import to_numpy


def class_bars(shares, ylabel="share that shows it"):
    """One group of bars for each class, one bar in it for each sampler; dotted: what chance gives.

    shares: {name: (C,)}. Returns the axes.
    """
    ax = _bars(shares)
    ax.set(xlabel="class asked for", ylabel=ylabel, ylim=(0, 1))
    return ax


def asked_and_drawn(series, xlabel, ylabel, seen=None):
    """Means with standard deviations of what was measured,
    against what was asked; dotted: both equal.

    series: {name: (asked, mean, deviation)}, each (K,). seen: (low, high), the range of the
    training data, shaded. Returns the axes.
    """
    ax = plt.subplots(figsize=(5.2, 3.6))[1]
    if seen:
        ax.axvspan(*seen, color="0.92", linewidth=0, label="seen in training")
    for index, (name, values) in enumerate(series.items()):
        asked, mean, deviation = (to_numpy(one) for one in values)
        step = 0.12 * (asked[1] - asked[0]) * (index - (len(series) - 1) / 2)
        ax.errorbar(asked + step, mean, deviation, fmt=MARKERS[index] + "-", markersize=4,
                    capsize=3, linewidth=1.2, color=PALETTE[index], label=name)  # fmt: skip
        ax.plot(asked, asked, color="black", linestyle=":", linewidth=1)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend(fontsize=8, loc="upper left")
    return ax


def clinic(runs, real, y, limit=3.0):
    """A column for each run: what the discriminator says of real and fake,
    and samples in the colour of their label.

    runs: {name: {"real": (T,), "fake": (T,), "samples": (N, 2), "wanted": (N,)}}. real: (M, 2),
    pale, with labels y. Returns the figure.
    """
    figure, axes = plt.subplots(
        2, len(runs), figsize=(1.85 * len(runs) + 0.3, 4.2), sharey="row", squeeze=False
    )
    colours = np.array(PALETTE)
    for (top, bottom), (name, run) in zip(axes.T, runs.items(), strict=True):
        for kind, style in (("real", "-"), ("fake", "--")):
            values = to_numpy(run[kind])
            # Twenty steps a point
            smooth = values[: len(values) // 20 * 20].reshape(-1, 20).mean(1)
            top.plot(
                20 * np.arange(len(smooth)) + 10,
                smooth,
                style,
                color="black",
                linewidth=1.4,
                label=kind,
            )
        top.axhline(0.5, color="black", linestyle=":", linewidth=1)
        top.set(ylim=(0, 1), title=name, xlabel="step")
        bottom.scatter(
            *to_numpy(real[:600]).T, s=60, c=colours[to_numpy(y[:600])], alpha=0.06, linewidths=0
        )
        bottom.scatter(*to_numpy(run["samples"][:200]).T, s=14,
                       c=colours[to_numpy(run["wanted"][:200])],
                       edgecolors="black", linewidths=0.3)  # fmt: skip
        bottom.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$")
    axes[0, 0].set_ylabel("D's probability\nof “real”")
    axes[1, 0].set_ylabel("$x_2$")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def ruler(true, measured, xlabel, ylabel):
    """What a measure says of each image against the truth, (N,) both;
    dotted: both equal. Returns the axes."""
    ax = plt.subplots(figsize=(4.2, 3.3))[1]
    true, measured = to_numpy(true), to_numpy(measured)
    ax.scatter(true, measured, s=2, alpha=0.4, linewidths=0)
    ends = [true.min(), true.max()]
    ax.plot(ends, ends, color="black", linestyle=":", linewidth=1)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax
