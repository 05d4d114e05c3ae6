"""A command that is killed while it writes: what it leaves is nothing that git would commit."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from publishing import FIRST, NOTES, commit, git, make_clone, make_course

from dlcourse.release import files
from dlcourse.release.build import build
from dlcourse.release.publish import sync

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from dlcourse.release import cli
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # written aside, not in its place
cli.main(sys.argv[1:])
"""


def seen_by_git(root):
    return git(root, "status", "--porcelain", "--untracked-files=all")


@pytest.fixture
def course(tmp_path):
    """The small course with something to build, and the project's own .gitignore, committed."""
    (tmp_path / "course").mkdir()
    course = make_course(tmp_path / "course")
    (course.root / NOTES).unlink()
    shutil.copy(ROOT / ".gitignore", course.root)
    git(course.root, "init", "--quiet")
    commit(course.root)
    return course


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("arguments", [["build"], ["publish", "--to"], ["publish", "--sync"]])
def test_what_a_kill_leaves_is_ignored(course, tmp_path, arguments):
    place = course.root
    if "publish" in arguments:
        build(course)
        commit(course.root)
    if "--to" in arguments:
        arguments = [*arguments, str(place / "out")]
    if "--sync" in arguments:
        place = make_clone(tmp_path / "students")
        sync(course, FIRST, place)
        commit(place)
        arguments = [*arguments, str(place)]
    command = [sys.executable, "-c", KILLED, *arguments, "--root", str(course.root)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == -9, done.stderr
    left = [path for path in place.rglob("*") if path.name.endswith(files.ASIDE)]
    assert left and seen_by_git(place) == ""
