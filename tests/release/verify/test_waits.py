"""A section that can wait is left out without harm: nothing after it needs what it defines."""

from nbformat.v4 import new_notebook
from release_fixtures import code, markdown

from dlcourse.release.verify.waits import needed


def notebook(*cells):
    made = [markdown(text) if text.startswith("##") else code(text) for text in cells]
    for number, cell in enumerate(made):
        cell.id = f"c{number}"
    return new_notebook(cells=made)


def test_a_name_from_a_section_that_can_wait():
    nb = notebook(
        "## 1 · A (9 min)",
        "x = 1",
        "## 2 · B (9 min, can wait)",
        "y, z = x, 2\nprint(y)",
        "### More of it",
        "import math as m",
        "## 3 · C (9 min)",
        "%time 1",
        "print(y + x + m.pi)",
        "y",
    )
    rest = "defined in a section that can wait"
    assert [line.split(";")[0] for line in needed("a.ipynb", nb)] == [
        f"a.ipynb: cell 9 (c8): uses `y`, {rest} (cell 4 (c3))",
        f"a.ipynb: cell 9 (c8): uses `m`, {rest} (cell 6 (c5))",
    ]


def test_names_that_others_define_too_or_that_only_what_waits_uses():
    nb = notebook(
        "## 1 · A (9 min, can wait)",
        "def f(a):\n    return a\nx = y = 1\nfor error in range(3):\n    pass",
        "## 2 · B (9 min)",
        "x = 2\ndef g(y):\n    return x + y",
        "try:\n    1 / x\nexcept ZeroDivisionError as error:\n    print(error)",
        "## 3 · C (9 min, can wait)",
        "f(x)",
    )
    assert list(needed("a.ipynb", nb)) == []
    assert list(needed("a.ipynb", notebook("x = 1", "## 1 · A (9 min)", "x"))) == []
