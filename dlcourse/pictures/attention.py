"""Pictures of attention: soft look-ups on a terrain,
tables of weights, codes of positions, a race, costs."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import MARKERS, PALETTE
from dlcourse.report import to_numpy


def lookups(truth, stations, answers, pixel=(1.0, 1.0)):
    """A field, the stations where it is known,
    and answers everywhere else, all on one scale of colours.

    truth: (H, W). stations: (S, 2) rows and columns. answers: {name: (h, w)}, on the same area.
    pixel: (height, width) in km. Returns the figure.
    """
    truth, stations = to_numpy(truth), to_numpy(stations)
    fields = {"truth and stations": truth} | {
        name: to_numpy(field) for name, field in answers.items()
    }
    limits = {"vmin": truth.min(), "vmax": truth.max(), "cmap": "viridis"}
    extent = (0, truth.shape[1] * pixel[1], truth.shape[0] * pixel[0], 0)
    figure, axes = plt.subplots(
        1, len(fields), figsize=(2.6 * len(fields), 2.6), sharey=True, squeeze=False
    )
    for ax, (name, field) in zip(axes[0], fields.items(), strict=True):
        picture = ax.imshow(field, extent=extent, **limits)
        ax.set_title(name, fontsize=9)
        ax.set_xlabel("east (km)")
        ax.grid(False)
    axes[0, 0].scatter(
        stations[:, 1] * pixel[1], stations[:, 0] * pixel[0], s=2, color="white", linewidths=0
    )
    axes[0, 0].set_ylabel("south (km)")
    figure.colorbar(picture, ax=axes[0].tolist(), label="height (m)", shrink=0.8)
    return figure


def tables(weights, rows=None, columns=None, labels=("query", "key"), limit=1.0, side=2.2):
    """Tables of numbers ≥ 0 as shades of blue, side by side: attention weights, influences.

    weights: {title: (T, S)}.
    rows, columns: a label for each row and column, or None for numbers. labels: of the axes.
    limit: the number drawn darkest; None: the largest of each table. side: inches. Returns the
    figure. Raises ValueError where there is no table.
    """
    if not weights:
        raise ValueError("tables got no tables")
    figure, axes = plt.subplots(
        1, len(weights), figsize=(side * len(weights) + 0.3, side + 0.5), squeeze=False
    )
    for ax, (title, table) in zip(axes[0], weights.items(), strict=True):
        table = to_numpy(table)
        ax.imshow(
            table,
            cmap="Blues",
            vmin=0,
            vmax=table.max() if limit is None else limit,
            interpolation="nearest",
        )
        for axis, names in ((ax.yaxis, rows), (ax.xaxis, columns)):
            if names is not None:
                axis.set_ticks(range(len(names)), list(names), fontsize=8)
            else:
                axis.set_major_locator(plt.MaxNLocator(4, integer=True))
        ax.set_title(title, fontsize=9)
        ax.set_xlabel(labels[1])
        ax.grid(False)
    axes[0, 0].set_ylabel(labels[0])
    return figure


def position_codes(code, products):
    """A code of positions as a picture, and how alike two positions are, against their distance.

    code: (T, width). products: {name: (K,)}, the product at distance 0 … K − 1. Returns the figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 2.9))
    picture = left.imshow(
        to_numpy(code).T, cmap="RdBu", vmin=-1, vmax=1, aspect="auto", interpolation="nearest"
    )
    left.set(xlabel="position t", ylabel="feature")
    left.grid(False)
    figure.colorbar(picture, ax=left)
    for index, (name, values) in enumerate(products.items()):
        right.plot(to_numpy(values), "--" if index else "-", label=name)
    right.set(xlabel="distance of the two positions", ylabel="product / that at distance 0")
    right.legend(fontsize=8)
    return figure


def race_panels(runs, levels):
    """Bits a character against seconds, and against the characters read.
    The same curves, two questions.

    runs: {name: rows with "seconds", "characters" and "bits"}.
    levels: {name: bits}, dotted. Returns the figure.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.2), sharey=True)
    for ax, what, label in zip(axes, ("seconds", "characters"),
                               ("seconds of training", "characters read (millions)"),
                               strict=True):  # fmt: skip
        for index, (name, rows) in enumerate(runs.items()):
            x = np.array([row[what] for row in rows], dtype=float) / (
                1e6 if what == "characters" else 1.0
            )
            ax.plot(
                x, [row["bits"] for row in rows], marker=MARKERS[index], markersize=4, label=name
            )
        for name, bits in levels.items():
            ax.axhline(bits, color="black", linestyle=":", linewidth=1)
            ax.annotate(
                name,
                (1.0, bits),
                xycoords=("axes fraction", "data"),
                fontsize=8,
                ha="right",
                va="bottom",
            )
        ax.set_xlabel(label)
    axes[0].set_ylabel("bits a character, held out")
    axes[0].legend(fontsize=8)
    return figure


def frontier(runs):
    """Loss against training compute, both axes logarithmic, a line for each size of model.

    runs: {name: (flops (K,), loss (K,))}. Returns the axes.
    """
    ax = plt.subplots(figsize=(6.2, 3.6))[1]
    for index, (name, (flops, loss)) in enumerate(runs.items()):
        ax.plot(to_numpy(flops), to_numpy(loss), color=PALETTE[index % len(PALETTE)], label=name)
    ax.set(xscale="log", yscale="log", xlabel="multiplications and additions in training")
    ax.set_ylabel("loss (bits a character)")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter("{x:g}")
    ax.tick_params(axis="y", which="minor", labelsize=8)
    ax.legend(fontsize=8)
    return ax


def costs(lengths, measured, slopes):
    """Milliseconds against the length of the sequence,
    both axes logarithmic, beside lines of known slope.

    lengths: (K,). measured: {name: (K,) ms}. slopes: {name: exponent}, drawn dotted through the
    last point of the measured curve of that name. Returns the axes.
    """
    ax = plt.subplots(figsize=(5.6, 3.4))[1]
    lengths = np.asarray(lengths, dtype=float)
    for index, (name, values) in enumerate(measured.items()):
        values = to_numpy(values)
        ax.plot(
            lengths, values, marker=MARKERS[index], color=PALETTE[index], markersize=5, label=name
        )
        if name in slopes:
            line = values[-1] * (lengths / lengths[-1]) ** slopes[name]
            ax.plot(lengths, line, ":", color=PALETTE[index], label=f"slope {slopes[name]}")
    ax.set(xscale="log", yscale="log", xlabel="length of the sequence T", ylabel="milliseconds")
    ax.set_xticks(lengths, [f"{length:g}" for length in lengths])
    ax.minorticks_off()
    ax.legend(fontsize=8)
    return ax
