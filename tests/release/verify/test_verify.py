"""`dlcourse verify`: a course in order gives no finding; every slip gives
one line with place and cure."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
import release_fixtures as small

from dlcourse.release.build import build
from dlcourse.release.course import reading
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.source import fingerprint, to_bytes
from dlcourse.release.verify import code as verify_code
from dlcourse.release.verify import links as verify_links
from dlcourse.release.verify import student as verify_student
from dlcourse.release.verify import verify as verify_module
from dlcourse.release.verify.verify import verify

ROOT = Path(__file__).parents[3]
SOURCE, STUDENT = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_exercises.ipynb"
LECTURE = "Day01-Start/Day01_lecture.ipynb"
SHEET = "from dlcourse.checks.core import sheet\n\ncheck = sheet()"


def cells():
    """The small course's cells, with everything defined that they use; cell 3 holds the sheet."""
    return [small.code(SHEET), *small.solutions_cells()]


def read(course, path):
    return nbformat.read(course.root / path, 4)


def store(course, path, nb):
    (course.root / path).write_bytes(to_bytes(nb))


def pretend_run(course, path):
    """Gives a source the marks of a saved run, without the seconds that a kernel takes."""
    nb = read(course, path)
    for count, cell in enumerate((cell for cell in nb.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    nb.metadata["dlcourse"] = {"fingerprint": fingerprint(nb)}
    store(course, path, nb)


def make(root, *more):
    course = small.make_course(root, *cells(), *more)
    # its default changes by version
    (root / "pyproject.toml").write_text('[tool.ruff.lint]\nselect = ["E", "F"]\n')
    build(course)
    for path in (SOURCE, LECTURE):
        pretend_run(course, path)
    return course


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return make(tmp_path_factory.mktemp("built")).root


@pytest.fixture
def course(built, tmp_path):
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    return reading.load(tmp_path)


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


def test_an_answer_that_stands_outside_its_region(tmp_path):
    course = make(tmp_path, small.code("y = double(1)\ntwice = x + x  # again", id="leak"))
    where = f"{STUDENT}: cell 10 (cell-9): gives away the answer of cell 5: `twice = x + x`"
    found = [line for line in verify(course) if "gives away" in line]
    assert found == [f"{where}; change it in the solutions notebook, here or in cell 5"]


def test_a_whole_answer_in_a_hint(tmp_path):
    hint = small.markdown(
        "<details><summary>Hint</summary>\n\n    twice = x + x\n      return twice\n</details>"
    )
    found = [line for line in verify(make(tmp_path, hint)) if "gives away" in line]
    assert (
        len(found) == 1
        and f"{STUDENT}: cell 10 (cell-9): gives away the answer of cell 5" in found[0]
    )


def test_a_model_answer_that_can_be_read(tmp_path):
    answer = "Because two divides whatever has been doubled, by definition."
    question = small.markdown(f"<!-- Question 1.3 · again ★ -->\n{answer}")
    course = make(tmp_path, question, small.markdown(f"Remember: {answer}"))
    found = [line for line in verify(course) if "gives away" in line]
    assert found == [
        f"{STUDENT}: cell 11 (cell-10): gives away the answer to the question of cell 10: "
        f"`{answer}`; take it out"
    ]


@pytest.mark.parametrize(
    "line, said",
    [
        ("return a @ b + c", True),
        ("z = z - z.max(axis=1)", True),
        ("loss = criterion(x, y)", True),
        ("return a + b", True),
        ("x = a + b", False),  # short
        ("loss.backward()", False),  # what every program says
        ("super().__init__()", False),
        ("with torch.no_grad():", False),
        ("for i in range(len(x)):", True),
        ("for epoch in range(epochs):", False),
        ("# subtract the largest - then divide", False),
        ("return the_result", False),
    ],
)
def test_which_lines_tell_something(line, said):
    assert verify_student.tells(line) == said


def test_a_line_is_not_found_within_a_longer_word():
    assert verify_student._holds("y = 1\nx = f(a + b)", "x = f(a + b)")
    assert not verify_student._holds("max = f(a + b)", "x = f(a + b)")
    assert not verify_student._holds("return a + bias", "return a + b")


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
    assert (
        f"{STUDENT}: cell 5 (cell-3): the id of cell 4 again: give one of the two another id"
        in verify(course)
    )
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


OURS = "https://github.com/someone/small-course"
COLAB = "https://colab.research.google.com/github"
EXISTING = "main/Day01-Start/Day01_exercises.ipynb"


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("![](Day01_notes.pdf)", "picture `Day01_notes.pdf` has no alt text; say what it shows"),
        ('<img src="Day01_notes.pdf">', "picture `Day01_notes.pdf` has no alt text"),
        (
            "![a hill](https://example.org/a.png)",
            "picture `https://example.org/a.png` is fetched from elsewhere; draw",
        ),
        (
            "![a hill](hill.png)",
            "link to `hill.png`, which does not exist; correct it or write that file",
        ),
        (
            "[next](Day02.ipynb)",
            "link to `Day02.ipynb`, which does not exist; correct it or write that file",
        ),
        ("[out](../../x.txt)", "link to `../../x.txt`, which does not exist"),
        (
            "[root](/Day01)",
            "link to `/Day01`; give an https address or a path relative to this file",
        ),
        ("[x](http://example.org)", "`http://example.org` is not https; write https://"),
        ("see http://example.org.", "`http://example.org` is not https; write https://"),
        ("[x]\n\n[x]: missing.txt", "link to `missing.txt`, which does not exist"),
        (
            f"[x]({OURS}/blob/main/no.ipynb)",
            "link to `no.ipynb` on GitHub, which is not in this repository; correct",
        ),
        (
            f"[x]({COLAB}/someone/small-course/blob/main/no.ipynb)",
            "link to `no.ipynb` on GitHub, which is not in",
        ),
        (
            f"<{OURS}/blob/main/no.ipynb>",
            "link to `no.ipynb` on GitHub, which is not in this repository",
        ),
        (
            f"[x]({OURS}/blob/old/README.md)",
            "the course is in someone/small-course, branch main: correct it or run",
        ),
        (
            f"[x]({COLAB}/someone/last-year/blob/{EXISTING})",
            "link to `someone/last-year/main/Day01-Start/",
        ),
    ],
)
def test_pictures_and_links(course, text, complaint):
    found = list(verify_links.check_text(course, LECTURE, f"Text.\n{text}"))
    assert any(complaint in one for _, one in found) and {line for line, _ in found} <= {2, 4}


