"""`dlcourse build` on the small course: what it writes, that it writes it once, and
that an error writes nothing."""

import json
import os

import nbformat
import pytest
from release_fixtures import code, make_course, markdown, notebook, solutions_cells, write

from dlcourse.release import files
from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import source

SOLUTIONS, STUDENT = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_exercises.ipynb"
LECTURE, PDF = "Day01-Start/Day01_lecture.ipynb", "Day01-Start/Day01_notes.pdf"


def snapshot(root):
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_build_writes_everything_and_the_second_time_nothing(tmp_path, capsys):
    course = make_course(tmp_path)
    assert sorted(build(course)) == sorted([SOLUTIONS, STUDENT, LECTURE, PDF, "README.md"])
    assert f"written: {STUDENT}\n" in capsys.readouterr().out
    before = snapshot(tmp_path)
    times = {path: os.stat(path).st_mtime_ns for path in before}
    assert build(course) == []
    assert capsys.readouterr().out == "5 files up to date\n"
    assert (
        snapshot(tmp_path) == before
        and {path: os.stat(path).st_mtime_ns for path in before} == times
    )


def test_build_of_one_notebook_leaves_the_others(tmp_path):
    course = make_course(tmp_path)
    assert LECTURE not in build(course, ["Day01_solutions.ipynb"])
    assert build(course, ["Day02"]) == []


def test_an_error_leaves_every_file_as_it_was(tmp_path):
    course = make_course(tmp_path, *solutions_cells()[:2])
    before = snapshot(tmp_path)
    with pytest.raises(CourseError, match="exercise 'double' has no check"):
        build(course)
    assert snapshot(tmp_path) == before


def test_missing_solutions_of_an_existing_student_notebook(tmp_path):
    course = make_course(tmp_path)
    build(course)
    (tmp_path / SOLUTIONS).unlink()
    with pytest.raises(
        CourseError,
        match=rf"^{SOLUTIONS}: the solutions notebook is missing: write it, or restore it",
    ):
        build(course)


def test_outputs_and_dlcourse_metadata_stay_in_the_source_only(tmp_path):
    course = make_course(tmp_path)
    nb = notebook(*solutions_cells())
    nb.cells[5].execution_count, nb.cells[5].outputs = (
        7,
        [nbformat.v4.new_output("stream", text="8\n")],
    )
    nb.cells[5].metadata = {"execution": {"iopub.status.busy": "x"}, "tags": ["a"], "id": "colab"}
    nb.metadata.update(
        dlcourse={"fingerprint": "f"}, widgets={"w": 1}, accelerator="GPU", vscode={}
    )
    write(tmp_path / SOLUTIONS, nb)
    build(course)
    nb = source.read_notebook(tmp_path / SOLUTIONS)
    assert nb.cells[5].outputs[0].text == "8\n" and nb.cells[5].metadata == {"tags": ["a"]}
    assert sorted(nb.metadata) == ["colab", "dlcourse", "kernelspec", "language_info"]
    assert nb.metadata.kernelspec.display_name == "Python 3 (ipykernel)"
    text = (tmp_path / STUDENT).read_text(encoding="utf-8")
    assert "fingerprint" not in text and "8\\n" not in text
    assert source.read_notebook(tmp_path / LECTURE).metadata.accelerator == "GPU"


# The notebook's file


def corrupt(tmp_path, change):
    """The error for the lecture after `change` (a function from its JSON to a text)."""
    course = make_course(tmp_path)
    path = tmp_path / LECTURE
    path.write_text(change(json.loads(path.read_text())), encoding="utf-8")
    with pytest.raises(CourseError) as caught:
        build(course)
    return str(caught.value)


def pasted(raw):
    raw["cells"][2]["source"] = "![a](attachment:a.png)"
    return json.dumps(raw)


def test_a_pasted_picture_is_refused(tmp_path):
    assert corrupt(tmp_path, pasted) == (
        f"{LECTURE}: cell 3 (cell-2): a pasted picture (attachment): draw it in a code cell instead"
    )


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            [],
            "cell 1 (none): no header cell: start the notebook with a markdown cell `<!-- header "
            "-->`",
        ),
        ([markdown("# Mine", id="a")], "cell 1 (a): no header cell: start"),
        (
            [markdown("<!-- header -->", id="a"), code("import torch", id="b")],
            "cell 2 (b): no set-up cell: make",
        ),
        (
            notebook(markdown("# Another", id="x")).cells,
            "cell 3 (cell-2): a second title `# Another` after cell 1's",
        ),
        (
            notebook(code("### BEGIN SOLUTION")).cells,
            "cell 3 (cell-2): an exercise or marker in a lecture: take it out",
        ),
        (
            notebook(code("# Exercise 1.1 · f")).cells,
            "cell 3 (cell-2): an exercise or marker in a lecture: take it out",
        ),
    ],
)
def test_a_lecture_that_is_not_in_order(tmp_path, cells, expected):
    course = make_course(tmp_path)
    nb = nbformat.v4.new_notebook(cells=cells)
    write(tmp_path / LECTURE, nb)
    with pytest.raises(CourseError) as caught:
        build(course)
    assert str(caught.value).startswith(f"{LECTURE}: {expected}")


def test_a_hash_in_a_code_fence_is_no_title(tmp_path):
    course = make_course(tmp_path)
    write(tmp_path / LECTURE, notebook(markdown("```bash\n# a comment\n```")))
    assert LECTURE in build(course)


def test_fingerprint_is_of_the_code_alone():
    first, second = notebook(code("1"), markdown("a")), notebook(code("1"), markdown("b"))
    for nb in (first, second):
        nb.cells[1].id = "set-up"
    second.cells[1].source = "# Set-up, another"
    assert (
        source.fingerprint(first) == source.fingerprint(second)
        and len(source.fingerprint(first)) == 16
    )
    second.cells[2].source = "2"
    assert source.fingerprint(first) != source.fingerprint(second)


def test_fingerprint_leaves_docstrings_out():
    codes = [
        'def f(x):\n    """One."""\n    return x',
        'def f(x):\n    """Two\n    lines."""\n\n    return x',
        'def f(x):\n    """One."""\n    return 2 * x',
        'def f(x): """One."""',
        "%matplotlib inline",
    ]
    found = [source.fingerprint(notebook(code(text))) for text in codes]
    assert found[0] == found[1] and len(set(found)) == 4


def test_write_atomic(tmp_path, monkeypatch):
    path = tmp_path / "new" / "a.txt"
    assert files.write_atomic(path, b"one") and not files.write_atomic(path, b"one")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        files.write_atomic(path, b"two")
    assert [file.name for file in path.parent.iterdir()] == [
        "a.txt"
    ] and path.read_bytes() == b"one"
