"""How long the work takes, from the headings: `## 7 · Double descent (20 min, can wait)`,
`### Exercise 4.2 · softmax ★★ (10 min, can wait)`.

A section's minutes hold those of its exercises, questions and other headings. What can wait is no
part of the core: a whole section, or what is marked within a section that is.
"""

import re
from dataclasses import dataclass, field

from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.cells import fail
from dlcourse.release.notebook.exercises import headings

FORM = re.compile(r"(.*\S) \(([1-9]\d{0,2}) min(, can wait)?\)")
MEANT = re.compile(r"\((?:\s*\d+\s*min|[^()]*can wait)[^()]*\)?$|\bcan wait$")
EXAMPLE = "`(20 min)` or `(20 min, can wait)`"


@dataclass
class Heading:
    """A heading of level 2 with those below it, or one of these."""

    cell: int  # index of the cell that it stands in
    title: str
    minutes: int | None  # None: it names none
    waits: bool
    parts: list = field(default_factory=list)

    @property
    def core(self):
        """Minutes that cannot wait."""
        if self.waits:
            return 0
        return (self.minutes or 0) - sum(one.minutes or 0 for one in self.parts if one.waits)


def sections(nb):
    """The headings of level 2 as a list of Heading, each with the lower ones as its parts."""
    found = []
    for index, cell in enumerate(nb.cells):
        for level, text in headings(cell):
            one = _read(index, text)
            if level == 2:
                found.append(one)
            elif level > 2 and found:
                found[-1].parts.append(one)
    return found


def _read(index, text):
    match = FORM.fullmatch(text)
    if not match:
        return Heading(index, text, None, False)
    return Heading(index, match[1], int(match[2]), bool(match[3]))


def add_up(some):
    """(core, everything) of a list of sections in minutes; None where no section names any."""
    if all(one.minutes is None for one in some):
        return None
    return sum(one.core for one in some), sum(one.minutes or 0 for one in some)


def total(nb, notebook):
    """(core, everything) of a notebook. One whose sections name no minutes yet has those of
    `reading` in course.toml. Raises CourseError where neither or both are there."""
    added, reading = add_up(sections(nb)), notebook.minutes.get("reading")
    if added and reading:
        cure = f"take it out, the sections' minutes add up to {added[1]}"
        raise CourseError(f"course.toml: {notebook.student}: `reading = {reading}`: {cure}")
    if not added and not reading:
        cure = f"end the headings of its sections with {EXAMPLE}"
        raise CourseError(f"{notebook.source}: no section says how long it takes: {cure}")
    return added or (reading, reading)


def check_form(nb, path):
    """Raises CourseError for a heading whose minutes would not be counted."""
    for number, cell in enumerate(nb.cells, start=1):
        for level, text in headings(cell):
            if level > 1 and MEANT.search(text) and not FORM.fullmatch(text):
                message = f"heading `{text}`: its minutes are not counted: end it with {EXAMPLE}"
                fail(path, number, cell, message)
