"""Pictures of the adversarial game:
clouds of samples on a ring, densities with their discriminator, the clinic."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import PALETTE
from dlcourse.report import to_numpy


def clouds(samples, real, titles=None, columns=6, limit=3.0, side=2.1):
    """One panel for each cloud of samples,
    orange over the real points in grey, all on the same axes.

    samples: {name: (N, 2)}. real: (M, 2). titles: {name: text} where the name is not the title.
    limit: half the side of a panel. side: its width in inches. Returns the figure. Raises
    ValueError where there is no cloud.
    """
    if not samples:
        raise ValueError("clouds got no samples")
    columns = min(columns, len(samples))
    rows = -(-len(samples) // columns)
    size = (side * columns + 0.3, (side + 0.2) * rows)
    figure, axes = plt.subplots(
        rows, columns, figsize=size, squeeze=False, sharex=True, sharey=True
    )
    for ax in axes.flat[len(samples) :]:
        ax.axis("off")
    for ax, (name, points) in zip(axes.flat, samples.items(), strict=False):
        _cloud(ax, points, real, limit)
        ax.set_title((titles or {}).get(name, name), fontsize=9)
    for ax in axes[-1]:
        ax.set_xlabel("$x_1$")
    for ax in axes[:, 0]:
        ax.set_ylabel("$x_2$")
    return figure


def _cloud(ax, points, real, limit):
    real, points = to_numpy(real)[:800], to_numpy(points)[:800]
    ax.scatter(*real.T, s=3, color="0.6", linewidths=0, label="real")
    ax.scatter(*points.T, s=4, color=PALETTE[1], linewidths=0, label="generated")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")


def densities(x, p, q, judged, title=None, ax=None):
    """Two densities over a line, real and generated, and what the best discriminator says.

    x, p, q, judged: (K,). Returns the axes.
    """
    ax = plt.subplots(figsize=(6.0, 3.0))[1] if ax is None else ax
    x, p, q, judged = (to_numpy(values) for values in (x, p, q, judged))
    for values, name, colour in ((p, "real, p", PALETTE[0]), (q, "generated, q", PALETTE[1])):
        ax.plot(x, values, color=colour, label=name)
        ax.fill_between(x, values, color=colour, alpha=0.15, linewidth=0)
    ax.plot(x, judged, color=PALETTE[2], linestyle="--", label="best D")
    ax.axhline(0.5, color="black", linestyle=":", linewidth=1)
    ax.set(xlabel="x", ylabel="density, probability", ylim=(0, 1.05), title=title)
    ax.legend(fontsize=8)
    return ax


def loss_slopes(probability, saturating, non_saturating):
    """How strongly either loss of the generator pulls,
    against what the discriminator says of a fake.

    probability: (K,) D(G(z)). The two others: (K,) |∂loss/∂logit|. Returns the axes.
    """
    ax = plt.subplots(figsize=(5.2, 3.0))[1]
    ax.plot(to_numpy(probability), to_numpy(saturating), label="saturating, ln(1 − D)")
    ax.plot(to_numpy(probability), to_numpy(non_saturating), "--", label="non-saturating, −ln D")
    ax.axvspan(0, 0.05, color="0.85", linewidth=0)
    ax.text(0.06, 0.5, "where training\nstarts", fontsize=8, color="0.3", va="center")
    ax.set(xlabel="D(G(z)): probability that the fake is real", ylabel="|slope| by the logit")
    ax.legend(fontsize=8, loc="upper center")
    return ax


def histogram(shares, titles):
    """Shares of the classes as bars, one group for each sampler; dotted: equal shares.

    shares: list of (C,). titles: as many names. Returns the axes.
    """
    ax = _bars(dict(zip(titles, shares, strict=True)))
    ax.set(xlabel="class, by the judge", ylabel="share of the images")
    return ax


def _bars(shares):
    """One group of bars for each class, one bar in it for each name;
    dotted: 1 / C. shares: {name: (C,)}."""
    ax = plt.subplots(figsize=(6.4, 2.8))[1]
    count = len(to_numpy(next(iter(shares.values()))))
    for index, (name, share) in enumerate(shares.items()):
        place = np.arange(count) + 0.8 * ((index + 0.5) / len(shares) - 0.5)
        ax.bar(place, to_numpy(share), width=0.8 / len(shares), color=PALETTE[index], label=name)
    ax.axhline(1 / count, color="black", linestyle=":", linewidth=1)
    ax.set_xticks(range(count))
    ax.legend(fontsize=8, ncols=len(shares), loc="upper center", bbox_to_anchor=(0.5, 1.2))
    return ax


def clinic(runs, real, limit=3.0):
    """A column for each run:
    what the discriminator says of real and fake in training, and the samples at the end.

    runs: {name: {"real": (T,), "fake": (T,), "samples": (N, 2)}}. real: (M, 2). Returns the figure.
    """
    figure, axes = plt.subplots(
        2, len(runs), figsize=(1.85 * len(runs) + 0.3, 4.2), sharey="row", squeeze=False
    )
    for (top, bottom), (name, run) in zip(axes.T, runs.items(), strict=True):
        for kind, colour, style in (("real", PALETTE[0], "-"), ("fake", PALETTE[1], "--")):
            values = to_numpy(run[kind])
            smooth = values[: len(values) // 10 * 10].reshape(-1, 10).mean(1)  # ten steps a point
            top.plot(
                10 * np.arange(len(smooth)) + 5,
                smooth,
                style,
                color=colour,
                linewidth=1.4,
                label=kind,
            )
        top.axhline(0.5, color="black", linestyle=":", linewidth=1)
        top.set(ylim=(0, 1), title=name, xlabel="step")
        _cloud(bottom, run["samples"], real, limit)
        bottom.set(xlabel="$x_1$")
    axes[0, 0].set_ylabel("D's probability\nof “real”")
    axes[1, 0].set_ylabel("$x_2$")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
