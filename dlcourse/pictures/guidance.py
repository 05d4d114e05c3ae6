"""Pictures of guided sampling: obedience against variety,
quality against time, and the clinic of the samplers."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import MARKERS, PALETTE
from dlcourse.report import to_numpy


def guidance_tradeoff(scales, accuracy, variety, distance, real=None):
    """Left: class accuracy against variety, a point for each scale;
    right: the distance to real images by scale.

    All (K,). real: (accuracy, variety) of real images, a star, or None. Returns the figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 3.1))
    scales, accuracy, variety = (to_numpy(values) for values in (scales, accuracy, variety))
    left.plot(variety, accuracy, "o-", color=PALETTE[0])
    for scale, x, y in zip(scales, variety, accuracy, strict=True):
        left.annotate(f"{scale:g}", (x, y), textcoords="offset points", xytext=(5, 4), fontsize=8)
    if real is not None:
        left.plot(real[1], real[0], "*", color=PALETTE[1], markersize=12, label="real digits")
        left.legend(fontsize=8, loc="lower left")
    left.set(
        xlabel="variety within a class", ylabel="class accuracy", title="numbers: scale of guidance"
    )
    right.plot(scales, to_numpy(distance), "o-", color=PALETTE[0])
    right.set(xlabel="scale of guidance", ylabel="Fréchet distance", ylim=(0, None))
    return figure


def steps_and_seconds(steps, lines, seconds, floor):
    """Left: distance by number of steps, a line for each name; right: seconds. Dotted: the floor.

    steps: (K,). lines: {name: (K or fewer,)}. seconds: (K,), per 1000 images. Returns the figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 3.1))
    for index, (name, values) in enumerate(lines.items()):
        where = to_numpy(steps)[: len(values)]
        left.plot(where, to_numpy(values), marker=MARKERS[index], label=name)
    left.axhline(floor, color="black", linestyle=":", linewidth=1)
    left.set(xlabel="steps", ylabel="Fréchet distance", xscale="log", ylim=(0, None))
    left.legend(fontsize=8)
    right.plot(to_numpy(steps), to_numpy(seconds), "o-", color=PALETTE[2])
    right.set(xlabel="steps", ylabel="seconds for 1000 images", xscale="log", yscale="log")
    for ax in (left, right):
        ax.set_xticks(to_numpy(steps), [f"{one}" for one in to_numpy(steps)])
        ax.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    return figure


def contest(rows, floor):
    """Every run of the table as a dot: Fréchet distance against seconds for 1000 samples.
    Dotted: the floor.

    rows: a list of dicts with method, distance and seconds_per_1000.
    floor: of as many real images. Returns the axes.
    """
    ax = plt.subplots(figsize=(6.2, 3.4))[1]
    for index, name in enumerate(dict.fromkeys(row["method"] for row in rows)):
        own = [(row["seconds_per_1000"], row["distance"]) for row in rows if row["method"] == name]
        ax.scatter(
            *zip(*own, strict=True),
            color=PALETTE[index % 8],
            marker=MARKERS[index % 8],
            s=36,
            label=name,
        )
    ax.axhline(floor, color="black", linestyle=":", linewidth=1)
    ax.set(
        xlabel="seconds for 1000 samples", ylabel="Fréchet distance", xscale="log", ylim=(0, None)
    )
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def clinic(runs, means, std, limit=3.4):
    """A column for each run:
    how far its points are from their label's place, by step, and where they end.

    runs: {name: {"spread": (S,), "samples": (N, 2), "wanted": (N,)}}. means: (K, 2): of the
    labels, pale circles of two standard deviations, std. Returns the figure.
    """
    figure, axes = plt.subplots(
        2, len(runs), figsize=(1.85 * len(runs) + 0.3, 4.2), sharey="row", squeeze=False
    )
    colours = np.array(PALETTE)
    for (top, bottom), (name, run) in zip(axes.T, runs.items(), strict=True):
        values = to_numpy(run["spread"])
        top.plot(np.arange(1, len(values) + 1), values, color="black", linewidth=1.4)
        top.axhline(1, color="black", linestyle=":", linewidth=1)
        top.set(title=name, xlabel="step", yscale="log", ylim=(0.4, 12))
        for place, colour in zip(to_numpy(means), colours, strict=False):
            bottom.add_patch(plt.Circle(place, 2 * std, color=colour, alpha=0.25, linewidth=0))
        chosen = slice(0, 240)
        bottom.scatter(
            *to_numpy(run["samples"][chosen]).T, s=6, c=colours[to_numpy(run["wanted"][chosen]) % 8]
        )
        bottom.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$")
    axes[0, 0].set_ylabel("spread around the label's\nplace / right spread")
    axes[1, 0].set_ylabel("$x_2$")
    return figure
