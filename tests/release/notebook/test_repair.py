"""Notebook files as editors leave them: repaired and said, the same notebook as before; what
cannot be repaired is refused, with a cure that is tried here."""

import json
import re
import shlex
import subprocess
import sys

import nbformat
import pytest
from release_fixtures import make_course

from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import source
from dlcourse.release.verify.verify import verify

SOLUTIONS, LECTURE = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_lecture.ipynb"


@pytest.fixture
def course(tmp_path, capsys):
    """The small course, built."""
    course = make_course(tmp_path)
    build(course)
    capsys.readouterr()
    return course


def dump(raw):
    return json.dumps(raw, indent=1, ensure_ascii=False).encode()


def colab(raw):
    """As Colab saves a notebook to GitHub: format 4.0, ids in the metadata, its badge on top."""
    for cell in raw["cells"]:
        cell["metadata"] |= {"id": cell.pop("id"), "outputId": "x", "colab": {"height": 34}}
    badge = {"cell_type": "markdown", "source": ['<a href="https://colab…"></a>']}
    badge["metadata"] = {"id": "view-in-github", "colab_type": "text"}
    return dump(raw | {"nbformat_minor": 0, "cells": [badge, *raw["cells"]]})


def old_ids(raw):
    """As JupyterLab writes format 4.4: without ids."""
    for cell in raw["cells"]:
        del cell["id"]
    return dump(raw | {"nbformat_minor": 4})


