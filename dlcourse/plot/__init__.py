"""Figures in one style: labelled axes, colours that a colour-blind
reader can tell apart, modest size."""

from dlcourse.plot.classes import confusion, decision_regions, reliability, scatter
from dlcourse.plot.images import image_grid
from dlcourse.plot.lines import bands, curves
from dlcourse.plot.style import CLASSES, MARKERS, PALETTE, axes_or_new, set_style
from dlcourse.plot.ticks import log_axes

__all__ = [
    "CLASSES", "MARKERS", "PALETTE", "axes_or_new", "bands", "confusion", "curves",
    "decision_regions", "image_grid", "log_axes", "reliability", "scatter", "set_style",
]  # fmt: skip
