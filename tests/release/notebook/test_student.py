"""Exercises by their anchors, and the student notebook that nbgrader makes from them."""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from release_fixtures import (
    ANSWER,
    CHECK,
    OPEN,
    QUESTION,
    TASK,
    code,
    exercise,
    make_course,
    markdown,
    notebook,
    solutions_cells,
)

from dlcourse.checks.calling import STUB
from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import regions, source, student

SOLUTIONS, STUDENT = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_exercises.ipynb"


def built(tmp_path, *cells):
    """(source, student) of the small course after a build."""
    build(make_course(tmp_path, *cells), ["Day01_solutions.ipynb"])
    return source.read_notebook(tmp_path / SOLUTIONS), source.read_notebook(tmp_path / STUDENT)


def test_metadata_follows_from_the_anchors(tmp_path):
    nb, _ = built(tmp_path)
    meta = [cell.metadata.get("nbgrader") for cell in nb.cells]
    base = {"schema_version": 3, "task": False}
    assert meta[3] == base | {
        "grade_id": "double",
        "grade": False,
        "solution": True,
        "locked": False,
    }
    assert meta[4] == base | {
        "grade_id": "double-check",
        "grade": True,
        "solution": False,
        "locked": True,
        "points": 2,
    }
    assert meta[7] == base | {
        "grade_id": "why",
        "grade": True,
        "solution": True,
        "locked": False,
        "points": 1,
    }
    assert meta[:3] == [None] * 3 and meta[5] is None and meta[6] is None


def test_what_an_editor_left_goes(tmp_path):
    course = make_course(tmp_path)
    path = tmp_path / SOLUTIONS
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["cells"][5] |= {"secret": "for the team", "metadata": {"deletable": False}}
    path.write_text(json.dumps(raw), encoding="utf-8")
    build(course)
    assert source.read_notebook(path).cells[5].metadata == {}
    assert "secret" not in path.read_text() + (tmp_path / STUDENT).read_text()


def test_student_notebook(tmp_path):
    nb, blank = built(tmp_path)
    assert [cell.id for cell in blank.cells] == [cell.id for cell in nb.cells]
    assert blank.cells[3].source == (
        '# Exercise 1.1 · double\ndef double(x):\n    """Twice x."""\n    raise '
        'NotImplementedError("your code here")'
    )
    assert blank.cells[7].source == "*Your answer here.*"
    assert (
        blank.cells[1].source == nb.cells[1].source and blank.cells[0].source != nb.cells[0].source
    )
    assert blank.metadata.kernelspec == nb.metadata.kernelspec


def test_a_class_with_blank_methods(tmp_path):
    text = """# Exercise 1.1 · Counter
import math

class Counter:
    \"\"\"Counts.\"\"\"

    def __init__(self):
        self.n = 0

    def up(self):
        ### BEGIN SOLUTION
        self.n += 1
        if self.n > 3:
            return math.inf
        ### END SOLUTION
        return self.n"""
    cells = [
        markdown("### Exercise 1.1 · Counter ★★★ (10 min)"),
        code(text),
        code("Counter = check.Counter(Counter)"),
    ]
    nb, blank = built(tmp_path, *cells)
    assert (
        nb.cells[3].metadata.nbgrader.grade_id == "counter"
        and nb.cells[4].metadata.nbgrader.points == 3
    )
    assert (
        'raise NotImplementedError("your code here")\n        return self.n'
        in blank.cells[3].source
    )
    assert "math.inf" not in blank.cells[3].source and "self.n = 0" in blank.cells[3].source


def test_several_regions_in_one_function(tmp_path):
    lines = ["### BEGIN SOLUTION", "a = 1", "### END SOLUTION", "b = 2"]
    body = "\n    ".join([*lines, "### BEGIN SOLUTION", "return a + b", "### END SOLUTION"])
    _, blank = built(tmp_path, *exercise("1.1", "f", body))
    assert (
        blank.cells[3].source.count("NotImplementedError") == 2
        and "    b = 2\n" in blank.cells[3].source
    )


