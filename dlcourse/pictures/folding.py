"""What ReLU networks do to the plane: they fold it, and cut it into pieces."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from dlcourse.plot import MARKERS, PALETTE


def regions(patterns, extent, ax=None, title=None, seed=3):
    """The linear regions of a ReLU network: one colour for each pattern of neurons that are on.

    patterns: (H, W, neurons) booleans on a grid, first row at the bottom. extent: (left, right,
    bottom, top). Returns the axes. Neighbours can get similar colours: the colours carry no order.
    """
    ax = plt.subplots(figsize=(3.4, 3.2))[1] if ax is None else ax
    patterns = np.asarray(patterns)
    height, width, _ = patterns.shape
    numbers = np.unique(patterns.reshape(height * width, -1), axis=0, return_inverse=True)[
        1
    ].reshape(height, width)
    colours = np.random.default_rng(seed).uniform(0.5, 1.0, (numbers.max() + 1, 3))
    ax.imshow(colours[numbers], origin="lower", extent=extent, interpolation="nearest")
    ax.set(xlabel="$x_1$", ylabel="$x_2$", title=title)
    ax.grid(False)
    return ax


def folded(maps, x, y, titles, span=1.05, lines=15):
    """The plane after each map, with a grid drawn on it: bends show where space was folded.

    maps: functions (N, 2) → (N, 2). x: (N, 2) float32 points, y: (N,) classes. titles: one a map.
    span: the grid covers a disc of this radius, the largest |x| being 1; lines: in each direction.
    Every panel is moved and stretched to unit spread, an affine change that a following linear
    layer could undo, and shows all of its grid. Returns the figure.
    """
    if len(titles) != len(maps):
        raise ValueError(f"folded got {len(maps)} maps and {len(titles)} titles")
    figure, axes = plt.subplots(1, len(maps), figsize=(2.9 * len(maps), 3.2), squeeze=False)
    grid = _disc(span * float(x.norm(dim=1).max()), lines)
    for number, (ax, apply, title) in enumerate(zip(axes.flat, maps, titles, strict=True)):
        with torch.no_grad():
            points = apply(x)
            centre = points.mean(0)
            _, spread, turn = torch.linalg.svd(points - centre, full_matrices=False)
            frame = (turn.T / spread.clamp_min(1e-6) * len(x) ** 0.5) @ turn
            drawn = [((apply(line) - centre) @ frame).numpy() for line in grid]
            points = ((points - centre) @ frame).numpy()
        for line in drawn:
            ax.plot(*line.T, color="0.6", linewidth=0.6)
        for label in range(int(y.max()) + 1):
            style = {"color": PALETTE[label], "marker": MARKERS[label], "linewidths": 0}
            ax.scatter(*points[y == label].T, s=7, zorder=3, **style)
        inside = np.concatenate([points, *drawn])
        low, high = inside.min(0), inside.max(0)
        (x_middle, y_middle), reach = (low + high) / 2, 0.53 * float((high - low).max())
        ax.set(xlim=(x_middle - reach, x_middle + reach), ylim=(y_middle - reach, y_middle + reach))
        name = "x" if number == 0 else "h"
        ax.set(xlabel=f"${name}_1$, standardised", ylabel=f"${name}_2$, standardised")
        ax.set(title=title, aspect="equal")
        ax.grid(False)
    return figure


def _disc(radius, lines):
    """Lines of a square grid within a disc around the origin, a list of (200, 2)."""
    found = []
    for value in torch.linspace(-radius, radius, lines + 2)[1:-1]:
        half = float((radius**2 - value**2) ** 0.5)
        along, still = torch.linspace(-half, half, 200), torch.full((200,), float(value))
        found += [torch.stack([along, still], 1), torch.stack([still, along], 1)]
    return found


def xor_corners(corners, hidden, labels, cut):
    """The four corners of the unit square, before and after a layer of two neurons.

    corners, hidden: (4, 2). labels: (4,) of −1 and 1. cut: (N, 2) points of a line to draw through
    the second panel. Returns the figure.
    """
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.0))
    panels = {"x": (corners, "inputs"), "h": (hidden, "outputs of the two neurons")}
    for ax, (name, (points, title)) in zip(axes, panels.items(), strict=True):
        for index, sign in enumerate((-1, 1)):
            style = {"marker": MARKERS[index], "color": PALETTE[index]}
            word = "true" if sign > 0 else "false"
            ax.scatter(*points[labels == sign].T, s=120, label=f"XOR is {word}", **style)
        ax.set(xlim=(-0.3, 1.45), ylim=(-0.3, 1.45), title=title)
        ax.set(xlabel=f"${name}_1$", ylabel=f"${name}_2$")
        for place in np.unique(points, axis=0):
            here = int((points == place).all(1).sum())
            if here > 1:
                ax.annotate(f"{here} corners", place, (-22, -22), textcoords="offset points")
    axes[1].plot(*np.asarray(cut).T, color="black")
    axes[1].legend(loc="upper right", fontsize=8, frameon=True)
    return figure
