"""Pictures of the earth mover's distance,
of its price function, and of critics with a bounded slope."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from dlcourse.pictures.gan import _cloud
from dlcourse.plot import MARKERS, PALETTE
from dlcourse.report import to_numpy


def separation(shift, divergences):
    """How far two distributions are said to be apart,
    against the shift between them: a panel for each measure.

    shift: (K,). divergences: {name: (K,)};
    infinite values are marked at the upper edge. Returns the figure.
    """
    figure, axes = plt.subplots(
        1, len(divergences), figsize=(2.9 * len(divergences), 2.6), squeeze=False
    )
    shift = to_numpy(shift)
    for index, (ax, (name, values)) in enumerate(zip(axes[0], divergences.items(), strict=True)):
        values = to_numpy(values)
        finite = np.isfinite(values)
        top = max(values[finite].max() * 1.15, 1.0)
        ax.plot(shift[finite], values[finite], ".-", color=PALETTE[index], markersize=5)
        if not finite.all():
            ax.plot(
                shift[~finite],
                np.full((~finite).sum(), 0.93 * top),
                "^",
                color=PALETTE[index],
                markersize=4,
            )
            ax.text(0, 0.78 * top, "∞ everywhere but at 0", ha="center", fontsize=8)
        ax.set(title=name, xlabel="shift θ", ylim=(-0.04 * top, top))
    axes[0, 0].set_ylabel("said to be apart by")
    return figure


def plan(places, p, q, amounts):
    """A transport plan with the two piles at its edges:
    rows where earth is taken, columns where it is brought.

    places: (K,). p, q: (K,) shares. amounts: (K, K). Returns the figure.
    """
    places, p, q, amounts = (to_numpy(values) for values in (places, p, q, amounts))
    figure = plt.figure(figsize=(4.4, 4.0))
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 3), height_ratios=(1, 3))
    middle = figure.add_subplot(grid[1, 1])
    step = places[1] - places[0]
    edge = (places[0] - step / 2, places[-1] + step / 2)
    middle.imshow(amounts, origin="lower", extent=(*edge, *edge), cmap="Blues", aspect="auto")
    middle.plot(edge, edge, color="0.5", linestyle=":", linewidth=1)
    middle.set(xlabel="brought to (m)")
    middle.tick_params(labelleft=False)
    middle.grid(False)
    top = figure.add_subplot(grid[0, 1], sharex=middle)
    top.bar(places, q, width=step, color=PALETTE[1])
    top.set(title="q, the pile wanted")
    top.tick_params(labelbottom=False)
    left = figure.add_subplot(grid[1, 0], sharey=middle)
    left.barh(places, p, height=step, color=PALETTE[0])
    left.set(title="p, the pile\nthere is", ylabel="taken from (m)")
    left.invert_xaxis()
    return figure


def prices(x, p, q, price, judged):
    """Two distributions on a line, and what either umpire says:
    the price function, and the best discriminator.

    x, p, q, price, judged: (K,). Returns the figure.
    """
    x, p, q, price, judged = (to_numpy(values) for values in (x, p, q, price, judged))
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(6.2, 4.0), sharex=True, height_ratios=(1, 2)
    )
    for values, name, colour in ((p, "real, p", PALETTE[0]), (q, "generated, q", PALETTE[1])):
        top.fill_between(x, values, color=colour, alpha=0.35, linewidth=0, label=name, step="mid")
    top.set(ylabel="share")
    top.legend(fontsize=8)
    bottom.plot(x, price, color=PALETTE[2], label="price f, slope at most 1")
    bottom.plot(x, judged, color=PALETTE[3], linestyle="--", label="best D = p / (p + q)")
    bottom.set(xlabel="x (m)", ylabel="what it says at x")
    bottom.legend(fontsize=8)
    return figure


def surfaces(critics, real, fake, limit=3.2):
    """Above the value surface of each critic of points in the plane;
    below the histogram of its weights.

    critics: {title: module, (N, 2) → (N, 1)}. real, fake: (M, 2). Values are scaled to [−1, 1] for
    each critic: only the shape can be compared. Returns the figure.
    """
    figure, axes = plt.subplots(2, len(critics), figsize=(2.7 * len(critics), 4.9), squeeze=False,
                                height_ratios=(2.4, 1))  # fmt: skip
    line = torch.linspace(-limit, limit, 81)
    points = torch.cartesian_prod(line, line)  # x varies slowest: the transpose of an image
    for (top, bottom), (title, critic) in zip(axes.T, critics.items(), strict=True):
        with torch.no_grad():
            values = critic(points).reshape(81, 81).T
            weights = torch.cat([p.flatten() for p in critic.parameters() if p.dim() > 1])
        values = 2 * (values - values.min()) / (values.max() - values.min()).clamp(min=1e-12) - 1
        top.contourf(
            to_numpy(line), to_numpy(line), to_numpy(values), 16, cmap="coolwarm", vmin=-1, vmax=1
        )
        top.scatter(*to_numpy(fake)[:250].T, s=3, color="white", linewidths=0)
        top.scatter(*to_numpy(real)[:250].T, s=3, color="black", linewidths=0)
        top.set(
            title=title, xlabel="$x_1$", xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal"
        )
        top.grid(False)
        bottom.hist(to_numpy(weights), 41, color="0.4")
        bottom.set(xlabel="weight", yscale="log")
        bottom.locator_params(axis="x", nbins=3)
    axes[0, 0].set_ylabel("$x_2$")
    axes[1, 0].set_ylabel("how many")
    return figure


def clinic(runs, real, limit=4.0):
    """A column for each run: the critic's estimate, its mean slope, and the samples at the end.

    runs: {name: {"estimate": (T,), "slope": (T,), "samples": (N, 2)}}.
    real: (M, 2). Returns the figure.
    """
    figure, axes = plt.subplots(
        3, len(runs), figsize=(1.85 * len(runs) + 0.4, 5.6), sharey="row", squeeze=False
    )
    for (top, middle, bottom), (name, run) in zip(axes.T, runs.items(), strict=True):
        top.plot(to_numpy(run["estimate"]), color=PALETTE[0], linewidth=1.2)
        top.axhline(0, color="black", linestyle=":", linewidth=1)
        top.set(title=name, yscale="symlog", yticks=[-1e4, -1e2, 0, 1e2, 1e4], xticklabels=[])
        middle.plot(to_numpy(run["slope"]), color=PALETTE[2], linewidth=1.2)
        middle.axhline(1, color="black", linestyle=":", linewidth=1)
        middle.set(yscale="log", xlabel="round")
        _cloud(bottom, run["samples"], real, limit)
        bottom.set(xlabel="$x_1$")
    for ax, label in zip(
        axes[:, 0], ("estimate of the\ndistance", "mean slope of f", "$x_2$"), strict=True
    ):
        ax.set_ylabel(label)
    return figure


def duel(updates, seconds, distances, floor):
    """Distance of the samples to the real set while two
    kinds of networks train, against updates and against time.

    updates, seconds: {name: (K,)}. distances: {name: (seeds, K)}.
    floor: the noise floor. Returns the figure.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8.0, 3.2), sharey=True)
    for ax, where, label in zip(
        axes, (updates, seconds), ("updates of any network", "seconds, here"), strict=True
    ):
        for index, (name, runs) in enumerate(distances.items()):
            x, runs = to_numpy(where[name]), to_numpy(runs)
            ax.plot(
                x,
                runs.mean(0),
                "os^"[index % 3] + "-",
                color=PALETTE[index],
                markersize=5,
                label=name,
            )
            ax.fill_between(
                x, runs.min(0), runs.max(0), color=PALETTE[index], alpha=0.2, linewidth=0
            )
        ax.axhline(floor, color="black", linestyle=":", linewidth=1)
        ax.set(xlabel=label, yscale="log")
    axes[0].set_ylabel("Fréchet distance\n(judge's features)")
    axes[0].legend(fontsize=8)
    axes[1].text(
        0.02, 1.12 * floor, "noise floor", fontsize=8, transform=axes[1].get_yaxis_transform()
    )
    return figure


