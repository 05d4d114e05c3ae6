"""Every slip in an exercise or question: one line with the file, the cell and the cure."""

import pytest
from release_fixtures import OPEN, code, exercise, make_course, markdown

from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError

SOLUTIONS = "Day01-Start/Day01_solutions.ipynb"


def complaint(tmp_path, cells):
    """What follows the file's name in the error for a solutions notebook of
    these cells (the first is cell 3)."""
    course = make_course(tmp_path, *cells)
    with pytest.raises(CourseError) as caught:
        build(course)
    message = str(caught.value)
    assert message.startswith(f"{SOLUTIONS}: cell ") and "\n" not in message
    return message.removeprefix(f"{SOLUTIONS}: ")


HEADING, F, CHECK_F = exercise("1.1", "f")


def cell_of(text):
    return [HEADING, code(f"# Exercise 1.1 · f\n{text}"), CHECK_F]


REGION = "    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
SLIPS = {
    "no check, other code": (
        [HEADING, F, code("f()")],
        "cell 4 (cell-3): exercise 'f' has no check: let the next code",
    ),
    "no check, the end": (
        [HEADING, F],
        "cell 4 (cell-3): exercise 'f' has no check: let the next code cell be `f = check.f(f)`",
    ),
    "progress is no check": (
        [HEADING, F, code("check.progress()")],
        "cell 4 (cell-3): exercise 'f' has no check",
    ),
    "number twice": (
        exercise("1.1", "f") + exercise("1.1", "g"),
        "cell 7 (cell-6): number 1.1 is cell 4's already: use",
    ),
    "question's number": (
        exercise("1.2", "f") + [markdown(OPEN)],
        "cell 6 (cell-5): number 1.2 is cell 4's already",
    ),
    "grade_id twice": (
        exercise("1.1", "f") + exercise("1.2", "f"),
        "cell 7 (cell-6): duplicate grade_id 'f', as in cell 4",
    ),
    "no heading": (
        [F, CHECK_F],
        "cell 3 (cell-2): no heading with stars above this exercise: "
        "write `### Exercise 1.1 · f ★` in the text before it",
    ),
    "heading used up": (
        exercise("1.1", "f") + exercise("1.2", "g")[1:],
        "cell 6 (cell-5): no heading with stars above",
    ),
    "other number": (
        [markdown("### Exercise 1.2 · f ★"), F, CHECK_F],
        "cell 4 (cell-3): the heading above is another exercise's, cell 3 says Exercise 1.2 · f: "
        "write `### ",
    ),
    "other name": (
        [markdown("### Exercise 1.1 · g ★"), F, CHECK_F],
        "cell 4 (cell-3): the heading above is another",
    ),
    "no stars": (
        [markdown("### Exercise 1.1 · f"), F, CHECK_F],
        "cell 3 (cell-2): heading `Exercise 1.1 · f` has not the form",
    ),
    "four stars": (
        [markdown("### Exercise 1.1 · f ★★★★"), F, CHECK_F],
        "cell 3 (cell-2): heading `Exercise 1.1 · f ★★★★`",
    ),
    "wrong level": (
        [markdown("## Exercise 1.1 · f ★"), F, CHECK_F],
        "cell 3 (cell-2): heading `Exercise 1.1 · f ★` has not",
    ),
    "heading alone": (
        [HEADING, code("def f(): ...")],
        "cell 3 (cell-2): no exercise cell after this heading: start its code cell with `# "
        "Exercise 1.1 · f`",
    ),
    "two headings": (
        [HEADING, *exercise("1.2", "g")],
        "cell 3 (cell-2): no exercise cell after this heading",
    ),
    "anchor's form": (
        [HEADING, code("# Exercise 1.1: f"), CHECK_F],
        "cell 4 (cell-3): `# Exercise 1.1: f` is not an exercise's first line: write it as `# "
        "Exercise 1.3 · softmax`",
    ),
    "no end": (
        cell_of("def f():\n    ### BEGIN SOLUTION\n    return 1"),
        "cell 4 (cell-3): line 3: `### BEGIN SOLUTION` without an end: add `### END SOLUTION` "
        "below it",
    ),
    "no beginning": (
        cell_of("def f():\n    return 1\n    ### END SOLUTION"),
        "cell 4 (cell-3): line 4: `### END SOLUTION` without a beginning: add `### BEGIN SOLUTION` "
        "above it",
    ),
    "nested": (
        cell_of(
            "def f():\n    ### BEGIN SOLUTION\n    ### BEGIN SOLUTION\n    return 1\n    ### END "
            "SOLUTION"
        ),
        "cell 4 (cell-3): line 4: a region inside the one of line 3: end that with `### END "
        "SOLUTION` first",
    ),
    "shared line": (
        cell_of("def f():\n    return 1  ### BEGIN SOLUTION\n    ### END SOLUTION"),
        "cell 4 (cell-3): line 3: a marker shares its line: write `### BEGIN SOLUTION` alone on it",
    ),
    "no region": (
        cell_of("def f():\n    return 1"),
        "cell 4 (cell-3): no solution region: put the answer between",
    ),
    "empty region": (
        cell_of("def f():\n    ### BEGIN SOLUTION\n    # think\n    pass\n    ### END SOLUTION"),
        "cell 4 (cell-3): an empty solution region: put the answer between its markers",
    ),
    "not in a function": (
        cell_of("### BEGIN SOLUTION\nf = 1\n### END SOLUTION"),
        "cell 4 (cell-3): a solution region outside a function: its blank would stop Run All; make "
        "it",
    ),
    "in a class body": (
        cell_of("class f:\n    ### BEGIN SOLUTION\n    x = 1\n    ### END SOLUTION"),
        "cell 4 (cell-3): a solution region outside a function",
    ),
    "helper without region": (
        cell_of(f"def helper():\n    return 2\n\ndef f():\n{REGION}"),
        "cell 4 (cell-3): `helper` has no solution region: mark its answer, or move it to a cell "
        "of its own",
    ),
    "loose lines": (
        cell_of(f"x = [\n    1,\n]\ndef f():\n{REGION}"),
        "cell 4 (cell-3): 3 lines of code stand outside the markers: `x = [1]`: move it into the "
        "region",
    ),
    "one loose line": (
        cell_of(f"def f():\n{REGION}\nf()"),
        "cell 4 (cell-3): 1 line of code stands outside the markers: `f()`",
    ),
    "no Python": (
        cell_of(f"def f(:\n{REGION}"),
        "cell 4 (cell-3): the cell is no valid Python (line 2: ",
    ),
    "cut statement": (
        cell_of("def f():\n    return (1,\n    ### BEGIN SOLUTION\n    2)\n    ### END SOLUTION"),
        "cell 4 (cell-3): a solution region cuts a statement (line ",
    ),
    "indentation": (
        cell_of(
            "def f():\n  ### BEGIN SOLUTION\n    return 1\n  ### END SOLUTION\n    # end\n    "
            "return 2"
        ),
        "cell 4 (cell-3): the blank is no valid Python, indent the markers as the body (line ",
    ),
    "marker elsewhere": (
        [code("### BEGIN SOLUTION\n1\n### END SOLUTION")],
        "cell 3 (cell-2): a solution marker outside an exercise",
    ),
    "marker in a check": (
        [HEADING, F, code("f = check.f(f)\n### END SOLUTION")],
        "cell 5 (cell-4): a solution marker in a check: move it to the exercise's cell",
    ),
    "marker in text": (
        [markdown("### BEGIN SOLUTION\na\n### END SOLUTION")],
        "cell 3 (cell-2): a marker in a text cell: answers",
    ),
    "hidden tests elsewhere": (
        [code("### BEGIN HIDDEN TESTS\n1\n### END HIDDEN TESTS")],
        "cell 3 (cell-2): hidden tests outside a check cell: move them to the check of an exercise",
    ),
    "hidden tests open": (
        [HEADING, F, code("f = check.f(f)\n### BEGIN HIDDEN TESTS")],
        "cell 5 (cell-4): line 2: `### BEGIN HIDDEN TESTS` without an end: add `### END HIDDEN "
        "TESTS` below it",
    ),
    "question's form": (
        [markdown("<!-- Question 1.2 why -->\nBecause.")],
        "cell 3 (cell-2): the first line is no question's: write it as `<!-- Question 1.4 · slug ★ "
        "-->`",
    ),
    "nameless": (
        [
            markdown("### Exercise 1.1 · ? ★"),
            code(f"# Exercise 1.1 · ?\ndef f():\n{REGION}"),
            CHECK_F,
        ],
        "cell 4 (cell-3): name '?' has no letter or digit: name the function that is asked for",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_cell_and_cure(tmp_path, slip):
    cells, expected = SLIPS[slip]
    assert complaint(tmp_path, cells).startswith(expected)
