"""What `dlcourse verify` demands of a student notebook: nothing of
the answers, nothing of a run."""

import contextlib
import re

from dlcourse.release.notebook import regions
from dlcourse.release.notebook.exercises import QUESTION
from dlcourse.release.run.faults import name_cell

MARKERS = (
    regions.BEGIN,
    regions.END,
    regions.HIDDEN_BEGIN,
    regions.HIDDEN_END,
    "BEGIN MARK SCHEME",
    "END MARK SCHEME",
)
SHORTEST = 12  # characters: a shorter line of code tells nothing
SHORTEST_RETURNED = 40
SHORTEST_SENTENCE = 40
FENCE = re.compile(
    r"^ {0,3}(?P<fence>```|~~~)[^\n]*\n(?P<code>.*?)^ {0,3}(?P=fence)", re.DOTALL | re.MULTILINE
)
# an operator, or a call with arguments
TELLING = re.compile(r"[-+*/@%<>|&^~]|==|!=|[\w\])]\((?!\))")
# What any program says: a call without arguments, a loop over names.
COMMON = re.compile(
    r"[\w.]+(\(\))?(\.\w+)*\(\)|with [\w.]+\(\):|for [\w, ]+ in (range|enumerate|zip)\([\w,. ]*\):"
)


def check_student(path, student, source):
    """Findings about the student notebook at `path`; source: the solutions
    notebook that it is made from."""
    yield from check_form(path, student)
    yield from check_leaks(path, student, source)


def check_form(path, student):
    """Findings that the student notebook alone shows: what a run left, and markers."""
    yield from check_blankness(path, student)
    for index, cell in enumerate(student.cells):
        for marker in MARKERS:
            if marker in cell.source:
                yield f"{path}: {name_cell(student, index)}: holds `{marker}`; run `dlcourse build`"


def check_blankness(path, student):
    """Findings about what a run or an editor left behind."""
    for key in ("widgets", "dlcourse"):
        if key in student.metadata:
            yield f"{path}: holds metadata of a run ({key}); run `dlcourse build`"
    for index, cell in enumerate(student.cells):
        left = [key for key in ("outputs", "execution_count", "attachments") if cell.get(key)]
        left += ["execution times"] if "execution" in cell.metadata else []
        if left:
            yield (
                f"{path}: {name_cell(student, index)}: holds {' and '.join(left)}; run `dlcourse "
                "build`"
            )


def check_leaks(path, student, source):
    """Findings about answers of `source` that can be read in `student`."""
    reported = set()
    for number, cell in enumerate(source.cells, start=1):
        for region in _regions(cell):
            for index, line in _find(student, region):
                if (index, line) not in reported:
                    reported.add((index, line))
                    cure = f"change it in the solutions notebook, here or in cell {number}"
                    where = f"{path}: {name_cell(student, index)}"
                    yield f"{where}: gives away the answer of cell {number}: `{line}`; {cure}"
        if QUESTION.match(cell.source):
            yield from _check_question(path, student, number, cell)


def _regions(cell):
    """Solutions and hidden tests of a cell; none where its markers are
    at odds, which the build names."""
    found = []
    if cell.cell_type == "code":
        for markers in ((regions.BEGIN, regions.END), (regions.HIDDEN_BEGIN, regions.HIDDEN_END)):
            with contextlib.suppress(ValueError):
                found += regions.contents(cell.source, *markers)
    return found


def _find(student, region):
    """(index of the student's cell, line) where a telling line of the
    region, or all of it, can be read."""
    lines = [line.strip() for line in region.split("\n") if tells(line)]
    # what is returned may stand elsewhere as what is assigned
    longer = [line for line in lines if len(line) > SHORTEST_RETURNED]
    lines = [line.removeprefix("return ") if line in longer else line for line in lines]
    folded = _fold(region)
    for index, cell in enumerate(student.cells):
        code = cell.source if cell.cell_type == "code" else _fenced(cell.source)
        found = [line for line in lines if _holds(code, line)]
        yield from ((index, line) for line in dict.fromkeys(found))
        if lines and not found and len(folded) >= SHORTEST and folded in _fold(cell.source):
            yield index, lines[0]


def _fenced(text):
    """What stands in the code fences of a text."""
    return "\n".join(match["code"] for match in FENCE.finditer(text))


def tells(line):
    """Whether a line of code says something about how an exercise is solved."""
    line = line.strip()
    if len(line) < SHORTEST or line.startswith("#") or COMMON.fullmatch(line):
        return False
    return bool(TELLING.search(line))


def _holds(source, line):
    """Whether `line` stands in the code, not as the end or the beginning of a longer word."""
    return line in source and bool(re.search(rf"(?<![\w.]){re.escape(line)}(?![\w(])", source))


def _fold(text):
    return " ".join(text.split())


def _check_question(path, student, number, cell):
    """A model answer must not stand in the text of the student notebook."""
    sentences = [_fold(line) for line in cell.source.split("\n")[1:]]
    sentences = [sentence for sentence in sentences if len(sentence) >= SHORTEST_SENTENCE]
    for index, other in enumerate(student.cells):
        text = _fold(other.source)
        for sentence in sentences:
            if sentence in text:
                where = f"{path}: {name_cell(student, index)}"
                yield (
                    f"{where}: gives away the answer to the question of cell {number}: "
                    f"`{sentence}`; take it out"
                )
