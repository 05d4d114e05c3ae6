"""Pictures of diffusion: film strips of clouds, schedules,
score fields, reverse paths, how errors are magnified."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import PALETTE
from dlcourse.report import to_numpy


def filmstrip(clouds, titles, rows=1, limit=3.0, side=1.7, colour=None):
    """Clouds of points side by side on the same axes: a list of (N, 2), as many titles.

    rows: how many rows they fill, row by row. limit: half the side of a panel. colour: (N,) numbers
    that follow each point through the strip, or None. Returns the figure.
    """
    columns = -(-len(clouds) // rows)
    size = (side * columns + 0.3, (side + 0.25) * rows)
    figure, axes = plt.subplots(
        rows, columns, figsize=size, squeeze=False, sharex=True, sharey=True
    )
    shade = {"color": PALETTE[0]} if colour is None else {"c": to_numpy(colour), "cmap": "viridis"}
    for ax, cloud, title in zip(axes.flat, clouds, titles, strict=False):
        ax.scatter(*to_numpy(cloud).T, s=2, linewidths=0, **shade)
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        ax.set_title(title, fontsize=8)
    for ax in axes[-1]:
        ax.set_xlabel("$x_1$")
    for ax in axes[:, 0]:
        ax.set_ylabel("$x_2$")
    return figure


def schedules(levels):
    """abar and ln SNR over t/T, two panels. levels: {name: (T,) abar}. Returns the figure."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 2.8))
    for (name, level), style in zip(levels.items(), ("-", "--", ":", "-."), strict=False):
        level = to_numpy(level)
        time = [t / len(level) for t in range(len(level))]
        left.plot(time, level, style, label=name)
        right.plot(time, _log_snr(level), style, label=name)
    left.set(xlabel="t / T", ylabel="abar: share of signal")
    right.set(xlabel="t / T", ylabel="ln SNR = ln abar / (1 − abar)")
    right.axhline(0, color="black", linewidth=0.8, linestyle=":")
    right.set_ylim(bottom=-12)
    left.legend(fontsize=8)
    return figure


def _log_snr(level):
    return np.log(level) - np.log1p(-level)


def fields(places, arrows, points, titles, limit=2.6, side=2.2):
    """Vector fields, one panel for each time:
    two rows where `arrows` are {name: list of (M, 2)} of two names.

    places: (M, 2). arrows: {row name: [(M, 2), …]}.
    points: [(N, 2), …], the cloud of each time. An arrow is as long as the root of its vector,
    and every panel has a scale of its own. Returns the figure.
    """
    columns = len(points)
    size = (side * columns + 0.4, (side + 0.2) * len(arrows))
    figure, axes = plt.subplots(
        len(arrows), columns, figsize=size, squeeze=False, sharex=True, sharey=True
    )
    where = to_numpy(places)
    for row, (name, steps) in zip(axes, arrows.items(), strict=True):
        for ax, arrow, cloud, title in zip(row, steps, points, titles, strict=True):
            ax.scatter(*to_numpy(cloud)[:600].T, s=2, color="0.75", linewidths=0)
            arrow = to_numpy(arrow)
            arrow = arrow / np.sqrt(np.linalg.norm(arrow, axis=1, keepdims=True) + 1e-12)
            ax.quiver(*where.T, *arrow.T, color=PALETTE[0], angles="xy", width=0.006)
            ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
            ax.set_title(title, fontsize=8)
        row[0].set_ylabel(f"{name}\n$x_2$")
    for ax in axes[-1]:
        ax.set_xlabel("$x_1$")
    return figure


def paths(journeys, limit=3.0, side=2.8):
    """Ways from noise (crosses) to data (dots), a colour each, a panel for each sampler.
    journeys: {name: (K, N, 2)}.

    Returns the figure.
    """
    size = (side * len(journeys), side + 0.3)
    figure, axes = plt.subplots(1, len(journeys), figsize=size, squeeze=False, sharey=True)
    for ax, (name, journey) in zip(axes[0], journeys.items(), strict=True):
        journey = to_numpy(journey)
        for way in journey.transpose(1, 0, 2):
            ax.plot(*way.T, linewidth=1.2, alpha=0.8)
        ax.scatter(*journey[0].T, s=22, color="black", marker="x", label="noise", zorder=3)
        ax.scatter(*journey[-1].T, s=22, color="black", label="end", zorder=3)
        ax.set(
            xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$", title=name
        )
    axes[0, 0].set_ylabel("$x_2$")
    axes[0, 0].legend(fontsize=8)
    return figure


def embedding(waves):
    """The numbers that a network sees of a time, one column for each t.
    waves: (T, width). Returns the axes."""
    ax = plt.subplots(figsize=(6.5, 2.4))[1]
    shown = ax.imshow(
        to_numpy(waves).T, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest"
    )
    ax.figure.colorbar(shown, ax=ax)
    ax.set(xlabel="t", ylabel="number in the embedding")
    ax.grid(False)
    return ax
