"""`dlcourse publish`: what students may see at a moment, in a new folder or in a clone."""

import datetime
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import release_fixtures as small
from publishing import (
    ALWAYS,
    BEFORE,
    FIRST,
    LECTURE,
    NEXT,
    NOTES,
    SECOND,
    SOURCE,
    STUDENT,
    commit,
    git,
    make_clone,
    make_course,
    read,
)

from dlcourse.release import cli
from dlcourse.release.course.tables import CourseError
from dlcourse.release.publish import publish, sync


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("course"))


def held(root):
    """Path → text of what git tracks in the clone once all is committed."""
    commit(root)
    paths = git(root, "ls-files", "-z").split("\0")
    return {path: read(root / path) for path in paths if path}


def test_a_folder_that_is_empty_or_missing_is_filled(course, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    paths = publish(course, FIRST, tmp_path / "empty")
    assert paths == publish(course, FIRST, tmp_path / "a" / "b")
    assert set(paths) == {*ALWAYS, LECTURE, STUDENT, NOTES}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "empty"]
    said = f"{len(paths)} files as of Thu 30 Nov 2023 in {tmp_path / 'empty'}\n"
    assert capsys.readouterr().out.startswith(said)


def test_the_files_can_be_read_by_everybody(course, tmp_path):
    publish(course, FIRST, tmp_path / "out")
    for path, wanted in [(tmp_path / "out", 0o5), (tmp_path / "out" / LECTURE, 0o4)]:
        assert stat.S_IMODE(path.stat().st_mode) & wanted == wanted


def test_nothing_is_overwritten(course, tmp_path):
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path, tmp_path / "file"):
        with pytest.raises(CourseError) as error:
            publish(course, FIRST, folder)
        assert str(error.value).startswith(f"{folder}: holds files: name a folder that is missing")
        assert str(error.value).endswith("nothing was written")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_clone_follows_the_course_from_day_to_day(course, tmp_path, capsys):
    clone = make_clone(tmp_path / "students")
    assert {what for what, _ in sync(course, FIRST, clone)} == {"added"}
    capsys.readouterr()
    first = held(clone)
    assert set(first) == {*ALWAYS, LECTURE, STUDENT, NOTES, "forum.md", ".dlcourse-published"}
    assert sync(course, SECOND, clone) == [
        ("changed", STUDENT),
        ("changed", LECTURE),
        ("added", SOURCE),
        ("added", NEXT),
        ("changed", "README.md"),
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"changed: {STUDENT}" and f"added: {NEXT}" in lines
    same = len(ALWAYS) - 1 + 1  # all but the README, and the notes
    total = f"2 added, 3 changed, 0 removed, {same} as they were, as of Fri 1 Dec 2023 in {clone}"
    assert lines[-1] == total
    publish(course, SECOND, tmp_path / "out")
    for path in sorted((tmp_path / "out").rglob("*")):
        if path.is_file():
            copy = clone / path.relative_to(tmp_path / "out")
            assert copy.read_bytes() == path.read_bytes(), path
    commit(clone)
    assert sync(course, SECOND, clone) == []
    assert git(clone, "status", "--porcelain") == ""


def test_a_clone_can_go_back(course, tmp_path):
    clone = make_clone(tmp_path / "students")
    sync(course, FIRST, clone)
    first = held(clone)
    sync(course, SECOND, clone)
    commit(clone)
    changes = sync(course, FIRST, clone)
    assert ("removed", NEXT) in changes and ("removed", SOURCE) in changes
    assert held(clone) == first and not (clone / NEXT).parent.exists()
    sync(course, BEFORE, clone)
    assert set(held(clone)) == {*ALWAYS, "forum.md", ".dlcourse-published"}


def test_a_notebook_that_is_not_fit_to_be_seen_leaves_the_clone_as_it_is(tmp_path):
    (tmp_path / "course").mkdir()
    cell = small.code("y = 1\ntwice = x + x")
    course = small.make_course(tmp_path / "course", *small.solutions_cells(), cell)
    clone = make_clone(tmp_path / "students")
    for function, to in [(publish, tmp_path / "out"), (sync, clone)]:
        with pytest.raises(CourseError, match="gives away the answer of cell 4"):
            function(course, FIRST, to)
    assert not (tmp_path / "out").exists() and git(clone, "status", "--porcelain") == ""


def test_from_the_command_line(course, tmp_path, capsys):
    root = ["--root", str(course.root)]
    clone = make_clone(tmp_path / "students")
    arguments = ["publish", *root, "--to", str(tmp_path / "out"), "--as-of"]
    for slip in ("28/11/2023", "2023-11-30T25:00", "2023-11-30T09:00+00:00"):
        assert cli.main([*arguments, slip]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"dlcourse: --as-of {slip}: not a date: write it as YYYY-MM-DD")
    assert cli.main([*arguments, "2023-11-30T09:00"]) == 0
    assert "as of Thu 30 Nov 2023, 09:00" in capsys.readouterr().out
    assert cli.main(["publish", *root, "--sync", str(clone), "--as-of", "2023-11-30"]) == 0
    assert (tmp_path / "out" / LECTURE).read_bytes() == (clone / LECTURE).read_bytes()
    assert "as of Thu 30 Nov 2023 in" in capsys.readouterr().out


def test_without_a_date_it_is_now(course, tmp_path, capsys):
    assert cli.main(["publish", "--root", str(course.root), "--to", str(tmp_path / "out")]) == 0
    assert datetime.datetime.now() > datetime.datetime(2023, 12, 3)
    assert (tmp_path / "out" / NEXT).is_file()


@pytest.mark.parametrize("places", [[], ["--to", "a", "--sync", "b"]])
def test_one_place_is_named(places, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["publish", "--as-of", "2023-11-30", *places])
    assert caught.value.code == 2 and "--sync" in capsys.readouterr().err


ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MORNING = re.search(r"## Publishing to students.*?```bash\n(.*?)```", CONTRIBUTING, re.DOTALL)[1]


@pytest.mark.slow
@pytest.mark.skipif(not Path(sys.prefix, "bin", "dlcourse").is_file(), reason="not installed")
def test_what_contributing_says_to_type_each_morning(tmp_path):
    (tmp_path / "course").mkdir()
    course = make_course(tmp_path / "course")
    (course.root / ".venv").symlink_to(sys.prefix)
    make_clone(tmp_path / "first")
    hub, clone = tmp_path / "hub.git", tmp_path / "students"
    git(tmp_path, "clone", "--quiet", "--bare", "first", str(hub))
    git(tmp_path, "clone", "--quiet", str(hub), str(clone))
    for key, value in [("name", "Ada"), ("email", "ada@example.org")]:
        git(clone, "config", f"user.{key}", value)
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
    environment["PYTHONPATH"] = str(ROOT)  # the tool that is tested
    command = ["/bin/sh", "-e", "-c", MORNING]
    done = subprocess.run(command, cwd=course.root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"added: {NEXT}" in done.stdout
    published = git(hub, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
    assert {*ALWAYS, NEXT, SOURCE, "forum.md", ".dlcourse-published"} <= set(published)
