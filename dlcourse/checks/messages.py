"""Pieces of what a check says of an Outcome."""

from dlcourse.checks.calling import PRINTED, words_of
from dlcourse.checks.words import entry


def rows(lines):
    """The lines of a message one by one, without the empty ones."""
    return [row for row in "\n".join(lines).splitlines() if row.strip()]


def heard(outcome, number):
    """What a student's function printed, once, not once for each case."""
    text = outcome.printed.strip()
    if not text:
        return []
    rows = (text if len(text) <= PRINTED else text[:PRINTED] + " …").splitlines()
    rows = rows if len(rows) <= 4 else [*rows[:4], "…"]
    return [f"  printed in case {number}: " + "\n    ".join(rows)]


def wanted(expected):
    """The line of what is expected: a value, or an error."""
    if expected.error:
        return f"  expected:     {type(expected.error).__name__}: {words_of(expected.error)}"
    return entry("expected", expected.value)


def effect(got, expected):
    """What is said of an answer whose value is right and whose effect is not."""
    for trace in got.traces:
        if trace not in expected.traces:
            return [f"  Your function {trace}: that belongs to its caller."]
    return ["  The value is right, but an argument should have been changed in place."]
