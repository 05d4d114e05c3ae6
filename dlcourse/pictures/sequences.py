"""Pictures of models of text and of series:
gates along a sentence, a forecast's fan, its residuals, an attention."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import MARKERS, PALETTE
from dlcourse.report import to_numpy


def _symbols(text):
    return [
        "␣" if character == " " else "↵" if character == "\n" else character for character in text
    ]


def gates(characters, values, name="forget gate"):
    """A gate's activations along a text, a row a unit.
    characters: str of T. values: (T, H). Returns the axes."""
    ax = plt.subplots(figsize=(8.5, 3.2))[1]
    picture = ax.imshow(
        to_numpy(values).T, cmap="viridis", vmin=0, vmax=1, aspect="auto", interpolation="nearest"
    )
    ax.set_xticks(range(len(characters)), _symbols(characters), fontsize=7)
    ax.set(xlabel="character read", ylabel="unit")
    ax.grid(False)
    ax.figure.colorbar(picture, ax=ax, label=name)
    return ax


def two_series(first, second, names):
    """Two data sets of dlcourse.data.series above each other, each with its own time axis.
    names: two titles.

    Returns the figure.
    """
    figure, axes = plt.subplots(2, 1, figsize=(7.0, 4.4))
    for index, (ax, series, name) in enumerate(zip(axes, (first, second), names, strict=True)):
        ax.plot(to_numpy(series.time), to_numpy(series.value), color=PALETTE[index], linewidth=1)
        ax.set(ylabel=series.unit, title=name, xlabel="year" if index else None)
    return figure


def fan(past, future, quantiles, steps, unit, ax=None, shown=None):
    """The window, what came, and the forecast's outer quantiles as a band about the middle one.

    past: (C,), future: (H,), quantiles: (H, Q), Q odd, ascending.
    steps: what a step is, e.g. "weeks".
    shown: how many of the past values are drawn; all by default. Returns the axes.
    """
    past, future, quantiles = (
        to_numpy(past)[-(shown or len(past)) :],
        to_numpy(future),
        to_numpy(quantiles),
    )
    ax = plt.subplots(figsize=(6.6, 3.4))[1] if ax is None else ax
    ahead, middle = np.arange(1, len(future) + 1), quantiles.shape[1] // 2
    ax.plot(np.arange(1 - len(past), 1), past, color="black", label="seen")
    ax.plot(ahead, future, color="black", linestyle=":", label="what came")
    ax.plot(ahead, quantiles[:, middle], color=PALETTE[1], label="median forecast")
    ax.fill_between(ahead, quantiles[:, 0], quantiles[:, -1], color=PALETTE[1], alpha=0.25,
                    linewidth=0, label="outer quantiles")  # fmt: skip
    ax.set(xlabel=f"{steps} from now", ylabel=unit)
    return ax


def fans(windows, steps, unit, shown=None):
    """Several fans beside each other.
    windows: list of (past, future, quantiles) as for `fan`. Returns the figure."""
    figure, axes = plt.subplots(1, len(windows), figsize=(3.4 * len(windows), 3.0), squeeze=False)
    for ax, (past, future, quantiles) in zip(axes[0], windows, strict=True):
        fan(past, future, quantiles, steps, unit if ax is axes[0, 0] else None, ax, shown)
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8
    )
    return figure


def residuals(time, errors, correlations, unit, step, bound):
    """Residuals over time on the left,
    their autocorrelation by lag on the right, with white noise's 95 % bounds.

    time: (N,) years. errors: {name: (N,)}.
    correlations: {name: (K,)} for lags 0 … K − 1. unit: of the residuals.
    step: unit of the lag. bound: half the width of the band. Returns the figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.2))
    for index, (name, values) in enumerate(errors.items()):
        left.plot(to_numpy(time), to_numpy(values), color=PALETTE[index], linewidth=0.8, label=name)
        heights = to_numpy(correlations[name])
        right.plot(np.arange(len(heights)), heights, color=PALETTE[index], marker=MARKERS[index],
                   markersize=3.5, linewidth=1, label=name)  # fmt: skip
    left.axhline(0, color="black", linewidth=0.8)
    left.set(xlabel="year", ylabel=f"residual ({unit})")
    right.axhspan(-bound, bound, color="black", alpha=0.12, linewidth=0)
    right.set(xlabel=f"lag ({step})", ylabel="autocorrelation")
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=len(errors), fontsize=8
    )
    return figure


def looks(source, target, weights, ax=None):
    """Where an attention looked: a row for each character written, a column for each read.

    source: str of S. target: str of T. weights: (T, S′), S′ ≥ S. Returns the axes.
    """
    ax = plt.subplots(figsize=(4.6, 3.4))[1] if ax is None else ax
    ax.imshow(
        to_numpy(weights)[:, : len(source)],
        cmap="Blues",
        vmin=0,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
    )
    ax.set_xticks(range(len(source)), _symbols(source), fontsize=8)
    ax.set_yticks(range(len(target)), list(target), fontsize=8)
    ax.set(xlabel="read", ylabel="written")
    ax.grid(False)
    return ax


def looks_at(examples):
    """Attentions beside each other.
    examples: list of (source, target, weights) as for `looks`. Returns the figure."""
    figure, axes = plt.subplots(1, len(examples), figsize=(3.1 * len(examples), 3.1), squeeze=False)
    for ax, example in zip(axes[0], examples, strict=True):
        looks(*example, ax)
    return figure


def readers(runs, levels):
    """A clinic's runs: training losses on the left,
    validation losses on the right, with known levels as black lines.

    runs: {name: {"training": (T,), "validation": (K,)}}, nats;
    the K are spread evenly over the T steps.
    levels: {name: nats}. Returns the figure.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.6), sharey=True)
    for index, (name, run) in enumerate(runs.items()):
        for ax, part in zip(axes, ("training", "validation"), strict=True):
            values, steps = to_numpy(run[part]), len(run["training"])
            if part == "training":  # ten steps a point
                values = values[: len(values) // 10 * 10].reshape(-1, 10).mean(1)
            place = (np.arange(len(values)) + 1) * steps / len(values)
            ax.plot(
                place,
                values,
                color=PALETTE[index],
                marker=MARKERS[index],
                markersize=3,
                linewidth=1.4,
                label=name,
            )
            ax.set(xlabel="step", title=part)
    for (name, nats), style in zip(levels.items(), (":", "--", "-."), strict=False):
        for ax in axes:
            ax.axhline(nats, color="black", linestyle=style, linewidth=1, label=name)
    axes[0].set_ylabel("loss (nats a character)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
    return figure
