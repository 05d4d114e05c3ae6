"""Pictures of recurrent networks:
the unrolled chain, how far a gradient reaches, a run that explodes."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse import plot
from dlcourse.plot import PALETTE
from dlcourse.report import to_numpy


def unrolled(steps=4):
    """A recurrent network drawn once a step:
    inputs below, states in a row, the same three weights at every step.

    steps: how many copies to draw, at least 2. Returns the axes.
    """
    ax = plt.subplots(figsize=(1.0 + 1.5 * (steps + 1), 2.7))[1]
    arrow = {"arrowstyle": "-|>", "color": "black", "shrinkA": 15, "shrinkB": 15}
    for t in range(steps + 1):
        _circle(ax, t, 1, f"$\\mathbf{{h}}_{t}$", PALETTE[0])
        if t == 0:
            continue
        _circle(ax, t, 0, f"$\\mathbf{{x}}_{t}$", PALETTE[2])
        ax.annotate("", (t, 1), (t - 1, 1), arrowprops=arrow)
        ax.annotate("", (t, 1), (t, 0), arrowprops=arrow)
        ax.text(t - 0.5, 1.1, r"$\mathbf{W}_h$", ha="center", va="bottom")
        ax.text(t + 0.07, 0.5, r"$\mathbf{W}_x$", ha="left", va="center")
    ax.annotate("", (steps + 0.75, 1), (steps, 1), arrowprops=arrow | {"shrinkB": 0})
    ax.set(xlim=(-0.4, steps + 0.8), ylim=(-0.4, 1.45))
    ax.axis("off")
    return ax


def _circle(ax, x, y, label, colour):
    ax.plot(
        [x],
        [y],
        "o",
        markersize=30,
        markerfacecolor="white",
        markeredgecolor=colour,
        markeredgewidth=2,
    )
    ax.text(x, y, label, ha="center", va="center", fontsize=12)


def reach(norms):
    """Size of ∂h_T/∂h_{T−k} against the lag k, on a logarithmic axis.

    norms: {name: (K,)}; names that end in "driven" are dashed,
    in the colour of the line before. Returns the axes.
    """
    ax = plt.subplots(figsize=(6.6, 3.6))[1]
    for index, (name, values) in enumerate(norms.items()):
        style = "--" if name.endswith("driven") else "-"
        ax.semilogy(
            np.arange(len(values)), to_numpy(values), style, color=PALETTE[index // 2], label=name
        )
    ax.set(xlabel="lag k (steps)", ylabel=r"norm of $\partial h_T / \partial h_{T-k}$")
    ax.legend(fontsize=8, ncols=3, loc="lower left")
    return ax


def explosion(runs, most=1e12):
    """Loss and norm of the gradient over the steps of several runs, on logarithmic axes.

    runs: {name: (losses, norms)}, both (steps,); what is larger than `most`, infinite or NaN is
    drawn at `most`. Returns the figure.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
    for ax, column, what in zip(axes, (0, 1), ("loss (MSE)", "norm of the gradient"), strict=True):
        drawn = {name: np.nan_to_num(to_numpy(run[column]), nan=most, posinf=most).clip(max=most)
                 for name, run in runs.items()}  # fmt: skip
        plot.curves(drawn, "step", what, ax=ax, logy=True)
    return figure
