"""`dlcourse run`: what it runs, prints, saves and refuses."""

import nbformat
import pytest
import release_fixtures as small

from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.source import fingerprint
from dlcourse.release.run import execute, times
from dlcourse.release.run.execute import run

SOURCE, STUDENT = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_exercises.ipynb"
LECTURE = "Day01-Start/Day01_lecture.ipynb"
FIGURE = "import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.show()"
WHERE = (
    'import os\n\nprint(os.environ["DLCOURSE_MILESTONES"], os.environ["OMP_NUM_THREADS"], '
    "os.listdir())"
)
BLANK = "print('○ double: not attempted yet, going on with the reference')"


@pytest.fixture
def course(tmp_path):
    return small.make_course(tmp_path)


def test_a_good_run_is_saved(course, capsys):
    small.store(course.root, SOURCE, "print('a')\nprint('b')", FIGURE, WHERE, "")
    assert run(course, save=True)
    printed = capsys.readouterr().out
    assert "notebook" in printed and "2 of 2 notebooks passed" in printed
    assert all(f"{path}" in printed for path in (SOURCE, LECTURE)) and "passed, saved" in printed

    nb = nbformat.read(course.root / SOURCE, 4)
    assert nb.metadata.dlcourse.fingerprint == fingerprint(nb)
    assert [cell.execution_count for cell in nb.cells] == [1, 2, 3, None]
    assert nb.cells[0].outputs == [nbformat.v4.new_output("stream", text="a\nb\n")]
    assert list(nb.cells[1].outputs[0].data) == ["image/png"]
    assert nb.cells[2].outputs[0].text == "enforce 1 []\n"  # in an empty folder, one thread each
    assert all(not cell.metadata for cell in nb.cells)
    assert nb.metadata.keys() == {"dlcourse"}


def test_a_failure_is_shown_in_full_and_not_saved(course, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    small.store(course.root, SOURCE, "print('before')", "x = 1\nx / 0  # 100%", "y = 2")
    before = (course.root / SOURCE).read_bytes()
    assert not run(course, ["Day01_solutions.ipynb"], save=True, failures=tmp_path / "failed")
    assert (course.root / SOURCE).read_bytes() == before
    printed = capsys.readouterr().out
    assert "FAILED" in printed and "0 of 1 notebooks passed" in printed
    problem = "cell 2 (b): ZeroDivisionError: division by zero"
    for part in [
        f"{SOURCE}: {problem}",
        "--- source\nx = 1\nx / 0",
        "--- last output\nbefore",
        "----> 2 x / 0",
    ]:
        assert part in printed
    assert "\x1b[" not in printed
    assert f"::error file={SOURCE}::{problem}" in printed
    page = tmp_path / "failed" / "Day01_solutions.html"
    assert str(page) in printed and "ZeroDivisionError" in page.read_text()


def test_annotations_are_escaped():
    assert execute._escape("100%\nsure") == "100%25%0Asure"


def test_the_student_run_takes_what_students_open_and_demands_blanks(course, capsys):
    small.store(
        course.root,
        STUDENT,
        "import os",
        f"{BLANK}\nprint(os.environ['DLCOURSE_SMOKE'])",
        nbgrader=check_cell(),
    )
    small.store(course.root, LECTURE, "import os\nassert os.environ['DLCOURSE_SMOKE'] == '1'")
    assert run(course, student=True, record=True)
    assert "2 of 2 notebooks passed" in capsys.readouterr().out
    # A smoke run of a lecture says nothing of its time; its full run may be recorded already.
    assert list(times.load(course.root)) == [STUDENT]


def check_cell():
    return {"grade_id": "double-check", "schema_version": 3}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"names": ["Day01_lektur.ipynb"]}, "did you mean Day01_lecture.ipynb?"),
        (
            {"names": ["Day01"], "student": True},
            f"{STUDENT}: the student notebook is missing: run `dlcourse build`",
        ),
        (
            {"student": True, "save": True},
            "--save goes without --student: only sources are committed with outputs",
        ),
        ({"workers": 0}, "--workers, --cell-limit and --notebook-limit must be at least 1"),
    ],
)
def test_what_cannot_be_run_is_named(course, arguments, message):
    with pytest.raises(CourseError) as error:
        run(course, **arguments)
    assert message in str(error.value)


def test_nothing_to_run(course, capsys):
    assert run(course, ["Day02"])
    printed = capsys.readouterr().out
    assert printed.startswith(
        "not written yet: Day02-Later/Day02_solutions.ipynb\nNothing to run: "
    )
