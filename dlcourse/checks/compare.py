"""Comparing two answers and putting a difference into words. Used by checks.core alone."""

import copy
import inspect
import linecache
import os
import traceback
from dataclasses import dataclass

import numpy as np
import torch

NUMERIC = (torch.Tensor, np.ndarray, np.generic, int, float, complex)


@dataclass
class Outcome:
    """What one call gave: a value or an error, and whether an argument was changed on the way."""

    value: object = None
    error: Exception | None = None
    changed: int | None = None


def first_change(now, before):
    """Position of the first argument that a call changed; None where it changed none."""
    for position, (one, other) in enumerate(zip(now, before, strict=True)):
        if not same(one, other, 0, 0):
            return position
    return None


def clone(value):
    """A copy that shares no memory and keeps strides, dtype and
    requires_grad; functions pass through."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if isinstance(value, torch.Generator):
        return value.clone_state()
    if isinstance(value, (tuple, list)):
        return type(value)(clone(item) for item in value)
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    if isinstance(value, (torch.nn.Module, np.random.Generator)):
        return copy.deepcopy(value)
    return value


def as_array(value):
    """A NumPy array with the numbers of a tensor, an array or a number."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return (value.float() if value.dtype in (torch.bfloat16, torch.float16) else value).numpy()
    return np.asarray(value)


