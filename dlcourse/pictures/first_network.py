"""Explanatory drawings for the lectures: what a neuron, a layer, a step and a map of landforms
look like. (What ReLUs do to the plane: `folding`.)

Every function draws with matplotlib and returns the figure (or the axes, where it takes `ax`).
"""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.pictures.strokes import arrow, canvas, circle
from dlcourse.plot import PALETTE


def neuron(inputs=("x_1", "x_2", "x_3")):
    """One artificial neuron: weighted sum, bias,
    non-linearity (Rosenblatt 1958, with a general activation).

    inputs: names of the inputs in mathtext.
    Returns the figure. Raises ValueError where there are none.
    """
    if not inputs:
        raise ValueError("a neuron needs at least one input")
    height = 1.0 + len(inputs)
    figure, ax = canvas(6.4, 2.6, 10, height)
    middle = height / 2
    for index, name in enumerate(inputs, start=1):
        y = height - index
        circle(ax, 0.7, y, 0.38, f"${name}$")
        arrow(ax, (1.1, y), (3.3, middle + 0.2 * (y - middle)))
        ax.text(
            2.0,
            y + 0.28 * np.sign(middle - y) + 0.18,
            f"$w_{index}$",
            ha="center",
            color=PALETTE[1],
        )
    circle(ax, 4.0, middle, 0.68, r"$\Sigma$", size=18)
    arrow(ax, (4.0, middle + 1.7), (4.0, middle + 0.72))
    ax.text(4.15, middle + 1.35, "$b$", color=PALETTE[1])
    arrow(ax, (4.7, middle), (6.2, middle))
    ax.text(5.4, middle + 0.2, "$z$", ha="center")
    ax.add_patch(
        plt.Rectangle(
            (6.2, middle - 0.6), 1.4, 1.2, facecolor="white", edgecolor=PALETTE[2], linewidth=1.8
        )
    )
    ax.plot([6.4, 6.9, 7.4], [middle - 0.3, middle - 0.3, middle + 0.4], color=PALETTE[2])
    ax.text(6.9, middle - 1.0, "activation $g$", ha="center", fontsize=9)
    arrow(ax, (7.6, middle), (8.8, middle))
    ax.text(8.9, middle, "$a = g(z)$", va="center", fontsize=12)
    return figure


def layer_graph(sizes, names=None):
    """A network as columns of neurons, with the shape of each weight matrix between them.

    sizes: neurons of every layer, input first; more than six are drawn as five and a row of dots.
    names: one label a layer. Returns the figure.
    Raises ValueError for fewer than two layers or a wrong number of names.
    """
    if len(sizes) < 2:
        raise ValueError(f"a layer graph needs at least two layers, not {tuple(sizes)}")
    names = names or ["input", *[f"hidden {i}" for i in range(1, len(sizes) - 1)], "output"]
    if len(names) != len(sizes):
        raise ValueError(f"layer_graph got {len(sizes)} layers and {len(names)} names")
    rows = max(size if size <= 6 else 5.6 for size in sizes)  # dots take a little more than half
    height = 0.72 * rows + 1.7
    figure, ax = canvas(2.2 * len(sizes), 0.54 * height, 3.0 * len(sizes), height)
    top, columns = height - 0.3, []
    for layer, (size, name) in enumerate(zip(sizes, names, strict=True)):
        shown = size if size <= 6 else 5
        ys = [height / 2 + 0.72 * (shown - 1) / 2 - 0.72 * row for row in range(shown)]
        columns.append([(1.5 + 3.0 * layer, y) for y in ys])
        ax.text(1.5 + 3.0 * layer, top, f"{name}: {size}", ha="center", fontsize=10)
        if size > shown:
            ax.text(1.5 + 3.0 * layer, ys[-1] - 0.62, "⋮", ha="center", va="center", fontsize=14)
    for layer, (left, right) in enumerate(zip(columns, columns[1:], strict=False)):
        for start in left:
            for end in right:
                ax.plot(*zip(start, end, strict=True), color="0.75", linewidth=0.6, zorder=1)
        label = rf"$\mathbf{{W}}_{layer + 1}$: {sizes[layer + 1]}×{sizes[layer]}"
        ax.text(3.0 + 3.0 * layer, 0.2, label, ha="center", fontsize=10, color=PALETTE[1])
    for layer, column in enumerate(columns):
        for x, y in column:
            circle(
                ax, x, y, 0.27, colour=PALETTE[0] if layer in (0, len(columns) - 1) else PALETTE[2]
            )
    return figure


