"""Pictures of training loops:
curves that grow while a run goes on, and the clinic of broken loops."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import MARKERS, PALETTE, log_axes


def live(rows, epochs):
    """Losses and accuracy of the epochs so far, on axes that are wide enough for the whole run.

    rows: one dict an epoch with "epoch", "train loss", "loss" and "accuracy" (of validation).
    epochs: of the whole run.
    Returns the figure, closed, so that a notebook shows it only where it is asked to.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8.2, 2.7))
    done = [row["epoch"] for row in rows]
    for index, (key, label) in enumerate({"train loss": "training", "loss": "validation"}.items()):
        axes[0].plot(done, [row[key] for row in rows], marker=MARKERS[index], label=label)
    axes[0].set(xlabel="epoch", ylabel="loss (nats)", xlim=(0.8, epochs + 0.2), ylim=(0, None))
    axes[0].legend()
    axes[1].plot(done, [row["accuracy"] for row in rows], marker=MARKERS[1], color=PALETTE[1])
    axes[1].set(xlabel="epoch", ylabel="validation accuracy", xlim=(0.8, epochs + 0.2))
    for ax in axes:
        ax.set_xticks(range(1, epochs + 1))
    plt.close(figure)
    return figure


def loop_clinic(runs, healthy):
    """One column for each run: loss, validation accuracy,
    and how far two layers have moved; dotted is the healthy one.

    runs: {name: curves}, curves being a dict of "training loss",
    "validation accuracy", "first layer moved" and "last layer moved", each (epochs,).
    healthy: such a dict too. Returns the figure.
    """
    figure, axes = plt.subplots(
        3, len(runs), figsize=(2.5 * len(runs), 5.4), sharex=True, sharey="row", squeeze=False
    )
    panels = [["training loss"], ["validation accuracy"], ["first layer moved", "last layer moved"]]
    labels = ["training loss (nats)", "validation accuracy", "distance moved /\ninitial norm"]
    epochs = np.arange(1, len(healthy["training loss"]) + 1)
    for column, (name, curves) in enumerate(runs.items()):
        for ax, keys in zip(axes[:, column], panels, strict=True):
            for colour, key in zip(PALETTE, keys, strict=False):
                ax.plot(epochs, curves[key], color=colour, label=key.removesuffix(" moved"))
                ax.plot(epochs, healthy[key], color=colour, linestyle=":", linewidth=1.3)
        axes[0, column].set_title(name)
        axes[2, column].set_xlabel("epoch")
    for ax, label in zip(axes[:, 0], labels, strict=True):
        ax.set_ylabel(label)
    axes[2, 0].legend(fontsize=8)
    return figure


def patients(panels, guessing, limits=(0.05, 100)):
    """Losses of broken loops, one panel for each rate; the first run of a panel is the healthy one,
    dashed.

    panels: {title: runs}, runs being {name: loss of each step}. guessing: the loss of a guess, a
    dotted line. limits: (lowest, highest) loss drawn. Returns the figure.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(10, 3.6), sharey=True, squeeze=False)
    for ax, (title, runs) in zip(axes.flat, panels.items(), strict=True):
        for name, losses in runs.items():
            shown = np.clip(losses, None, 10 * limits[1])  # the rest of a run that explodes
            ax.plot(np.arange(1, len(losses) + 1), shown, label=name)
        ax.lines[0].set(linestyle="--", zorder=3)
        ax.axhline(guessing, color="black", linestyle=":", label="guessing")
        log_axes(ax, y=True).set(title=title, xlabel="step", ylim=limits)
    axes[0, 0].set_ylabel("loss of the batch (nats)")
    axes[0, 0].legend(fontsize=8)
    return figure
