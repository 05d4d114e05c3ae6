"""Exercises and open questions, found by their anchors; nbgrader's metadata follows from them.

An exercise is a heading `### Exercise 1.3 · softmax ★★ (10 min)`, or `(10 min, can wait)`, a code
cell with the first line `# Exercise 1.3 · softmax` and, as the next code cell, its check.
An open question is a markdown cell with the first line `<!-- Question 1.4 · slug ★ -->`.
"""

import re

from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import regions

ANCHOR = re.compile(r"# Exercise (\d+\.\d+) · (\S.*?)\s*")
HEADING = re.compile(r"### Exercise (\d+\.\d+) · (\S.*?) (★{1,3})(?: \(\d+ min(?:, can wait)?\))?")
QUESTION = re.compile(r"<!-- Question (\d+\.\d+) · (\S.*?) (★{1,3}) -->\s*")
CHECK = re.compile(r"\bcheck\.(?!progress\b)\w+\(")
HIDDEN = (regions.HIDDEN_BEGIN, regions.HIDDEN_END)


def derive(nb, path):
    """Writes nbgrader's metadata into the cells of `nb`; raises CourseError for a
    slip, naming `path` and the cell."""
    for cell in nb.cells:
        cell.metadata.pop("nbgrader", None)
    scan = _Scan(nb.cells, path)
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "markdown":
            scan.markdown(index, cell)
        elif cell.cell_type == "code":
            scan.code(index, cell)
    scan.finish()


def refuse(nb, path):
    """A lecture has no student version: a marked solution in it would be read by
    everybody. Raises CourseError."""
    for number, cell in enumerate(nb.cells, start=1):
        cell.metadata.pop("nbgrader", None)
        marked = regions.has_markers(cell.source) or regions.has_markers(cell.source, *HIDDEN)
        if marked or _like_anchor(cell) or cell.source.startswith("<!-- Question"):
            cure = "take it out, or give the notebook a key 'solutions' in course.toml"
            raise CourseError(
                f"{path}: cell {number} ({cell.id}): an exercise or marker in a lecture: {cure}"
            )


def headings(cell):
    """(level, text) of every heading in a markdown cell, those within code fences left out."""
    if cell.cell_type != "markdown":
        return
    fenced = False
    for line in cell.source.split("\n"):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        match = re.match(r" {0,3}(#{1,6})\s+(.*)", line)
        if match and not fenced:
            yield len(match[1]), match[2].strip()


def slug(name):
    """A grade_id from a name: letters, digits, hyphens and underscores."""
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-")


def _like_anchor(cell):
    return cell.cell_type == "code" and re.match(r"#+\s*exercise\s+\d", cell.source, re.IGNORECASE)


def _meta(grade_id, grade, solution, locked, points=None):
    meta = {"grade": grade, "grade_id": grade_id, "locked": locked, "schema_version": 3}
    return (
        meta
        | {"solution": solution, "task": False}
        | ({} if points is None else {"points": points})
    )


