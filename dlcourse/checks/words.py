"""Putting a value, and how it differs from another, into words. Used by checks alone."""

import inspect
import linecache
import numbers
import os
import sysconfig
import traceback
from dataclasses import dataclass

import numpy as np
import torch

CHARACTERS = 300  # of an exception or of anything that is not numbers
ROWS = 5  # of one value
MISSING = object()


class Remark(str):
    """A probe's own words in the place of a value: they say enough."""


@dataclass
class Words:
    """A sentence about a difference, and the part where it lies: path and values."""

    sentence: str
    path: tuple = ()
    got: object = MISSING
    expected: object = MISSING

    def inside(self, place, got, expected):
        """The same difference seen from outside: it lies in `place`, e.g. "item 2 of 3"."""
        inner = (self.got, self.expected) if self.path else (got, expected)
        return Words(self.sentence, (place, *self.path), *inner)

    def __str__(self):
        if not self.path:
            return self.sentence
        place = ", ".join(self.path)
        return f"{place[0].upper()}{place[1:]} differs. {self.sentence}".strip()


def kind_of(value):
    """What a value is, with its article: "a tensor", "a float", "None"."""
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor):
        return "a tensor"
    if isinstance(value, np.ndarray) and value.ndim:
        return "a NumPy array"
    if isinstance(value, (bool, np.bool_)) or getattr(value, "dtype", None) == np.bool_:
        return "a bool (True or False)"
    if isinstance(value, (numbers.Integral, np.integer)):
        return "an int (a whole number)"
    if isinstance(value, (numbers.Number, np.generic, np.ndarray)):
        return "a float"
    names = {str: "a string", dict: "a dictionary"}
    for kind, name in names.items():
        if isinstance(value, kind):
            return name
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def show(value, limit=12):
    """A value as a student wants to read it: small arrays in full,
    large ones by shape and range."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return _show_array(value, limit)
    if isinstance(value, (tuple, list)):
        ends = "()" if isinstance(value, tuple) else "[]"
        return ends[0] + ", ".join(_show_some(value, limit)) + ends[1]
    if isinstance(value, dict):
        some = zip(value, _show_some(list(value.values()), limit), strict=False)
        return "{" + ", ".join(f"{key}: {item}" for key, item in some) + "}"
    if isinstance(value, (torch.nn.Module, torch.Generator, np.random.Generator)):
        return f"a {type(value).__name__}"
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    if isinstance(value, np.generic):
        return str(value)
    return _shorten(value if isinstance(value, str) else _name(value))


def _show_some(items, limit):
    """The first items of a sequence; an array among several only if it is small."""
    within = limit if len(items) == 1 else min(limit, 6)
    shown = [show(item, within) for item in items[:limit]]
    return [*shown, f"… {len(items)} in all"] if len(items) > limit else shown


def _show_array(value, limit):
    kind = f"array{value.shape} {value.dtype}"
    if isinstance(value, torch.Tensor):
        kind = f"tensor{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
        if value.device.type == "meta":
            return f"{kind} on meta"
        value = value.detach().cpu()
        value = (value.float() if value.dtype in (torch.bfloat16, torch.float16) else value).numpy()
    if value.size > limit:
        finite = value[np.isfinite(value)] if value.dtype.kind == "f" else value
        if value.dtype.kind not in "iuf" or not finite.size:
            return kind
        return f"{kind} between {finite.min():.4g} and {finite.max():.4g}"
    text = np.array2string(value, precision=5, separator=", ", suppress_small=False)
    return f"{kind}\n{text}" if value.ndim > 1 else f"{text}  ({kind})"


def _name(value):
    try:
        return getattr(value, "__name__", None) or repr(value)
    except Exception:
        return f"a {type(value).__name__}"


def _shorten(text, limit=CHARACTERS):
    return text if len(text) <= limit else text[:limit] + " …"


def number_words(got, expected, close):
    """One sentence about arrays of one shape that differ; close: where they do not."""
    if got.dtype.kind in "biu" and expected.dtype.kind in "biu":
        return _count_words(got, expected, close)
    strange, wanted = ~np.isfinite(got), ~np.isfinite(expected)
    if (strange & ~wanted).any():
        count = int((strange & ~wanted).sum())
        where = f"{count} of your {got.size} values are" if got.size > 1 else "Your value is"
        return f"{where} inf or NaN: something overflowed or divided by 0."
    if (wanted & ~close).any():
        first = tuple(int(i) for i in np.argwhere(wanted & ~close)[0])
        return f"Expected is {expected[first]} at index {list(first)}, yours is {got[first]:.5g}."
    finite = ~wanted
    return _float_words(got[finite], expected[finite]) or _largest(got, expected, finite)


def _count_words(got, expected, close):
    if got.size == 1:
        return ""
    first = tuple(int(i) for i in np.argwhere(~close)[0])
    return (
        f"{int((~close).sum())} of {got.size} values differ, the first at index {list(first)}: "
        f"{got[first]} instead of {expected[first]}."
    )


def _float_words(got, expected):
    """A sentence where one factor or one constant explains the whole difference, else ""."""
    got, expected = got.astype(complex), expected.astype(complex)
    scale = np.vdot(expected, expected)
    factor = (np.vdot(expected, got) / scale).real if scale else 0
    if factor and np.allclose(got, factor * expected, rtol=1e-4, atol=1e-9 * abs(factor)):
        if abs(factor + 1) < 1e-4:
            return "Your answer has the opposite sign."
        # every number is some multiple of another: of single ones only a whole factor tells
        whole = max(abs(factor), 1 / abs(factor))
        telling = factor > 0 and whole > 1.5 and abs(whole - round(whole)) < 1e-3
        # nobody forgets a factor of a million: such a ratio has another cause
        if abs(factor - 1) > 1e-4 and whole < 200 and (got.size > 1 or telling):
            return f"Your answer is {factor:.5g} times the expected one: look for a factor."
    gap = got - expected
    if got.size > 1 and np.allclose(gap, gap.flat[0], rtol=1e-4, atol=1e-9):
        return f"Your answer is off by the constant {gap.flat[0].real:.5g} everywhere."
    return ""


def _largest(got, expected, finite):
    gap = np.where(finite, np.abs(np.where(finite, got, 0) - np.where(finite, expected, 0)), -1)
    where = [int(i) for i in np.unravel_index(np.argmax(gap), gap.shape)]
    return f"The largest difference is {gap.max():.3g}" + (f", at index {where}." if where else ".")


def entry(label, value):
    """One labelled line of a message, a value of several lines indented under it."""
    rows = [_shorten(row) for row in show(value).split("\n")]
    rows = rows if len(rows) <= ROWS else [*rows[: ROWS - 1], "…"]
    return f"  {label + ':':<14}" + ("\n" + " " * 16).join(rows)


def parameters(function, count, skip=0):
    """The names of a function's `count` arguments after the first `skip`; [] where they cannot be
    told."""
    try:
        found = list(inspect.signature(function).parameters.values())[skip:]
    except (ValueError, TypeError):  # a function of C has none to show
        return []
    names = [one.name for one in found if one.kind is not one.VAR_KEYWORD]
    starred = any(one.kind is one.VAR_POSITIONAL for one in found)
    return [] if starred or len(names) < count else names[:count]


def error_lines(error, said):
    """The student's own exception: what it says, and the line of theirs that raised it."""
    lines = [f"  got:          {type(error).__name__}: {_shorten(said)}".rstrip(": ")]
    library = (sysconfig.get_paths()["stdlib"], "<frozen")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        code = linecache.getline(frame.filename, frame.lineno).strip()
        own = not frame.filename.startswith(library) and "site-packages" not in frame.filename
        if code and own and f"{os.sep}dlcourse{os.sep}" not in frame.filename:
            return [*lines, f"  raised by:    line {frame.lineno} of your cell: {code}"]
    return lines
