"""A source is committed with the outputs of a good run of the code that it holds."""

import nbformat
from verified import LECTURE, read, store

from dlcourse.release.verify import verify as verify_module
from dlcourse.release.verify.verify import verify


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
