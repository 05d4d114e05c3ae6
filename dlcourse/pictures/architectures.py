"""Drawings for the second day of convolutional networks:
what networks cost, how far they see, a U-Net, overlays.

Every function draws with matplotlib and returns the figure.
"""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import MARKERS, PALETTE

OUTLINES = (
    (PALETTE[1], "solid"),
    (PALETTE[5], "dashed"),
    (PALETTE[7], "dotted"),
    (PALETTE[3], "dashdot"),
)


def costs(networks):
    """Two views of what networks cost:
    parameters against multiply-adds, and time against multiply-adds.

    networks: {name: (parameters, multiply-adds, milliseconds)}, all positive. Returns the figure.
    The dotted lines on the right are lines of equal time for each multiply-add.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.9))
    for index, (name, (parameters, adds, time)) in enumerate(networks.items()):
        style = {
            "marker": MARKERS[index % 8],
            "color": PALETTE[index % 7],
            "markersize": 8,
            "linestyle": "none",
        }
        axes[0].plot(adds / 1e9, parameters / 1e6, label=name, **style)
        axes[1].plot(adds / 1e9, time, **style)
    span = (
        np.array([min(n[1] for n in networks.values()), max(n[1] for n in networks.values())]) / 1e9
    )
    for rate in 10.0 ** np.arange(-1, 5):  # ms for each thousand million multiply-adds
        axes[1].plot(span, rate * span, color="0.7", linestyle=":", linewidth=1, zorder=0)
    times = [n[2] for n in networks.values()]
    axes[1].set_ylim(min(times) / 2, max(times) * 2)
    axes[0].set(xscale="log", yscale="log", xlabel="multiply-adds (10⁹)", ylabel="parameters (10⁶)")
    axes[1].set(
        xscale="log", yscale="log", xlabel="multiply-adds (10⁹)", ylabel="one image on the CPU (ms)"
    )
    for ax in axes:
        _name_points(ax, list(networks))
    return figure


def _name_points(ax, names):
    """Writes the name of each point beside the axes, from top to
    bottom as the points lie, with a thin line to its point."""
    points = [line.get_xydata()[0] for line in ax.lines if line.get_linestyle() == "None"]
    order = sorted(range(len(names)), key=lambda i: -points[i][1])
    for place, i in zip(np.linspace(0.96, 0.1, len(names)), order, strict=True):
        ax.annotate(
            names[i],
            points[i],
            (1.05, place),
            textcoords="axes fraction",
            va="center",
            fontsize=8,
            arrowprops={"arrowstyle": "-", "color": "0.6", "lw": 0.6},
        )


def reach(gradient, field, names=("what it can see", "what it weighs")):
    """The gradient of one unit at every pixel:
    on the left where it is not 0, on the right how large it is.

    gradient: (H, W), not negative. field: the computed width of the receptive field in pixels,
    drawn as a frame around the middle of what is not 0.
    names: of the two panels. Returns the figure.
    """
    gradient = np.asarray(gradient, dtype=float)
    rows, columns = np.nonzero(gradient)
    corner = (columns.mean() - field / 2, rows.mean() - field / 2)
    figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.5), sharey=True)
    shown = (gradient > 0, gradient / gradient.max())
    for ax, image, name in zip(axes, shown, names, strict=True):
        drawn = ax.imshow(image, cmap="viridis", vmin=0, vmax=1, interpolation="nearest")
        ax.add_patch(
            plt.Rectangle(corner, field, field, fill=False, edgecolor=PALETTE[1], linewidth=1.8)
        )
        ax.set(title=name, xlabel="pixel")
        ax.grid(False)
    axes[0].set_ylabel("pixel")
    figure.colorbar(drawn, ax=axes, label="gradient / largest", fraction=0.04)
    return figure


def hourglass(width=8, levels=3, size=64, outputs=2):
    """A U-Net as a drawing: maps as boxes,
    their channels and size, the way down, the way up, the skips.

    width: channels at full size; they double with each of the levels.
    size: pixels of the image. Returns the figure.
    """
    figure, ax = plt.subplots(figsize=(8.6, 3.6))
    right = 2 * levels + 1.0
    for level in range(levels + 1):
        for x in {float(level), right - 1 - level}:
            _feature_map(ax, x, level, levels, f"{width * 2**level} × {size // 2**level}²")
        if level < levels:
            _ways(ax, level, right - 1 - level)
    middle = (right - 1) / 2
    ax.text(middle, 0.08, "skip: copied and put beside", ha="center", color=PALETTE[1], fontsize=9)
    ax.text(-0.45, -1.0, "pool 2 × 2\n(what)", ha="center", fontsize=9)
    ax.text(right - 0.55, -1.0, "up 2 × 2\n(where)", ha="center", fontsize=9)
    ax.text(-0.75, 0, f"1 × {size}²", ha="right", va="center", fontsize=9)
    ax.text(right - 0.25, 0, f"1×1 → {outputs} × {size}²", ha="left", va="center", fontsize=9)
    for start, end in ((-0.7, -0.2), (right - 0.8, right - 0.3)):
        ax.annotate("", (end, 0), (start, 0), arrowprops={"arrowstyle": "-|>"})
    ax.set(xlim=(-1.4, right + 1.0), ylim=(-levels - 0.6, 0.75))
    ax.axis("off")
    return figure


def _feature_map(ax, x, level, levels, text):
    """A box for the maps of one level, in one colour on the way down, another on the way up."""
    height, half = 0.9 * 0.68**level, 0.1 + 0.05 * level
    box = plt.Rectangle((x - half, -level - height / 2), 2 * half, height)
    box.set(facecolor=PALETTE[0] if x <= levels else PALETTE[2], alpha=0.85)
    ax.add_patch(box)
    if level in (0, levels):
        y = height / 2 + 0.06 if level == 0 else -level - height / 2 - 0.22
        ax.text(x, y, text, ha="center", fontsize=8)
    elif x == level:
        ax.text(x - half - 0.08, -level, text, ha="right", va="center", fontsize=8)
    else:
        ax.text(x + half + 0.08, -level, text, ha="left", va="center", fontsize=8)


def _ways(ax, near, far):
    """Arrows of one level: across it, down from its box at x = near, up to its box at x = far."""
    style = {"arrowstyle": "-|>", "linewidth": 1.6}
    across = style | {"color": PALETTE[1]}
    ax.annotate("", (far - 0.2, -near), (near + 0.2, -near), arrowprops=across)
    ax.annotate("", (near + 0.85, -near - 0.85), (near + 0.2, -near - 0.3), arrowprops=style)
    ax.annotate("", (far - 0.2, -near - 0.3), (far - 0.85, -near - 0.85), arrowprops=style)


def sections(x, masks, dt, dx, titles=None, columns=4):
    """Seismic sections with outlines drawn on them.

    x: (N, 1, H, W) amplitudes. masks: {name: (N, 1, H, W) bool}, each in a colour of its own; an
    empty one leaves no line. dt, dx: seconds from sample to sample, metres from trace to trace.
    titles: N strings or None. Returns the figure.
    """
    x = np.asarray(x)
    columns = min(columns, len(x))
    rows = -(-len(x) // columns)
    size = (2.35 * columns, 2.35 * rows + 0.4)
    figure, axes = plt.subplots(
        rows, columns, figsize=size, squeeze=False, sharex=True, sharey=True
    )
    extent = (0, x.shape[3] * dx / 1000, x.shape[2] * dt, 0)
    look = {"cmap": "gray", "vmin": -2.5, "vmax": 2.5, "interpolation": "nearest"}
    for ax in axes.flat[len(x) :]:
        ax.axis("off")
    for index, (ax, section) in enumerate(zip(axes.flat, x[:, 0], strict=False)):
        ax.imshow(section, extent=extent, aspect="auto", **look)
        _outlines(ax, [np.asarray(mask)[index, 0] for mask in masks.values()], extent)
        ax.grid(False)
        if titles is not None:
            ax.set_title(titles[index], fontsize=9)
    figure.supxlabel("distance (km)", fontsize=10)
    figure.supylabel("two-way time (s)", fontsize=10)
    lines = [
        plt.Line2D([], [], color=colour, linestyle=style)
        for colour, style in OUTLINES[: len(masks)]
    ]
    figure.legend(lines, list(masks), loc="outside upper center", ncols=len(masks))
    return figure


def _outlines(ax, masks, extent):
    for mask, (colour, style) in zip(masks, OUTLINES, strict=False):
        if mask.any() and not mask.all():
            ax.contour(
                mask,
                levels=[0.5],
                colors=[colour],
                linewidths=1.7,
                extent=extent,
                origin="upper",
                linestyles=style,
            )


def heat(images, maps, titles=None, columns=6, scale=1.7):
    """Images with a map of what mattered laid over them, each map on its own scale.

    images: (N, C, H, W), one channel or three, in [0, 1]. maps: (N, h, w), enlarged to the image.
    titles: N strings. Returns the figure.
    """
    images, maps = np.asarray(images), np.asarray(maps)
    columns = min(columns, len(images))
    rows, shape = -(-len(images) // columns), images.shape[2] / images.shape[3]
    figure, axes = plt.subplots(
        rows, columns, figsize=(scale * columns, (scale * shape + 0.35) * rows), squeeze=False
    )
    extent = (0, images.shape[3], images.shape[2], 0)
    for ax in axes.flat:
        ax.axis("off")
    for index, (ax, image, one) in enumerate(zip(axes.flat, images, maps, strict=False)):
        ax.imshow(image.transpose(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=1, extent=extent)
        ax.imshow(one, cmap="inferno", alpha=0.55, extent=extent, interpolation="bilinear", vmin=0)
        if titles is not None:
            ax.set_title(titles[index], fontsize=9)
    return figure
