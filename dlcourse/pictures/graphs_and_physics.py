"""Pictures of graphs and of physics:
how far a message travels, what smoothing does, a solution and its errors."""

import matplotlib.pyplot as plt

from dlcourse.plot import PALETTE
from dlcourse.report import to_numpy


def reach_maps(places, edges, reach, start):
    """A graph in the plane, once for each number of layers;
    the nodes that hear node `start` are filled.

    places: (N, 2) in km. edges: (2, E), from and to. reach: {title: (N,) influences ≥ 0}. start: a
    node's number. Returns the figure.
    """
    places, edges = to_numpy(places), to_numpy(edges)
    figure, axes = plt.subplots(
        1, len(reach), figsize=(2.7 * len(reach), 3.1), sharey=True, squeeze=False
    )
    for ax, (title, values) in zip(axes[0], reach.items(), strict=True):
        heard = to_numpy(values) > 0
        ax.plot(places[edges, 0], places[edges, 1], color="0.75", linewidth=0.7, zorder=1)
        for chosen, colour in ((~heard, "white"), (heard, PALETTE[5])):
            ax.scatter(
                *places[chosen].T, s=34, color=colour, edgecolors="0.3", linewidths=0.7, zorder=2
            )
        ax.scatter(*places[start], s=130, marker="*", color=PALETTE[1], zorder=3)
        ax.set_title(f"{title}: {heard.sum()} of {len(places)}", fontsize=9)
        ax.set_xlabel("east (km)")
        ax.set_aspect("equal")
        ax.grid(False)
    axes[0, 0].set_ylabel("north (km)")
    return figure


def smoothing(rounds, spread, accuracy):
    """What rounds of averaging over neighbours leave of
    the differences between nodes, and of the accuracy.

    rounds: (K,) numbers ≥ 1. spread: (K,) in 0 … 1.
    accuracy: (seeds, K) in 0 … 1. Returns the figure.
    """
    accuracy = to_numpy(accuracy)
    figure, axes = plt.subplots(1, 2, figsize=(8.0, 3.0), sharex=True)
    axes[0].plot(rounds, to_numpy(spread), marker="o", color=PALETTE[0])
    axes[0].set_ylabel("share of variance left")
    axes[1].plot(rounds, accuracy.mean(0), marker="s", color=PALETTE[1])
    axes[1].fill_between(
        rounds, accuracy.min(0), accuracy.max(0), color=PALETTE[1], alpha=0.2, linewidth=0
    )
    axes[1].axhline(0.1, color="0.4", linestyle=":")
    axes[1].annotate("guessing", (rounds[0], 0.12), fontsize=8, color="0.4")
    axes[1].set_ylabel("accuracy, 30 labels")
    for ax in axes:
        ax.set_xscale("log", base=2)
        ax.set_ylim(0, 1.03)
        ax.set_xlabel("rounds of averaging")
    return figure


def solution(answer, truth, title="network"):
    """Two fields over time and place on one scale of colours, and their difference on its own.

    answer, truth: (X, T), place downwards and time to the right, both from 0 to 1.
    title: of the answer. Returns the figure.
    """
    answer, truth = to_numpy(answer), to_numpy(truth)
    wrong = answer - truth
    largest, limit = abs(truth).max(), abs(wrong).max() or 1.0
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 2.9), sharey=True)
    shown, frame = [], {"origin": "lower", "extent": (0, 1, 0, 1), "aspect": "auto"}
    wrongs = (wrong, "error", limit, "RdBu_r")
    panels = ((answer, title, largest, "viridis"), (truth, "exact", largest, "viridis"), wrongs)
    for ax, (field, name, high, cmap) in zip(axes, panels, strict=True):
        low = -high if cmap == "RdBu_r" else min(0.0, truth.min())
        shown.append(ax.imshow(field, vmin=low, vmax=high, cmap=cmap, **frame))
        ax.set_title(name, fontsize=10)
        ax.set_xlabel("time t (no unit)")
        ax.grid(False)
    axes[0].set_ylabel("place x (no unit)")
    figure.colorbar(shown[1], ax=axes[:2].tolist(), label="temperature u", shrink=0.9)
    figure.colorbar(shown[2], ax=axes[2], label=f"{title} − exact", shrink=0.9)
    return figure
