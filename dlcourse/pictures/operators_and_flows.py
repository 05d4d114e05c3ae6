"""Pictures of learned operators and of flows:
a field and its forecasts, a density, and the grid that makes it."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import PALETTE
from dlcourse.report import to_numpy


def fields(before, after, answers):
    """A periodic field now (left), and later: the truth and what models say (right).

    before, after: (N,) values on [0, 2π). answers: {name: (N,)}. Returns the figure.
    """
    x = np.arange(len(before)) * 360 / len(before)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.0), sharey=True)
    left.plot(x, to_numpy(before), color="0.5")
    left.set_title("now")
    left.set_ylabel("velocity u")
    right.plot(x, to_numpy(after), color="black", linewidth=3.5, alpha=0.35, label="truth")
    for (name, values), style, colour in zip(
        answers.items(), ("-", "--", ":"), PALETTE, strict=False
    ):
        right.plot(x, to_numpy(values), style, color=colour, linewidth=1.5, label=name)
    right.set_title(f"later, on {len(before)} points")
    right.legend(fontsize=8)
    for ax in (left, right):
        ax.set_xlabel("place x (degrees)")
        ax.set_xticks([0, 90, 180, 270, 360])
    return figure


def flow(data, samples, density, extent, lines):
    """What a flow in the plane has learned, four panels:
    data, samples, density, and the warped grid of z.

    data, samples: (N, 2). density: (H, W), row 0 at the bottom. extent: (left, right, bottom, top).
    lines: (L, P, 2), L grid lines of P points each, after the flow. Returns the figure.
    """
    figure, axes = plt.subplots(1, 4, figsize=(11.0, 2.9), sharex=True, sharey=True)
    for ax, points, title, colour in zip(
        axes, (data, samples), ("data", "samples"), PALETTE, strict=False
    ):
        ax.scatter(*to_numpy(points).T, s=3, color=colour, alpha=0.5, linewidths=0)
        ax.set_title(title)
    axes[2].imshow(to_numpy(density), extent=extent, origin="lower", cmap="viridis", aspect="auto")
    axes[2].set_title("density p(x)")
    lines = to_numpy(lines)
    for index, line in enumerate(lines):
        axes[3].plot(*line.T, color=PALETTE[0 if index < len(lines) // 2 else 1], linewidth=0.7)
    axes[3].set_title("grid of z, seen in x")
    for ax in axes:
        ax.set_xlabel("x₁")
        ax.set_xlim(*extent[:2])
        ax.set_ylim(*extent[2:])
        ax.set_box_aspect(1)
        ax.grid(False)
    axes[0].set_ylabel("x₂")
    return figure
