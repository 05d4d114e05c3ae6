"""Pictures of agents: maps of values with what to do in each square,
paths, an episode as a strip, and the clinic."""

import matplotlib.pyplot as plt
import numpy as np

from dlcourse.plot import PALETTE
from dlcourse.report import to_numpy

ARROWS = "↑→↓←"
COLOURS = {"#": "0.35", "G": "#b7e1cd", "x": "#f4b6a6", "S": "#fff2cc"}


def _ground(ax, world):
    """The squares that are not free, coloured, with their letter."""
    for state, square in enumerate(world.squares):
        row, column = divmod(state, world.width)
        if square in COLOURS:
            ax.add_patch(
                plt.Rectangle((column - 0.5, row - 0.5), 1, 1, color=COLOURS[square], linewidth=0)
            )
            if square != "#":
                ax.text(column - 0.42, row - 0.25, square, fontsize=7, color="0.3")
    ax.set(xlim=(-0.5, world.width - 0.5), ylim=(world.height - 0.5, -0.5), aspect="equal")
    ax.set(xticks=range(world.width), yticks=range(world.height), xlabel="column", ylabel="row")
    ax.grid(False)


def value_maps(world, values, actions=None, size=0.75):
    """Maps side by side: the value of every square as colour and number,
    and an arrow for the action chosen there.

    world: a GridWorld. values: {title: v (S,)}.
    actions: {title: (S,)} or None. One colour scale. Returns the figure.
    """
    values = {title: to_numpy(v) for title, v in values.items()}
    free = np.array([square not in "#" for square in world.squares])
    low, high = (
        min(v[free].min() for v in values.values()),
        max(v[free].max() for v in values.values()),
    )
    width, height = size * world.width * len(values) + 1.2, size * world.height + 0.9
    figure, axes = plt.subplots(1, len(values), squeeze=False, figsize=(width, height))
    for ax, (title, v) in zip(axes[0], values.items(), strict=True):
        image = ax.imshow(np.where(free, v, np.nan).reshape(world.height, world.width),
                          cmap="Blues", vmin=low, vmax=high + 0.3 * (high - low))  # fmt: skip
        ends = (world.P.sum(dim=(1, 2)) == 0).numpy()
        for state in np.flatnonzero(free & ~ends):
            row, column = divmod(int(state), world.width)
            arrow = (
                ""
                if actions is None or title not in actions
                else ARROWS[int(actions[title][state])]
            )
            ax.text(column, row + 0.08, f"{arrow}\n{v[state]:.2f}" if arrow else f"{v[state]:.2f}",
                    ha="center", va="center", fontsize=8)  # fmt: skip
        _ground_over(ax, world)
        ax.set_title(title)
    figure.colorbar(image, ax=axes.ravel().tolist(), label="value", shrink=0.8)
    return figure


def _ground_over(ax, world):
    for state, square in enumerate(world.squares):
        row, column = divmod(state, world.width)
        if square in "#Gx":
            ax.add_patch(
                plt.Rectangle((column - 0.5, row - 0.5), 1, 1, color=COLOURS[square], linewidth=0)
            )
        if square in "GSx":
            ax.text(column - 0.42, row - 0.28, square, fontsize=7, color="0.3")
    ax.set(xticks=range(world.width), yticks=range(world.height), xlabel="column", ylabel="row")
    ax.grid(False)


def paths(world, routes):
    """Routes over a map. routes: {name: [state, state, …]}. Returns the axes."""
    figure, ax = plt.subplots(figsize=(0.5 * world.width + 2.4, 0.5 * world.height + 0.8))
    _ground(ax, world)
    for index, (name, states) in enumerate(routes.items()):
        rows, columns = np.divmod(np.array(states), world.width)
        shift = 0.12 * (index - (len(routes) - 1) / 2)
        ax.plot(columns + shift, rows + shift, "-o", color=PALETTE[index], markersize=3, label=name)
    for edge in range(1, world.width):
        ax.axvline(edge - 0.5, color="0.85", linewidth=0.6, zorder=0)
    figure.legend(loc="outside right center", fontsize=8)
    return ax


