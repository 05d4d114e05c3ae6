"""Pictures of data sets and of filled holes:
images beside their fillings, curves while they grow, recalls by class."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import MARKERS, PALETTE

VEIL = np.array([0.90, 0.62, 0.0])  # the palette's orange: what is hidden


def _grey(images):
    return np.clip(images.detach().cpu().float().numpy()[:, 0], 0, 1)


def fillings(rows, hole=None, scale=0.75, limits=(0, 1), cmap="gray"):
    """Images in rows, one row for each way to fill them.

    rows: {name: images (N, 1, H, W)}.
    hole: (N, 1, H, W) bool; in the first row hidden pixels are painted orange.
    limits: (darkest, brightest). scale: width of an image in inches. Returns the figure.
    """
    count = len(next(iter(rows.values())))
    figure, axes = plt.subplots(
        len(rows), count, figsize=(scale * count + 1.1, scale * len(rows)), squeeze=False
    )
    colours = plt.get_cmap(cmap)
    for row, (name, images) in enumerate(rows.items()):
        values = images.detach().cpu().float().numpy()[:, 0]
        for column, ax in enumerate(axes[row]):
            picture = colours((values[column] - limits[0]) / (limits[1] - limits[0]))[..., :3]
            if hole is not None and row == 0:
                picture[hole[column, 0].cpu().numpy()] = VEIL
            ax.imshow(picture, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color="0.6", linewidth=0.5)  # a white image has an edge
        axes[row, 0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


def live_curves(display, ylabel, keys=("loss", "validation")):
    """A figure that grows while a training runs:
    call what this returns with the history after each epoch.

    display: IPython's, as every notebook has it. keys: entries of the rows of the history to draw.
    """
    figure, ax = plt.subplots(figsize=(6, 2.8))
    plt.close(figure)  # it is displayed by its handle, not a second time at the end of the cell
    handle = display(figure, display_id=True)

    def show(history):
        ax.clear()
        for index, key in enumerate(keys):
            values = [row[key] for row in history]
            ax.plot(
                [row["epoch"] for row in history],
                values,
                marker=MARKERS[index],
                markersize=4,
                label=key,
            )
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set(xlabel="epoch", ylabel=ylabel)
        ax.legend()
        if handle is not None:
            handle.update(figure)

    return show


def recalls(groups, rare):
    """Recall of every class, one dot for each seed
    and a dash at their mean, the methods side by side.

    groups: {method: (seeds, classes)}. rare: numbers of the classes to shade. Returns the axes.
    """
    ax = plt.subplots(figsize=(8.6, 3.2))[1]
    width = 0.8 / len(groups)
    for index, (name, values) in enumerate(groups.items()):
        values, colour = np.asarray(values), PALETTE[index]
        x = np.arange(values.shape[1]) + (index - (len(groups) - 1) / 2) * width
        ax.hlines(values.mean(0), x - 0.4 * width, x + 0.4 * width, color=colour, label=name)
        for one in values:
            ax.plot(x, one, MARKERS[index], color=colour, markersize=3.5, alpha=0.6)
    for number in rare:
        ax.axvspan(number - 0.5, number + 0.5, color="0.92", zorder=0)
    ax.set(xlabel="class (shaded: rare in the training set)", ylabel="recall",
           xticks=range(values.shape[1]), ylim=(None, 1.02))  # fmt: skip
    ax.grid(axis="x", visible=False)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(groups), fontsize=8)
    return ax


def padded_signals(x, mask, rate):
    """The first channel of a padded batch, the padding shaded.
    x: (B, T, C), mask: (B, T) bool, rate: samples a second.

    Returns the figure.
    """
    figure, axes = plt.subplots(len(x), 1, figsize=(7.5, 0.75 * len(x)), sharex=True, sharey=True)
    seconds = np.arange(x.shape[1]) / rate
    for ax, signal, measured in zip(axes, x, mask, strict=True):
        ax.plot(seconds, signal[:, 0].numpy(), linewidth=0.8)
        end = int(measured.sum()) / rate
        ax.axvspan(end, x.shape[1] / rate, color=VEIL, alpha=0.35, linewidth=0)
        ax.set(yticks=[], xlim=(0, x.shape[1] / rate))
        ax.grid(False)
    axes[-1].set_xlabel("time (s); orange: padding")
    figure.supylabel("ground velocity", fontsize=10)
    return figure


def trade_off(curves, marks):
    """Recall of the rare classes over that of the common ones, while a correction grows: the mean
    over the seeds as a line, each seed thinly, and a mark where a method stands by itself.

    curves: {method: (seeds, steps, 2), common and rare recall}. marks: {method: step of its mark}.
    Returns the axes.
    """
    ax = plt.subplots(figsize=(6, 3.6))[1]
    for index, (name, values) in enumerate(curves.items()):
        values, colour = np.asarray(values), PALETTE[index]
        for one in values:
            ax.plot(*one.T, color=colour, linewidth=0.7, alpha=0.4)
        mean = values.mean(0)
        ax.plot(*mean.T, color=colour, label=name)
        ax.plot(*mean[marks[name]], MARKERS[index], color=colour, markersize=9)
        ax.annotate(f"{name} alone", mean[marks[name]], xytext=(8, 4), textcoords="offset points",
                    color=colour, fontsize=9)  # fmt: skip
    ax.set(xlabel="recall of the seven common classes", ylabel="recall of the three rare ones")
    ax.legend(loc="lower left")
    return ax
