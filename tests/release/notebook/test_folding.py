"""What the first line says is folded, in Colab, in Jupyter and on a page, and nothing else is."""

import nbformat
import pytest
from release_fixtures import code, make_course, markdown, notebook, solutions_cells, write

from dlcourse.release.build import build
from dlcourse.release.notebook import folding, source

SOLUTIONS, STUDENT = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_exercises.ipynb"
LECTURE = "Day01-Start/Day01_lecture.ipynb"
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["hide-input"]}


@pytest.mark.parametrize("first", ["# @title Imports", "#@title Imports"])
def test_a_title_folds_and_what_the_author_put_there_stays(first):
    cell = code(first + "\nimport math")
    cell.metadata = nbformat.from_dict({"tags": ["slow"], "jupyter": {"outputs_hidden": True}})
    folding.fold(cell)
    once = dict(cell.metadata)
    assert once == {
        "cellView": "form",
        "jupyter": {"outputs_hidden": True, "source_hidden": True},
        "tags": ["slow", "hide-input"],
    }
    folding.fold(cell)
    assert cell.metadata == once


@pytest.mark.parametrize("text", ["import math", "# @title", "x = 1\n# @title Late", "# title A"])
def test_no_other_cell_is_folded(text):
    cell = code(text)
    cell.metadata = nbformat.from_dict(FOLDED | {"tags": ["hide-input", "slow"]})
    folding.fold(cell)
    assert cell.metadata == {"tags": ["slow"]}


def test_every_set_up_cell_is_folded_and_stays_so_whatever_an_editor_does(tmp_path):
    course = make_course(tmp_path)
    build(course)
    for path in (SOLUTIONS, STUDENT, LECTURE):
        assert source.read_notebook(tmp_path / path).cells[1].metadata == FOLDED, path
    nb = source.read_notebook(tmp_path / SOLUTIONS)
    nb.cells[1].metadata = {"id": "of Colab", "cellView": "code"}
    nb.cells[5].metadata["jupyter"] = {"source_hidden": True}  # a click too many
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", text="Ready: on some machine\n")]
    write(tmp_path / SOLUTIONS, nb)
    assert SOLUTIONS in build(course)
    nb = source.read_notebook(tmp_path / SOLUTIONS)
    assert nb.cells[1].metadata == FOLDED and nb.cells[1].outputs == []
    assert "jupyter" not in nb.cells[5].metadata
    assert build(course) == []


def test_students_get_folded_imports_folded(tmp_path):
    course = make_course(tmp_path)
    imports = code("# @title Imports for pictures and checks\nimport math")
    write(tmp_path / SOLUTIONS, notebook(imports, markdown("## Why?"), *solutions_cells()))
    build(course)
    for path in (SOLUTIONS, STUDENT):
        cell = source.read_notebook(tmp_path / path).cells[2]
        assert cell.metadata == FOLDED and cell.source == imports.source, path