def half_planes(w, b, reach=3.0, ax=None):
    """The line w·x + b = 0, its normal w, and the side where a threshold neuron fires.

    w: two weights, not both zero; b: the bias; reach:
    half the width of the drawing. Returns the axes.
    """
    w = np.asarray(w, dtype=float)
    length = np.hypot(*w)
    if length == 0:
        raise ValueError(
            "half_planes needs a weight that is not zero: without one there is no line"
        )
    ax = plt.subplots(figsize=(4.2, 3.8))[1] if ax is None else ax
    grid = np.linspace(-reach, reach, 200)
    z = w[0] * grid[None] + w[1] * grid[:, None] + b
    ax.contourf(grid, grid, z, levels=[-1e9, 0, 1e9], colors=PALETTE[:2], alpha=0.15)
    lines = ax.contour(
        grid, grid, z, levels=[-4, -2, 0, 2, 4], colors="0.3", linewidths=[0.6, 0.6, 2, 0.6, 0.6]
    )
    ax.clabel(lines, levels=[-4, -2, 2, 4], fmt="z = %g", fontsize=8)
    foot = -b * w / length**2  # the point of the line that is nearest to the origin
    arrow(ax, foot, foot + w / length, colour=PALETTE[1], width=2.2)
    ax.annotate(
        r"$\mathbf{w}/\|\mathbf{w}\|$", foot + 1.1 * w / length, color=PALETTE[1], fontsize=12
    )
    ax.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    ax.grid(False)
    return ax


def descent(loss, paths, span):
    """Gradient descent on a curve of one weight: one panel for each path of iterates.

    loss: function of a NumPy array. paths: {title: iterates}. span: (lowest, highest) weight drawn.
    Returns the figure.
    """
    figure, axes = plt.subplots(
        1, len(paths), figsize=(3.1 * len(paths), 2.7), sharey=True, squeeze=False
    )
    w = np.linspace(*span, 300)
    for ax, (title, path) in zip(axes.flat, paths.items(), strict=True):
        path = np.asarray(path, dtype=float)
        inside = (path >= span[0]) & (path <= span[1])
        shown = path[: len(path) if inside.all() else int(inside.argmin())]
        ax.plot(w, loss(w), color="0.6")
        ax.plot(shown, loss(shown), "o-", color=PALETTE[1], markersize=4, linewidth=1)
        ax.plot(shown[:1], loss(shown[:1]), "s", color=PALETTE[0], markersize=7)
        ax.set(title=title, xlabel="weight $w$")
    axes[0, 0].set_ylabel("loss")
    return figure


def landforms(z, maps, names, cell, border=None):
    """Shaded relief with classes on top, one panel for each map;
    where a class is negative the relief stays bare.

    z: (H, W) heights in metres, first row in the north. maps: {title: (H, W) class numbers, or −1}.
    names: of the classes. cell: (height, width) of a grid cell in metres.
    border: a column where a dashed line is drawn, or None. Returns the figure.
    """
    z = np.asarray(z, dtype=float)
    light = plt.matplotlib.colors.LightSource(azdeg=315, altdeg=45)
    shade = light.hillshade(z, vert_exag=2, dx=cell[1], dy=cell[0])
    shade = np.round(shade * 5) / 5  # six greys make a light file
    extent = (0, z.shape[1] * cell[1] / 1000, 0, z.shape[0] * cell[0] / 1000)
    # Blue for water, yellow for flat ground, white for slopes, red for crests
    colours = [PALETTE[0], PALETTE[7], "white", PALETTE[1]] + PALETTE[3:7]
    classes = plt.matplotlib.colors.ListedColormap(colours[: len(names)])
    limits = {"cmap": classes, "vmin": -0.5, "vmax": len(names) - 0.5}
    side = 4.4 if len(maps) == 1 else 3.3
    figure, axes = plt.subplots(
        1, len(maps), figsize=(side * len(maps) + 1.2, side), sharey=True, squeeze=False
    )
    for ax, (title, forms) in zip(axes.flat, maps.items(), strict=True):
        ax.imshow(shade, cmap="gray", extent=extent, interpolation="nearest")
        ax.imshow(
            np.ma.masked_less(np.asarray(forms), 0),
            alpha=0.55,
            extent=extent,
            interpolation="nearest",
            **limits,
        )
        if border is not None:
            ax.axvline(border * cell[1] / 1000, color="black", linestyle="--")
        ax.set(xlabel="east (km)", title=title)
        ax.grid(False)
    axes[0, 0].set_ylabel("north (km)")
    patch = plt.matplotlib.patches.Patch
    handles = [patch(facecolor=colour, edgecolor="0.6", alpha=0.8) for colour in colours]
    figure.legend(handles[: len(names)], names, loc="outside right upper")
    return figure
