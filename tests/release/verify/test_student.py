"""Answers that can be read in a student notebook: found by `verify`, refused by `build`."""

import nbformat
import pytest
import release_fixtures as small

from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.source import to_bytes
from dlcourse.release.verify import student
from dlcourse.release.verify.verify import verify

STUDENT = "Day01-Start/Day01_exercises.ipynb"
SENTENCE = "Because two divides whatever has been doubled, by definition."
AGAIN = f"<!-- Question 1.3 · again ★ -->\n{SENTENCE}"
CODE = "cell 9 (cell-8): gives away the answer of cell 4: `twice = x + x`"
TEXT = (
    f"cell 10 (cell-9): gives away the answer to the question of cell 9: `{SENTENCE}`; take it out"
)
LEAKS = {
    "in a plain cell": ([small.code("y = double(1)\ntwice = x + x  # again")], CODE),
    "in a code fence": ([small.markdown("Hint:\n\n```python\ntwice = x + x\n```")], CODE),
    "all of it in a hint": (
        [small.markdown("<details>\n\n    twice = x + x\n      return twice\n</details>")],
        CODE,
    ),
    "a model answer": ([small.markdown(AGAIN), small.markdown(f"Remember: {SENTENCE}")], TEXT),
    "a model answer in a comment": ([small.markdown(AGAIN), small.code(f"# {SENTENCE}")], TEXT),
}


@pytest.mark.parametrize("place", LEAKS)
def test_an_answer_that_students_could_read(tmp_path, place):
    more, said = LEAKS[place]
    course = small.make_course(tmp_path, *small.solutions_cells(), *more)
    with pytest.raises(CourseError) as caught:
        build(course)
    assert str(caught.value).startswith(f"{STUDENT}: {said}")
    assert not (tmp_path / STUDENT).exists()
    assert str(caught.value) in verify(course)


def test_an_answer_written_into_the_student_notebook_by_hand(tmp_path):
    course = small.make_course(tmp_path)
    build(course)
    nb = nbformat.read(tmp_path / STUDENT, 4)
    nb.cells[5].source = "twice = x + x"
    (tmp_path / STUDENT).write_bytes(to_bytes(nb))
    assert [line for line in verify(course) if "gives away" in line] == [
        f"{STUDENT}: cell 6 (cell-5): gives away the answer of cell 4: `twice = x + x`; change it "
        "in the solutions notebook, here or in cell 4"
    ]


def test_a_line_of_the_answer_may_be_named_in_a_text(tmp_path):
    hint = small.markdown("The line `twice = x + x` doubles it.")
    assert STUDENT in build(small.make_course(tmp_path, *small.solutions_cells(), hint))


@pytest.mark.parametrize(
    "line, said",
    [
        ("return a @ b + c", True),
        ("z = z - z.max(axis=1)", True),
        ("loss = criterion(x, y)", True),
        ("return a + b", True),
        ("x = a + b", False),  # short
        ("loss.backward()", False),  # what every program says
        ("super().__init__()", False),
        ("with torch.no_grad():", False),
        ("for i in range(len(x)):", True),
        ("for epoch in range(epochs):", False),
        ("# subtract the largest - then divide", False),
        ("return the_result", False),
    ],
)
def test_which_lines_tell_something(line, said):
    assert student.tells(line) == said


def test_a_line_is_not_found_within_a_longer_word():
    assert student._holds("y = 1\nx = f(a + b)", "x = f(a + b)")
    assert not student._holds("max = f(a + b)", "x = f(a + b)")
    assert not student._holds("return a + bias", "return a + b")
