"""Checks that explain what is wrong.

    softmax = check.softmax(softmax)

A right answer passes through. A blank one is replaced by the reference, so the notebook goes on. A
wrong one raises CheckFailed with the smallest failing case and, where the misconception behind it
is known, its name and a hint. What judges an answer is a torch function, a closed form, finite
differences or a property, never the course's solution.
"""

import functools
import importlib
import os
import pkgutil
import time
import types
import warnings
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.random import fork_rng

from dlcourse.checks.compare import (
    Outcome,
    clone,
    difference,
    entry,
    first_change,
    parameters,
    same,
)

STARTED = time.perf_counter()
OUTCOMES = {}  # name → "passed", "blank" or "failed": what `progress` lists
MILESTONES = {}  # name → the line that `milestone` printed


class CheckFailed(AssertionError):
    """A wrong answer. Its message says which case failed and what to look for."""

    def _render_traceback_(self):
        # IPython prints these lines in place of a traceback: the frames of this file help nobody.
        return str(self).splitlines()


@dataclass(frozen=True)
class Case:
    """One set of arguments, and in words what is special about it."""

    label: str
    args: tuple


def case(label, *args):
    """A Case: `case("two rows", z)` calls the student's function with z."""
    return Case(label, args)


@dataclass(frozen=True)
class Mistake:
    """A misconception as code: `function` computes what a student who holds it
    would, `hint` tells them why not."""

    name: str
    hint: str
    function: object


@dataclass
class Check:
    """Judges a student's function or class; calling it returns what the notebook goes on with.

    name: the function's name. reference: right by construction, called like the student's.
    cases: list of `case(label, *args)`, smallest first, or a function that returns it.
    mistakes: at least three Mistake. Each must fail, and be named (tests/checks/test_mistakes.py).
    probe: probe(function, *args) → the values to compare; by default the function's own result.
    fallback: "module:name" of what a blank goes on with; by default the reference.
    returns: False for a function that works in place; its probe raises where it is blank.
    rtol, atol: |got − expected| ≤ atol + rtol·|expected| passes.
    """

    name: str
    reference: object
    cases: object
    mistakes: list = field(default_factory=list)
    probe: object = None
    fallback: str | None = None
    returns: bool = True
    rtol: float = 1e-5
    atol: float = 1e-7

    def __call__(self, answer):
        if not callable(answer):
            cure = f"write check.{self.name}({self.name}), without brackets after the name"
            raise TypeError(f"check.{self.name} takes your function, not what it returns: {cure}")
        cases = self.list_cases()
        if answer is self.substitute() or self._is_blank(answer, cases[0]):
            return self._blank()
        for number, one in enumerate(cases, start=1):
            expected, got = self._call(self.reference, one), self._call(answer, one)
            if isinstance(got.error, NotImplementedError):
                return self._blank()
            if not self._agree(got, expected):
                OUTCOMES[self.name] = "failed"
                # `from None`: the message carries what matters of the student's own error
                raise CheckFailed(self._message(answer, got, expected, number, cases)) from None
        OUTCOMES[self.name] = "passed"
        print(f"✓ {self.name} · {len(cases)} cases")
        return answer

    def list_cases(self):
        return self.cases() if callable(self.cases) else self.cases

    def substitute(self):
        """What a blank goes on with."""
        if self.fallback is None:
            return self.reference
        module, _, name = self.fallback.partition(":")
        return getattr(importlib.import_module(module), name)

    def _is_blank(self, answer, first):
        if not isinstance(answer, types.FunctionType):
            return False
        returned = []

        @functools.wraps(answer)
        def watched(*args, **kwargs):
            result = answer(*args, **kwargs)
            returned.append(result)
            return result

        outcome = self._call(watched, first)
        nothing = self.returns and bool(returned) and returned[0] is None
        return isinstance(outcome.error, NotImplementedError) or nothing

    def _blank(self):
        OUTCOMES[self.name] = "blank"
        if "NBGRADER_EXECUTION" in os.environ:
            raise CheckFailed(f"○ {self.name}: not attempted")
        print(f"○ {self.name}: not attempted yet, going on with the reference")
        return self.substitute()

    def _call(self, function, one):
        args = clone(one.args)
        try:
            # A warning on stderr would cost a cell's points. Seeded: same answer, same message.
            with warnings.catch_warnings(), np.errstate(all="ignore"), fork_rng(devices=[]):
                warnings.simplefilter("ignore")
                torch.default_generator.manual_seed(0)
                value = self.probe(function, *args) if self.probe else function(*args)
        except Exception as error:
            return Outcome(error=error)
        return Outcome(value=clone(value), changed=first_change(args, one.args))

    def _agree(self, one, other):
        if one.error or other.error:
            return type(one.error) is type(other.error)
        return one.changed == other.changed and same(one.value, other.value, self.rtol, self.atol)

    def _message(self, answer, got, expected, number, cases):
        failing = cases[number - 1]
        lines = [f"✗ {self.name} · case {number} of {len(cases)}: {failing.label}"]
        names = parameters(answer, len(failing.args))
        lines += [entry(name, value) for name, value in zip(names, failing.args, strict=False)]
        lines += difference(got, expected, names)
        mistake = self.find_mistake(answer, number - 1, cases)
        if mistake:
            lines.append(f"  Likely cause: {mistake.name}. {mistake.hint}")
        return "\n".join(line for line in lines if line.strip())

    def find_mistake(self, answer, failing, cases):
        """The known mistake that agrees on the failing case, and on the most others."""
        answers = [self._call(answer, one) for one in cases]
        best, most = None, 0
        for mistake in self.mistakes:
            if not self._agree(answers[failing], self._call(mistake.function, cases[failing])):
                continue
            outcomes = [self._call(mistake.function, one) for one in cases]
            agreed = sum(self._agree(a, b) for a, b in zip(answers, outcomes, strict=True))
            if agreed > most:
                best, most = mistake, agreed
        return best


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
        for one in vars(importlib.import_module(f"{package.__name__}.{file.name}")).values():
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
    """Lists the milestones, and which of the named checks passed, failed or are still blank."""
    marks = {"passed": "✓", "blank": "○", "failed": "✗", "not run yet": "·"}
    for line in MILESTONES.values():
        print(line)
    # in the order of the notebook, not of the files
    tried = [name for name in OUTCOMES if name in names]
    states = {name: OUTCOMES.get(name, "not run yet") for name in [*tried, *names]}
    for state, mark in marks.items():
        members = [name for name, its in states.items() if its == state]
        if members:
            print(f"{mark} {state} ({len(members)} of {len(states)}): {', '.join(members)}")
    minutes, seconds = divmod(round(time.perf_counter() - STARTED), 60)
    print(f"Time since the set-up cell: {minutes} min {seconds} s")
