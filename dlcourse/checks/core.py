"""Checks that explain what is wrong.

    softmax = check.softmax(softmax)

A right answer passes through. A blank one is replaced by the reference, so the notebook goes on. A
wrong one raises CheckFailed with the smallest failing case and, where the misconception behind it
is known, its name and a hint. What judges an answer is a torch function, a closed form, finite
differences or a property, never the course's solution.
"""

from dlcourse.checks.calling import Untouched
from dlcourse.checks.check import Case, Check, CheckFailed, Mistake, case
from dlcourse.checks.sheets import gather, list_rooms, milestone, progress, sheet

__all__ = [
    "Case",
    "Check",
    "CheckFailed",
    "Mistake",
    "Untouched",
    "case",
    "gather",
    "list_rooms",
    "milestone",
    "progress",
    "sheet",
]