def agreement(runs):
    """What the critic says against the exact distance while a generator trains: a panel for each
    kind of run, a colour for each seed, its end circled; dotted: both equal.

    runs: {title: a list of (2, T), the critic's numbers and the exact ones, one for each seed}.
    Returns the figure.
    """
    figure, axes = plt.subplots(1, len(runs), figsize=(3.5 * len(runs), 3.2), squeeze=False)
    for ax, (title, seeds) in zip(axes[0], runs.items(), strict=True):
        for seed, values in enumerate(seeds):
            said, exact = to_numpy(values)
            ax.plot(exact, said, MARKERS[seed % 8] + "-", label=f"seed {seed}",
                    markersize=4, linewidth=0.7)  # fmt: skip
            ax.plot(exact[-1:], said[-1:], "o", color="black", markersize=9, fillstyle="none",
                    label=None if seed else "at the end")  # fmt: skip
        ax.axline((0, 0), slope=1, color="black", linestyle=":", label="both equal")
        ax.set(title=title, xlabel="exact distance W", xlim=0, ylim=min(0.0, ax.get_ylim()[0]))
    axes[0, 0].set_ylabel("the critic's estimate")
    axes[0, 0].legend(fontsize=8)
    return figure


def follows(losses, distances, xlabels):
    """The distance of the samples against the loss of the moment,
    a panel for each kind, a line for each seed.

    losses, distances: {title: (seeds, K)}. xlabels: {title: text}. Returns the figure.
    """
    figure, axes = plt.subplots(
        1, len(losses), figsize=(4.0 * len(losses), 3.0), sharey=True, squeeze=False
    )
    for ax, title in zip(axes[0], losses, strict=True):
        for seed, (x, y) in enumerate(
            zip(to_numpy(losses[title]), to_numpy(distances[title]), strict=True)
        ):
            ax.plot(x, y, MARKERS[seed % 8] + "-", label=f"seed {seed}", linewidth=1.2)
        ax.set(title=title, xlabel=xlabels[title], yscale="log")
    axes[0, 0].set_ylabel("Fréchet distance\n(judge's features)")
    axes[0, 0].legend(fontsize=8)
    return figure
