"""Pictures of tensors: one strip of memory and the views that read it,
maps, and the graph that autograd records."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from dlcourse.plot import PALETTE

SHADES = plt.cm.viridis
GREY, GAP = "0.88", 2.2


def strides(views):
    """The memory of the first tensor as a strip,
    and every tensor as a grid whose colours say where its numbers lie.

    views: {name: tensor}, each of at most two axes; those that do not share
    the first one's memory are drawn grey. The memory has at most 24 numbers.
    Returns the figure; raises ValueError for a larger or a deeper tensor.
    """
    first = next(iter(views.values()))
    place, count = (
        first.untyped_storage().data_ptr(),
        first.untyped_storage().nbytes() // first.element_size(),
    )
    if count > 24 or any(view.dim() > 2 for view in views.values()):
        raise ValueError("strides draws a memory of up to 24 numbers and tensors of up to two axes")
    grids = {name: view[None] if view.dim() == 1 else view for name, view in views.items()}
    height = max(len(grid) for grid in grids.values())
    width = sum(grid.shape[1] + GAP for grid in grids.values()) - GAP
    figure, ax = plt.subplots(figsize=(0.36 * max(width, count) + 0.3, 0.36 * (height + 4)))
    _cells(
        ax,
        torch.as_strided(first, (1, count), (count, 1), 0),
        place,
        count,
        (max(0, (width - count) / 2), 4),
    )
    ax.text(max(width, count) / 2, 5.15, "memory", ha="center", fontsize=8)
    left = max(0, (count - width) / 2)
    for name, grid in grids.items():
        title = f"{name}\nshape {tuple(views[name].shape)}\nstrides {views[name].stride()}"
        ax.text(left + grid.shape[1] / 2, 1.25, title, ha="center", fontsize=8)
        _cells(ax, grid, place, count, (left, 0))
        left += grid.shape[1] + GAP
    ax.set(xlim=(-0.8, max(width, count) + 0.8), ylim=(-height + 0.9, 6), aspect="equal")
    ax.axis("off")
    return figure


def _cells(ax, grid, place, count, corner):
    """One square a number, coloured by its place in the memory at `place`;
    the first one stands at `corner`."""
    ours = grid.untyped_storage().data_ptr() == place
    for i, j in np.ndindex(*grid.shape):
        where = grid.storage_offset() + i * grid.stride(0) + j * grid.stride(1)
        shade = SHADES(0.15 + 0.8 * where / max(count - 1, 1)) if ours else GREY
        x, y = corner[0] + j, corner[1] - i
        ax.add_patch(plt.Rectangle((x, y), 0.94, 0.94, facecolor=shade, edgecolor="none"))
        dark = ours and where < 0.55 * count
        ax.text(x + 0.47, y + 0.47, f"{grid[i, j].item():g}", ha="center", va="center", fontsize=8,
                color="white" if dark else "black")  # fmt: skip


def maps(panels, unit):
    """Maps side by side, each with a colour bar of its own.

    panels: {title: (H, W) array or tensor}. unit: of the colour bars, e.g. "m". Returns the figure.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(3.6 * len(panels), 2.7), squeeze=False)
    for ax, (title, values) in zip(axes[0], panels.items(), strict=True):
        shown = ax.imshow(np.asarray(values), cmap="cividis", interpolation="nearest")
        figure.colorbar(shown, ax=ax, shrink=0.85, label=unit)
        ax.set(title=title, xlabel="column", ylabel="row")
        ax.grid(False)
    return figure


def recorded_graph(w, x, y, t, loss):
    """What autograd has recorded of loss = (y − t)² with y = w · x, with numbers and gradients.

    All are tensors of one number; w and y have a .grad, y by retain_grad(). Forward arrows are
    black and gradients coloured; what is not recorded stands outside the frame. Returns the figure.
    """
    figure, ax = plt.subplots(figsize=(8.4, 3.3))
    ax.add_patch(plt.Rectangle((-1.0, -0.62), 8.75, 2.54, facecolor="0.94", edgecolor="0.6",
                               linestyle="--"))  # fmt: skip
    ax.text(-0.9, 1.66, "recorded by autograd", fontsize=9, color="0.3")
    _tensor(ax, (0, 1.0), "w, a leaf", w, PALETTE[0])
    _tensor(ax, (0, -1.25), "x, data", x, "0.45")
    _tensor(ax, (3.3, 0.2), "y = w · x", y, PALETTE[0])
    _tensor(ax, (3.3, -1.25), "t, data", t, "0.45")
    _tensor(ax, (6.8, 0.2), "L = (y − t)²", loss, PALETTE[0])
    _tensor(ax, (3.3, 2.5), "y.detach()", y.detach(), "0.45")
    for start, end in (((0.42, 0.78), (2.83, 0.25)), ((0.38, -1.1), (2.83, 0.0)),
                       ((3.78, 0.1), (6.23, 0.1)), ((3.68, -1.1), (6.23, -0.1))):  # fmt: skip
        ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "black"})
    style = {"arrowstyle": "->", "color": "0.45", "linestyle": ":"}
    ax.annotate("", (3.3, 2.1), (3.3, 0.62), arrowprops=style)
    _gradient(ax, (6.23, 0.38), (3.78, 0.38), "∂L/∂y", y, (5.0, 0.6))
    _gradient(ax, (2.83, 0.5), (0.42, 1.08), "∂L/∂w", w, (1.7, 1.1))
    ax.set(xlim=(-1.1, 8), ylim=(-1.75, 3.0), aspect="auto")
    ax.axis("off")
    return figure


def _tensor(ax, middle, name, value, colour):
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": colour}
    text = f"{name}\n{value.item():g}"
    ax.text(*middle, text, ha="center", va="center", fontsize=10, bbox=box | {"linewidth": 1.6})


def _gradient(ax, start, end, name, tensor, place):
    text = f"{name} = {tensor.grad.item():g}".replace("-", "−")
    style = {"arrowstyle": "->", "color": PALETTE[1], "linewidth": 2}
    ax.annotate("", end, start, arrowprops=style)
    ax.text(*place, text, ha="center", color=PALETTE[1], fontsize=10)