def same(got, expected, rtol, atol):
    """Whether two answers agree: same structure and shapes, numbers within atol +
    rtol·|expected|, NaN equal to NaN."""
    if isinstance(expected, NUMERIC):
        if not isinstance(got, NUMERIC):
            return False
        got, expected = as_array(got), as_array(expected)
        return got.shape == expected.shape and np.allclose(
            got, expected, rtol=rtol, atol=atol, equal_nan=True
        )
    if isinstance(expected, (tuple, list)):
        return (
            isinstance(got, (tuple, list))
            and len(got) == len(expected)
            and all(same(g, e, rtol, atol) for g, e in zip(got, expected, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(same(got[key], expected[key], rtol, atol) for key in expected)
        )
    if isinstance(expected, (torch.nn.Module, torch.Generator, np.random.Generator)):
        # an argument that carries state of its own: the probe, not the comparison, looks into it
        return True
    return got is expected or got == expected


def show(value, limit=12):
    """A value as a student wants to read it: small arrays in full,
    large ones by shape and range."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        array = as_array(value)
        kind = (
            f"{'tensor' if isinstance(value, torch.Tensor) else 'array'}{array.shape} {array.dtype}"
        )
        if array.size > limit:
            finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
            span = f" between {finite.min():.4g} and {finite.max():.4g}" if finite.size else ""
            return kind + span
        text = np.array2string(array, precision=5, separator=", ", suppress_small=False)
        return f"{kind}\n{text}" if array.ndim > 1 else f"{text}  ({kind})"
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(show(item, limit) for item in value) + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {show(item, limit)}" for key, item in value.items()) + "}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return getattr(value, "__name__", None) or repr(value)


def explain(got, expected):
    """One sentence about how `got` differs from `expected`; "" where nothing simple can be said."""
    if isinstance(expected, (tuple, list)) and isinstance(got, (tuple, list)):
        return _explain_items(got, expected)
    if isinstance(expected, dict) and isinstance(got, dict):
        return _explain_entries(got, expected)
    if not (isinstance(got, NUMERIC) and isinstance(expected, NUMERIC)):
        if type(got) is not type(expected):
            return (
                f"The answer should be a {type(expected).__name__}, yours is a "
                f"{type(got).__name__}."
            )
        return ""
    got, expected = as_array(got), as_array(expected)
    if got.shape != expected.shape:
        hint = " (yours is its transpose)" if got.shape == expected.shape[::-1] else ""
        return f"The shape should be {expected.shape}, yours is {got.shape}{hint}."
    if got.dtype.kind in "fc" and not np.isfinite(got).all() and np.isfinite(expected).all():
        count = np.sum(~np.isfinite(got))
        return (
            f"{count} of your {got.size} values are inf or NaN: something overflowed or divided by "
            "0."
        )
    return _explain_numbers(got.astype(complex), expected.astype(complex))


def _explain_items(got, expected):
    if len(got) != len(expected):
        return f"The answer should have {len(expected)} items, yours has {len(got)}."
    for position, (g, e) in enumerate(zip(got, expected, strict=True)):
        if not same(g, e, 1e-4, 1e-6):
            return f"Item {position} of {len(expected)} differs. {explain(g, e)}".strip()
    return ""


def _explain_entries(got, expected):
    for what, keys in (
        ("missing", expected.keys() - got.keys()),
        ("not asked for", got.keys() - expected.keys()),
    ):
        if keys:
            return f"Entry {sorted(map(str, keys))[0]!r} of your dict is {what}."
    for key, value in expected.items():
        if not same(got[key], value, 1e-4, 1e-6):
            return f"Entry {key!r} differs. {explain(got[key], value)}".strip()
    return ""


def _explain_numbers(got, expected):
    scale = np.vdot(expected, expected)
    if scale != 0:
        factor = (np.vdot(expected, got) / scale).real
        if np.allclose(got, factor * expected, rtol=1e-4, atol=1e-9) and abs(factor - 1) > 1e-4:
            if abs(factor + 1) < 1e-4:
                return "Your answer has the opposite sign."
            # every number is some multiple of another: of single ones only a whole factor tells
            # anything
            whole = max(abs(factor), 1 / abs(factor)) if factor else 0
            if factor and (got.size > 1 or (whole > 1.5 and abs(whole - round(whole)) < 1e-3)):
                return (
                    f"Your answer is {factor:.5g} times the expected one: look for a missing or "
                    "extra factor."
                )
    if got.size > 1 and np.allclose(got - expected, (got - expected).flat[0], rtol=1e-4, atol=1e-9):
        return f"Your answer is off by the constant {(got - expected).flat[0].real:.5g} everywhere."
    if got.ndim == 2 and got.shape[0] == got.shape[1] and np.allclose(got, expected.T, rtol=1e-4):
        return "Your answer is the transpose of the expected one."
    gap = np.abs(got - expected)
    if not np.isfinite(gap).any():
        return ""
    largest = np.nanmax(np.where(np.isfinite(gap), gap, np.nan))
    where = [
        int(i)
        for i in np.unravel_index(np.nanargmax(np.where(gap == largest, 1.0, 0.0)), gap.shape)
    ]
    return f"The largest difference is {largest:.3g}" + (f", at index {where}." if where else ".")


def difference(got, expected, names):
    """Lines about how one Outcome differs from the expected one; names: of the arguments."""
    if got.error:
        return [entry("expected", expected.value), *student_error(got.error)]
    if got.changed != expected.changed and got.changed is not None:
        return [f"  Your function changed {names[got.changed]} in place: work on a copy."]
    lines = [entry("expected", expected.value), entry("got", got.value)]
    return [*lines, "  " + explain(got.value, expected.value)]


def entry(label, value):
    """One labelled line of a message, a value of several lines indented under it."""
    text = show(value).replace("\n", "\n" + " " * 16)
    return f"  {label + ':':<14}{text}"


def parameters(function, count):
    """The names of a function's `count` arguments as the student wrote
    them, where they can be told."""
    try:
        names = list(inspect.signature(function).parameters)
    except ValueError:  # a function of C has none to show
        names = []
    return names if len(names) == count else [f"argument {i}" for i in range(1, count + 1)]


def student_error(error):
    """The student's own exception: what it says, and the line of theirs that raised it."""
    lines = [f"  got:          {type(error).__name__}: {error}"]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        code = linecache.getline(frame.filename, frame.lineno).strip()
        if (
            code
            and "site-packages" not in frame.filename
            and f"{os.sep}dlcourse{os.sep}" not in frame.filename
        ):
            return [*lines, f"  raised by:    line {frame.lineno} of your cell: {code}"]
    return lines