class _Scan:
    """Goes through a notebook's cells once, in order."""

    def __init__(self, cells, path):
        self.cells, self.path = cells, path
        self.numbers, self.ids = {}, {}  # exercise number or grade_id → number of its cell
        self.heading = None  # (index, match) of the latest exercise heading
        self.used = True  # whether that heading has its exercise cell
        self.waiting = None  # (index, grade_id, points) of the exercise whose check comes next

    def fail(self, index, message):
        raise CourseError(f"{self.path}: cell {index + 1} ({self.cells[index].id}): {message}")

    def finish(self):
        self.close_heading()
        if self.waiting:
            self.no_check(self.waiting)

    def close_heading(self):
        if not self.used:
            index, match = self.heading
            anchor = f"# Exercise {match[1]} · {match[2]}"
            self.fail(
                index, f"no exercise cell after this heading: start its code cell with `{anchor}`"
            )

    def no_check(self, waiting):
        index, grade_id, _ = waiting
        cure = f"let the next code cell be `{grade_id} = check.{grade_id}({grade_id})`"
        self.fail(index, f"exercise {grade_id!r} has no check: {cure}")

    def markdown(self, index, cell):
        if regions.has_markers(cell.source) or regions.has_markers(cell.source, *HIDDEN):
            self.fail(
                index,
                "a marker in a text cell: answers to questions start with `<!-- Question 1.4 · "
                "slug ★ -->`",
            )
        if cell.source.lower().startswith("<!-- question"):
            self.question(index, cell)
        for level, text in headings(cell):
            if not re.match(r"exercise\s+\d", text, re.IGNORECASE):
                continue
            match = HEADING.fullmatch(f"{'#' * level} {text}")
            if not match:
                example = "### Exercise 1.3 · softmax ★★ (10 min)"
                self.fail(
                    index,
                    f"heading `{text}` has not the form of an exercise's: write it as `{example}`",
                )
            self.close_heading()
            self.heading, self.used = (index, match), False

    def question(self, index, cell):
        match = QUESTION.fullmatch(cell.source.split("\n")[0])
        if not match:
            self.fail(
                index,
                "the first line is no question's: write it as `<!-- Question 1.4 · slug ★ -->`",
            )
        self.claim_number(index, match[1])
        grade_id = self.claim_id(index, match[2])
        cell.metadata["nbgrader"] = _meta(grade_id, True, True, False, len(match[3]))

    def code(self, index, cell):
        if self.waiting:
            self.check(index, cell)
        elif _like_anchor(cell):
            self.exercise(index, cell)
        elif regions.has_markers(cell.source):
            cure = "start the cell with `# Exercise 1.3 · name`, or take the marker out"
            self.fail(index, f"a solution marker outside an exercise cell: {cure}")
        elif regions.has_markers(cell.source, *HIDDEN):
            self.fail(
                index, "hidden tests outside a check cell: move them to the check of an exercise"
            )

    def exercise(self, index, cell):
        line = cell.source.split("\n")[0]
        match = ANCHOR.fullmatch(line)
        if not match:
            self.fail(
                index,
                f"`{line}` is not an exercise's first line: write it as `# Exercise 1.3 · softmax`",
            )
        self.claim_number(index, match[1])
        points = self.points(index, match)
        try:
            regions.check_exercise(cell.source)
        except ValueError as error:
            self.fail(index, str(error))
        grade_id = self.claim_id(index, match[2])
        cell.metadata["nbgrader"] = _meta(grade_id, False, True, False)
        self.waiting = (index, grade_id, points)

    def points(self, index, anchor):
        """The stars of the heading above, which must be this exercise's."""
        wanted = f"### Exercise {anchor[1]} · {anchor[2]} ★"
        if self.heading is None or (self.used and self.heading[1][1] != anchor[1]):
            cure = f"write `{wanted}` in the text before it"
            self.fail(index, f"no heading with stars above this exercise: {cure}")
        heading = self.heading[1]
        if (heading[1], heading[2]) != (anchor[1], anchor[2]):
            where = f"cell {self.heading[0] + 1} says Exercise {heading[1]} · {heading[2]}"
            self.fail(
                index, f"the heading above is another exercise's, {where}: write `{wanted}` there"
            )
        self.used = True
        return len(heading[3])

    def check(self, index, cell):
        _, grade_id, points = self.waiting
        if not CHECK.search(cell.source) or _like_anchor(cell):
            self.no_check(self.waiting)
        if regions.has_markers(cell.source):
            self.fail(index, "a solution marker in a check: move it to the exercise's cell")
        try:
            regions.contents(cell.source, *HIDDEN)
        except ValueError as error:
            self.fail(index, str(error))
        cell.metadata["nbgrader"] = _meta(
            self.claim_id(index, f"{grade_id}-check"), True, False, True, points
        )
        self.waiting = None

    def claim_number(self, index, number):
        if number in self.numbers:
            self.fail(
                index,
                f"number {number} is cell {self.numbers[number]}'s already: use each number once",
            )
        self.numbers[number] = index + 1

    def claim_id(self, index, name):
        grade_id = slug(name)
        if not grade_id:
            self.fail(
                index, f"name {name!r} has no letter or digit: name the function that is asked for"
            )
        if grade_id in self.ids:
            self.fail(
                index,
                f"duplicate grade_id {grade_id!r}, as in cell {self.ids[grade_id]}: rename one of "
                "the two",
            )
        self.ids[grade_id] = index + 1
        return grade_id