@pytest.mark.parametrize(
    "text",
    [
        "[notes](Day01_notes.pdf#page=2), [up](../README.md), [day](.), [mail](mailto:a@b.org), "
        "[below](#why)",
        f"[x]({OURS}/blob/{EXISTING}) [y]({COLAB}/someone/small-course/blob/{EXISTING}#why) {OURS}",
        "[paper](https://arxiv.org/abs/1234.5678) "
        "[code](https://github.com/pytorch/pytorch/blob/main/setup.py)",
        '[wiki](https://en.wikipedia.org/wiki/Mean_(statistics) "The mean")',
        "`a[0](b)` and $p[x](y)$ and\n\n```python\nlist[0](http)\n# ![](no.png)\n```",
        "![A notebook](../README.md)",
    ],
)
def test_pictures_and_links_that_are_right(course, text):
    assert list(verify_links.check_text(course, LECTURE, text)) == []


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


def test_own_addresses_are_resolved(course):
    assert verify_links.own_file(course, f"{OURS}/blob/main/a%20b.ipynb?raw=1#x") == "a b.ipynb"
    assert verify_links.own_file(course, "https://example.org") is None
    assert verify_links.resolve("Day/x.ipynb", "../y%20z.md") == "y z.md"
    assert verify_links.resolve("README.md", "../y.md") is None


# --- outputs


def change_lecture(course, change):
    nb = read(course, LECTURE)
    change(nb)
    store(course, LECTURE, nb)
    return verify(course)


def test_a_source_that_was_never_run(course):
    found = change_lecture(course, lambda nb: nb.metadata.pop("dlcourse"))
    assert found == [
        f"{LECTURE}: holds no saved run; run `dlcourse run --save Day01_lecture.ipynb`"
    ]


def test_code_that_changed_after_its_run(course):
    found = change_lecture(course, lambda nb: nb.cells[3].update(source="1 + 2"))
    again = "run `dlcourse run --save Day01_lecture.ipynb`"
    assert found == [f"{LECTURE}: its code has changed since its outputs were saved; {again}"]


def test_outputs_that_no_reader_should_see(course):
    def change(nb):
        nb.cells[3].execution_count = None
        error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
        nb.cells[3].outputs = [
            error,
            nbformat.v4.new_output("stream", name="stderr", text="warning"),
        ]

    again = "run `dlcourse run --save Day01_lecture.ipynb`"
    assert change_lecture(course, change) == [
        f"{LECTURE}: cell 4 (cell-3): was not executed in the saved run; {again}",
        f"{LECTURE}: cell 4 (cell-3): its output is an error, ValueError; "
        f"mend the cell and {again}",
        f"{LECTURE}: cell 4 (cell-3): its output holds stderr; mend the cause and {again}",
    ]


def test_notebooks_that_are_too_large(course, monkeypatch):
    def change(nb):
        nb.cells[3].outputs = [nbformat.v4.new_output("stream", text="x" * 1_700_000)]

    found = change_lecture(course, change)
    assert found == [f"{LECTURE}: 1.6 MB; make its figures smaller or fewer, 1.5 MB are the limit"]
    monkeypatch.setattr(verify_module, "ALL_MB", 1)
    assert (
        "all notebooks together: 1.6 MB; make figures smaller or fewer, 1 MB are the limit"
        in verify(course)
    )


