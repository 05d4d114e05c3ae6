"""Drawings of what happens in training:
a graph of numbers with its gradients, paths downhill, one dot a seed, the clinic's four runs, and
coasts whose middle is to be guessed.

Every function draws with matplotlib and returns the figure, or the axes where it takes `ax`.
"""

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from dlcourse.plot import MARKERS, PALETTE, bands

GREY = "0.35"
BEND = 0.35  # of arrows that would run into one another, or through a node


def _levels(root):
    """{node: level}: every node is above all of its parents, and a number that was given is just
    below the first node that is made of it."""
    levels, first = {}, {}

    def visit(node):
        if node not in levels:
            levels[node] = 1 + max((visit(parent) for parent in node.parents), default=-1)
            for parent in node.parents:
                first[parent] = min(levels[node], first.get(parent, levels[node]))
        return levels[node]

    visit(root)
    return {
        node: level if node.parents else first.get(node, 1) - 1 for node, level in levels.items()
    }


def _places(levels):
    """{node: (x, y)}: numbers given to the first nodes below one another, later ones above the
    node that they meet, and what is made at its parents' height."""
    place, rows = {}, 0
    made_first = sorted(levels.items(), key=lambda item: (item[1], not item[0].parents))
    for node, level in made_first:
        heights = [place[parent][1] for parent in node.parents if levels[parent] == level - 1]
        if heights:
            height = sum(heights) / len(heights)
        elif level == 0:
            height, rows = -1.7 * rows, rows + 1
        else:
            height = 1.7 + max((y for x, y in place.values() if x == 2.4 * level), default=-1.7)
        place[node] = (2.4 * level, height)
    return place


def _number(value):
    return f"{value:.4g}".replace("-", "−")


def graph(root, names, gradients=True):
    """The graph that made a number: data on every node,
    the local slope on every arrow, the gradient below the node.

    root: a node with data, grad, parents and slopes (the notebook's Value),
    made in at most a dozen steps.
    names: {node: text}, e.g. {a: "a", root: "L"}.
    gradients: whether to write them. Returns the figure.
    """
    levels = _levels(root)
    place = _places(levels)
    long = [(place[p], place[n]) for n in levels for p in n.parents if levels[n] - levels[p] > 1]
    # Bent arrows hang below the nodes that they join
    sag = [(start[1] + end[1]) / 2 - 0.5 * BEND * (end[0] - start[0]) - 0.2 for start, end in long]
    width, low = 2.4 * max(levels.values()), min([y for _, y in place.values()] + sag) - 0.9
    high = max(y for _, y in place.values()) + 0.7
    figure, ax = plt.subplots(figsize=(0.75 * width + 1.3, 0.75 * (high - low)))
    ax.set(xlim=(-0.9, width + 0.9), ylim=(low, high), aspect="equal")
    ax.axis("off")
    for node, (x, y) in place.items():
        _links(ax, node, place, levels)
        ax.add_patch(
            plt.Circle(
                (x, y), 0.46, facecolor="white", edgecolor=PALETTE[0], linewidth=1.8, zorder=3
            )
        )
        label = (f"{names[node]}\n" if node in names else "") + _number(node.data)
        ax.text(x, y, label, ha="center", va="center", fontsize=9, zorder=4)
        if gradients:
            below = {"ha": "center", "va": "center", "fontsize": 9, "color": PALETTE[1]}
            ax.text(x, y - 0.66, f"grad {_number(node.grad)}", **below)
    return figure


def _links(ax, node, place, levels):
    """Arrows from a node's parents with the local slopes;
    twins are bent apart, long ones bent below what they skip."""
    (x, y), parents = place[node], list(node.parents)
    for index, (parent, slope) in enumerate(zip(parents, node.slopes, strict=True)):
        bend = BEND if levels[node] - levels[parent] > 1 else 0.0
        if parents.count(parent) > 1:
            bend = BEND if index else -BEND
        px, py = place[parent]
        style = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.3, "shrinkA": 25, "shrinkB": 25,
                 "connectionstyle": f"arc3,rad={bend}"}  # fmt: skip
        ax.annotate("", (x, y), (px, py), arrowprops=style)
        right, up = x - px, y - py
        # Beside the arrow, on the outer side of a bend
        off = 0.2 / np.hypot(right, up) * (-1 if bend > 0 else 1)
        middle = (
            px + 0.5 * right + (0.5 * bend - off) * up,
            py + 0.5 * up - (0.5 * bend - off) * right,
        )
        ax.text(*middle, f"× {_number(slope)}", ha="center", va="center", fontsize=8, color=GREY)


