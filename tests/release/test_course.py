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
from dlcourse.release.notebook import minutes
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
def test_a_notebook_takes_longer_than_its_exercises(notebook):
    """`verify` adds up sections; where those say no minutes yet, exercises and text need more."""
    found = minutes.sections(nbformat.read(ROOT / notebook.source, 4))
    exercises = sum(part.minutes or 0 for one in found for part in one.parts)
    everything = minutes.add_up(found)
    if everything is None:
        assert notebook.minutes["reading"] >= 1.2 * exercises
    else:
        assert everything[1] >= 1.2 * exercises and "reading" not in notebook.minutes


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
