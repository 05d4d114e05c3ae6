"""What students must not see does not leave by a slip of the pen: each is refused by `build`."""

import pytest
from release_fixtures import ANSWER, CHECK, TASK, code, exercise, make_course, markdown, notebook
from release_fixtures import write as write_notebook

from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import source, student

SOLUTIONS, LECTURE = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_lecture.ipynb"
STUDENT = "Day01-Start/Day01_exercises.ipynb"
SECRET = "Because two divides it."


def complaint(tmp_path, *cells):
    """The refusal of a solutions notebook of these cells; nothing was written."""
    course = make_course(tmp_path, *cells)
    with pytest.raises(CourseError) as caught:
        build(course)
    assert not (tmp_path / STUDENT).exists()
    message = str(caught.value)
    assert message.startswith(f"{SOLUTIONS}: cell ") and "\n" not in message
    return message.removeprefix(f"{SOLUTIONS}: ")


def raw(text):
    cell = markdown(text)
    cell.cell_type = "raw"
    return cell


NEARLY_QUESTIONS = [
    "\n<!-- Question 1.2 · why ★ -->\n",
    " <!-- Question 1.2 · why ★ -->\n",
    "<!--Question 1.2 · why ★ -->\n",
    "<!-- Qestion 1.2 · why ★ -->\n",
    "<!-- question 1.2 · why ★ -->\n",
    "<!-- Question 1.2 · why ★ --->\n",
    "< !-- Question 1.2 · why ★ -->\n",
    "<!- Question 1.2 · why ★ ->\n",
    "`<!-- Question 1.2 · why ★ -->`\n",
    "**Model answer**\n<!-- Question 1.2 · why ★ -->\n",
    "Question 1.2 · why ★\n\n",
    "**Question 1.2 · why ★**\n\n",
    "<-- Question 1.2 · why ★ -->\n",
]


@pytest.mark.parametrize("line", NEARLY_QUESTIONS)
@pytest.mark.parametrize("asked", [True, False])
def test_an_answer_whose_first_line_is_slightly_off(tmp_path, line, asked):
    heading = [markdown("### Question 1.2 ★\n\nWhy is it even?")] if asked else [markdown("Text.")]
    said = complaint(tmp_path, *heading, markdown(line + SECRET))
    assert said.startswith("cell 4 (cell-3): ") and "<!-- Question 1.4 · slug ★ -->`" in said


