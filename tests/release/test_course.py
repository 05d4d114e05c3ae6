"""This very repository: what is committed is what the tool would
make, and `verify` finds nothing."""

import re
import tomllib
from pathlib import Path

import nbformat
import numpy as np
import pytest

from dlcourse.release import build
from dlcourse.release.course import reading
from dlcourse.release.course.records import show_date
from dlcourse.release.verify.verify import verify

ROOT = Path(__file__).parents[2]
SOURCES = [one.source for one in reading.load(ROOT).notebooks()]


def test_everything_generated_is_as_build_would_write_it():
    wanted = build.outputs(reading.load(ROOT))
    differ = [path for path, content in wanted.items() if (ROOT / path).read_bytes() != content]
    assert differ == [], "run `make build` and commit what it writes"


def test_verify_finds_nothing():
    assert verify(reading.load(ROOT)) == []


def test_the_schedule_has_none_of_the_slips_of_the_first_table():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| Day \d", line)]
    course = reading.load(ROOT)
    given = tomllib.loads((ROOT / "course.toml").read_text(encoding="utf-8"))["course"]
    assert len(rows) == len(course.sessions()) >= 28
    for row, session in zip(rows, course.sessions(), strict=True):
        count = session.day - 1
        date = np.busday_offset(given["first_day"], count, holidays=given["holidays"]).item()
        hours = "–".join(given[session.when]) if session.taught else "self-study"
        assert row.startswith(f"| Day {session.day} | {show_date(date)} | {hours} | ")
        assert "http://" not in row
    assert "Coursework 1" not in "".join(
        row for row in rows if row.startswith(("| Day 13", "| Day 14"))
    )


@pytest.mark.parametrize("notebook", reading.load(ROOT).notebooks(), ids=lambda one: one.source)
def test_the_minutes_of_a_notebook_add_up(notebook):
    """A section holds its exercises, the header the sections; where those have no
    minutes, the exercises and text."""
    sections = []
    for cell in nbformat.read(ROOT / notebook.source, 4).cells:
        for level, title, minutes in re.findall(
            r"^(##+) (.*?)(?: \((\d+) min\))?$", cell.source, re.MULTILINE
        ):
            if cell.cell_type == "markdown" and level == "##":
                sections.append([title, int(minutes or 0), 0])
            elif cell.cell_type == "markdown" and minutes:
                sections[-1][2] += int(minutes)
    reading, whole = notebook.minutes["reading"], sum(minutes for _, minutes, _ in sections)
    exercises = sum(minutes for *_, minutes in sections)
    assert [title for title, minutes, inside in sections if 0 < minutes < inside] == []
    assert abs(reading - whole) < 5 if whole else reading >= 1.2 * exercises


def _clinics(path):
    """Of each exercise that names the faults of patients: its line of title,
    its answers, the text above it."""
    cells = nbformat.read(ROOT / path, 4).cells
    for index, cell in enumerate(cells):
        if re.match(r"# Exercise .* · diagnose", cell.source):
            functions = {}
            exec(cell.source, functions)
            [answers] = [f() for name, f in functions.items() if name.startswith("diagnose")]
            text = " ".join(
                " ".join(above.source for above in cells[max(0, index - 6) : index]).split()
            )
            yield cell.source.splitlines()[0], list(answers.values()), text


@pytest.mark.parametrize("path", SOURCES)
def test_a_clinic_does_not_name_its_faults_in_the_order_of_the_answers(path):
    for title, answers, text in _clinics(path):
        places = [text.rfind(f'"{fault}"') for fault in answers]
        assert -1 not in places, f"{title}: a fault is not named above the exercise"
        assert places != sorted(places), (
            f"{title}: A, B, C … in the order of the text; name the faults in another"
        )


def test_there_are_clinics():
    assert sum(len(list(_clinics(path))) for path in SOURCES) >= 16
