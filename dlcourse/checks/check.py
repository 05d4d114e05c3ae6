"""A check: what judges one exercise, and what it says."""

import importlib
import os
from dataclasses import dataclass, field

from dlcourse.checks.calling import (
    SECONDS,
    TookTooLong,
    Untouched,
    attempt,
    is_stub,
    words_of,
)
from dlcourse.checks.compare import find_difference, has_double
from dlcourse.checks.messages import effect, heard, rows, wanted
from dlcourse.checks.words import MISSING, entry, error_lines, parameters

OUTCOMES = {}  # name → "passed", "blank" or "failed": what `progress` lists
JUDGED = {}  # name → the answer that was judged last, and what its cell went on with
LINES = 20  # of a message
LEFT = "  It was right the first time: does something of an earlier call stay behind?"


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
        Of a function that works in place it raises Untouched where nothing was changed.
    fallback: "module:name" of what a blank goes on with; by default the reference.
    any_kind: a tensor, an array and a number are as good. any_dtype: so is every dtype. Only where
        the exercise's text leaves it open. single: a float32 tensor will do where a case hands in
        float64 (for the sake of its digits); False where the text promises the dtype of its input.
    apart: every case stands for itself, as in a clinic: a cause is named by the failing one alone.
    rtol, atol: |got − expected| ≤ atol + rtol·|expected| passes.
    """

    name: str
    reference: object
    cases: object
    mistakes: list = field(default_factory=list)
    probe: object = None
    fallback: str | None = None
    any_kind: bool = False
    any_dtype: bool = False
    single: bool = True
    apart: bool = False
    rtol: float = 1e-5
    atol: float = 1e-7

    def __call__(self, answer):
        if not callable(answer):
            cure = f"write check.{self.name}({self.name}), without brackets after the name"
            raise TypeError(f"check.{self.name} takes your function, not what it returns: {cure}")
        if answer is self.substitute():
            return self._blank(answer)
        if is_stub(answer):
            return self._blank(answer)
        cases, outcomes = self.list_cases(), []
        # once more at the end: what a call leaves behind must not reach a later one
        for number, one in enumerate([*cases, cases[0]], start=1):
            expected = self.attempt(self.reference, one)
            outcomes.append(self._judge(answer, one, number, expected.seconds))
            if outcomes[-1].is_blank():
                return self._blank(answer)
            if not self.agree(outcomes[-1], expected, one):
                OUTCOMES[self.name], JUDGED[self.name] = "failed", (answer, None)
                message = self._message(answer, outcomes, expected, cases)
                # `from None`: the message carries what matters of the student's own error
                raise CheckFailed(message) from None
        OUTCOMES[self.name], JUDGED[self.name] = "passed", (answer, answer)
        print("\n".join([f"✓ {self.name} · {len(cases)} cases", *heard(outcomes[0], 1)]))
        return answer

    def list_cases(self):
        return self.cases() if callable(self.cases) else self.cases

    def substitute(self):
        """What a blank goes on with."""
        if self.fallback is None:
            return self.reference
        module, _, name = self.fallback.partition(":")
        return getattr(importlib.import_module(module), name)

    def _blank(self, answer):
        again = answer is self.substitute() and OUTCOMES.get(self.name) == "blank"
        OUTCOMES[self.name] = "blank"
        if "NBGRADER_EXECUTION" in os.environ:
            raise CheckFailed(f"○ {self.name}: not attempted")
        JUDGED[self.name] = (answer, self.substitute())
        print(f"○ {self.name}: not attempted yet, going on with the reference")
        if again:
            print("  If you have written it by now: run the cell with your code first, then this.")
        return self.substitute()

    def attempt(self, function, one, seconds=None):
        """What a function makes of one case → Outcome."""
        return attempt(function, one.args, self.probe, seconds)

    def _judge(self, answer, one, number, needed):
        try:
            return self.attempt(answer, one, max(SECONDS, 10 * needed))
        except KeyboardInterrupt:
            print(f"{self.name} was interrupted in case {number}: {one.label}")
            raise

    def agree(self, got, expected, one):
        """Whether two Outcomes of a case are the same: value or type of error, and effects."""
        if got.error or expected.error:
            return type(got.error) is type(expected.error)
        effects = (got.changed, got.traces) == (expected.changed, expected.traces)
        return effects and self.difference(got.value, expected.value, one) is None

    def alike(self, got, other, one):
        """Whether two wrong Outcomes have the same cause; of errors the type says too little."""
        if got.error and other.error and words_of(got.error) != words_of(other.error):
            return False
        return self.agree(got, other, one)

    def difference(self, got, expected, one):
        """Words about how two values differ in a case, or None."""
        single = self.single and has_double(one.args)
        flags = {"any kind": self.any_kind, "any dtype": self.any_dtype, "single": single}
        rules = frozenset(rule for rule, holds in flags.items() if holds)
        return find_difference(got, expected, self.rtol, self.atol, rules)

    def _message(self, answer, outcomes, expected, cases):
        number, got = len(outcomes), outcomes[-1]
        again = number > len(cases)
        failing = cases[0 if again else number - 1]
        names = self._argument_names(answer, len(failing.args))
        place = "1 once more, after all" if again else f"{number} of"
        head = f"✗ {self.name} · case {place} {len(cases)}: {failing.label}"
        arguments = [entry(name, value) for name, value in zip(names, failing.args, strict=False)]
        rest = self._what_differs(got, expected, names, failing)
        rest += [*heard(got, number), *([LEFT] if again else self._cause(answer, outcomes, cases))]
        arguments, rest = rows(arguments), rows(rest)
        room = max(LINES - 1 - len(rest), 0)
        if len(arguments) > room:
            arguments = [*arguments[: room - 1], "  …"]
        return "\n".join([head, *arguments, *rest])

    def _argument_names(self, answer, count):
        """Of a case's arguments, which are the probe's where there is one."""
        if self.probe and not getattr(self.probe, "hands_on", False):
            return parameters(self.probe, count, skip=1)
        return parameters(answer, count) or parameters(self.reference, count)

    def _what_differs(self, got, expected, names, one):
        if isinstance(got.error, TookTooLong):
            return ["  got:          nothing: your function was stopped after"
                    f" {got.seconds:.0f} seconds. Is there a loop that never ends?"]  # fmt: skip
        if isinstance(got.error, Untouched):
            return [wanted(expected), f"  got:          {words_of(got.error)}"]
        if got.gave_none and not expected.gave_none:
            return [wanted(expected), "  got:          None: is `return` missing?"]
        if got.error:
            return [wanted(expected), *error_lines(got.error, words_of(got.error))]
        if expected.error:
            return [wanted(expected), entry("got", got.value)]
        if got.changed != expected.changed and got.changed is not None:
            name = names[got.changed] if names else f"argument {got.changed + 1}"
            return [f"  Your function changed {name} in place: work on a copy."]
        words = self.difference(got.value, expected.value, one)
        if words is None:  # nothing in the value: an effect
            return effect(got, expected)
        inner = words.path and words.got is not MISSING
        values = (words.expected, words.got) if inner else (expected.value, got.value)
        sentence = str(words)
        for position, name in enumerate(names, start=1):  # of a gradient: see probes.py
            sentence = sentence.replace(f"by argument {position}'", f"by {name}'")
        return [entry("expected", values[0]), entry("got", values[1]), f"  {sentence}"]

    def _cause(self, answer, outcomes, cases):
        """The line that names a mistake: "Likely cause" where it agrees with the answer on all
        cases, "One possibility" where on all up to the failing one and on most others."""
        if isinstance(outcomes[-1].error, TookTooLong):
            return []
        rest = [] if self.apart else cases[len(outcomes) :]
        later = [self.attempt(answer, one, SECONDS / 4) for one in rest]
        best, most = None, 0.5
        for mistake in self.mistakes:
            share = self._share(mistake, outcomes, later, cases)
            if share > most:
                best, most = mistake, share
        if best is None:
            return []
        word = "Likely cause" if most == 1 else "One possibility"
        return [f"  {word}: {best.name}. {best.hint}"]

    def _share(self, mistake, outcomes, later, cases):
        """Of the later cases the share on which a mistake does what the answer does; 0 where it
        does not on one of the earlier."""
        done = len(outcomes)
        earlier = list(zip(outcomes, cases[:done], strict=True))
        for outcome, one in reversed(earlier[-1:] if self.apart else earlier):
            if not self.alike(outcome, self.attempt(mistake.function, one), one):
                return 0
        if not later:
            return 1
        agreed = [
            self.alike(outcome, self.attempt(mistake.function, one), one)
            for outcome, one in zip(later, cases[done:], strict=True)
        ]
        return sum(agreed) / len(agreed)
