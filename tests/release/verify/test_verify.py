"""`dlcourse verify`: a course in order gives no finding; every slip gives
one line with place and cure."""

import json

import nbformat
import pytest
import release_fixtures as small
from verified import LECTURE, SOURCE, STUDENT, read, store

from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.verify.verify import verify


def test_a_course_in_order_has_no_findings(course):
    assert verify(course) == []
    assert verify(course, ["Day01"]) == []


def test_an_unknown_name_is_named(course):
    with pytest.raises(CourseError, match="there is no day 7: the days are Day01, Day02, Day03"):
        verify(course, ["Day07"])


# --- generated = committed


def test_a_student_notebook_edited_by_hand(course):
    nb = read(course, STUDENT)
    nb.cells[6].source = "double(5)"
    store(course, STUDENT, nb)
    assert verify(course) == [
        f"{STUDENT}: cell 7 (cell-6): not what a build makes of the source; run `dlcourse build`"
    ]


def test_a_student_notebook_that_is_not_there(course):
    (course.root / STUDENT).unlink()
    assert f"{STUDENT}: the student notebook is missing; run `dlcourse build`" in verify(course)


def test_solutions_that_are_not_there(course):
    (course.root / SOURCE).unlink()
    assert (
        f"{SOURCE}: the solutions notebook is missing; write it, or restore it from git"
        in verify(course)
    )


def test_a_source_that_was_not_built(course):
    nb = read(course, LECTURE)
    nb.cells[2].metadata["collapsed"] = True
    store(course, LECTURE, nb)
    drift = "not what a build makes of the source; run `dlcourse build`"
    assert verify(course) == [f"{LECTURE}: cell 3 (cell-2): {drift}"]
    nb = read(course, LECTURE)
    del nb.cells[2].metadata["collapsed"]
    nb.metadata["kernelspec"]["name"] = "other"
    store(course, LECTURE, nb)
    assert verify(course) == [f"{LECTURE}: its metadata: {drift}"]
    build(course)
    (course.root / LECTURE).write_text(json.dumps(read(course, LECTURE)))
    assert verify(course) == [f"{LECTURE}: its layout as a file: {drift}"]


def test_a_cell_that_is_missing_at_the_end(course):
    nb = read(course, STUDENT)
    nb.cells.pop()
    store(course, STUDENT, nb)
    assert f"{STUDENT}: 8 cells instead of 9: not what a build makes" in verify(course)[0]


def test_a_readme_out_of_date_and_one_without_its_markers(course):
    readme = course.root / "README.md"
    text = readme.read_text()
    readme.write_text(text.replace("Ada", "Bea"))
    line = text.split("\n").index(next(line for line in text.split("\n") if "Ada" in line)) + 1
    assert verify(course) == [
        f"README.md: line {line}: a generated block is out of date; run `dlcourse build`"
    ]
    readme.write_text(text.replace("<!-- end of staff -->", ""))
    assert verify(course) == [
        "README.md: `<!-- end of staff -->` is missing: write it once, each block between its two "
        "markers"
    ]


def test_a_pdf_out_of_date_and_typst_that_does_not_compile(course):
    source = course.root / "Day01-Start/Day01_notes.typ"
    source.write_text(source.read_text() + "More.\n")
    assert verify(course) == [
        "Day01-Start/Day01_notes.pdf: not what a build makes of its Typst source; run `dlcourse "
        "build`"
    ]
    source.write_text("#nothing")
    assert any(
        one.startswith("Day01-Start/Day01_notes.typ") and "Typst" in one for one in verify(course)
    )


def test_a_file_that_course_toml_does_not_name(course):
    (course.root / "Day01-Start/notes.txt").write_text("")
    (course.root / "Day01-Start/.DS_Store").write_text("")
    assert verify(course) == [
        "Day01-Start/notes.txt: not in course.toml; add it there, or move it elsewhere"
    ]


# --- student notebooks


def test_what_a_run_and_an_editor_leave_behind(course):
    nb = read(course, STUDENT)
    nb.metadata["widgets"] = {}
    nb.cells[6].execution_count = 3
    nb.cells[6].outputs = [nbformat.v4.new_output("stream", text="8")]
    nb.cells[6].metadata["execution"] = {}
    nb.cells[3].attachments = {"image.png": {"image/png": ""}}
    nb.cells[7].source += "\n### BEGIN HIDDEN TESTS"
    store(course, STUDENT, nb)
    found = verify(course)
    for expected in [
        f"{STUDENT}: holds metadata of a run (widgets); run `dlcourse build`",
        f"{STUDENT}: cell 7 (cell-6): holds outputs and execution_count and execution times; run "
        "`dlcourse build`",
        f"{STUDENT}: cell 4 (cell-3): holds attachments; run `dlcourse build`",
        f"{STUDENT}: cell 8 (cell-7): holds `BEGIN HIDDEN TESTS`; run `dlcourse build`",
    ]:
        assert expected in found


# --- any notebook


def test_ids_twice_and_broken_files(course):
    nb = read(course, STUDENT)
    nb.cells[4]["id"] = nb.cells[3].id
    (course.root / STUDENT).write_text(json.dumps(nb))
    again = "1 cell with the id of another; run `dlcourse build`, which repairs it"
    assert f"{STUDENT}: {again}" in verify(course)
    (course.root / STUDENT).write_text('{"cells": [')
    assert any(one.startswith(f"{STUDENT}: not valid JSON (line 1") for one in verify(course))


def test_titles(course):
    nb = read(course, STUDENT)
    nb.cells[3].source += "\n\n# Another title"
    store(course, STUDENT, nb)
    second = f"{STUDENT}: cell 4 (cell-3): a second title (# …); use ## for sections"
    assert second in verify(course)
    nb.cells[3].source, nb.cells[0].source = "text", "text"
    store(course, STUDENT, nb)
    assert f"{STUDENT}: no title; run `dlcourse build`, which writes the header cell" in verify(
        course
    )


def test_a_link_finding_names_the_cell(course):
    nb = read(course, LECTURE)
    nb.cells.append(small.markdown("[next](Day02.ipynb)", id="extra"))
    store(course, LECTURE, nb)
    found = (
        f"{LECTURE}: cell 5 (extra): link to `Day02.ipynb`, which does not exist; correct it or "
        "write that file"
    )
    assert verify(course) == [found]


def test_links_of_the_readme(course):
    readme = course.root / "README.md"
    text = "## A Title, here\n\n[a](#a-title-here) [b](#nowhere) [c](Day01-Start) [d](gone.md)\n\n"
    readme.write_text(text + readme.read_text())
    assert verify(course) == [
        "README.md: line 3: link to `#nowhere`, but no heading gives that anchor; correct it",
        "README.md: line 3: link to `gone.md`, which does not exist; correct it or write that file",
    ]
