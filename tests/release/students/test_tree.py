"""What students may see at a moment, and nothing of what is to come."""

import datetime
from dataclasses import replace

import nbformat
import pytest
import release_fixtures as small
from publishing import (
    ALWAYS,
    BEFORE,
    FIRST,
    GITHUB,
    LECTURE,
    LINKS,
    NEXT,
    NEXT_SOURCE,
    NOTES,
    SECOND,
    SOURCE,
    STUDENT,
    THIRD,
    TOML,
    make_course,
    read,
)

from dlcourse.release.course import reading
from dlcourse.release.course.tables import CourseError
from dlcourse.release.students.tree import collect
from dlcourse.release.verify.links import check_text


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("course"))


def collected(course, moment, folder):
    """Path → text of the tree, which is also written into the folder."""
    tree = collect(course, moment)
    for path, content in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return {path: read(folder / path) for path in tree}


@pytest.mark.parametrize(
    "date, released",
    [
        (BEFORE, set()),
        (FIRST, {LECTURE, STUDENT, NOTES}),
        (SECOND, {LECTURE, STUDENT, NOTES, SOURCE, NEXT}),
        (THIRD, {LECTURE, STUDENT, NOTES, SOURCE, NEXT, NEXT_SOURCE}),
    ],
)
def test_what_is_there_on_a_date(course, tmp_path, date, released):
    tree = collected(course, date, tmp_path)
    assert tree.keys() == ALWAYS | released
    # every link in the tree leads somewhere within it
    copy = replace(course, root=tmp_path)
    for path, text in tree.items():
        if path.endswith((".md", ".ipynb")):
            assert list(check_text(copy, path, text)) == []


def test_links_into_the_future_are_plain_text(course, tmp_path):
    tree = collected(course, FIRST, tmp_path)
    assert "Tomorrow *the* next one, it,\nColab and Day02_codealong.ipynb." in tree[LECTURE]
    assert LINKS[LINKS.index("Today") :] in tree[LECTURE]
    assert (
        "Solutions: from Fri 1 Dec 2023 · [Notation](" in tree[STUDENT]
        and SOURCE not in tree[STUDENT]
    )
    readme = tree["README.md"]
    assert NEXT not in readme and SOURCE not in readme and STUDENT in readme
    assert "![A map](map.png) Help, tests, [code](dlcourse), [licence](LICENSE)" in readme
    tree = collected(course, SECOND, tmp_path)
    assert LINKS in tree[LECTURE] and f"[Solutions]({GITHUB}/{SOURCE})" in tree[STUDENT]


def test_the_notation_is_a_page_of_its_own(course, tmp_path):
    tree = collected(course, FIRST, tmp_path)
    text = "# Notation\n\n*B*, a batch, as in [the code](dlcourse) and its tests\n"
    assert tree["NOTATION.md"] == text
    for path in (LECTURE, STUDENT):
        assert f"[Notation]({GITHUB}/NOTATION.md)" in tree[path]
        assert "CONTRIBUTING" not in tree[path]


def test_solutions_of_the_same_day_wait_until_the_session_is_over(tmp_path):
    (tmp_path / "course").mkdir()
    course = make_course(tmp_path / "course")
    text = TOML.replace("solutions_days_later = 1", "solutions_days_later = 0")
    (course.root / "course.toml").write_text(text)
    course = reading.load(course.root)
    day = datetime.datetime(2023, 11, 30)  # an afternoon, 14:00–17:00
    for hour, minute, out in [(0, 0, False), (16, 59, False), (17, 0, True)]:
        tree = collected(course, day.replace(hour=hour, minute=minute), tmp_path)
        assert (SOURCE in tree) == out and STUDENT in tree
        assert (f"]({SOURCE})" in tree["README.md"]) == out
        assert ("Solutions: from Thu 30 Nov 2023, 17:00" in tree[STUDENT]) == (not out)
    assert SOURCE not in collect(course, FIRST) and SOURCE in collect(course, SECOND)


def test_student_notebooks_are_made_anew(course, tmp_path):
    path = course.root / STUDENT
    good = path.read_bytes()
    path.write_bytes(good.replace(b"raise NotImplementedError", b"return x + x"))
    try:
        tree = collected(course, FIRST, tmp_path)
    finally:
        path.write_bytes(good)
    assert "raise NotImplementedError" in tree[STUDENT] and "return x + x" not in tree[STUDENT]


def test_a_lecture_comes_without_its_results(tmp_path):
    course = make_course(tmp_path)
    path = course.root / LECTURE
    nb = nbformat.read(path, as_version=4)
    assert nb.cells[1].cell_type == "code"
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", text="the answer is 42\n")]
    nb.cells[1].execution_count = 1
    nbformat.write(nb, path)
    shown = nbformat.reads(collect(course, FIRST)[LECTURE].decode(), as_version=4)
    assert [cell.id for cell in shown.cells] == [cell.id for cell in nb.cells]
    code = [cell for cell in shown.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


@pytest.mark.parametrize(
    "cell, message",
    [
        (
            small.code("y = 1\ntwice = x + x"),
            f"{STUDENT}: cell 9 (cell-8): gives away the answer of cell 4",
        ),
        (
            small.code("### BEGIN SOLUTION\n1"),
            f"{SOURCE}: cell 9 (cell-8): a solution marker outside an exercise",
        ),
    ],
)
def test_a_notebook_that_is_not_fit_to_be_seen_stops_it(tmp_path, cell, message):
    course = small.make_course(tmp_path, *small.solutions_cells(), cell)
    with pytest.raises(CourseError) as error:
        collect(course, FIRST)
    assert str(error.value).startswith(message)
