"""Terminals that know neither ✗ nor ★ (Windows' code page 1252): a report reaches its reader."""

import os
import subprocess
import sys

import pytest
from release_fixtures import code, exercise, make_course, markdown, notebook, write

from dlcourse.release.build import build

LECTURE = "Day01-Start/Day01_lecture.ipynb"


def dlcourse(root, *arguments):
    """The command in such a terminal: exit status, and what it printed."""
    env = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "dlcourse", *arguments, "--root", str(root)]
    done = subprocess.run(command, env=env, capture_output=True, timeout=300)
    text = (done.stdout + done.stderr).decode("cp1252")
    assert "UnicodeEncodeError" not in text
    return done.returncode, text


@pytest.mark.slow
def test_build_refuses_with_signs(tmp_path):
    make_course(tmp_path, *exercise("1.1", "f")[1:])
    status, text = dlcourse(tmp_path, "build")
    assert status == 1 and "write `### Exercise 1.1 · f ?` in the text before it" in text


@pytest.mark.slow
def test_verify_finds_with_signs(tmp_path):
    course = make_course(tmp_path)
    build(course)
    write(tmp_path / LECTURE, notebook(markdown("A [→ λ](λ.md), and we recieve “λ ✗”.")))
    status, text = dlcourse(tmp_path, "verify", "Day01")
    assert status == 1 and "link to `?.md`, which does not exist" in text
    assert "spelling: recieve ==> receive" in text


@pytest.mark.executes
def test_run_reports_a_failure_with_signs(tmp_path):
    make_course(tmp_path)
    write(tmp_path / LECTURE, notebook(code('print("✗ λ")\nassert False, "★ missed"')))
    status, text = dlcourse(tmp_path, "run", LECTURE.split("/")[1])
    assert status == 1 and "? missed" in text and text.endswith("\n")
    assert "0 of 1 notebooks passed" in text
