"""Logarithmic axes whose ticks are plain numbers: 0.001, 0.01, 0.1, or 1, 2, 5, 10."""

import re

import numpy as np
from matplotlib import ticker

MOST = 7  # labels on one axis


def log_axes(ax, x=False, y=False):
    """Makes the chosen axes of `ax` logarithmic, with ticks that can be read. Returns `ax`.

    Labels are whole decades, or every second, third … of them, where three or more fit; on shorter
    axes 1, 2, 5, 10 … or 1, 3, 10 …; evenly spaced numbers where the axis spans less than a decade
    or so. Numbers are plain from 0.001 to 99,999, powers of ten beyond.
    """
    for chosen, axis in ((x, ax.xaxis), (y, ax.yaxis)):
        if chosen:
            getattr(ax, f"set_{axis.axis_name}scale")("log")
            axis.set_major_locator(LogTicks())
            axis.set_major_formatter(LogLabels())
            axis.set_minor_locator(MinorTicks(subs=range(2, 10)))
            axis.set_minor_formatter(ticker.NullFormatter())
    return ax


class LogTicks(ticker.LogLocator):
    """Places of the ticks; chosen anew whenever the limits or the size of the axis change."""

    def tick_values(self, low, high):
        low, high = sorted((low, high))
        if low <= 0:  # nothing finite and positive is drawn yet
            return np.array([])
        low, high = low * (1 - 1e-9), high * (1 + 1e-9)
        exponents = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        decades = [10.0 ** exponents[exponents % n == 0] for n in range(1, len(exponents))]
        within = [np.outer(10.0**exponents, steps).ravel() for steps in ((1, 2, 5), (1, 3))]
        decades, within = (
            [_inside(ticks, low, high) for ticks in some] for some in (decades, within)
        )
        if len(within[0]) < 3:
            even = ticker.MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
            return _inside(even, low, high)
        choices = decades if len(decades[0]) >= 3 else within + decades
        choices = [ticks for ticks in choices if len(ticks) > 1]
        return next((ticks for ticks in choices if self._fits(ticks)), choices[-1])

    def _fits(self, ticks):
        if self.axis is None:
            return len(ticks) <= MOST
        # matplotlib's guess, for labels twice as high as a letter, or three times as wide
        space = self.axis.get_tick_space()
        if self.axis.axis_name == "x":
            texts = LogLabels().format_ticks(ticks)
            labels = [re.sub(r"\\cdot|[${}^]", "", text) for text in texts]
            space *= 3 / (0.62 * max(map(len, labels)) + 0.6)
        return len(ticks) - 0.5 <= min(space, MOST)  # half of the first and the last may stick out


def _inside(ticks, low, high):
    return ticks[(low <= ticks) & (ticks <= high)]


class MinorTicks(ticker.LogLocator):
    """Ticks without labels at 2, 3 … 9 times each power of ten."""

    def tick_values(self, low, high):
        return super().tick_values(low, high) if min(low, high) > 0 else np.array([])


class LogLabels(ticker.Formatter):
    """Plain numbers where all ticks of the axis can be written so; else powers of ten."""

    def format_ticks(self, values):
        plain = len(values) == 0 or (min(values) > 0.9e-3 and max(values) < 1e5)
        return [f"{value:,.6g}" if plain else _power(value) for value in values]

    def __call__(self, value, pos=None):
        return self.format_ticks([value])[0]


def _power(value):
    exponent = int(np.floor(np.log10(value) + 1e-9))
    times = f"{value / 10.0**exponent:.3g}"
    return f"$10^{{{exponent}}}$" if times == "1" else rf"${times} \cdot 10^{{{exponent}}}$"
