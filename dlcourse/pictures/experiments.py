"""Pictures of experiments: histograms layer by layer,
means with error bars over seeds, the curves of a clinic."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import MARKERS, PALETTE, log_axes


def layer_histograms(rows, xlabels):
    """One row of panels for each experiment, one outlined histogram for each layer in a panel.

    rows: {name: (panel, panel, …)}, a panel being {layer: array}.
    xlabels: one for each panel of a row. Returns the figure.
    Raises ValueError where a row has not as many panels as there are labels.
    """
    wrong = [name for name, panels in rows.items() if len(panels) != len(xlabels)]
    if wrong:
        raise ValueError(
            f"layer_histograms: row {wrong[0]!r} "
            f"has not one panel for each of {len(xlabels)} labels"
        )
    size = (4.2 * len(xlabels) + 1.2, 1.7 * len(rows) + 0.4)
    figure, axes = plt.subplots(len(rows), len(xlabels), figsize=size, squeeze=False, sharex="col")
    for column, label in enumerate(xlabels):
        every = np.concatenate(
            [np.ravel(v) for panels in rows.values() for v in panels[column].values()]
        )
        edges = np.linspace(every.min(), every.max(), 81)
        for ax, (name, panels) in zip(axes[:, column], rows.items(), strict=True):
            for index, (layer, values) in enumerate(panels[column].items()):
                heights, _ = np.histogram(values, edges, density=True)
                shade = plt.cm.viridis(0.85 * index / max(len(panels[column]) - 1, 1))
                ax.stairs(heights / heights.max(), edges, color=shade, label=layer, linewidth=1.5)
            ax.set(yticks=[], title=name)
        axes[-1, column].set_xlabel(label)
        axes[-1, column].xaxis.set_major_locator(plt.MaxNLocator(6))
        axes[len(rows) // 2, 0].set_ylabel("frequency, largest = 1")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center")
    return figure


def seed_dots(groups, ylabel, bars=None, ax=None):
    """Every seed's result as a dot, one column for each group; bars adds mean ± error beside them.

    groups: {name: (seeds,) values}. bars: {name: (mean, error)} or None. Dots of one seed are
    joined by a thin line where all groups have equally many. Returns the axes.
    """
    ax = plt.subplots(figsize=(1.1 * len(groups) + 1.6, 3.3))[1] if ax is None else ax
    columns = [np.asarray(values, dtype=float) for values in groups.values()]
    if len({len(column) for column in columns}) == 1:
        ax.plot(range(len(columns)), np.stack(columns), color="0.8", linewidth=0.8, zorder=1)
    for index, (name, column) in enumerate(zip(groups, columns, strict=True)):
        ax.plot(
            [index] * len(column),
            column,
            MARKERS[0],
            color=PALETTE[index % len(PALETTE)],
            markersize=4,
            alpha=0.7,
        )
        if bars:
            mean, error = bars[name]
            ax.errorbar(index + 0.2, mean, error, fmt="_", color="black", markersize=9, capsize=4)
    ax.set(
        xticks=range(len(groups)),
        xticklabels=list(groups),
        ylabel=ylabel,
        xlim=(-0.5, len(groups) - 0.5),
    )
    return ax


def _accuracies(ax, curves):
    for index, (label, values) in enumerate(curves.items()):
        epochs, style = range(1, len(values) + 1), ["-", "--", "-"][index % 3]
        ax.plot(epochs, values, style, color=PALETTE[index], label=label, linewidth=1.4)
    ax.set(ylim=(0, 1.02), xlabel="epoch")


def clinic(runs, guessing, last=40):
    """Runs side by side: the loss of every step,
    its last steps enlarged, and accuracies for each epoch.

    runs: {name: curves}, curves being a dict whose first entry is the loss of each step,
    the others accuracies of each epoch. guessing: the loss of a guess, a dotted line.
    last: how many steps are enlarged. Returns the figure.
    """
    figure, axes = plt.subplots(
        3, len(runs), figsize=(1.75 * len(runs), 5.6), sharey="row", squeeze=False
    )
    for (top, middle, bottom), (name, curves) in zip(axes.T, runs.items(), strict=True):
        losses, *_ = curves.values()
        top.plot(np.clip(losses, None, 1e2), linewidth=0.8)
        top.set(yscale="log", ylim=(0.2, 1e2), title=name, xlabel="step")
        middle.plot(
            range(len(losses) - last, len(losses)),
            np.clip(losses[-last:], None, 3),
            ".-",
            linewidth=0.8,
        )
        middle.set(ylim=(0, 3), xlabel="step")
        for ax in (top, middle):
            ax.axhline(guessing, color="black", linestyle=":", linewidth=1)
        _accuracies(bottom, dict(list(curves.items())[1:]))
    for ax, label in zip(
        axes[:, 0], ("loss (nats)", f"last {last} steps", "accuracy"), strict=True
    ):
        ax.set_ylabel(label)
    figure.legend(*axes[2, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def search_trials(searches, label):
    """The trials of searches over two hyper-parameters, side by side on logarithmic axes.

    searches: {name: list of (setting, value)}, a setting being a dict of two positive numbers with
    the same names everywhere. label: what the values, from 0 to 1, are. Returns the figure.
    """
    figure, axes = plt.subplots(1, len(searches), figsize=(4.3 * len(searches), 3.3), sharey=True,
                                squeeze=False)  # fmt: skip
    for ax, (name, trials) in zip(axes[0], searches.items(), strict=True):
        places = np.array([list(setting.values()) for setting, _ in trials])
        values = [value for _, value in trials]
        dots = ax.scatter(*places.T, c=values, vmin=0, vmax=1, cmap="viridis", s=45)
        log_axes(ax, x=True, y=True)
        xlabel, ylabel = trials[0][0]
        ax.set(title=name, xlabel=xlabel)
    axes[0, 0].set_ylabel(ylabel)
    figure.colorbar(dots, ax=list(axes[0]), label=label)
    return figure
