"""`dlcourse build` on the small course: what it writes, that it writes it once, and
that an error writes nothing."""

import datetime
import json
import os

import nbformat
import pytest
from release_fixtures import code, make_course, markdown, notebook, solutions_cells, write

from dlcourse.release import files
from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import generated, source

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


def test_header_cells(tmp_path):
    course = make_course(tmp_path)
    build(course)
    header = source.read_notebook(tmp_path / STUDENT).cells[0]
    lines = header.source.split("\n")
    colab = "https://colab.research.google.com/github/someone/small-course/blob/main/Day01-Start/"
    assert header.id == "header" and lines[1] == "# Day 1 · First exercises"
    assert f"({colab}Day01_exercises.ipynb)" in lines[3]
    assert (
        "[Solutions](https://github.com/someone/small-course/blob/main/Day01-Start/Day01_solutions.ipynb)"
        in lines[3]
    )
    assert lines[5].startswith("Exercises · about 90 minutes")
    assert lines[5].endswith("about 2 minutes on two CPU cores, 1 on a GPU")
    assert lines[-3:] == ["", "- **write** it", "- **check** it"]
    twin = source.read_notebook(tmp_path / SOLUTIONS).cells[0].source
    assert (
        "# Day 1 · First exercises · solutions\n" in twin
        and "[Student version](https://github.com/" in twin
    )
    assert "Solutions" not in source.read_notebook(tmp_path / LECTURE).cells[0].source


def test_header_before_the_solutions_are_out(tmp_path):
    course = make_course(tmp_path)
    one = course.notebooks()[1]
    early = generated.header_source(
        one, course, one.student_path, as_of=datetime.date(2023, 11, 30)
    )
    assert "Solutions: from Fri 1 Dec 2023" in early and "Day01_solutions" not in early
    later = generated.header_source(one, course, one.student_path, as_of=datetime.date(2023, 12, 1))
    assert "[Solutions](https://github.com/" in later


def run_setup(course, monkeypatch, capsys, returncode):
    """Runs the set-up cell as if neither the library nor scikit-learn were
    there; returns pip's command lines."""
    calls, real = [], generated.setup_source(course)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("DLCOURSE_ARCHIVE", "/somewhere/course.zip")

    def run(command, **_):
        calls.append(command[1:])
        return type("Done", (), {"returncode": returncode, "stderr": "no route to host"})

    monkeypatch.setattr("subprocess.run", run)
    exec(compile(real, "set-up", "exec"), {})
    assert "dlcourse" in capsys.readouterr().out
    return calls


def test_setup_cell_installs_only_what_is_missing(tmp_path, monkeypatch, capsys):
    calls = run_setup(make_course(tmp_path), monkeypatch, capsys, 0)
    pip = ["-m", "pip", "install", "--quiet"]
    assert calls == [[*pip, "--no-deps", "/somewhere/course.zip"], [*pip, "scikit-learn"]]


def test_setup_cell_without_network_says_what_to_do(tmp_path, monkeypatch, capsys):
    with pytest.raises(
        RuntimeError, match="Connect to the network and run this cell again, .*make lab"
    ):
        run_setup(make_course(tmp_path), monkeypatch, capsys, 1)


def test_setup_cell_is_short_and_installs_nothing_where_the_library_is(
    tmp_path, monkeypatch, capsys
):
    text = generated.setup_source(make_course(tmp_path))
    assert text.startswith("# Set-up: run this cell first\n") and len(text.split("\n")) <= 25
    assert max(len(line) for line in text.split("\n")) <= 96
    monkeypatch.setattr("subprocess.run", lambda *a, **k: pytest.fail("pip was called"))
    exec(compile(text, "set-up", "exec"), {})


# The notebook's file


def corrupt(tmp_path, change):
    """The error for the lecture after `change` (a function from its JSON to a text)."""
    course = make_course(tmp_path)
    path = tmp_path / LECTURE
    path.write_text(change(json.loads(path.read_text())), encoding="utf-8")
    with pytest.raises(CourseError) as caught:
        build(course)
    return str(caught.value)


def without_id(raw):
    del raw["cells"][3]["id"]
    return json.dumps(raw)


def same_ids(raw):
    raw["cells"][3]["id"] = raw["cells"][1]["id"]
    return json.dumps(raw)


def pasted(raw):
    raw["cells"][2]["source"] = "![a](attachment:a.png)"
    return json.dumps(raw)


def no_cell_type(raw):
    raw["cells"][2]["cell_type"] = "poem"
    return json.dumps(raw)


def text_metadata(raw):
    raw["cells"][2]["metadata"] = "none"
    return json.dumps(raw)


CORRUPT = {
    "JSON": (lambda raw: json.dumps(raw, indent=1)[:200], "not valid JSON (line "),
    "empty": (lambda raw: "", "not valid JSON (line 1: Expecting value): restore it from git"),
    "list": (lambda raw: "[]", "not a notebook (it has no list of cells): restore"),
    "old": (
        lambda raw: json.dumps(raw | {"nbformat_minor": 4}),
        "notebook format 4.4, not 4.5: open it in JupyterLab",
    ),
    "no id": (without_id, "cell 4: it has no id: restore"),
    "two ids": (
        same_ids,
        "cell 4 (cell-1): the id of cell 2 again: give one of the two another id",
    ),
    "attachment": (
        pasted,
        "cell 3 (cell-2): a pasted picture (attachment): draw it in a code cell instead",
    ),
    "schema": (text_metadata, "not a valid notebook ("),
    "cell type": (no_cell_type, "cell 3 (cell-2): 'poem' is no kind of cell: restore"),
}


@pytest.mark.parametrize("kind", CORRUPT)
def test_a_corrupt_notebook_is_named(tmp_path, kind):
    change, expected = CORRUPT[kind]
    message = corrupt(tmp_path, change)
    assert message.startswith(f"{LECTURE}: {expected}") and "\n" not in message


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