def contour_paths(loss, paths, x_span, y_span, ax=None, levels=None, title=None):
    """Iterates in the plane over the contour lines of a loss of two weights.

    loss: function of two NumPy arrays. paths: {name: (T, 2) iterates}.
    x_span, y_span: (lowest, highest) drawn.
    levels: contour levels; by default eight, evenly spaced in the logarithm. Returns the axes.
    """
    ax = plt.subplots(figsize=(5.0, 3.6))[1] if ax is None else ax
    x, y = np.meshgrid(np.linspace(*x_span, 200), np.linspace(*y_span, 200))
    height = loss(x, y)
    if levels is None:
        levels = np.geomspace(max(height.min(), 1e-3 * height.max()), height.max(), 8)
    ax.contour(x, y, height, levels=levels, colors="0.8", linewidths=0.7)
    for index, (name, path) in enumerate(paths.items()):
        path = np.asarray(path, dtype=float)
        ax.plot(
            path[:, 0], path[:, 1], marker=MARKERS[index], markersize=3, linewidth=1.2, label=name
        )
    ax.set(xlim=x_span, ylim=y_span, xlabel="$w_0$", ylabel="$w_1$", title=title)
    ax.grid(False)
    if len(paths) > 1:
        ax.legend(fontsize=8)
    return ax


def seeds(results, xlabel, ax=None, title=None):
    """One dot for every seed and a bar at the mean, one row for every name.

    results: {name: (seeds,) values}. Returns the axes.
    """
    ax = plt.subplots(figsize=(6.0, 0.42 * len(results) + 0.9))[1] if ax is None else ax
    for row, values in enumerate(results.values()):
        values = np.asarray(values, dtype=float)
        ax.scatter(
            values,
            np.full(len(values), row),
            s=26,
            color=PALETTE[0],
            alpha=0.75,
            zorder=3,
            linewidths=0,
        )
        ax.plot(
            [values.mean()] * 2, [row - 0.32, row + 0.32], color=PALETTE[1], linewidth=2.2, zorder=4
        )
    ax.set(
        xlabel=xlabel,
        yticks=range(len(results)),
        yticklabels=list(results),
        ylim=(len(results) - 0.4, -0.6),
    )
    ax.set_title(title)
    return ax


def guessing(ax, classes=10):
    """A dotted line at the loss of guessing among so many classes, with its name in the legend."""
    ax.axhline(math.log(classes), color="black", linestyle=":", label=f"guessing, ln {classes}")
    ax.legend(fontsize=8)
    return ax


def four_runs(runs):
    """Losses of several runs over their steps, ten steps a point.

    runs: {name: (seeds, K) means of ten steps}, no more than 5. Returns the axes.
    """
    points = np.asarray(next(iter(runs.values()))).shape[1]
    ax = bands(10 * np.arange(points) + 5, runs, "step", "loss (nats, clipped at 5), three seeds")
    ax.set_ylim(0, 5.3)
    guessing(ax).legend(loc="center right", bbox_to_anchor=(1.0, 0.7), fontsize=9)
    return ax


def hidden_middle(tiles, seen):
    """Coasts with pixels hidden (upper row), and as they are, titled by the pixel in the middle.

    tiles: (N, size, size), 1 land and 0 sea. seen: (size, size), False where hidden. Returns the
    figure.
    """
    tiles, seen = np.asarray(tiles), np.asarray(seen)
    figure, axes = plt.subplots(2, len(tiles), figsize=(1.25 * len(tiles), 2.9), squeeze=False)
    colours, middle = ListedColormap([PALETTE[0], "#d9c48f", "0.75"]), tiles.shape[1] // 2
    for column, tile in zip(axes.T, tiles, strict=True):
        for ax, shown in zip(column, (np.where(seen, tile, 2), tile), strict=True):
            ax.imshow(shown, cmap=colours, vmin=0, vmax=2)
            ax.set(xticks=[], yticks=[])
            ax.plot(middle, middle, "s", color="black", markersize=4, fillstyle="none")
        column[1].set_xlabel("land" if tile[middle, middle] > 0.5 else "sea", fontsize=9)
    names = zip(axes[:, 0], ("seen", "truth"), strict=True)
    [ax.set_ylabel(name, fontsize=9) for ax, name in names]
    return figure
