"""Figures in one style: labelled axes, colours that a colour-blind
reader can tell apart, modest size."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from dlcourse.report import to_numpy

# Okabe & Ito (2008), "Color universal design"; the first three also differ in lightness.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]


def set_style():
    """The course's matplotlib settings: palette, font sizes, light grid, dpi low
    enough to keep notebooks small."""
    plt.rcParams.update(
        {
            "axes.prop_cycle": plt.cycler(color=PALETTE),
            "axes.grid": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 11,
            "figure.constrained_layout.use": True,
            "figure.dpi": 90,
            "figure.figsize": (6.0, 3.6),
            "font.size": 10,
            "grid.alpha": 0.25,
            "image.cmap": "gray",
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "savefig.dpi": 90,
        }
    )
    _draw_once()


def _draw_once():
    """In a notebook a figure is drawn when its cell ends, by the notebook; pyplot
    would draw it a time more before."""
    if "inline" in plt.get_backend():
        plt.figure(), plt.close()  # chooses the back end, which connects pyplot to the shell
        plt.uninstall_repl_displayhook()


def _axes(ax, size=None):
    return plt.subplots(figsize=size)[1] if ax is None else ax


def image_grid(images, titles=None, columns=8, scale=1.0, cmap="gray", limits=None):
    """A grid of images.

    images: (N, H, W), (N, 1, H, W) or (N, 3, H, W), or a list of such
        without N. titles: N strings or None.
    scale: width of an image in inches. limits: (darkest, brightest) for all; by default
    those of the whole set. Returns the figure. Raises ValueError where there are no images
    or the titles do not match them.
    """
    images = to_numpy(images)
    if len(images) == 0:
        raise ValueError("image_grid got no images")
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"image_grid got {len(images)} images and {len(titles)} titles")
    if images.ndim == 4:  # (N, C, H, W) → (N, H, W) or (N, H, W, 3)
        images = images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1)
    low, high = limits or (images.min(), images.max())
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height = scale * (1.0 if titles is None else 1.25) * images.shape[1] / images.shape[2]
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * scale, rows * height), squeeze=False
    )
    for ax in axes.flat:
        ax.axis("off")
    for index, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        ax.imshow(image, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
        if titles is not None:
            ax.set_title(titles[index], fontsize=8)
    return figure


def _finish(ax, xlabel, ylabel, logx, logy, legend):
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if logx:
        ax.set_xscale("log")
    if logy:
        ax.set_yscale("log")
    if legend:
        ax.legend()
    return ax


def curves(series, xlabel, ylabel, ax=None, logx=False, logy=False, title=None):
    """Lines over steps or over x.

    series: {name: values} or {name: (x, values)}; x defaults to 1, 2, 3 …. Returns the axes.
    """
    ax = _axes(ax)
    for name, values in series.items():
        x, y = values if isinstance(values, tuple) else (None, values)
        y = to_numpy(y)
        ax.plot(np.arange(1, len(y) + 1) if x is None else to_numpy(x), y, label=name)
    if title:
        ax.set_title(title)
    return _finish(ax, xlabel, ylabel, logx, logy, legend=len(series) > 1)


def bands(x, series, xlabel, ylabel, ax=None, logx=False, logy=False, title=None):
    """Mean over seeds with the spread from the worst to the best seed.

    x: (K,) values. series: {name: runs}, runs of shape (seeds, K). Returns the axes.
    Raises ValueError where runs do not have one column for each x.
    """
    ax, x = _axes(ax), to_numpy(x)
    for index, (name, runs) in enumerate(series.items()):
        runs = to_numpy(runs)
        if runs.ndim != 2 or runs.shape[1] != len(x):
            raise ValueError(f"bands: {name!r} has shape {runs.shape}, expected (seeds, {len(x)})")
        line = ax.plot(
            x, runs.mean(0), marker=MARKERS[index % len(MARKERS)], markersize=5, label=name
        )[0]
        ax.fill_between(x, runs.min(0), runs.max(0), color=line.get_color(), alpha=0.2, linewidth=0)
    if title:
        ax.set_title(title)
    return _finish(ax, xlabel, ylabel, logx, logy, legend=len(series) > 1)


def decision_regions(predict, x, y, ax=None, title=None, resolution=200):
    """The plane coloured by the predicted class, with the points on top.

    predict: maps points (N, 2) float32 to classes (N,) or scores (N, C). x: (N, 2), y: (N,)
    class numbers. Returns the axes.
    """
    ax, x, y = _axes(ax, (4.0, 3.6)), to_numpy(x), to_numpy(y).astype(int)
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


def confusion(matrix, labels, ax=None, title=None):
    """A confusion matrix (C, C), rows = true class, columns = predicted,
    coloured by the cube root of the share of the row, so that rare confusions show.

    labels: C names. Returns the axes.
    """
    matrix = to_numpy(matrix)
    size = 1.2 + 0.42 * len(matrix)
    ax = _axes(ax, (size, size))
    depth = np.cbrt(matrix / np.maximum(matrix.sum(1, keepdims=True), 1))  # 1 % → 0.2
    ax.imshow(depth, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*matrix.shape):
        if matrix[row, column]:
            colour = "white" if depth[row, column] > 0.6 else "black"
            ax.text(
                column,
                row,
                f"{matrix[row, column]}",
                ha="center",
                va="center",
                color=colour,
                fontsize=8,
            )
    ticks = range(len(matrix))
    ax.set(
        xlabel="predicted",
        ylabel="true",
        xticks=ticks,
        yticks=ticks,
        xticklabels=labels,
        yticklabels=labels,
    )
    ax.set_title(title)
    ax.grid(False)
    return ax


def reliability(confidence, correct, bins=10, ax=None, title=None):
    """Share of right answers against stated confidence, in equal-width
    bins (Guo et al. 2017, figure 1).

    confidence: (N,) largest probability of each prediction. correct:
        (N,) booleans. Returns the axes.
    """
    ax, confidence, correct = _axes(ax, (4.0, 3.6)), to_numpy(confidence), to_numpy(correct)
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
