"""Minutes that are missing, sections too short for what they hold, sessions that are too full."""

import dataclasses
import re

import pytest
from nbformat.v4 import new_notebook
from release_fixtures import COURSE, code, make_course, markdown

from dlcourse.release.verify import schedule

MINUTES = re.compile(r", reading = \d+")
LECTURE, EXERCISES = "Day01-Start/Day01_lecture.ipynb", "Day01-Start/Day01_solutions.ipynb"


def texts(*sources):
    cells = [markdown(text, id=f"c{number}") for number, text in enumerate(sources)]
    return new_notebook(cells=cells)


def test_a_section_holds_its_exercises():
    nb = texts("## 1 · A (12 min)", "### Exercise 1.1 · f ★ (8 min)\n\n### Question 1.2 ★ (5 min)")
    assert list(schedule.short_sections("a.ipynb", nb)) == [
        "a.ipynb: cell 1 (c0): `1 · A` says 12 min, and what it holds adds up to 13; give it at "
        "least those, and what its text takes"
    ]
    nb.cells[0].source = "## 1 · A (13 min)"
    assert list(schedule.short_sections("a.ipynb", nb)) == []


def test_every_section_says_how_long_it_takes_but_what_is_read_at_home():
    nb = texts(
        "## Why? (5 min)\n\n### A detail",
        "## 1 · A (9 min, can wait)\n\n### Exercise 1.1 · f ★",
        "## 2 · B",
        "## Summary, to revise from\n\n## Further reading",
    )
    found = list(schedule.untimed("a.ipynb", nb))
    assert [line.split("; ")[0] for line in found] == [
        "a.ipynb: cell 2 (c1): `Exercise 1.1 · f ★`: says no minutes",
        "a.ipynb: cell 3 (c2): `2 · B`: says no minutes",
    ]
    assert list(schedule.untimed("a.ipynb", texts("## Why?", "## 1 · A"))) == [
        "a.ipynb: no section says how long it takes; end its heading with `(20 min)` or "
        "`(20 min, can wait)`"
    ]


def first_day(tmp_path):
    return make_course(tmp_path, toml=MINUTES.sub("", COURSE)).days[0]


@pytest.mark.parametrize(
    ("lecture", "exercises", "full"),
    [
        ("## A (135 min)", "## A (180 min)", []),  # with the 30 of the PDF
        (
            "## A (136 min)",
            "## A (180 min)",
            ["morning: a core of 136 minutes and 30 of PDFs, 165"],
        ),
        ("## A (135 min)", "## A (181 min)", ["afternoon: a core of 181 minutes, 180"]),
        ("## A (100 min)\n\n## B (90 min, can wait)", "## A (9 min)", []),
        ("## A (150 min)\n\n### Question 1.1 ★ (15 min, can wait)", "## A (9 min)", []),
    ],
)
def test_a_session_is_full_at_165_minutes_an_afternoon_at_180(tmp_path, lecture, exercises, full):
    sources = {LECTURE: texts(lecture), EXERCISES: texts(exercises)}
    day = first_day(tmp_path)
    found = list(schedule.crowded(day, sources))
    assert len(found) == len(full)
    for line, expected in zip(found, full, strict=True):
        assert f": day 1, {expected} are the limit; mark what `can wait`, or shorten it" in line
    assert list(schedule.crowded(day, {LECTURE: sources[LECTURE]})) == []


def test_at_home_each_notebook_counts_for_itself(tmp_path):
    morning, afternoon = first_day(tmp_path).sessions
    both = (*morning.notebooks, *afternoon.notebooks)
    sources = {LECTURE: texts("## A (170 min)"), EXERCISES: texts("## A (175 min)")}
    for taught, count in ((False, 0), (True, 1)):
        session = dataclasses.replace(afternoon, notebooks=both, taught=taught)
        day = dataclasses.replace(first_day(tmp_path), sessions=(session,))
        found = list(schedule.crowded(day, sources))
        assert len(found) == count and all("a core of 345 minutes" in line for line in found)


@pytest.mark.parametrize(
    ("afternoon", "full"),
    [("## Afternoon starts here (180 min)", []), ("## 2 · B (180 min)", ["morning"])],
)
def test_a_notebook_that_goes_on_after_lunch_is_split_there(tmp_path, afternoon, full):
    day = first_day(tmp_path)
    morning, later = day.sessions
    later = dataclasses.replace(later, notebooks=(), continues=True)
    day = dataclasses.replace(day, sessions=(morning, later))
    found = list(schedule.crowded(day, {LECTURE: texts("## 1 · A (135 min)", afternoon)}))
    assert [re.search("day 1, (.*?):", line)[1] for line in found] == full


def test_a_notebook_of_a_day_to_come_is_left_out(tmp_path):
    course = make_course(tmp_path)
    assert list(schedule.crowded(course.days[1], {})) == []
    assert list(schedule.crowded(course.days[2], {})) == []


def test_what_has_no_minutes_yet_counts_by_course_toml(tmp_path):
    toml = COURSE.replace("reading = 90", "reading = 190")
    day = make_course(tmp_path, toml=toml).days[0]
    sources = {LECTURE: texts("## A"), EXERCISES: new_notebook(cells=[code("1")])}
    [line] = schedule.crowded(day, sources)
    assert "afternoon: a core of 190 minutes, 180 are the limit" in line
