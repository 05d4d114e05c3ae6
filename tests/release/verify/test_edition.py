"""The second edition's rules wait for a day's edit, and are faults once it says `edition = 2`."""

import release_fixtures as small

from dlcourse.release import cli
from dlcourse.release.build import build
from dlcourse.release.course import reading
from dlcourse.release.verify.edition import check_rules
from dlcourse.release.verify.verify import verify, waiting

LECTURE = "Day01-Start/Day01_lecture.ipynb"
RULES = ("21 lines; split", "says no minutes; end", "are the limit; mark", "uses `x`, defined in a")
CELLS = [
    small.code("import matplotlib"),
    small.markdown("## Why?"),
    small.markdown("## 1 · A (136 min)"),
    small.code("1\n" * 20),
    small.markdown("## 2 · B (9 min, can wait)"),
    small.code("x = 1"),
    small.markdown("## 3 · C (9 min)"),
    small.code("x"),
]


def make(root, edition=""):
    toml = small.COURSE.replace("gpu = 1, reading = 60", "gpu = 1")
    course = small.make_course(root, toml=toml.replace("number = 1\n", f"number = 1\n{edition}", 1))
    small.write(root / LECTURE, small.notebook(*CELLS))
    build(course)
    return reading.load(root)


def kinds(lines):
    """Which rules the lines are about; that there is one for each is the test."""
    rules = (*RULES, "code before the question", "imports matplotlib in sight", "says nothing of")
    return [rule for rule in rules if any(rule in line for line in lines)]


def test_each_rule_waits_and_then_holds(tmp_path):
    course, sources = make(tmp_path / "first"), {}
    found, left = verify(course, (), sources), list(waiting(course, sources))
    assert kinds(found) == [] and len(kinds(left)) == 7
    assert list(check_rules(course, sources, held=True)) == []
    course, sources = make(tmp_path / "second", "edition = 2\n"), {}
    found = verify(course, (), sources)
    assert len(kinds(found)) == 7 and list(waiting(course, sources)) == []
    assert set(left) <= set(found)


def test_every_session_with_a_notebook_has_its_part_of_the_instructors_page(tmp_path):
    course = make(tmp_path, "edition = 2\n")
    notes = tmp_path / "Day01-Start" / "instructor_notes.md"
    notes.write_text("# Day 01 · Morning\n\nSay recieve, and [look](nowhere.md).\n")
    found = [line for line in verify(course) if "instructor_notes" in line]
    assert [line for line in found if "says nothing of the afternoon: give it" in line]
    assert not [line for line in found if "says nothing of the morning" in line]
    assert not [line for line in found if "not in course.toml" in line]
    assert any("nowhere.md" in line for line in found) and any("recieve" in line for line in found)


def test_a_section_too_short_for_its_exercises_is_a_fault_at_once(tmp_path, capsys):
    root = make(tmp_path).root
    text = small.markdown("## 1 · A (5 min)\n\n### Why? (6 min)")
    small.write(root / LECTURE, small.notebook(text))
    assert cli.main(["verify", "--root", str(root)]) == 1
    assert "`1 · A` says 5 min, and what it holds adds up to 6" in capsys.readouterr().out
