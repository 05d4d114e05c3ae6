"""Two scans over checks: references with one argument frozen, or with their value handed back as
another kind. What passes either of them has found a case that is missing."""

import inspect

import numpy as np
import torch

from dlcourse.checks.compare import clone
from dlcourse.checks.core import CheckFailed, gather, list_rooms
from dlcourse.checks.words import kind_of


def all_checks():
    """{"room.file.name": Check} for every check there is; a check that two files share counts
    once."""
    found = {}
    for room in list_rooms():
        for file, one in gather(room):
            if one not in found.values():
                found[f"{room}.{file}.{one.name}"] = one
    return found


def student(function):
    """The same function or class under another identity: a check takes
    its own reference for a blank."""
    if inspect.isclass(function):
        return type(function.__name__, (function,), {})
    return lambda *args, **kwargs: function(*args, **kwargs)


def passes(check, answer):
    """Whether a check takes an answer for right."""
    try:
        return check(answer) is answer
    except CheckFailed:
        return False


def list_calls(check):
    """(args, kwargs) of every call that the cases make to the reference, constructors included."""
    calls = []

    def keep(args, kwargs):
        calls.append((clone(args), clone(kwargs)))

    check(_intercept(check.reference, keep))
    return calls


def _intercept(function, before):
    """`function`, which calls before(args, kwargs) first. before may return others to use."""
    if not inspect.isclass(function):

        def watched(*args, **kwargs):
            return function(*(before(list(args), kwargs) or args), **kwargs)

        return watched

    def begin(self, *args, **kwargs):
        function.__init__(self, *(before(list(args), kwargs) or args), **kwargs)

    return type(function.__name__, (function,), {"__init__": begin})


def frozen(check, key, value):
    """The reference with one argument always the same. key: position from 0, or a keyword."""

    def freeze(args, kwargs):
        if key in kwargs:
            kwargs[key] = clone(value)
        elif isinstance(key, int) and key < len(args):
            args[key] = clone(value)
        return args

    return _intercept(check.reference, freeze)


def find_frozen(check):
    """[(argument, value)] of the references with a frozen argument that the check lets pass."""
    calls = list_calls(check)
    names = _names(check.substitute())
    found = []
    for key in _keys(calls):
        values = [_value(call, key) for call in calls if _has(call, key)]
        constants = [values[0]]
        name = names[key] if isinstance(key, int) and key < len(names) else key
        default = _defaults(check.substitute()).get(name, inspect.Parameter.empty)
        if default is not inspect.Parameter.empty:
            constants.append(default)
        found += [
            (str(name), value) for value in constants if passes(check, frozen(check, key, value))
        ]
    return found


def _keys(calls):
    most = max((len(args) for args, _ in calls), default=0)
    return [*range(most), *dict.fromkeys(key for _, kwargs in calls for key in kwargs)]


def _has(call, key):
    return key in call[1] if isinstance(key, str) else key < len(call[0])


def _value(call, key):
    return call[1][key] if isinstance(key, str) else call[0][key]


def _parameters(function):
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def _names(function):
    return list(_parameters(function))


def _defaults(function):
    return {name: one.default for name, one in _parameters(function).items()}


def _to_numpy(value):
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value


def _to_double(value):
    if isinstance(value, torch.Tensor) and value.dtype == torch.float32:
        return value.double()
    return value.astype(np.float64) if getattr(value, "dtype", None) == np.float32 else value


def _to_float(value):
    if isinstance(value, torch.Tensor) and not value.is_floating_point():
        return value.float()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biu":
        return value.astype(np.float32)
    return float(value) if kind_of(value) == kind_of(1) else value


def _to_tensor(value):
    return torch.tensor(value) if kind_of(value) in (kind_of(1.0), kind_of(1)) else value


def _cut(value):
    return value.detach() if isinstance(value, torch.Tensor) and value.requires_grad else value


CONVERSIONS = {
    "NumPy": _to_numpy,
    "float64": _to_double,
    "float": _to_float,
    "tensor": _to_tensor,
    "cut": _cut,
}


def converted(check, convert):
    """The reference, its value's parts converted → (answer, a list: whether each part changed)."""
    changed = []

    def part(value):
        if type(value) in (tuple, list):
            return type(value)(part(item) for item in value)
        if type(value) is dict:
            return {key: part(item) for key, item in value.items()}
        other = convert(value)
        changed.append(other is not value)
        return other

    def answer(*args, **kwargs):
        return part(check.reference(*args, **kwargs))

    return answer, changed


def find_convertible(check):
    """Names of the conversions of the value that the check lets pass."""
    if inspect.isclass(check.reference):
        return []
    found = []
    for name, convert in CONVERSIONS.items():
        answer, changed = converted(check, convert)
        if passes(check, answer) and any(changed):
            found.append(name)
    return found
