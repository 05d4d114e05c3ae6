"""This very course in another year: CONTRIBUTING's section done to a copy, whose own tests then
pass."""

import datetime
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlcourse.release import cli
from dlcourse.release.course import reading
from dlcourse.release.course.records import show_date
from dlcourse.release.course.tables import CourseError
from dlcourse.release.pages import citation

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", "scratch", "marking", "*.egg-info"
)
LIBRARY = ("checks", "data", "methods", "metrics", "models", "pictures")
OLD = reading.load(ROOT)
# A Monday, so that both holidays, a Monday and a Wednesday, fall into a course of any length.
MONDAY = OLD.first_day + datetime.timedelta(days=3 * 364 - OLD.first_day.weekday())
HOLIDAYS = [MONDAY + datetime.timedelta(days=days) for days in (7, 9)]
REPOSITORY, BRANCH = f"school-{MONDAY.year}/course_{MONDAY.year}", f"taught-{MONDAY.year}"
SETTINGS = {
    "repository": f'"{REPOSITORY}"',
    "branch": f'"{BRANCH}"',
    "first_day": str(MONDAY),
    "holidays": f"[{HOLIDAYS[0]}, {HOLIDAYS[1]}]",
    "coordinator": f'"Ada Byron of {MONDAY.year}"',
    "email": f'"ada.{MONDAY.year}@example.org"',
    "team": '["Bo", "Cy"]',
}


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """A copy of the course in its new year, built."""
    root = tmp_path_factory.mktemp("year") / "course"
    shutil.copytree(ROOT, root, ignore=LEFT_OUT)
    text = (root / "course.toml").read_text(encoding="utf-8")
    for key, value in SETTINGS.items():
        old = rf"^{key} = (\"[^\"]*\"|\[[^\]]*\]|[\d-]+)"
        text, count = re.subn(old, f"{key} = {value}", text, flags=re.MULTILINE)
        assert count == 1, key
    (root / "course.toml").write_text(text, encoding="utf-8")
    assert cli.main(["build", "--root", str(root)]) == 0
    return root


@pytest.mark.executes
def test_a_new_year_is_a_few_settings_and_one_command(moved, capsys):
    texts = {
        path.relative_to(moved).as_posix(): path.read_text(encoding="utf-8")
        for path in moved.rglob("*")
        if path.suffix in (".md", ".ipynb", ".cff")
    }
    gone = [OLD.repository, OLD.email, OLD.coordinator, *(show_date(day.date) for day in OLD.days)]
    for path, text in texts.items():
        assert [old for old in gone if old in text] == [], path
    for notebook in OLD.notebooks():
        for path in notebook.paths:
            badge = f"colab.research.google.com/github/{REPOSITORY}/blob/{BRANCH}/{path}"
            archive = f"github.com/{REPOSITORY}/archive/refs/heads/{BRANCH}.zip"
            assert badge in texts[path] and archive in texts[path], path
    readme = texts["README.md"]
    for day in OLD.days:
        date = np.busday_offset(MONDAY, day.number - 1, holidays=HOLIDAYS).item()
        assert f"| Day {day.number} | {show_date(date)} |" in readme
    assert f"Ada Byron of {MONDAY.year}" in readme and show_date(HOLIDAYS[0]) not in readme
    assert f"date-released: {MONDAY}" in texts["CITATION.cff"]
    capsys.readouterr()
    assert cli.main(["build", "--root", str(moved)]) == 0
    assert "written" not in capsys.readouterr().out


def quick_tests():
    """What `make quick` runs, as the Makefile has it, with this Python."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    variables, line = re.search(
        r"^quick:.*\n\t([\w=]+) \$\(BIN\)/(.*)$", text, re.MULTILINE
    ).groups()
    name, value = variables.split("=")
    program, *arguments = shlex.split(line)
    assert (program, arguments[:2]) == ("python", ["-m", "pytest"])
    return [sys.executable, *arguments], {name: value}


@pytest.mark.executes
def test_the_quick_tests_pass_in_a_new_year(moved):
    command, variables = quick_tests()
    # the copy's own library; no cache of pytest in it
    env = {**os.environ, **variables, "PYTHONPATH": str(moved)}
    env.pop("PYTEST_CURRENT_TEST", None)
    # what students import knows no year: its own tests pass in any
    command += [f"--ignore=tests/{name}" for name in LIBRARY]
    command += ["-q", "-p", "no:cacheprovider", "--color=no"]
    done = subprocess.run(command, cwd=moved, env=env, capture_output=True, text=True, timeout=1800)
    failed = re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.MULTILINE)
    assert failed == [] and done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 1000


@pytest.mark.parametrize(
    "lines", ["", "date-released: 1\nrepository-code: a\nrepository-code: b\n"]
)
def test_a_citation_without_its_lines_is_named(tmp_path, lines):
    shutil.copy(ROOT / "course.toml", tmp_path)
    (tmp_path / "CITATION.cff").write_text(lines)
    with pytest.raises(
        CourseError, match="CITATION.cff: wants one line that begins with `repository-code:`, has"
    ):
        citation.render(reading.load(tmp_path))
    (tmp_path / "CITATION.cff").unlink()
    assert citation.render(reading.load(tmp_path)) is None
