"""How every figure of the course looks: colours that a colour-blind reader can tell apart, font
sizes, and the axes that a picture gets where it is given none."""

import matplotlib.pyplot as plt

# Okabe & Ito (2008), "Color universal design"; the first three also differ in lightness.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
CLASSES = [*PALETTE[:7], "#882255", "#999999", "#7A5C00"]  # ten: no yellow, no colour twice
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]


def set_style():
    """The course's matplotlib settings: palette, font sizes, light grid, dpi low
    enough to keep notebooks small."""
    plt.rcParams.update(
        {
            "axes.prop_cycle": plt.cycler(color=PALETTE),
            "axes.grid": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 11,
            "figure.constrained_layout.use": True,
            "figure.dpi": 90,
            "figure.figsize": (6.0, 3.6),
            "font.size": 10,
            "grid.alpha": 0.25,
            "image.cmap": "gray",
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "savefig.dpi": 90,
        }
    )
    _draw_once()


def _draw_once():
    """In a notebook a figure is drawn when its cell ends, by the notebook; pyplot
    would draw it a time more before."""
    if "inline" in plt.get_backend():
        plt.figure(), plt.close()  # chooses the back end, which connects pyplot to the shell
        plt.uninstall_repl_displayhook()


def axes_or_new(ax, size=None):
    """The axes given, or those of a new figure of `size` inches."""
    return plt.subplots(figsize=size)[1] if ax is None else ax
