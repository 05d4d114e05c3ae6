"""Slips by which students would read what is not for them, found before a student version is made.

Whoever writes an anchor or a marker nearly right means the right one: what looks like a question,
an exercise or a marker, and is none, is refused. Raises CourseError with the file and the cell.
"""

import ast
import difflib
import re

from dlcourse.release import conflicts
from dlcourse.release.notebook import exercises, regions
from dlcourse.release.notebook.cells import fail

MARKERS = (
    regions.BEGIN,
    regions.END,
    regions.HIDDEN_BEGIN,
    regions.HIDDEN_END,
    "BEGIN MARK SCHEME",
    "END MARK SCHEME",
)
COMMENT = re.compile(r"<\s*!\s*[-\w]")
NUMBERED = re.compile(r"\W*(\w+)\W*(\d+\.\d+)")
STARRED = re.compile(r"\d+\.\d+\s*·.*★")
QUESTION_HEADING = re.compile(r"question\s+(\d+\.\d+)", re.IGNORECASE)
ASKING = re.compile(r"(<h\d>)?\W*(open )?(question|q)\W*\d+(\.\d+)?\W*★", re.IGNORECASE)
ALIKE = 0.8  # of 1: how alike two words are that mean the same, "Qestion" and "Question"
FORMS = {
    "exercise": "### Exercise 1.3 · softmax ★★ (10 min)",
    "question": "### Question 1.4 ★ (5 min)",
}
ANSWER = "<!-- Question 1.4 · slug ★ -->"


def check_cells(nb, path):
    """What must be right before anchors are looked for: no merge conflict, no raw cell, no marker
    that is nearly one."""
    for number, cell in enumerate(nb.cells, start=1):
        lines = conflicts.find(cell.source)
        if lines:
            message = f"{conflicts.describe(lines)}: delete them and one of the two sides"
            fail(path, number, cell, message)
        if cell.cell_type == "raw":
            fail(path, number, cell, "a raw cell, which Colab does not show: make it text or code")
        for index, line in enumerate(cell.source.split("\n"), start=1):
            marker = _nearly_marker(line)
            if marker:
                cure = f"write `### {marker}` alone on its line"
                message = f"line {index}: `{line.strip()}` is nearly a marker: {cure}"
                fail(path, number, cell, message)


def _nearly_marker(line):
    """The marker that a comment means and does not spell; None for anything else."""
    match = re.search(r"#\s*([^#]*)$", line)
    if not match or any(marker in line for marker in MARKERS):
        return None
    words = re.sub(r"[\W_]+", " ", match[1].upper()).strip()
    return next(iter(difflib.get_close_matches(words, MARKERS, 1, ALIKE)), None)


def check_texts(nb, path, answers=True):
    """What must be right once the anchors are known (`exercises.derive`): no comment but a
    question's, no heading or first line that is nearly one, each question with its answer.

    answers: whether the notebook may have any, which a lecture may not.
    """
    asked = None  # (cell number, cell, question's number, stars) that waits for its answer
    for number, cell in enumerate(nb.cells, start=1):
        if cell.cell_type != "markdown" or number == 1:  # the first cell is generated
            continue
        match = exercises.QUESTION.match(cell.source) if answers else None
        _check_comments(path, number, cell, cell.source[match.end() :] if match else cell.source)
        _check_numbered(path, number, cell)
        headings = [text for _, text in exercises.headings(cell) if QUESTION_HEADING.match(text)]
        if match:
            if headings:
                message = "the question stands in its answer's cell, where students would not see"
                fail(path, number, cell, f"{message} it: move it to a text cell above")
            asked = _check_answer(path, number, cell, match, asked)
        for text in headings:
            _no_answer(path, asked)
            asked = (number, cell, QUESTION_HEADING.match(text)[1], text.count("★"))
    _no_answer(path, asked)


def _check_comments(path, number, cell, text):
    match = COMMENT.search(text)
    if match:
        line = text[match.start() :].split("\n")[0][:60]
        cure = f"the answer to a question begins with `{ANSWER}`; take any other comment out"
        fail(path, number, cell, f"a comment that students could read, `{line}`: {cure}")


def _check_numbered(path, number, cell):
    """Headings and lines of stars that are nearly those of an exercise or a question."""
    for _, text in exercises.headings(cell):
        match = NUMBERED.match(text)
        word = match[1].lower() if match else ""
        meant = difflib.get_close_matches(word, FORMS, 1, ALIKE)
        if meant and word not in FORMS:
            cure = f"write it as `{FORMS[meant[0]]}`"
            fail(path, number, cell, f"heading `{text}` has a slip in its first word: {cure}")
    known = [text for _, text in exercises.headings(cell) if QUESTION_HEADING.match(text)]
    for line in cell.source.split("\n"):
        bare = line.lstrip("#>*_- \t").strip()
        asks = ASKING.match(bare) and bare not in known
        starred = STARRED.search(line) and not line.lstrip().startswith("#")
        if (asks or starred) and not line.lstrip().startswith("<!-- Question"):
            cure = f"a heading begins with `###`, an answer with `{ANSWER}`"
            fail(path, number, cell, f"`{line.strip()[:60]}` looks like a question's line: {cure}")


def _check_answer(path, number, cell, match, asked):
    """An answer belongs to the question above it, where there is one; returns what is asked now."""
    if asked and not asked[3]:
        form = f"### Question {asked[2]} {match[3]} (5 min)"
        fail(path, asked[0], asked[1], f"the question has no stars: write its heading as `{form}`")
    if asked and asked[2:] != (match[1], len(match[3])):
        wanted = f"`<!-- Question {asked[2]} · {match[2]} {'★' * asked[3]} -->`"
        message = f"the question above, cell {asked[0]}, has another number or other stars"
        fail(path, number, cell, f"{message}: write {wanted}, or correct it there")
    return None


def _no_answer(path, asked):
    if asked:
        number, cell, question, stars = asked
        cure = f"start its model answer with `<!-- Question {question} · slug {'★' * stars} -->`"
        fail(path, number, cell, f"Question {question} has no answer cell below it: {cure}")


def check_lost(nb, path, had):
    """No cell that nbgrader knew becomes a plain one. had: its metadata before, by cell."""
    for number, (cell, before) in enumerate(zip(nb.cells, had, strict=True), start=1):
        if before and "nbgrader" not in cell.metadata:
            solution = isinstance(before, dict) and before.get("solution")
            kind = "an exercise or an answer" if solution else "a check"
            cure = "correct its first line, or, if it shall be plain, copy its text to a new cell"
            message = f"it was {kind} for nbgrader, and students would read it as it is: {cure}"
            fail(path, number, cell, message)


def check_copies(nb, path):
    """No plain cell defines what an exercise asks for. Metadata must be derived."""
    asked = {}
    for number, cell in enumerate(nb.cells, start=1):
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution"):
            asked |= dict.fromkeys(_defined(cell.source), number)
    for number, cell in enumerate(nb.cells, start=1):
        if cell.cell_type != "code" or "nbgrader" in cell.metadata:
            continue
        for name in _defined(cell.source):
            if name in asked:
                message = f"it defines `{name}`, which the exercise of cell {asked[name]} asks for"
                fail(path, number, cell, f"{message}: take it out, or give it another name")


def _defined(source):
    """Names of the functions and classes of a cell; none where it is no plain Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names = [node.name for node in tree.body if isinstance(node, kinds)]
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return names
