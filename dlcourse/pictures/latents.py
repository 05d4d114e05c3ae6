"""Pictures of the day of variational autoencoders:
maps of codes, rates, scores of strangeness, and the clinic."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from dlcourse.plot import PALETTE, curves, image_grid, scatter
from dlcourse.report import to_numpy


def maps(codes, y, rings=(), size=3.6):
    """Two-dimensional codes side by side, coloured by class, with its number at its median.

    codes: {title: (N, 2)}. y: (N,) classes 0 … 9. rings: radii of circles around 0, e.g. where 39 %
    and 86 % of the prior lie. Returns the figure. Raises ValueError for codes of another dimension.
    """
    figure, axes = plt.subplots(
        1, len(codes), figsize=(size * len(codes) + 0.6, size), squeeze=False
    )
    y = to_numpy(y)
    for ax, (title, points) in zip(axes[0], codes.items(), strict=True):
        points = to_numpy(points)
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(f"maps draws codes (N, 2); {title!r} has shape {points.shape}")
        ax.set_aspect("equal", adjustable="datalim")
        scatter(points, y, ax=ax, title=title)
        for radius in rings:
            ax.add_patch(plt.Circle((0, 0), radius, fill=False, color="black", linestyle=":"))
        ax.set(xlabel="$z_1$", ylabel="$z_2$")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside right center", markerscale=2
    )
    return figure


def traversals(images, values, names):
    """One row of images for each latent,
    which goes from the lowest to the highest of `values`, all else at 0.

    images: (len(names) · len(values), 1, H, W), row by row. Returns the figure.
    """
    figure = image_grid(images, columns=len(values), scale=0.7)
    for row, name in enumerate(names):
        ax = figure.axes[row * len(values)]
        ax.text(-0.2, 0.5, name, transform=ax.transAxes, ha="right", va="center", fontsize=8)
    for ax, value in zip(figure.axes, values, strict=False):
        ax.set_title(f"{float(value):+.1f}", fontsize=8)
    return figure


def clinic(runs, baseline, every=10):
    """One panel for each run:
    the KL, and the reconstruction from a draw and from the mean, over the steps.

    runs: {name: {curve: values}}, a value every `every` steps, in nats. baseline: nats of the mean
    image, dotted. Returns the figure.
    """
    figure, axes = plt.subplots(
        1, len(runs), figsize=(2.3 * len(runs), 3.0), sharey=True, squeeze=False
    )
    for ax, (name, lines) in zip(axes[0], runs.items(), strict=True):
        for (label, values), style in zip(lines.items(), ("-", "--", "-"), strict=True):
            values = np.clip(to_numpy(values), 0.5, 3e3)
            ax.plot(
                every * np.arange(1, len(values) + 1), values, style, label=label, linewidth=1.4
            )
        ax.axhline(baseline, color="black", linestyle=":", linewidth=1)
        ax.set(title=name, xlabel="step", yscale="log", ylim=(0.5, 3e3))
    axes[0, 0].set_ylabel("nats per image")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def rate_distortion_curve(points, betas, others):
    """Distortion against rate, each β named, with the line of the lowest sum of both.

    points: (K, 2) rates and distortions in nats an image, one for each of `betas`.
    others: {name: (M, 2)}. Returns the axes.
    """
    ax = curves({"β": tuple(points.T)} | {name: tuple(other.T) for name, other in others.items()},
                "rate R (nats per image)", "distortion D (nats per image)")  # fmt: skip
    for beta, point in zip(betas, points.tolist(), strict=True):
        ax.annotate(f" β = {beta:g}", point, fontsize=8)
    ends = torch.stack([points[:, 0].min(), points[:, 0].max()])
    ax.plot(ends, points.sum(1).min() - ends, color="0.5", linestyle=":")  # equal −ELBO all along
    return ax


def novelty(left_out, seen):
    """One panel for each score: the AUROC of each digit when it was left out of training (full
    dots), and when it was not (open dots, the control), joined by a line.

    left_out, seen: {score: ten values}, with the same scores. Returns the figure.
    """
    figure, axes = plt.subplots(
        1, len(left_out), figsize=(3.3 * len(left_out) + 0.6, 3.3), sharey=True, squeeze=False
    )
    for ax, (score, values) in zip(axes[0], left_out.items(), strict=True):
        digits, values, control = range(len(values)), to_numpy(values), to_numpy(seen[score])
        ax.vlines(digits, control, values, color="0.7", linewidth=1)
        ax.plot(digits, values, "o", color=PALETTE[0], label="left out of training")
        ax.plot(digits, control, "o", color=PALETTE[1], mfc="white", label="control: all ten seen")
        ax.axhline(0.5, color="black", linestyle=":", linewidth=1)
        ax.set(title=score, xlabel="digit", xticks=digits, ylim=(-0.03, 1.03))
    axes[0, 0].set_ylabel("AUROC")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def correlations(tables, factors):
    """Tables of correlations, latents downwards and factors across, side by side.

    tables: {title: (d, len(factors))} values from −1 to 1.
    factors: their names. Returns the figure.
    """
    figure, axes = plt.subplots(
        1, len(tables), figsize=(4 * len(tables), 3.6), sharey=True, squeeze=False
    )
    for ax, (title, table) in zip(axes[0], tables.items(), strict=True):
        image = ax.imshow(to_numpy(table), cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
        ax.set_xticks(range(len(factors)), factors, rotation=45, ha="right")
        ax.set(title=title, yticks=range(len(table)))
        ax.set_yticklabels([f"$z_{{{i}}}$" for i in range(1, len(table) + 1)])
        ax.grid(False)
    figure.colorbar(image, ax=list(axes[0]), label="correlation")
    return figure
