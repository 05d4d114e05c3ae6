"""Drawings of convolutions: a window on its numbers,
who is wired to whom, maps of a terrain, traces.

Every function draws with matplotlib and returns the figure, or the axes where it takes `ax`.
"""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import PALETTE


def traces(rows, dt, marks=(), height=1.3):
    """Signals over time, one panel each, all on the same time axis.

    rows: {name: (T,) values}. dt: seconds a sample.
    marks: seconds at which a dotted line is drawn. Returns the figure.
    """
    size = (9.0, height * len(rows) + 0.5)
    figure, axes = plt.subplots(len(rows), 1, figsize=size, sharex=True, squeeze=False)
    for index, (ax, (name, values)) in enumerate(zip(axes[:, 0], rows.items(), strict=True)):
        values = np.asarray(values)
        ax.plot(dt * np.arange(len(values)), values, color=PALETTE[index], linewidth=1.1)
        for mark in marks:
            ax.axvline(mark, color="black", linestyle=":", linewidth=1)
        ax.set_title(name, fontsize=10)
        ax.set_ylabel("amplitude")
    axes[-1, 0].set_xlabel("time (s)")
    return figure


def window(x, w, y, at):
    """A small image, a kernel and their correlation in numbers;
    the window at one output and its result are framed.

    x: (H, W), w: (kh, kw), y: (H − kh + 1, W − kw + 1).
    at: (row, column) of the output. Returns the figure.
    """
    parts = {"image": np.asarray(x), "kernel": np.asarray(w), "result": np.asarray(y)}
    ratios = [part.shape[1] for part in parts.values()]
    figure, axes = plt.subplots(1, 3, figsize=(0.42 * sum(ratios) + 2,
                                               0.42 * len(parts["image"]) + 0.5),
                                width_ratios=ratios)  # fmt: skip
    frames = {
        "image": (at, parts["kernel"].shape),
        "kernel": ((0, 0), parts["kernel"].shape),
        "result": (at, (1, 1)),
    }
    for ax, (name, part) in zip(axes, parts.items(), strict=True):
        scale = max(np.abs(part).max(), 1e-9)
        ax.imshow(part, cmap="RdBu_r", vmin=-2.2 * scale, vmax=2.2 * scale)
        for (row, column), value in np.ndenumerate(part):
            ax.text(column, row, f"{value:g}", ha="center", va="center", fontsize=9)
        (row, column), (tall, wide) = frames[name]
        ax.add_patch(plt.Rectangle((column - 0.5, row - 0.5), wide, tall, fill=False,
                                   edgecolor=PALETTE[1], linewidth=3, clip_on=False))  # fmt: skip
        ax.set(title=name, xticks=[], yticks=[])
        ax.grid(False)
    return figure


def wiring(settings, n=9):
    """Which inputs each output of a one-dimensional layer is wired to; one colour a weight.
    Dashed: padding.

    settings: {title: dict(kernel=…, stride=…, padding=…, dilation=…)}, all optional. n: inputs.
    Returns the figure.
    """
    figure, axes = plt.subplots(1, len(settings), figsize=(2.7 * len(settings), 1.9), squeeze=False,
                                sharex=True, sharey=True)  # fmt: skip
    for ax, (title, one) in zip(axes[0], settings.items(), strict=True):
        one = {"kernel": 3, "stride": 1, "padding": 0, "dilation": 1} | one
        kernel, stride, padding, dilation = (
            one[key] for key in ("kernel", "stride", "padding", "dilation")
        )
        places = np.arange(-padding, n + padding)
        starts = places[: len(places) - dilation * (kernel - 1) : stride]
        for start in starts:
            middle = start + dilation * (kernel - 1) / 2
            for k in range(kernel):
                ax.plot(
                    [start + dilation * k, middle],
                    [0, 1],
                    color=PALETTE[k],
                    linewidth=1.3,
                    zorder=1,
                )
            ax.plot(middle, 1, "s", color="black", markersize=6)
        for place in places:
            inside = 0 <= place < n
            ax.plot(place, 0, "o", markersize=7, markeredgecolor="black" if inside else "0.5",
                    zorder=2, markerfacecolor="black" if inside else "white")  # fmt: skip
        ax.set_title(f"{title}\n{n} → {len(starts)}", fontsize=10)
        ax.axis("off")
    return figure


def maps(fields, pixel, unit="", columns=3, cmap="viridis", limits=None, colourbar=True):
    """Maps of the same ground with kilometres on both
    axes and one colour scale each, or one for all.

    fields: {title: (H, W) values}. pixel: (height, width) of a pixel in metres. limits: (lowest,
    highest) for all. Returns the figure.
    """
    columns = min(columns, len(fields))
    rows = -(-len(fields) // columns)
    first = np.asarray(next(iter(fields.values())))
    tall = 2.5 * first.shape[0] * pixel[0] / (first.shape[1] * pixel[1])
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.2 * columns, (tall + 0.6) * rows), squeeze=False
    )
    for ax in axes.flat[len(fields) :]:
        ax.axis("off")
    for ax, (title, field) in zip(axes.flat, fields.items(), strict=False):
        field = np.asarray(field)
        low, high = limits or np.percentile(field, (1, 99))
        extent = (0, field.shape[1] * pixel[1] / 1000, field.shape[0] * pixel[0] / 1000, 0)
        image = ax.imshow(field, extent=extent, cmap=cmap, vmin=low, vmax=high)
        ax.set(title=title, xlabel="east (km)")
        ax.grid(False)
        if colourbar:
            figure.colorbar(image, ax=ax, label=unit, fraction=0.05, pad=0.03)
    for ax in axes[:, 0]:
        ax.set_ylabel("south (km)")
    return figure


def matrix(values, title="", ax=None, xlabel="input pixel", ylabel="output pixel"):
    """A matrix in colours, white at 0. values: (M, N). Returns the axes."""
    ax = plt.subplots(figsize=(4.0, 3.6))[1] if ax is None else ax
    values = np.asarray(values)
    scale = np.abs(values).max()
    ax.imshow(
        values, cmap="RdBu_r", vmin=-scale, vmax=scale, interpolation="nearest", aspect="auto"
    )
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.xaxis.get_major_locator().set_params(integer=True)  # there is no pixel 2.5
    ax.grid(False)
    return ax


def panels(images, columns=6, scale=1.6, cmap="gray", limits=None, frames=False):
    """Images under their titles,
    each on its own scale of grey unless limits are given; NaN stays white.

    images: {title: (H, W) or (H, W, 3)}.
    limits: (darkest, brightest) or "symmetric" (0 in the middle, for each).
    frames: whether each has a thin frame. Returns the figure.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    first = np.asarray(next(iter(images.values())))
    size = (scale * columns, (scale * first.shape[0] / first.shape[1] + 0.3) * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for ax in axes.flat[len(images) :]:
        ax.axis("off")
    for ax, (title, image) in zip(axes.flat, images.items(), strict=False):
        image = np.asarray(image)
        largest = np.nanmax(np.abs(image))
        low, high = (
            (-largest, largest)
            if limits == "symmetric"
            else limits or (np.nanmin(image), np.nanmax(image))
        )
        ax.imshow(image, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
        ax.set_title(title, fontsize=9)
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        for spine in ax.spines.values():
            spine.set(visible=frames, linewidth=0.6)
    return figure
