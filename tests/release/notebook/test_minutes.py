"""Minutes in headings: read, added up, written into the header, refused where nearly right."""

import pytest
from nbformat.v4 import new_notebook
from release_fixtures import COURSE, code, make_course, markdown, notebook, write

from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import minutes, source

LECTURE = "Day01-Start/Day01_lecture.ipynb"
READING = "minutes = { cpu = 1, gpu = 1, reading = 60 }"


def texts(*sources):
    return new_notebook(cells=[markdown(one) for one in sources])


def test_what_can_wait_is_no_part_of_the_core():
    nb = texts(
        "# Title (9 min)\n\n## A question (5 min)",
        "## 1 · First (30 min)\n\n### Exercise 1.1 · f ★ (10 min)",
        "### Exercise 1.2 · g ★★ (8 min, can wait)\n\n### Question 1.3 ★ (4 min, can wait)",
        "## 2 · Second (20 min, can wait)\n\n### Exercise 2.1 · h ★ (15 min, can wait)",
        "## Summary\n\n```python\n## no heading (99 min)\n```",
    )
    found = minutes.sections(nb)
    assert [(one.cell, one.minutes, one.core) for one in found] == [
        (0, 5, 5),
        (1, 30, 18),
        (3, 20, 0),
        (4, None, 0),
    ]
    assert [one.title for one in found[1].parts] == [
        "Exercise 1.1 · f ★",
        "Exercise 1.2 · g ★★",
        "Question 1.3 ★",
    ]
    assert minutes.add_up(found) == (23, 55)
    assert minutes.add_up(found[3:]) is None


NEARLY = [
    "## 7 · Descent (20 mins)",
    "## 7 · Descent (20 min can wait)",
    "## 7 · Descent (20 min, can wait",
    "## 7 · Descent (can wait)",
    "## 7 · Descent (20 minutes)",
    "## 7 · Descent, can wait",
    "### Question 1.4 ★ (0 min)",
    "## 7 · Descent(20 min)",
]


@pytest.mark.parametrize("heading", NEARLY)
def test_minutes_that_would_not_be_counted_are_refused(heading):
    with pytest.raises(CourseError) as caught:
        minutes.check_form(texts("## Fine (5 min)", heading), "a.ipynb")
    assert str(caught.value).startswith("a.ipynb: cell 2 (") and "can wait)`" in str(caught.value)


@pytest.mark.parametrize("heading", ["## Scale to (min, max)", "## Why wait?", "### f(20)"])
def test_other_brackets_are_no_minutes(heading):
    minutes.check_form(texts(heading), "a.ipynb")
    assert minutes.sections(texts("## A (5 min)", heading))[0].minutes == 5


def timed(tmp_path, toml, *headings):
    course = make_course(tmp_path, toml=toml)
    write(tmp_path / LECTURE, notebook(*map(markdown, headings), code("1 + 1")))
    return course


def test_the_header_says_what_the_sections_add_up_to(tmp_path):
    toml = COURSE.replace(READING, "minutes = { cpu = 1, gpu = 1 }")
    build(timed(tmp_path, toml, "## 1 · A (160 min)", "## 2 · B (80 min, can wait)"))
    header = source.read_notebook(tmp_path / LECTURE).cells[0].source
    assert "\nLecture · Core: 160 minutes; everything: 240 · the code runs in about 1 min" in header


def test_minutes_stand_in_one_place(tmp_path):
    added = "`reading = 60`: take it out, the sections' minutes add up to 20"
    with pytest.raises(CourseError, match=f"^course.toml: Day01_lecture.ipynb: {added}"):
        build(timed(tmp_path, COURSE, "## 1 · A (20 min)"))
    toml = COURSE.replace(READING, "minutes = { cpu = 1, gpu = 1 }")
    with pytest.raises(CourseError, match=f"^{LECTURE}: no section says how long it takes: end"):
        build(timed(tmp_path, toml, "## 1 · A"))


def test_an_exercise_can_wait(tmp_path):
    task = "## 1 · A (20 min)\n\n### Exercise 1.1 · double ★★ (5 min, can wait)\n\nTwice."
    answer = code(
        "# Exercise 1.1 · double\ndef double(x):\n    ### BEGIN SOLUTION\n    return x + x\n"
        "    ### END SOLUTION"
    )
    cells = [markdown(task), answer, code("double = check.double(double)")]
    toml = COURSE.replace("gpu = 1, reading = 90", "gpu = 1")
    build(make_course(tmp_path, *cells, toml=toml))
    student = source.read_notebook(tmp_path / "Day01-Start/Day01_exercises.ipynb")
    assert "Core: 15 minutes; everything: 20" in student.cells[0].source
    assert student.cells[4].metadata.nbgrader.points == 2