# --- code


def library_findings(root, path, code):
    file = root / "dlcourse" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code)
    return list(verify_code.check_library(root))


@pytest.mark.parametrize(
    "path, code, finding",
    [
        ("models/a.py", "import numpy", "line 1: imports numpy; models may use torch only"),
        ("models/a.py", "from dlcourse.models import b", "models may import nothing of dlcourse"),
        (
            "models/a.py",
            "from . import b",
            "imports dlcourse.models; models may import nothing of dlcourse",
        ),
        (
            "methods/a.py",
            "def f():\n    from dlcourse.models.mlp import MLP",
            "line 2: imports dlcourse.models.mlp;",
        ),
        (
            "methods/a.py",
            "import sklearn",
            "imports sklearn on import; move it into the function that uses it",
        ),
        (
            "checks/a.py",
            "def f():\n    import dlcourse.models.mlp",
            "line 2: imports dlcourse.models.mlp; checks may",
        ),
        (
            "checks/a.py",
            "from dlcourse import methods",
            "imports dlcourse.methods; checks may use checks of dlcourse",
        ),
        (
            "data/a.py",
            "import torchvision",
            "imports torchvision on import; move it into the function",
        ),
        (
            "data/a.py",
            "from dlcourse.train import train",
            "data may use device, data of dlcourse only",
        ),
        ("data/a.py", "import pandas", "imports pandas; data may use torch, numpy only"),
        ("train.py", "import nbgrader", "imports nbgrader; train may use torch, tqdm only"),
        (
            "plot.py",
            "def f():\n    from dlcourse.release import build",
            "line 2: imports dlcourse.release; plot may",
        ),
        ("plot.py", "from math import *", "line 1: star import of math; name what is used"),
        ("odd.py", "", "stands on no floor; add it to FLOORS in dlcourse/release/verify/code.py"),
        ("plot.py", "x = (", "line 1: '(' was never closed; correct it"),
        ("plot.py", "x = 1\n" * 251, "251 lines; split it by concept, 250 are the limit"),
        (
            "plot.py",
            "def f():\n" + "    x = 1\n" * 40,
            "line 1: f has 41 lines; take a part of it out, 40 are",
        ),
        ("release/a.py", "from os import *", "line 1: star import of os; name what is used"),
    ],
)
def test_the_library_keeps_its_rules(tmp_path, path, code, finding):
    found = library_findings(tmp_path, path, code)
    assert len(found) == 1 and found[0].startswith(f"dlcourse/{path}: ") and finding in found[0]


@pytest.mark.parametrize(
    "path, code",
    [
        ("models/a.py", "import math\nimport torch.nn.functional\nfrom torch import nn"),
        ("data/a.py", "from dlcourse.data import b\n\ndef f():\n    import torchvision"),
        (
            "checks/a.py",
            "from dlcourse.checks.core import Check\nFALLBACK = 'dlcourse.models.mlp:MLP'",
        ),
        ("device.py", "def f():\n    from dlcourse import __version__"),
        ("train.py", "from .device import get_device\nfrom tqdm import tqdm"),
        ("release/a.py", "import nbgrader\nfrom dlcourse.models import mlp"),
        ("plot.py", "def f():\n" + "    x = 1\n" * 39),
    ],
)
def test_what_the_library_may_do(tmp_path, path, code):
    assert library_findings(tmp_path, path, code) == []


def test_this_library_keeps_its_rules():
    assert list(verify_code.check_library(ROOT)) == []


def test_ruff_and_spelling_findings_name_the_cell(course):
    nb = read(course, LECTURE)
    nb.cells[2].source += "\n\nWe recieve it, $x_{teh}$ and `hte`."
    nb.cells[3].source = "import json\n\n1 + 1"
    store(course, LECTURE, nb)
    pretend_run(course, LECTURE)
    assert verify(course) == [
        f"{LECTURE}: cell 4 (cell-3): line 1: F401 `json` imported but unused; correct it",
        f"{LECTURE}: cell 3 (cell-2): line 5: spelling: recieve ==> receive; correct it, "
        "or list the word in pyproject.toml",
    ]


def test_ruff_that_is_missing_or_does_not_run(course, monkeypatch):
    (course.root / "pyproject.toml").write_text("[tool.ruff]\nline-length = 'long'\n")
    assert any(
        one.startswith("ruff did not run: ") and "pyproject.toml" in one for one in verify(course)
    )
    found = verify_code.importlib.util.find_spec
    monkeypatch.setattr(
        verify_code.importlib.util,
        "find_spec",
        lambda name: found(name) if name != "ruff" else None,
    )
    message = (
        "ruff is not installed, so nothing was linted; run `make test` once, or pip install ruff"
    )
    assert message in verify(course)
