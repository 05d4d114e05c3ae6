"""Entries of course.toml that are right one by one and cannot all be true."""

import pytest
from release_fixtures import COURSE, complaint, make_course

RELEASED = 'event = "released", at = "09:00"'
DUE = 'event = "due", at = "18:00"'


@pytest.mark.parametrize("at", ["00:00", "08:59", "09:00"])
def test_coursework_is_due_after_its_release(tmp_path, at):
    said = complaint(tmp_path, DUE, DUE.replace("18:00", at))
    assert f"coursework 1 is due on Tue 5 Dec 2023 at {at}, not after its release" in said
    assert make_course(tmp_path, toml=COURSE.replace(DUE, DUE.replace("18:00", "09:01")))


def test_coursework_is_due_after_its_release_whatever_stands_first(tmp_path):
    said = complaint(tmp_path, RELEASED, 'event = "due", at = "09:00"')
    assert "day 3, afternoon: coursework 1 is due a second time: give it another number" in said
    rows = COURSE[COURSE.index(RELEASED) : COURSE.index(DUE) + len(DUE)]
    new = rows.replace(DUE, RELEASED).replace(RELEASED, 'event = "due", at = "08:00"', 1)
    said = complaint(tmp_path, rows, new)
    assert "coursework 1 is due on Tue 5 Dec 2023 at 08:00, not after its release" in said


def test_coursework_is_released_once(tmp_path):
    said = complaint(tmp_path, DUE, RELEASED)
    assert "day 3, afternoon: coursework 1 is released a second time" in said
    toml = COURSE.replace(f"number = 1, {DUE}", f"number = 2, {RELEASED}")
    assert make_course(tmp_path, toml=toml)


@pytest.mark.parametrize("date", ["2022-12-05", "2023-11-29", "2023-12-06", "9999-12-31"])
def test_a_holiday_lies_within_the_course(tmp_path, date):
    said = complaint(tmp_path, "[2023-12-04]", f"[2023-12-04, {date}]")
    assert "[course]: key 'holidays' has " in said and date[:4] in said
    assert said.endswith(
        "the course runs from Thu 30 Nov 2023 to Tue 5 Dec 2023: correct it or take it out"
    )


def test_two_files_differ_in_more_than_capitals(tmp_path):
    said = complaint(tmp_path, '"Day01_exercises.ipynb"', '"DAY01_Lecture.ipynb"')
    assert "Day01-Start/DAY01_Lecture.ipynb is named twice" in said


CONTINUES = "says `continues = true`, which is for an afternoon without a notebook after a morning"


def test_an_afternoon_goes_on_with_a_morning_that_has_a_notebook(tmp_path):
    text = 'text = "Reading"'
    course = make_course(tmp_path, toml=COURSE.replace(text, f"{text}\ncontinues = true"))
    assert [one.continues for one in course.days[1].sessions] == [False, True]
    text = 'text = "Coursework 1 due"'
    said = complaint(tmp_path, text, f"{text}\ncontinues = true")
    assert f"day 3, afternoon: {CONTINUES}" in said


def test_an_afternoon_with_a_notebook_of_its_own_goes_on_with_none(tmp_path):
    when = 'when = "afternoon"'
    said = complaint(tmp_path, when, f"{when}\ncontinues = true")
    assert f"day 1, afternoon: {CONTINUES}" in said
