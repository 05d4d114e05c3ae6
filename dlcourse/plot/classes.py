"""Pictures of classes: points, regions, confusions, how sure a network is."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import PowerNorm
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from dlcourse.plot.style import CLASSES, MARKERS, PALETTE, axes_or_new
from dlcourse.report import to_numpy


def decision_regions(predict, x, y, ax=None, title=None, resolution=200):
    """The plane coloured by the predicted class, with the points on top.

    predict: maps points (N, 2) float32 to classes (N,) or scores (N, C). x: (N, 2), y: (N,)
    class numbers. Returns the axes.
    """
    ax, x, y = axes_or_new(ax, (4.0, 3.6)), to_numpy(x), to_numpy(y).astype(int)
    margin = 0.15 * (x.max(0) - x.min(0))
    (left, bottom), (right, top) = x.min(0) - margin, x.max(0) + margin
    grid_x, grid_y = np.meshgrid(
        np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    )
    points = torch.tensor(np.stack([grid_x.ravel(), grid_y.ravel()], 1), dtype=torch.float32)
    with torch.no_grad():
        scores = to_numpy(predict(points))
    classes = scores.argmax(1) if scores.ndim == 2 else scores
    count = max(int(y.max()), int(classes.max())) + 1
    colours = plt.matplotlib.colors.ListedColormap(PALETTE[:count])
    region = classes.reshape(grid_x.shape)
    ax.imshow(
        region, extent=(left, right, bottom, top), origin="lower", aspect="auto", cmap=colours,
        vmin=-0.5, vmax=count - 0.5, alpha=0.25, interpolation="nearest",
    )  # fmt: skip
    for label in range(count):
        member = y == label
        ax.scatter(
            x[member, 0],
            x[member, 1],
            s=9,
            color=PALETTE[label],
            marker=MARKERS[label],
            linewidths=0,
        )
    ax.set(xlabel="$x_1$", ylabel="$x_2$", title=title)
    ax.grid(False)
    return ax


def scatter(points, y, names=None, ax=None, title=None, size=7):
    """Points of several classes, with the name of each at the median of its points.

    points: (N, 2). y: (N,) class numbers. names: for all classes; by default their numbers.
    size: area of a point. Names that would lie on one another are moved apart. Returns the axes.
    Raises ValueError for points of another shape.
    """
    points, y = to_numpy(points), to_numpy(y).astype(int)
    if points.shape != (len(y), 2):
        raise ValueError(
            f"scatter draws points (N, 2); these have shape {points.shape}, N = {len(y)}"
        )
    ax, texts = axes_or_new(ax, (4.6, 4.0)), []
    shown = {k: str(k) if names is None else str(names[k]) for k in np.unique(y).tolist()}
    for k, name in shown.items():
        style = {"color": CLASSES[k % 10], "marker": MARKERS[k % 8], "label": name}
        ax.scatter(*points[y == k].T, s=size, alpha=0.5, linewidths=0, **style)
    edge = [withStroke(linewidth=3, foreground="white")]
    bold = {"fontsize": 13 if names is None else 10, "fontweight": "bold", "path_effects": edge}
    for k, name in shown.items():  # after all points, so that none hides a name
        place = np.median(points[y == k], axis=0)
        style = {"color": CLASSES[k % 10], "ha": "center", "va": "center_baseline"}
        texts.append(ax.text(*place, name, **bold, **style))
    ax.set_title(title)
    _spread(ax, texts)
    return ax


def _spread(ax, texts):
    """Moves texts apart until none overlaps another; those that stand alone stay."""
    ax.figure.figure.draw_without_rendering()  # only now the axes have their size
    extents = [text.get_window_extent() for text in texts]
    sizes = np.array([(box.width + 2, box.height + 2) for box in extents])
    start = ax.transData.transform([text.get_position() for text in texts])
    places = start.copy()
    for _ in range(200):
        before = places.copy()
        for one, other in combinations(range(len(texts)), 2):
            gap = places[other] - places[one]
            deep = (sizes[one] + sizes[other]) / 2 - abs(gap)
            if deep.min() > 0:
                way = deep.argmin()
                push = deep[way] / 2 * (1 if gap[way] >= 0 else -1)
                places[one, way] -= push
                places[other, way] += push
        if np.allclose(before, places):
            break
    for text, old, new in zip(texts, start, places, strict=True):
        if not np.allclose(old, new):
            text.set_position(ax.transData.inverted().transform(new))


def confusion(matrix, labels, ax=None, title=None):
    """A confusion matrix (C, C), rows = true class, columns = predicted, in which the errors show:
    they alone are coloured, by their share of the row against the largest such share; what is right
    is grey.

    labels: C names. Returns the axes.
    """
    matrix = to_numpy(matrix)
    size = 1.4 + 0.42 * len(matrix)
    ax = axes_or_new(ax, (size + 0.5, size))
    wrong = ~np.eye(len(matrix), dtype=bool)
    shares = 100 * matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    most = max(shares[wrong].max(initial=0.0), 1e-9)
    ax.imshow(np.where(wrong, np.nan, 0.12), cmap="Greys", vmin=0, vmax=1)
    # The square root: errors a tenth as frequent as the most frequent are still a third as dark.
    image = ax.imshow(
        np.ma.masked_where(~wrong | (shares == 0), shares),
        cmap="Oranges",
        norm=PowerNorm(0.5, vmin=0, vmax=most),
    )
    for row, column in np.argwhere(matrix):
        dark = wrong[row, column] and image.norm(shares[row, column]) > 0.65
        style = {"ha": "center", "va": "center", "fontsize": 8}
        style["color"] = "white" if dark else "black" if wrong[row, column] else "0.35"
        ax.text(column, row, f"{matrix[row, column]}", **style)
    ticks, long = range(len(matrix)), max(len(str(name)) for name in labels) > 3
    ax.set(xlabel="predicted", ylabel="true", title=title)
    ax.set_xticks(ticks, labels, rotation=45 if long else 0, ha="right" if long else "center")
    ax.set_yticks(ticks, labels)
    ax.tick_params(length=0)
    ax.grid(False)
    few = MaxNLocator(4, steps=[1, 2, 5, 10])  # the root's own ticks are three times as many
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.7, pad=0.02, ticks=few)
    bar.set_label("errors (% of the true class)")
    return ax


def reliability(confidence, correct, bins=10, ax=None, title=None):
    """Share of right answers against stated confidence, in equal-width
    bins (Guo et al. 2017, figure 1).

    confidence: (N,) largest probability of each prediction. correct:
        (N,) booleans. Returns the axes.
    """
    ax, confidence, correct = axes_or_new(ax, (4.0, 3.6)), to_numpy(confidence), to_numpy(correct)
    edges = np.linspace(0, 1, bins + 1)
    # Bins (a, b], as in dlcourse.metrics.calibration_error
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    filled = [b for b in range(bins) if (which == b).any()]
    height = [correct[which == b].mean() for b in filled]
    ax.bar(edges[filled] + 0.5 / bins, height, width=0.9 / bins, color=PALETTE[0], label="measured")
    ax.plot([0, 1], [0, 1], color=PALETTE[1], linestyle="--", label="calibrated")
    ax.set(
        xlabel="stated confidence", ylabel="share correct", xlim=(0, 1), ylim=(0, 1.02), title=title
    )
    ax.legend(loc="lower right", fontsize=8, frameon=True, framealpha=0.9)
    return ax