def film(episodes, frames=8):
    """Episodes of a cart with a pole, a row for each:
    `frames` moments, evenly spread from the first to the last.

    episodes: {title: (T, 4) observations: place (m), speed (m/s), angle (rad), angular speed
    (rad/s)}, 0.02 s a step. Returns the figure.
    """
    figure, axes = plt.subplots(len(episodes), frames,
                                figsize=(1.15 * frames + 0.6, 1.2 * len(episodes) + 0.7),
                                squeeze=False, sharex=True, sharey=True,
                                layout="constrained")  # fmt: skip
    for row, (title, observations) in zip(axes, episodes.items(), strict=True):
        observations = to_numpy(observations)
        for ax, step in zip(
            row, np.linspace(0, len(observations) - 1, frames).round().astype(int), strict=True
        ):
            place, _, angle, _ = observations[step]
            ax.axhline(0, color="0.6", linewidth=0.8)
            ax.add_patch(plt.Rectangle((place - 0.3, 0), 0.6, 0.25, color=PALETTE[0]))
            ax.plot([place, place], [0.25, 1.35], color="0.6", linestyle=":", linewidth=1)
            ax.plot(
                [place, place + np.sin(angle)],
                [0.25, 0.25 + np.cos(angle)],
                color=PALETTE[1],
                linewidth=3,
            )
            ax.set(xlim=(-2.4, 2.4), ylim=(-0.15, 1.5), yticks=[], xticks=[-2, 0, 2])
            ax.set_title(f"{0.02 * step:.2f} s", fontsize=8)
            ax.tick_params(labelsize=7)
            ax.grid(False)
        row[0].set_ylabel(title, fontsize=9)
    figure.get_layout_engine().set(h_pad=0.09)
    figure.supxlabel("place of the cart (m)", fontsize=9)
    return figure


def running_mean(values, width=10):
    """Running mean over the last axis, shorter by width − 1.
    values: (…, T) array or tensor. Returns an array."""
    values = to_numpy(values).astype(float)
    total = np.cumsum(np.concatenate([np.zeros_like(values[..., :1]), values], axis=-1), axis=-1)
    return (total[..., width:] - total[..., :-width]) / width


def clinic(runs, exact, width=10):
    """A panel for each agent: its value of the start,
    its return in training and in evaluation, over the episodes.

    runs: {name: {"value", "training", "evaluation": (T,)}}, smoothed over `width` episodes. exact:
    a dotted line. Returns the figure.
    """
    figure, axes = plt.subplots(
        1, len(runs), figsize=(2.1 * len(runs) + 0.3, 3.2), sharey=True, squeeze=False
    )
    for ax, (name, curves) in zip(axes[0], runs.items(), strict=True):
        for (label, values), style in zip(curves.items(), ("-", "--", "-"), strict=True):
            y = running_mean(values, width)
            ax.plot(np.arange(width, width + len(y)), y, style, label=label, linewidth=1.6)
        ax.axhline(exact, color="black", linestyle=":", linewidth=1)
        ax.set(title=name, xlabel="episode", ylim=(-0.05, 1.4))
    axes[0, 0].set_ylabel("discounted return")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def state_maps(x, y, maps, xlabel, ylabel):
    """Functions of two numbers of the state, side by side, each with a colour scale of its own.

    x, y: (K, L) grids. maps: {title: (K, L)}. Returns the figure.
    """
    figure, axes = plt.subplots(
        1, len(maps), figsize=(4.2 * len(maps), 3.3), sharey=True, squeeze=False
    )
    for ax, (title, values) in zip(axes[0], maps.items(), strict=True):
        image = ax.contourf(to_numpy(x), to_numpy(y), to_numpy(values), 20, cmap="viridis")
        figure.colorbar(image, ax=ax)
        ax.set(title=title, xlabel=xlabel)
        ax.grid(False)
    axes[0, 0].set_ylabel(ylabel)
    return figure