def test_hidden_tests_are_cut_out(tmp_path):
    cells = exercise("1.1", "f")
    cells[2].source += "\n### BEGIN HIDDEN TESTS\nassert f() == 1\n### END HIDDEN TESTS"
    nb, blank = built(tmp_path, *cells)
    assert "assert f() == 1" in nb.cells[4].source and blank.cells[4].source == "f = check.f(f)"


def test_markdown_may_stand_between_exercise_and_check(tmp_path):
    heading, answer, check = exercise("1.1", "f")
    nb, _ = built(tmp_path, heading, code("data = 1"), answer, markdown("A remark."), check)
    assert nb.cells[6].metadata.nbgrader.grade_id == "f-check"


def test_what_an_editor_leaves_does_not_reach_students(tmp_path):
    course = make_course(tmp_path)
    nb = source.normalise(source.read_notebook(tmp_path / SOLUTIONS), course.notebooks()[1], course)
    nb.cells[5].metadata["execution"] = {"shell.execute_reply": "now"}
    nb.cells[6]["attachments"] = {"a.png": {"image/png": "AAAA"}}
    nb.cells[3].execution_count = 12
    nb.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    nb.metadata["dlcourse"] = {"fingerprint": "f"}
    blank = student.generate(nb, course.notebooks()[1], course)
    text = nbformat.writes(blank)
    assert (
        "shell.execute" not in text
        and "AAAA" not in text
        and "widget" not in text
        and "fingerprint" not in text
    )
    assert blank.cells[3].execution_count is None
    # the copy that was given stays whole
    assert nb.cells[3].source == ANSWER and nb.metadata.dlcourse


@pytest.mark.slow
def test_the_same_bytes_as_nbgraders_command(tmp_path):
    course = make_course(tmp_path)
    cells = solutions_cells() + exercise("1.3", "g", stars="★★★")
    cells[-1].source += "\n### BEGIN HIDDEN TESTS\nassert g() == 1\n### END HIDDEN TESTS"
    nb = source.normalise(notebook(*cells), course.notebooks()[1], course)
    nb.cells[5].outputs = [nbformat.v4.new_output("stream", text="8\n")]
    folder = tmp_path / "course" / "source" / "ps1"
    folder.mkdir(parents=True)
    (folder / "nb.ipynb").write_bytes(source.to_bytes(nb))
    (tmp_path / "course" / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        f"c.ClearSolutions.code_stub = {{'python': {regions.STUB!r}}}\n"
        f"c.ClearSolutions.text_stub = {student.TEXT_STUB!r}\n"
    )
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "ps1"]
    # nbgrader starts `alembic`, which lies beside this Python
    env = os.environ | {
        "PATH": f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    }
    done = subprocess.run(
        command, cwd=tmp_path / "course", env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    theirs = (tmp_path / "course" / "release" / "ps1" / "nb.ipynb").read_bytes()
    assert student.convert(nb, SOLUTIONS).encode() == theirs


def test_nbgraders_refusal_names_the_file(tmp_path):
    heading, answer, check = exercise("1.1", "f")
    check.source += "\n### BEGIN MARK SCHEME\n# 2 points\n### END MARK SCHEME"
    course = make_course(tmp_path, heading, answer, check)
    with pytest.raises(CourseError) as caught:
        build(course)
    message = str(caught.value)
    assert (
        message.startswith(f"{SOLUTIONS}: nbgrader refuses it (Mark scheme region detected")
        and "\n" not in message
    )


def test_building_again_changes_nothing(tmp_path):
    course = make_course(tmp_path)
    one = course.notebooks()[1]
    once = source.normalise(source.read_notebook(tmp_path / SOLUTIONS), one, course)
    assert source.to_bytes(source.normalise(once, one, course)) == source.to_bytes(once)


def test_the_fixture_itself_is_in_order(tmp_path):
    nb, _ = built(
        tmp_path, markdown(TASK), code(ANSWER), code(CHECK), markdown(QUESTION), markdown(OPEN)
    )
    assert len(nb.cells) == 7


def test_regions_are_split_from_the_rest():
    assert regions.contents(ANSWER) == ["    twice = x + x\n    return twice"]
    assert "twice = x" not in regions.blank(ANSWER)


def test_students_get_the_words_by_which_a_blank_is_known():
    assert f'raise NotImplementedError("{STUB}")' == regions.STUB
