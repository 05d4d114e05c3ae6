"""The table of seconds and memory: recorded by `dlcourse run`, shown in the README."""

from release_fixtures import README, make_course, store

from dlcourse.release.pages import readme
from dlcourse.release.run import times
from dlcourse.release.run.execute import run
from dlcourse.release.run.runner import Result

SOURCE, STUDENT = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_exercises.ipynb"


def measured(path, seconds, slowest=9.0):
    return Result(path, seconds=seconds, slowest=(slowest, 3), peak_mb=700)


def test_nothing_measured_yet(tmp_path):
    assert "Not measured yet" in readme.render(README, make_course(tmp_path))


def test_rows_are_kept_and_replaced(tmp_path):
    course = make_course(tmp_path)
    for result in (
        measured(SOURCE, 61.4),
        measured(STUDENT, 20.6),
        measured(SOURCE, 58.2, slowest=7.6),
    ):
        times.record(course.root, result)
    text = readme.render(README, course)
    assert (
        "| Day01 · First exercises | 58 | 8 | 700 | 21 | 700 |" in text
        and "First lecture" not in text.split("times")[1]
    )
    # what it is, header, two rows
    assert (tmp_path / times.FILE).read_text(encoding="utf-8").count("\n") == 4


def test_a_lecture_has_no_blank_version(tmp_path):
    course = make_course(tmp_path)
    times.record(course.root, measured("Day01-Start/Day01_lecture.ipynb", 10.0))
    assert "| Day01 · First lecture | 10 | 9 | 700 | – | – |" in readme.render(README, course)


def test_run_records_only_when_asked_and_only_good_runs(tmp_path, capsys):
    course = make_course(tmp_path)
    store(course.root, SOURCE, "print(1)")
    store(course.root, "Day01-Start/Day01_lecture.ipynb", "1 / 0")
    run(course)
    assert times.load(course.root) == {}
    assert not run(course, record=True)
    assert list(times.load(course.root)) == [SOURCE]
