"""A definition that stands both in a notebook and in the library must be the same code: students
were promised "from here on we import this"."""

import ast
import functools
from pathlib import Path

import nbformat
import pytest

from dlcourse.release.course import reading

ROOT = Path(__file__).parents[2]
LIBRARY = [
    path
    for path in (ROOT / "dlcourse").rglob("*.py")
    if not {"checks", "release", "pictures"}
    & set(path.parts)  # a drawing of a thing is not the thing
]


def without_docstrings(node):
    for inner in ast.walk(node):
        if (
            isinstance(inner, (ast.FunctionDef, ast.ClassDef))
            and ast.get_docstring(inner) is not None
        ):
            inner.body = inner.body[1:] or [ast.Pass()]
    return ast.dump(node)


def definitions(code):
    """Name → code of every top-level function and class, docstrings and comments left out."""
    nodes = ast.parse(code).body
    return {
        n.name: without_docstrings(n)
        for n in nodes
        if isinstance(n, (ast.FunctionDef, ast.ClassDef))
    }


@functools.cache
def library():
    found = {}
    for path in LIBRARY:
        for name, code in definitions(path.read_text()).items():
            if not name.startswith("_"):
                found[name] = (code, path.relative_to(ROOT))
    return found


def differences(cells, known):
    findings = []
    for number, cell in enumerate(cells):
        if cell.cell_type != "code" or cell.source.startswith(("%", "!")):
            continue
        for name, code in definitions(cell.source).items():
            if name in known and known[name][0] != code:
                findings.append(f"cell {number}: {name} differs from {known[name][1]}")
    return findings


WRITTEN = [one.source for one in reading.load(ROOT).notebooks() if (ROOT / one.source).is_file()]


@pytest.mark.parametrize("source", WRITTEN, ids=lambda source: Path(source).stem)
def test_notebook_and_library_define_a_name_alike(source):
    assert differences(nbformat.read(ROOT / source, 4).cells, library()) == []


def test_a_difference_is_found_and_docstrings_and_comments_do_not_count():
    known = {"f": (definitions("def f(x):\n    return x + 1")["f"], "lib.py")}
    same = nbformat.v4.new_code_cell('def f(x):\n    """Adds one."""\n    return x + 1  # one')
    other = nbformat.v4.new_code_cell("def f(x):\n    return x + 2")
    assert differences([same], known) == []
    assert differences([same, other], known) == ["cell 1: f differs from lib.py"]