def windows_texts(raw):
    for cell in raw["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    return dump(raw)


def half_in_output(raw):
    raw["cells"][5]["outputs"] = [nbformat.v4.new_output("stream", text="8\n")]
    return dump(raw).replace(b'"8\\n"', rb'"\ud83d"')


def set_id(number, value):
    def change(raw):
        raw["cells"][number]["id"] = value
        return dump(raw)

    return change


SAME = {
    "Colab": (colab, "notebook format 4.0, Colab's badge on top, 8 cells without an id"),
    "byte order mark": (lambda raw: b"\xef\xbb\xbf" + dump(raw), "a byte order mark"),
    "UTF-16": (lambda raw: dump(raw).decode().encode("utf-16"), "UTF-16 instead of UTF-8"),
    "Windows file": (lambda raw: dump(raw).replace(b"\n", b"\r\n"), "Windows line ends"),
    "Windows texts": (windows_texts, "Windows line ends"),
}
OTHER_IDS = {
    "JupyterLab 4.4": (old_ids, "notebook format 4.4, 8 cells without an id"),
    "an id twice": (set_id(5, "cell-3"), "1 cell with the id of another"),
    "an id that is not allowed": (set_id(5, "a b"), "1 cell without an id"),
    "an id of no text": (set_id(5, None), "1 cell without an id"),
    "half a character in an output": (half_in_output, "halves of characters in outputs"),
}


def damage(course, change):
    path = course.root / SOLUTIONS
    path.write_bytes(change(json.loads(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("kind", SAME)
def test_a_file_that_an_editor_changed_is_the_same_after_a_build(course, capsys, kind):
    change, said = SAME[kind]
    before = (course.root / SOLUTIONS).read_bytes()
    damage(course, change)
    assert (course.root / SOLUTIONS).read_bytes() != before
    assert f"{SOLUTIONS}: {said}; run `dlcourse build`, which repairs it" in verify(course)
    assert build(course) == [SOLUTIONS]
    assert capsys.readouterr().out.startswith(f"repaired {SOLUTIONS}: {said}\n")
    assert (course.root / SOLUTIONS).read_bytes() == before


@pytest.mark.parametrize("kind", OTHER_IDS)
def test_ids_are_given_once_for_all(course, capsys, kind):
    change, said = OTHER_IDS[kind]
    damage(course, change)
    data = (course.root / SOLUTIONS).read_bytes()
    build(course)
    assert capsys.readouterr().out.startswith(f"repaired {SOLUTIONS}: {said}")
    once = (course.root / SOLUTIONS).read_bytes()
    ids = [cell.id for cell in source.read_notebook(course.root / SOLUTIONS).cells]
    assert len(set(ids)) == len(ids) == 8
    assert build(course) == [] and "repaired" not in capsys.readouterr().out
    (course.root / SOLUTIONS).write_bytes(data)
    build(course)  # the same ids on another machine
    assert (course.root / SOLUTIONS).read_bytes() == once


def test_nothing_is_repaired_where_something_else_is_wrong(course, capsys):
    damage(course, colab)
    (course.root / LECTURE).write_text("[]")
    before = (course.root / SOLUTIONS).read_bytes()
    with pytest.raises(CourseError, match="Day01_lecture.ipynb: not a notebook"):
        build(course)
    assert (course.root / SOLUTIONS).read_bytes() == before
    assert not capsys.readouterr().out


# --- beyond repair: the cures are tried


def commit(root):
    settings = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "All"]):
        subprocess.run(["git", *settings, *arguments], cwd=root, check=True)


def advised(message):
    """The command that a message advises, as its words."""
    return shlex.split(re.search(r"`((?:git|python) [^`]*)`", message)[1])


def without(key):
    def change(raw):
        del raw["cells"][2][key]
        return dump(raw)

    return change


def give(key, value):
    def change(raw):
        raw["cells"][2][key] = value
        return dump(raw)

    return change


BROKEN = {
    "cut off": (lambda raw: dump(raw)[:200], "not valid JSON (line "),
    "empty": (lambda raw: b"", "not valid JSON (line 1: Expecting value)"),
    "endless": (lambda raw: b"[" * 200_000, "not valid JSON (brackets within brackets"),
    "a number": (lambda raw: b'{"cells": [], "a": ' + b"9" * 5000 + b"}", "not valid JSON (a num"),
    "Latin 1": (lambda raw: '{"a":\n"ü"}'.encode("latin-1"), "line 2: not UTF-8 text"),
    "a list": (lambda raw: b"[]", "not a notebook (it has no list of cells)"),
    "later format": (lambda raw: dump(raw | {"nbformat": 5}), "notebook format 5.5, not 4.5"),
    "no cell": (lambda raw: dump(raw | {"cells": [7]}), "cell 1 (no id): it is no cell"),
    "kind": (give("cell_type", "poem"), "cell 3 (cell-2): 'poem' is no kind of cell"),
    "no text": (without("source"), "cell 3 (cell-2): it has no text"),
    "number": (give("source", [1]), "cell 3 (cell-2): it has no text"),
    "metadata": (give("metadata", "none"), "cell 3 (cell-2): its metadata are no table"),
    "schema": (lambda raw: dump(raw | {"metadata": 1}), "not a valid notebook ("),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_beyond_repair_comes_back_from_git(course, kind):
    commit(course.root)
    change, said = BROKEN[kind]
    damage(course, change)
    with pytest.raises(CourseError) as caught:
        build(course)
    message = str(caught.value)
    assert message.startswith(f"{SOLUTIONS}: {said}") and "\n" not in message
    assert any(message == finding for finding in verify(course))
    subprocess.run(advised(message), cwd=course.root, check=True, capture_output=True)
    assert build(course) == []


def test_a_student_notebook_beyond_repair_is_written_anew(course):
    path = "Day01-Start/Day01_exercises.ipynb"
    (course.root / path).write_text("{")
    found = [line for line in verify(course) if line.startswith(path)]
    assert len(found) == 1 and found[0].endswith("run `dlcourse build`, which writes it anew")
    assert build(course) == [path]


@pytest.mark.slow
def test_format_3_is_renewed_by_nbconvert(course):
    nb = nbformat.read(course.root / SOLUTIONS, 4)
    nbformat.write(nbformat.convert(nb, 3), course.root / SOLUTIONS, version=nbformat.NO_CONVERT)
    with pytest.raises(CourseError, match="a notebook of format 3 or older: `python -m") as caught:
        build(course)
    python, *rest = advised(str(caught.value))
    subprocess.run([sys.executable, *rest], cwd=course.root, check=True, capture_output=True)
    build(course)
    nb = source.read_notebook(course.root / SOLUTIONS)
    assert [cell.cell_type for cell in nb.cells].count("code") == 4


def test_half_a_character_in_a_text(course):
    damage(course, lambda raw: dump(raw).replace(b"Return twice", rb"A \ud83d. Return twice"))
    with pytest.raises(CourseError) as caught:
        build(course)
    assert str(caught.value) == (
        f"{SOLUTIONS}: cell 3 (cell-2): line 3: `\\ud83d` is half of a character: put the whole "
        "character in its place, in a text editor"
    )
    assert str(caught.value) in verify(course)
    path = course.root / SOLUTIONS
    path.write_text(path.read_text().replace("\\ud83d", "🌋"), encoding="utf-8")
    build(course)
    assert "A 🌋. Return" in source.read_notebook(path).cells[2].source
