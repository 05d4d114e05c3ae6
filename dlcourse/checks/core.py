"""Checks that explain what is wrong.

    softmax = check.softmax(softmax)

A right answer passes through. A blank one is replaced by the reference, so the notebook goes on. A wrong one raises
CheckFailed with the smallest failing case and, where the misconception behind it is known, its name and a hint.
What judges an answer is a torch function, a closed form, finite differences or a property, never the course's solution.
"""

import functools
import importlib
import os
import time
import types
import warnings
from dataclasses import dataclass, field

import numpy as np
import torch

from dlcourse.checks.compare import clone, entry, explain, parameters, same, student_error

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
    """A misconception as code: `function` computes what a student who holds it would, `hint` tells them why not."""

    name: str
    hint: str
    function: object


@dataclass
class _Outcome:
    """What one call gave: a value or an error, and whether an argument was changed on the way."""

    value: object = None
    error: Exception | None = None
    changed: int | None = None


@dataclass
class Check:
    """Judges a student's function or class; calling it returns what the notebook goes on with.

    name: the function's name. reference: right by construction, called like the student's.
    cases: list of `case(label, *args)`, smallest first, or a function that returns it.
    mistakes: at least three Mistake. Each must fail, and be named (tests/test_mistakes.py).
    probe: probe(function, *args) → the values to compare; by default the function's own result.
    fallback: "module:name" of what a blank goes on with, fetched only then; by default the reference.
    returns: False for a function that works in place: None is then no sign of a blank, and the probe raises
        NotImplementedError where nothing was written.
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
            raise TypeError(
                f"check.{self.name} takes your function itself, not what it returns: "
                f"write check.{self.name}({self.name}), without brackets after the name"
            )
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
            # Nothing may reach stderr: nbgrader gives no points to a cell that wrote there.
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                value = self.probe(function, *args) if self.probe else function(*args)
        except Exception as error:
            return _Outcome(error=error)
        changed = [i for i, (now, was) in enumerate(zip(args, one.args, strict=True)) if not same(now, was, 0, 0)]
        return _Outcome(value=clone(value), changed=changed[0] if changed else None)

    def _agree(self, one, other):
        """Whether two outcomes are the same: as student against reference, and as student against a mistake."""
        if one.error or other.error:
            return type(one.error) is type(other.error)
        return one.changed == other.changed and same(one.value, other.value, self.rtol, self.atol)

    def _message(self, answer, got, expected, number, cases):
        failing = cases[number - 1]
        lines = [f"✗ {self.name} · case {number} of {len(cases)}: {failing.label}"]
        names = parameters(answer, len(failing.args))
        lines += [entry(name, value) for name, value in zip(names, failing.args, strict=False)]
        if got.error:
            lines += [entry("expected", expected.value), *student_error(got.error)]
        elif got.changed != expected.changed and got.changed is not None:
            lines.append(f"  Your function changed {names[got.changed]} in place: work on a copy.")
        else:
            lines += [entry("expected", expected.value), entry("got", got.value)]
            lines.append("  " + explain(got.value, expected.value))
        mistake = self.find_mistake(answer, number - 1, cases)
        if mistake:
            lines.append(f"  Likely cause: {mistake.name}. {mistake.hint}")
        return "\n".join(line for line in lines if line.strip())

    def find_mistake(self, answer, failing, cases):
        """The known mistake that gives the student's answer on the failing case, and agrees on the most others."""
        answers = [self._call(answer, one) for one in cases]
        best, most = None, 0
        for mistake in self.mistakes:
            outcomes = [self._call(mistake.function, one) for one in cases]
            agreed = [self._agree(a, b) for a, b in zip(answers, outcomes, strict=True)]
            if agreed[failing] and sum(agreed) > most:
                best, most = mistake, sum(agreed)
        return best


def sheet(*topics):
    """The checks of one notebook: `check = sheet("activations", "backprop")`, then `check.softmax(softmax)`.

    topics: names of modules in dlcourse.checks. Raises ModuleNotFoundError or ValueError with what there is.
    """
    found = {}
    for topic in topics:
        try:
            module = importlib.import_module(f"dlcourse.checks.{topic}")
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(f"there is no topic {topic!r} in dlcourse.checks") from error
        for one in vars(module).values():
            if isinstance(one, Check) and found.setdefault(one.name, one) is not one:
                raise ValueError(f"two topics have a check named {one.name!r}: {', '.join(topics)}")
    return types.SimpleNamespace(**found, progress=functools.partial(progress, list(found)))


def milestone(name, value, at_least=None, at_most=None):
    """Says whether an experiment came out as it should: `milestone("test accuracy", value, at_least=0.98)`.

    Raises AssertionError only under DLCOURSE_MILESTONES=enforce (CI), never in a smoke run or for a reader.
    """
    if at_least is None and at_most is None:
        raise ValueError("milestone needs a bar: at_least=… or at_most=…")
    value = float(value.detach() if isinstance(value, torch.Tensor) else value)
    reached = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    bars = [f"{word} {bar:.4g}" for word, bar in (("at least", at_least), ("at most", at_most)) if bar is not None]
    line = f"{'✓' if reached else '✗'} {name}: {value:.4g} ({', '.join(bars)})"
    MILESTONES[name] = line
    print(line)
    if not reached and os.environ.get("DLCOURSE_MILESTONES") == "enforce" and os.environ.get("DLCOURSE_SMOKE") != "1":
        raise AssertionError(f"milestone missed: {line[2:]}")


def progress(names=()):
    """Lists the milestones, and which of the named checks passed, are blank, failed or have not been run."""
    marks = {"passed": "✓", "blank": "○", "failed": "✗", "not run yet": "·"}
    for line in MILESTONES.values():
        print(line)
    states = {name: OUTCOMES.get(name, "not run yet") for name in names}
    for state, mark in marks.items():
        members = [name for name, its in states.items() if its == state]
        if members:
            print(f"{mark} {state} ({len(members)} of {len(states)}): {', '.join(members)}")
    minutes, seconds = divmod(round(time.perf_counter() - STARTED), 60)
    print(f"Time since the set-up cell: {minutes} min {seconds} s")
