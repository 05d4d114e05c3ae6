"""Merge conflicts as git leaves them: named with their lines, and ended by what is advised."""

import json
import re
import shlex
import subprocess

import pytest
from release_fixtures import make_course

from dlcourse.release import conflicts
from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError

LECTURE, TYPST = "Day01-Start/Day01_lecture.ipynb", "Day01-Start/Day01_notes.typ"
README = "README.md"
CONFLICT = "<<<<<<< HEAD\nmine\n=======\ntheirs\n>>>>>>> other\n"


def git(root, *arguments, check=True):
    settings = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    return subprocess.run(
        ["git", *settings, *arguments], cwd=root, check=check, capture_output=True
    )


def write(root, path, old, new):
    file = root / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def merge(root, path, old):
    """Two people edit the same line; returns the lines of the file that are markers."""
    git(root, "init", "-q", "-b", "main"), git(root, "add", "."), git(root, "commit", "-qm", "All")
    git(root, "checkout", "-qb", "other")
    write(root, path, old, "By the other.")
    git(root, "commit", "-qam", "Theirs"), git(root, "checkout", "-q", "main")
    write(root, path, old, "By me.")
    git(root, "commit", "-qam", "Mine")
    assert git(root, "merge", "other", check=False).returncode == 1
    lines = (root / path).read_text(encoding="utf-8").split("\n")
    return [number for number, line in enumerate(lines, start=1) if line[:7] in SEVEN]


SEVEN = ("<<<<<<<", "=======", ">>>>>>>")
EDITED = {LECTURE: "A text.", TYPST: "One line.", README: "By hand, before."}


@pytest.mark.parametrize("side", ["--ours", "--theirs"])
@pytest.mark.parametrize("path", EDITED)
def test_a_merge_conflict_is_named_and_one_side_can_be_kept(tmp_path, path, side):
    course = make_course(tmp_path)
    build(course)
    first, second, third = merge(tmp_path, path, EDITED[path])
    with pytest.raises(CourseError) as caught:
        build(course)
    message = str(caught.value)
    where = f"lines {first}, {second} and {third}"
    assert message.startswith(f"{path}: merge-conflict markers in {where}: keep one side with")
    command = shlex.split(re.search("`(git [^`]*)`", message)[1])
    subprocess.run(
        [side if word == "--ours" else word for word in command], cwd=tmp_path, check=True
    )
    build(course)
    kept = {"--ours": "By me.", "--theirs": "By the other."}[side]
    assert kept in (tmp_path / path).read_text(encoding="utf-8")


def test_markers_can_be_deleted_by_hand(tmp_path):
    course = make_course(tmp_path)
    build(course)
    marked = merge(tmp_path, LECTURE, EDITED[LECTURE])
    lines = (tmp_path / LECTURE).read_text(encoding="utf-8").split("\n")
    kept = lines[: marked[0] - 1] + lines[marked[0] : marked[1] - 1] + lines[marked[2] :]
    (tmp_path / LECTURE).write_text("\n".join(kept), encoding="utf-8")
    build(course)
    assert "By me." in (tmp_path / LECTURE).read_text(encoding="utf-8")


def test_a_conflict_in_a_cell(tmp_path):
    course = make_course(tmp_path)
    path = tmp_path / LECTURE
    raw = json.loads(path.read_text())
    raw["cells"][2]["source"] = f"## Why\n\n{CONFLICT}"
    path.write_text(json.dumps(raw))
    with pytest.raises(CourseError) as caught:
        build(course)
    assert str(caught.value) == (
        f"{LECTURE}: cell 3 (cell-2): merge-conflict markers in lines 3, 5 and 7: delete them and "
        "one of the two sides"
    )


@pytest.mark.parametrize(
    "text, lines",
    [
        (CONFLICT, [1, 3, 5]),
        ("a\n||||||| base\nb\n>>>>>>> other", [2, 4]),
        ("a\n>>>>>>> other", [2]),
        ("A heading\n=======\ntext", []),
        (" <<<<<<< HEAD", []),
        (">>> 1 << 2", []),
    ],
)
def test_what_is_a_marker(text, lines):
    assert conflicts.find(text) == lines
    assert not lines or conflicts.describe(lines).startswith("merge-conflict markers in line")
