"""Pictures of tensors: one strip of memory and the views that read it,
maps, and what lies under a window."""

import matplotlib.pyplot as plt
import numpy as np
import torch

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
