"""What course.toml names is there, and nothing lies there that nobody named: else no day could
be built, and no session published."""

import datetime
import os

import pytest
from release_fixtures import COURSE, PDF, make_course, notebook, store, write

from dlcourse.release import cli
from dlcourse.release.build import build
from dlcourse.release.course import ownership, reading
from dlcourse.release.course.tables import CourseError
from dlcourse.release.students.tree import collect

FIRST, SECOND = datetime.date(2023, 11, 30), datetime.date(2023, 12, 1)
LECTURE, SOLUTIONS = "Day01-Start/Day01_lecture.ipynb", "Day01-Start/Day01_solutions.ipynb"
LATER = "Day02-Later/Day02_solutions.ipynb"
TO_COME = "or say `planned = true` there while it is to come"


def built(root, toml=COURSE):
    """The small course, built, then under another course.toml."""
    build(make_course(root))
    (root / "course.toml").write_text(toml, encoding="utf-8")
    return reading.load(root)


def refusal(function, *arguments):
    with pytest.raises(CourseError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "path", "meant"),
    [
        ('"Day01_lecture', '"Day01_lectrue', "Day01-Start/Day01_lectrue.ipynb", LECTURE),
        ('"Day01-Start"', '"Day01-Strat"', "Day01-Strat/Day01_lecture.ipynb", LECTURE),
        ("Day01_notes", "Day01_nots", "Day01-Start/Day01_nots.pdf", PDF),
        ("planned = true\n", "MINUTES", LATER, None),
    ],
    ids=["a lecture's file", "a day's folder", "a PDF", "to come, and not said"],
)
def test_what_is_named_and_missing_stops_build_and_publish(tmp_path, old, new, path, meant):
    extra = 'minutes = { cpu = 1, gpu = 1, reading = 9 }\nobjectives = ["**read**"]\n'
    toml = COURSE.replace(old, "" if new == "MINUTES" else new, 1)
    toml = toml.replace('kind = "codealong"\n', f'kind = "codealong"\n{extra}')
    course = built(tmp_path, toml)
    said = refusal(build, course)
    assert said.startswith(f"{path}: named in course.toml for the morning of ") and TO_COME in said
    assert (f"did you mean {meant}? Else write it" if meant else "no such file: write it") in said
    assert refusal(build, course, ["Day01"]) == said  # whatever is asked for
    said = refusal(collect, course, SECOND)
    assert said.startswith(f"{path}: named in course.toml") and TO_COME in said


def test_a_session_that_is_not_out_yet_may_lack_a_file(tmp_path):
    (tmp_path / "course").mkdir()
    course = built(tmp_path / "course")
    (course.root / LECTURE).unlink()
    assert collect(course, FIRST - datetime.timedelta(days=1))
    assert refusal(collect, course, FIRST).startswith(f"{LECTURE}: named in course.toml")
    write(course.root / LECTURE, notebook())
    (course.root / PDF).unlink()
    said = refusal(collect, course, FIRST)
    assert said == f"{PDF}: not made yet: run `dlcourse build`, which makes it"
    build(course)
    assert {LECTURE, PDF} <= set(collect(course, FIRST))


@pytest.mark.parametrize("place", ['title = "Start"\n', 'when = "morning"\n'])
def test_what_is_to_come_is_said_for_a_day_or_a_session(tmp_path, place):
    course = built(tmp_path, COURSE.replace(place, place + "planned = true\n", 1))
    for path in (LECTURE, PDF, "Day01-Start/Day01_notes.typ"):
        (tmp_path / path).unlink()
    if "title" in place:
        (tmp_path / SOLUTIONS).unlink()
        (tmp_path / "Day01-Start/Day01_exercises.ipynb").unlink()
    build(course)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "First lecture (to come)<br>Notes (to come)" in readme
    assert not {LECTURE, PDF} & set(collect(course, SECOND))


def test_what_has_come_is_no_longer_to_come(tmp_path):
    course = built(
        tmp_path, COURSE.replace('when = "morning"\n', 'when = "morning"\nplanned = true\n', 1)
    )
    said = refusal(build, course)
    assert said.startswith("course.toml: day 1, morning: says `planned = true`, and its files are")
    (tmp_path / "course.toml").write_text(COURSE)
    assert build(reading.load(tmp_path)) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Day01-Start/exam.ipynb", "Day01-Start/exam.ipynb: this file is not in course.toml"),
        ("dlcourse/data/a.ipynb", "dlcourse/data/a.ipynb: this file is not in course.toml"),
        ("Untitled.ipynb", "Untitled.ipynb: this file is not in course.toml"),
        ("Day09-Exam", "Day09-Exam: this folder is no day's in course.toml"),
        ("day03", "day03: this folder is no day's in course.toml"),
    ],
)
def test_what_is_there_and_nobody_owns_stops_the_build(tmp_path, capsys, path, said):
    built(tmp_path)
    store(tmp_path, path if path.endswith(".ipynb") else f"{path}/a.ipynb", "1")
    assert cli.main(["build", "--root", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"dlcourse: {said}: add it there, correct the ")
    (tmp_path / "scratch").mkdir()
    os.replace(tmp_path / path, tmp_path / "scratch" / "moved")  # as advised
    assert cli.main(["build", "--root", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    "path",
    [
        "marking/source/day01/a.ipynb",
        "scratch/a.ipynb",
        ".ipynb_checkpoints/a.ipynb",
        "Day01-Start/.ipynb_checkpoints/a.ipynb",
        "env/lib/a.ipynb",
        "students/Day01-Start/a.ipynb",
    ],
)
def test_what_is_no_part_of_the_course_needs_no_owner(tmp_path, path):
    course = built(tmp_path)
    store(tmp_path, path, "1")
    if path.startswith("env"):
        (tmp_path / "env" / "pyvenv.cfg").write_text("")
    if path.startswith("students"):
        (tmp_path / "students" / ".git").mkdir()
    assert list(ownership.unowned(course)) == []
    ownership.check(course)
