"""Comparing an answer with what is expected: kind, shape, dtype and numbers."""

import copy
import numbers

import numpy as np
import torch

from dlcourse.checks.words import Remark, Words, kind_of, number_words

STATEFUL = (torch.nn.Module, torch.Generator, np.random.Generator)


def clone(value):
    """A copy that shares no memory and keeps strides, dtype and
    requires_grad; functions pass through."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if isinstance(value, torch.Generator):
        return value.clone_state()
    if type(value) in (tuple, list):
        return type(value)(clone(item) for item in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # a named tuple
        return type(value)(*(clone(item) for item in value))
    if type(value) is dict:
        return {key: clone(item) for key, item in value.items()}
    if isinstance(value, (torch.nn.Module, np.random.Generator)):
        return copy.deepcopy(value)
    return value


def differs(got, expected, rtol, atol):
    """Whether two answers differ in structure, kind, shape, dtype, or in numbers by more than
    atol + rtol·|expected|. NaN equals NaN."""
    return find_difference(got, expected, rtol, atol) is not None


def find_difference(got, expected, rtol, atol, rules=frozenset()):
    """How `got` differs from `expected` → Words, or None where they agree.

    rules: of "any kind" (a tensor, an array and a number are as good), "any dtype" and
    "single" (float32 where float64 is expected).
    """
    if isinstance(got, Remark):
        return None if got == expected else Words("")
    if is_numeric(expected):
        return _compare_numeric(got, expected, rtol, atol, rules)
    if isinstance(expected, (tuple, list)):
        return _compare_items(got, expected, rtol, atol, rules)
    if isinstance(expected, dict):
        return _compare_entries(got, expected, rtol, atol, rules)
    if isinstance(expected, STATEFUL):
        # an argument that carries state of its own: the probe, not the comparison, looks into it
        return None
    if got is expected or _equal(got, expected):
        return None
    if kind_of(got) != kind_of(expected):
        return Words(f"The answer should be {kind_of(expected)}, yours is {kind_of(got)}.")
    return Words("")


def has_double(args):
    """Whether a float64 tensor is among the arguments of a case, or inside one."""
    if isinstance(args, (tuple, list)):
        return any(has_double(one) for one in args)
    if isinstance(args, dict):
        return any(has_double(one) for one in args.values())
    return isinstance(args, torch.Tensor) and args.dtype == torch.float64


def is_numeric(value):
    return isinstance(value, (torch.Tensor, np.ndarray, np.generic, numbers.Number))


def _equal(got, expected):
    try:
        return bool(got == expected)
    except Exception:  # e.g. an array, compared with a word
        return False


def _compare_items(got, expected, rtol, atol, rules):
    if not isinstance(got, (tuple, list)):
        return Words(f"The answer should be {kind_of(expected)}, yours is {kind_of(got)}.")
    if len(got) != len(expected):
        many = "1 item" if len(expected) == 1 else f"{len(expected)} items"
        return Words(f"The answer should have {many}, yours has {len(got)}.")
    for position, (g, e) in enumerate(zip(got, expected, strict=True), start=1):
        words = find_difference(g, e, rtol, atol, rules)
        if words is not None:
            return words.inside(f"item {position} of {len(expected)}", g, e)
    return None


def _compare_entries(got, expected, rtol, atol, rules):
    if not isinstance(got, dict):
        return Words(f"The answer should be {kind_of(expected)}, yours is {kind_of(got)}.")
    for what, keys in (
        ("missing", [key for key in expected if key not in got]),
        ("not asked for", [key for key in got if key not in expected]),
    ):
        if keys:
            return Words(f"The entry {keys[0]!r} is {what}.")
    for key, value in expected.items():
        words = find_difference(got[key], value, rtol, atol, rules)
        if words is not None:
            return words.inside(f"entry {key!r}", got[key], value)
    return None


def _compare_numeric(got, expected, rtol, atol, rules):
    if not is_numeric(got):
        return Words(f"The answer should be {kind_of(expected)}, yours is {kind_of(got)}.")
    if "any kind" not in rules and _family(got, expected) != _family(expected):
        bare = isinstance(got, np.ndarray) and not got.ndim
        yours = "an array of shape ()" if bare else kind_of(got)
        return Words(f"The answer should be {kind_of(expected)}, yours is {yours}.")
    places = [str(getattr(value, "device", "cpu")) for value in (got, expected)]
    if places[0] != places[1]:
        return Words(f"The answer should lie on {places[1]}, yours lies on {places[0]}.")
    one, other = as_array(got), as_array(expected)
    if one.dtype.kind not in "biufc":
        return Words("The answer should hold numbers, yours holds other objects.")
    if one.shape != other.shape:
        turned = one.ndim > 1 and one.shape == other.shape[::-1]
        hint = " (yours is its transpose)" if turned else ""
        return Words(f"The shape should be {other.shape}, yours is {one.shape}{hint}.")
    close = np.isclose(one, other, rtol=rtol, atol=atol, equal_nan=True)
    if not close.all():
        return Words(number_words(one, other, close))
    if "any dtype" not in rules:
        return _compare_dtypes(got, expected, rules)
    return None


def _family(value, expected=None):
    """Of tensors, arrays and numbers. NumPy's own numbers are as good as arrays of shape (), but
    such an array is no float of Python's."""
    if isinstance(value, torch.Tensor):
        return "tensor"
    plain = isinstance(expected, (bool, int, float)) and not isinstance(expected, np.generic)
    return "array" if isinstance(value, np.ndarray) and (value.ndim or plain) else "number"


def _compare_dtypes(got, expected, rules):
    """Of tensors the dtype; of arrays too, but for the width of whole numbers, which depends on the
    system; of numbers the kind."""
    if _family(expected) == "number" and _family(got) == "number":
        kinds = kind_of(got), kind_of(expected)
        # 0 is as good as 0.0
        if kinds[0] == kinds[1] or kinds == (kind_of(0), kind_of(0.0)):
            return None
        return Words(f"The answer should be {kinds[1]}, yours is {kinds[0]}.")
    have, want = dtype_of(got), dtype_of(expected)
    if isinstance(got, torch.Tensor):
        alike = "single" in rules and (have, want) == ("float32", "float64")
    else:
        alike = {have[:3], want[:3]} <= {"int", "uin"}
    if alike or have == want:
        return None
    return Words(f"The numbers are right, but their dtype should be {want}, yours is {have}.")


def dtype_of(value):
    """The name of a value's dtype, such as "float32"."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype).removeprefix("torch.")
    return np.asarray(value).dtype.name


def as_array(value):
    """A NumPy array with the numbers of a tensor, an array or a number."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        if value.device.type == "meta":
            return np.zeros(value.shape, dtype=np.float32)
        value = value.cpu().resolve_conj().resolve_neg().to_dense()
        return (value.float() if value.dtype in (torch.bfloat16, torch.float16) else value).numpy()
    return np.asarray(value)