SLIPS = {
    "unknown comment": (
        [markdown("Text.\n\n<!-- TODO: the exam asks this -->")],
        "cell 3 (cell-2): a comment that students could read, `<!-- TODO: the exam asks this -->`",
    ),
    "comment in an answer": (
        [markdown(f"<!-- Question 1.2 · why ★ -->\n{SECRET}\n<!-- full marks -->")],
        "cell 3 (cell-2): a comment that students could read, `<!-- full marks -->`",
    ),
    "open comment": ([markdown("Text <!-- not closed")], "cell 3 (cell-2): a comment that"),
    "no answer cell": (
        [markdown("### Question 1.2 ★★\n\nWhy?"), markdown(SECRET)],
        "cell 3 (cell-2): Question 1.2 has no answer cell below it: start its model answer with "
        "`<!-- Question 1.2 · slug ★★ -->`",
    ),
    "two questions, one answer": (
        [
            markdown("### Question 1.2 ★\n\nWhy?"),
            markdown(SECRET),
            markdown("### Question 1.3 ★\n\nHow?"),
            markdown("<!-- Question 1.3 · how ★ -->\nSo."),
        ],
        "cell 3 (cell-2): Question 1.2 has no answer cell below it",
    ),
    "another number": (
        [markdown("### Question 1.2 ★"), markdown("<!-- Question 1.3 · why ★ -->\nSo.")],
        "cell 4 (cell-3): the question above, cell 3, has another number or other stars: write "
        "`<!-- Question 1.2 · why ★ -->`",
    ),
    "other stars": (
        [markdown("### Question 1.2 ★★"), markdown("<!-- Question 1.2 · why ★ -->\nSo.")],
        "cell 4 (cell-3): the question above, cell 3, has another number or other stars: write "
        "`<!-- Question 1.2 · why ★★ -->`",
    ),
    "question within its answer": (
        [markdown("<!-- Question 1.2 · why ★ -->\n### Question 1.2 ★\n\nWhy?")],
        "cell 3 (cell-2): the question stands in its answer's cell",
    ),
    "Qestion": (
        [markdown("### Qestion 1.2 ★\n\nWhy?"), markdown(SECRET)],
        "cell 3 (cell-2): heading `Qestion 1.2 ★` has a slip in its first word: write it as `### "
        "Question 1.4 ★ (5 min)`",
    ),
    "Excercise": (
        [markdown("### Excercise 1.2 · f ★"), code("def f():\n    return 1")],
        "cell 3 (cell-2): heading `Excercise 1.2 · f ★` has a slip in its first word",
    ),
    "no stars": (
        [markdown("### Question 1.2: why?"), markdown("<!-- Question 1.2 · why ★ -->\nSo.")],
        "cell 3 (cell-2): the question has no stars: write its heading as `### Question 1.2 ★ (5",
    ),
    "a question in bold, without its answer's first line": (
        [markdown("**Question 1.2** ★★\n\nWhy?"), markdown(SECRET)],
        "cell 3 (cell-2): `**Question 1.2** ★★` looks like a question's line",
    ),
    "its definition as a lambda": (
        [*exercise("1.1", "f"), code("f = lambda: 2")],
        "cell 6 (cell-5): it defines `f`, which the exercise of cell 4 asks for: take it out",
    ),
    "raw cell": (
        [raw("### BEGIN SOLUTION")],
        "cell 3 (cell-2): a raw cell, which Colab does not show: make it text or code",
    ),
    "its definition again": (
        [*exercise("1.1", "f"), code("def f():\n    return 2")],
        "cell 6 (cell-5): it defines `f`, which the exercise of cell 4 asks for: take it out",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_refused(tmp_path, slip):
    cells, expected = SLIPS[slip]
    assert complaint(tmp_path, *cells).startswith(expected)


@pytest.mark.parametrize(
    "line", ["### BEGIN SOLUTON", "### begin solution", "#BEGIN-SOLUTION", "# Begin  Solution:"]
)
@pytest.mark.parametrize("plain", [True, False])
def test_a_marker_that_is_nearly_one(tmp_path, line, plain):
    text = f"def f():\n    {line}\n    return 1\n    ### END SOLUTION"
    heading, _, check = exercise("1.1", "f")
    cells = [code(text)] if plain else [heading, code(f"# Exercise 1.1 · f\n{text}"), check]
    said = complaint(tmp_path, *cells)
    cure = "write `### BEGIN SOLUTION` alone on its line"
    assert said.endswith(f"`{line}` is nearly a marker: {cure}")


def test_a_cell_that_would_lose_what_nbgrader_knew_of_it(tmp_path):
    graded = {"grade_id": "why", "grade": True, "solution": True, "locked": False}
    lost = markdown(SECRET, metadata={"nbgrader": graded})
    said = complaint(tmp_path, lost)
    assert said.startswith("cell 3 (cell-2): it was an exercise or an answer for nbgrader, and ")
    lost.metadata["nbgrader"] = graded | {"solution": False, "locked": True}
    assert complaint(tmp_path, lost).startswith("cell 3 (cell-2): it was a check for nbgrader, and")
    build(make_course(tmp_path, markdown(SECRET)))  # the cure: a new cell has no metadata
    assert source.read_notebook(tmp_path / STUDENT).cells[2].source == SECRET


@pytest.mark.parametrize("meta", [{"nbgrader": {"solution": True}}, {"nbgrader": "text"}])
def test_a_lecture_with_what_was_an_answer(tmp_path, meta):
    course = make_course(tmp_path)
    write_notebook(tmp_path / LECTURE, notebook(markdown(SECRET, metadata=meta)))
    with pytest.raises(CourseError, match=r"cell 3 \(cell-2\): it was .* for nbgrader"):
        build(course)


def test_a_comment_in_a_lecture(tmp_path):
    course = make_course(tmp_path)
    write_notebook(tmp_path / LECTURE, notebook(markdown("Text. <!-- ask this in the exam -->")))
    with pytest.raises(CourseError, match="a comment that students could read, `<!-- ask this"):
        build(course)


@pytest.mark.parametrize(
    "text",
    [
        "Section 1.2 says a <b and b → c.",
        "## Equation 1.2 and Figure 1.3",
        "See Exercise 1.1 ★★ and Question 1.2.",
        "```\nx <- 3  # begin\n```",
    ],
)
def test_what_is_no_slip(tmp_path, text):
    plain = [markdown(text), code("# the solution of the equation\n# BEGIN\nx = 1")]
    build(make_course(tmp_path, markdown(TASK), code(ANSWER), code(CHECK), *plain))
    assert source.read_notebook(tmp_path / STUDENT).cells[5].source == text


def slightly_off(line):
    """The line with one letter left out, doubled, or swapped with the next, at each place."""
    for place in range(len(line)):
        yield line[:place] + line[place + 1 :]
        yield line[: place + 1] + line[place:]
        yield line[:place] + line[place : place + 2][::-1] + line[place + 2 :]


@pytest.mark.parametrize("anchor", ["<!-- Question 1.2", "# Exercise 1.1", "### BEGIN", "### END"])
def test_one_wrong_letter_gives_no_answer_away(tmp_path, anchor):
    course = make_course(tmp_path)
    refused = 0
    nb = source.read_notebook(tmp_path / SOLUTIONS)
    cell = next(cell for cell in nb.cells if anchor in cell.source)
    whole = cell.source
    line = next(line for line in whole.split("\n") if anchor in line)
    for wrong in set(slightly_off(line)) - {line}:
        cell.source = whole.replace(line, wrong)
        try:
            made = source.normalise(nb, course.notebooks()[1], course)
        except CourseError:
            refused += 1
            continue
        text = student.convert(made, SOLUTIONS)
        assert "twice = x + x" not in text and SECRET not in text, wrong
    assert refused > 10
