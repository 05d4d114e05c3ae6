"""What drawings of networks are made of: empty axes, circles, arrows."""

import matplotlib.pyplot as plt

from dlcourse.plot import PALETTE

GREY = "0.35"


def canvas(width, height, x, y):
    """Empty axes without frame, ticks or grid, from (0, 0) to (x, y) in drawing units."""
    figure, ax = plt.subplots(figsize=(width, height))
    ax.set(xlim=(0, x), ylim=(0, y), aspect="equal")
    ax.axis("off")
    return figure, ax


def circle(ax, x, y, radius, text="", colour=PALETTE[0], size=12):
    ax.add_patch(
        plt.Circle((x, y), radius, facecolor="white", edgecolor=colour, linewidth=1.8, zorder=3)
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=size, zorder=4)


def arrow(ax, start, end, colour=GREY, width=1.3):
    ax.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": width}
    )
