"""Draws what `boxes` arranges: boxes, arrows and groups, with a legend of the colours.

A box is as large as its text, and a drawing at most WIDEST inches wide, which is 800 pixels at the
course's 90 dots an inch: text of 9 and 10 points stays as large as it was chosen.
"""

import math
from itertools import pairwise

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from dlcourse.pictures.boxes import KINDS, NAME, SMALL, measure

WIDEST = 800 / 90
INK = "0.15"


def draw_diagram(boxes, arrows=(), groups=()):
    """Draws groups, boxes and arrows, and below them what the colours mean.

    Returns the figure. Raises ValueError where the drawing is wider than WIDEST.
    """
    figure = plt.figure(layout="none")
    ax = figure.add_axes((0, 0, 1, 1))
    drawn = [_draw_group(ax, group) for group in groups]
    drawn += [_draw_arrow(ax, arrow) for arrow in arrows]
    drawn += [_draw_box(ax, box) for box in boxes]
    left, bottom = min(one[0] for one in drawn), min(one[1] for one in drawn)
    kinds = {box.kind for box in boxes}
    drawn.append(_draw_legend(ax, [kind for kind in KINDS if kind in kinds], left, bottom - 0.22))
    left, bottom = left - 0.06, bottom - 0.36
    right, top = max(one[2] for one in drawn) + 0.06, max(one[3] for one in drawn) + 0.06
    if right - left > WIDEST:
        plt.close(figure)
        raise ValueError(
            f"the drawing is {right - left:.1f} inches wide, {WIDEST:.1f} are the limit; "
            "put some boxes into a second row, or their names on two lines"
        )
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.axis("off")
    figure.set_size_inches(right - left, top - bottom)
    return figure


def _patch(ax, left, bottom, width, height, kind, gid):
    _, colour, corners = KINDS[kind]
    tint = tuple(0.84 + 0.16 * part for part in to_rgb(colour))
    style = {"edgecolor": colour, "facecolor": tint, "zorder": 3, "gid": gid}
    style["linewidth"] = 2.4 if kind == "loss" else 1.4
    if kind == "sum":
        middle = (left + width / 2, bottom + height / 2)
        return ax.add_patch(plt.Circle(middle, width / 2, **style))
    return ax.add_patch(FancyBboxPatch((left, bottom), width, height, boxstyle=corners, **style))


def _draw_box(ax, box):
    (left, _), (_, bottom) = box.side("left"), box.side("bottom")
    _patch(ax, left, bottom, box.width, box.height, box.kind, "box")
    middle = {"ha": "center", "va": "center", "zorder": 4, "color": INK}
    above = measure(box.shape, SMALL)[1] / 2
    below = measure(box.name, NAME)[1] / 2
    ax.text(box.x, box.y + above, box.name, fontsize=NAME, linespacing=1.15, gid="name", **middle)
    if box.shape:
        ax.text(box.x, box.y - below, box.shape, fontsize=SMALL, gid="shape", **middle)
    return left, bottom, left + box.width, bottom + box.height


def _draw_arrow(ax, arrow):
    points = arrow.points()
    style = {"color": arrow.colour, "linewidth": arrow.width, "joinstyle": "round", "zorder": 2}
    ends = {"arrowstyle": "-|>", "mutation_scale": 10, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(path=Path(points), gid="arrow", capstyle="butt", **ends, **style))
    xs, ys = zip(*points, strict=True)
    extent = [min(xs), min(ys), max(xs), max(ys)]
    if arrow.text:
        words = _write_beside(ax, arrow, points)
        extent = [*map(min, extent[:2], words[:2]), *map(max, extent[2:], words[2:])]
    return extent


def _write_beside(ax, arrow, points):
    """Writes above the longest part of a line where that lies (below it, where a skip runs below),
    right of it where it stands. Returns the text's left, bottom, right and top."""
    (x0, y0), (x1, y1) = max(pairwise(points), key=lambda ends: math.dist(*ends))
    width, height = measure(arrow.text, SMALL)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    if abs(x1 - x0) < abs(y1 - y0):
        left, bottom = x + 0.07, y - height / 2
    else:
        left = x - width / 2
        bottom = y - 0.05 - height if getattr(arrow, "side", "") == "bottom" else y + 0.05
    ax.text(left, bottom, arrow.text, fontsize=SMALL, color=INK, va="bottom", gid="words", zorder=5)
    return left, bottom, left + width, bottom + height


def _draw_group(ax, group):
    left, bottom, right, top = group.frame()
    style = {"facecolor": "0.975", "edgecolor": "0.5", "linestyle": (0, (4, 3)), "linewidth": 1}
    frame = FancyBboxPatch(
        (left, bottom), right - left, top - bottom, gid="group", zorder=0,
        boxstyle="round,pad=0,rounding_size=0.1", **style,
    )  # fmt: skip
    ax.add_patch(frame)
    width, height = measure(group.name, SMALL)
    y = bottom - 0.03 - height if group.below else top + 0.03
    name = {"fontsize": SMALL, "color": INK, "va": "bottom", "gid": "words", "zorder": 5}
    ax.text(left + 0.05, y, group.name, **name)
    return left, min(bottom, y), max(right, left + 0.05 + width), max(top, y + height)


def _draw_legend(ax, kinds, x, y):
    start = x
    for kind in kinds:
        words = KINDS[kind][0]
        if words:
            _patch(ax, x, y - 0.08, 0.22, 0.16, kind, "legend")
            ax.text(x + 0.29, y, words, fontsize=SMALL, color=INK, va="center", gid="words")
            x += 0.29 + measure(words, SMALL)[0] + 0.3
    return start, y - 0.1, x - 0.3, y
