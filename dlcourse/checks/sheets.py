"""The checks of a notebook together: a sheet of them, milestones and progress."""

import functools
import importlib
import os
import pkgutil
import sys
import time
import types

import torch

from dlcourse.checks.check import JUDGED, OUTCOMES, Check

STARTED = time.perf_counter()
MILESTONES = {}  # name → the line that `milestone` printed
MARKS = {
    "passed": "✓",
    "blank": "○",
    "failed": "✗",
    "changed since its check ran": "↻",
    "not run yet": "·",
}


def sheet(*rooms):
    """The checks of one notebook: `check = sheet("gan")`, then `check.g_loss(g_loss)`.

    rooms: names of folders in dlcourse/checks; every Check of every file in them is gathered.
    Raises ModuleNotFoundError for an unknown room, ValueError for a name that two files use.
    """
    found = {}
    for room in rooms:
        for place, one in gather(room):
            if found.setdefault(one.name, one) is not one:
                raise ValueError(f"{place} has a second check named {one.name!r} in {rooms}")
    return types.SimpleNamespace(**found, progress=functools.partial(progress, list(found)))


def gather(room):
    """(file, Check) for every Check in the files of dlcourse/checks/<room>, file by file."""
    rooms = list_rooms()
    if room not in rooms:
        raise ModuleNotFoundError(f"no room {room!r} in dlcourse.checks: {', '.join(rooms)}")
    package = importlib.import_module(f"dlcourse.checks.{room}")
    for file in pkgutil.iter_modules(package.__path__):
        for one in list(vars(importlib.import_module(f"{package.__name__}.{file.name}")).values()):
            if isinstance(one, Check):
                yield file.name, one


def list_rooms():
    """Names of the folders in dlcourse/checks, one for each notebook with exercises."""
    folder = importlib.import_module("dlcourse.checks").__path__
    return [one.name for one in pkgutil.iter_modules(folder) if one.ispkg]


def milestone(name, value, at_least=None, at_most=None):
    """Says whether an experiment came out as it should: `milestone("accuracy", a, at_least=0.9)`.

    Raises AssertionError only under DLCOURSE_MILESTONES=enforce (CI), never in a smoke run.
    """
    if at_least is None and at_most is None:
        raise ValueError("milestone needs a bar: at_least=… or at_most=…")
    value = float(value.detach() if isinstance(value, torch.Tensor) else value)
    reached = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    bars = {"at least": at_least, "at most": at_most}
    bars = ", ".join(f"{word} {bar:.4g}" for word, bar in bars.items() if bar is not None)
    line = f"{'✓' if reached else '✗'} {name}: {value:.4g} ({bars})"
    MILESTONES[name] = line
    print(line)
    enforced = os.environ.get("DLCOURSE_MILESTONES") == "enforce"
    if not reached and enforced and os.environ.get("DLCOURSE_SMOKE") != "1":
        raise AssertionError(f"milestone missed: {line[2:]}")


def progress(names=()):
    """Lists the milestones, and which of the named checks passed, failed, are still blank or were
    changed since."""
    for line in MILESTONES.values():
        print(line)
    # in the order of the notebook, not of the files
    tried = [name for name in OUTCOMES if name in names]
    states = {name: _state(name) for name in [*tried, *names]}
    for state, mark in MARKS.items():
        members = [name for name, its in states.items() if its == state]
        if members:
            print(f"{mark} {state} ({len(members)} of {len(states)}): {', '.join(members)}")
    minutes, seconds = divmod(round(time.perf_counter() - STARTED), 60)
    print(f"Time since the set-up cell: {minutes} min {seconds} s")


def _state(name):
    """What is known of a check; "changed" where the notebook's function of that name is not the one
    that was judged, nor what its check cell went on with."""
    state = OUTCOMES.get(name, "not run yet")
    now = getattr(sys.modules["__main__"], name, None)
    if name in JUDGED and now is not None and not any(now is one for one in JUDGED[name]):
        return "changed since its check ran"
    return state
