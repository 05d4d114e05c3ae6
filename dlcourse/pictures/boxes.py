"""What diagrams of architectures are made of: boxes, arrows, skips and groups on a plane measured
in inches, and how they are arranged. `drawing` draws them, `diagrams` holds those of the course.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from matplotlib.textpath import TextPath

from dlcourse.plot import PALETTE

NAME, SMALL = 10, 9  # points: the name of a box, and all other text
GREY, SKIP = "0.35", PALETTE[3]
# kind: (words of the legend, colour, corners). Corners and line widths differ as the colours do.
KINDS = {
    "learned": ("learned layer", PALETTE[0], "square,pad=0"),
    "fixed": ("norm, activation or other step", PALETTE[2], "round,pad=0,rounding_size=0.08"),
    "data": ("data, input or output", "0.45", "round,pad=0,rounding_size=0.03"),
    "loss": ("loss", PALETTE[1], "square,pad=0"),
    "sum": ("", "0.15", "circle"),
}
OUTWARD = {"left": (-1, 0), "right": (1, 0), "top": (0, 1), "bottom": (0, -1)}


@lru_cache(maxsize=500)
def measure(text, size):
    """Width and height in inches of a text of one or more lines, set in `size` points."""
    lines = text.split("\n") if text else []
    widths = [TextPath((0, 0), line, size=size).vertices[:, 0].max() for line in lines]
    return float(max(widths, default=0.0)) / 72, len(lines) * 1.25 * size / 72


@dataclass(eq=False)
class Box:
    """A layer, an operation, data or a loss.

    name: what it is, of one or more lines. shape: of what comes out of it, e.g. "(B, 8, 64, 64)".
    kind: a key of KINDS; "sum" is a circle. width, height: inches, at least; else as the text
    needs. x, y: the middle, which `row` and `column` set. Raises ValueError for an unknown kind.
    """

    name: str
    shape: str = ""
    kind: str = "learned"
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"Box {self.name!r}: kind {self.kind!r} is none of {', '.join(KINDS)}")
        name, shape = measure(self.name, NAME), measure(self.shape, SMALL)
        self.width = max(self.width, max(name[0], shape[0]) + 0.16)
        self.height = max(self.height, name[1] + shape[1] + 0.12)
        if self.kind == "sum":
            self.width = self.height = max(self.width, self.height)

    def side(self, side):
        """The middle of the side "left", "right", "top" or "bottom"."""
        right, up = OUTWARD[side]
        return self.x + right * self.width / 2, self.y + up * self.height / 2


def row(boxes, left=0.0, y=0.0, gap=0.26):
    """Sets boxes side by side from x = left on, their middles at height y. Returns them."""
    for box in boxes:
        box.x, box.y = left + box.width / 2, y
        left += box.width + gap
    return boxes


def column(boxes, x=0.0, top=0.0, gap=0.22):
    """Sets boxes below one another from y = top down, their middles at x, and makes them equally
    wide (circles excepted). Returns them."""
    wide = max(box.width for box in boxes)
    for box in boxes:
        box.x, box.y = x, top - box.height / 2
        box.width = box.width if box.kind == "sum" else wide
        top -= box.height + gap
    return boxes


@dataclass
class Arrow:
    """From one box to another, with right angles.

    text: a few words beside it. sides: where it leaves and where it arrives, e.g.
    ("right", "top"); by default the sides that face each other.
    """

    start: Box
    end: Box
    text: str = ""
    sides: tuple = ()
    colour: str = GREY
    width: float = 1.3

    def points(self):
        """The corners of the line, from start to end."""
        first, last = self.sides or _facing(self.start, self.end)
        (x0, y0), (x1, y1) = self.start.side(first), self.end.side(last)
        across = [side in ("left", "right") for side in (first, last)]
        if all(across):
            middle = [((x0 + x1) / 2, y0), ((x0 + x1) / 2, y1)]
        elif not any(across):
            middle = [(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2)]
        else:
            middle = [(x1, y0) if across[0] else (x0, y1)]
        straight = abs(x0 - x1) < 1e-6 or abs(y0 - y1) < 1e-6
        return [(x0, y0), *([] if straight else middle), (x1, y1)]


@dataclass
class Skip(Arrow):
    """Past the boxes between start and end: out of one side, `reach` inches away, into the same
    side of the other box."""

    side: str = "top"
    reach: float = 0.3
    colour: str = SKIP
    width: float = 2.2

    def points(self):
        (x0, y0), (x1, y1) = self.start.side(self.side), self.end.side(self.side)
        right, up = OUTWARD[self.side]
        if up:
            far = up * (max(up * y0, up * y1) + self.reach)
            return [(x0, y0), (x0, far), (x1, far), (x1, y1)]
        far = right * (max(right * x0, right * x1) + self.reach)
        return [(x0, y0), (far, y0), (far, y1), (x1, y1)]


@dataclass
class Group:
    """A dashed frame around boxes, with a name above or below its left corner."""

    name: str
    boxes: list
    below: bool = False
    pad: float = 0.13

    def frame(self):
        """Left, bottom, right and top."""
        return (
            min(box.side("left")[0] for box in self.boxes) - self.pad,
            min(box.side("bottom")[1] for box in self.boxes) - self.pad,
            max(box.side("right")[0] for box in self.boxes) + self.pad,
            max(box.side("top")[1] for box in self.boxes) + self.pad,
        )


def _facing(start, end):
    """The sides of two boxes between which a straight line is shortest."""
    beside = abs(end.x - start.x) - (start.width + end.width) / 2
    below = abs(end.y - start.y) - (start.height + end.height) / 2
    if beside >= below:
        return ("right", "left") if end.x > start.x else ("left", "right")
    return ("top", "bottom") if end.y > start.y else ("bottom", "top")


def chain(boxes):
    """An arrow from each box to the next."""
    return [Arrow(start, end) for start, end in pairwise(boxes)]
