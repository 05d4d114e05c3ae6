"""The outputs of a run as they are saved."""

import base64
import io

import nbformat
import numpy as np
import pytest
import release_fixtures as small
from PIL import Image

from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.source import to_bytes
from dlcourse.release.run import execute, outputs, runner

LECTURE = "Day01-Start/Day01_lecture.ipynb"


@pytest.fixture
def course(tmp_path):
    return small.make_course(tmp_path)


def test_large_figures_are_saved_with_fewer_colours():
    noisy = (np.random.default_rng(0).random((200, 200, 3)) * 255).astype("uint8")
    kept = []
    for picture in (noisy, noisy[:20, :20]):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        png = base64.b64encode(file.getvalue()).decode()
        kept.append((png, outputs.slim(png)))
    (large, slim), (small, same) = kept
    assert len(slim) < len(large) / 2 and small == same
    assert Image.open(io.BytesIO(base64.b64decode(slim))).size == (200, 200)


def result_of(course, path, *more):
    nb = nbformat.read(course.root / path, 4)
    for count, cell in enumerate((cell for cell in nb.cells if cell.cell_type == "code"), start=5):
        cell.execution_count, cell.outputs = count, [nbformat.from_dict(output) for output in more]
    return runner.Result(path, notebook=nb)


def test_nothing_is_saved_over_a_file_that_changed_meanwhile(course):
    result = result_of(course, LECTURE)
    result.notebook.cells[3].source = "other"
    message = f"{LECTURE}: the file changed while it ran, so nothing was saved: run it again"
    with pytest.raises(CourseError, match=message):
        outputs.save_outputs(course.root, result)


def test_a_figure_without_png_is_refused(course):
    before = (course.root / LECTURE).read_bytes()
    svg = nbformat.v4.new_output(
        "display_data", data={"image/svg+xml": "<svg/>", "text/plain": "SVG"}
    )
    result = result_of(course, LECTURE, svg)
    execute._save(course.root, result)
    assert (
        result.problem
        == "cell 2 (cell-1): shows a figure as image/svg+xml only: show it as PNG; nothing was "
        "saved"
    )
    assert (course.root / LECTURE).read_bytes() == before


def test_saving_keeps_the_source_and_drops_what_a_run_adds(course):
    before = nbformat.read(course.root / LECTURE, 4)
    result = result_of(course, LECTURE, nbformat.v4.new_output("execute_result", execution_count=7))
    result.notebook.metadata["widgets"] = {"state": {}}
    result.notebook.cells[3].metadata["execution"] = {"iopub": "2023"}
    outputs.save_outputs(course.root, result)
    after = nbformat.read(course.root / LECTURE, 4)
    assert [cell.source for cell in after.cells] == [cell.source for cell in before.cells]
    codes = [after.cells[1], after.cells[3]]
    assert (
        [cell.execution_count for cell in codes]
        == [1, 2]
        == [cell.outputs[0].execution_count for cell in codes]
    )
    assert after.metadata.keys() == {"dlcourse"} and not after.cells[3].metadata
    assert (course.root / LECTURE).read_bytes() == to_bytes(after)


@pytest.mark.parametrize(
    "kinds, kept",
    [
        (["image/png", "image/svg+xml", "text/plain"], ["image/png"]),
        (["text/html", "text/plain"], ["text/html", "text/plain"]),
        (["application/vnd.jupyter.widget-view+json", "text/plain"], ["text/plain"]),
        (["text/plain"], ["text/plain"]),
    ],
)
def test_which_forms_of_an_output_are_kept(kinds, kept):
    data, metadata = dict.fromkeys(kinds, "eA=="), {kind: {"width": 1} for kind in kinds}
    output = outputs.tidy(nbformat.v4.new_output("display_data", data=data, metadata=metadata), 1)
    assert list(output.data) == kept and list(output.metadata) == kept


def test_what_the_set_up_cell_says_of_the_machine_is_not_saved(course):
    build(course)
    line = nbformat.v4.new_output("stream", text="Ready: on this machine\n")
    outputs.save_outputs(course.root, result_of(course, LECTURE, line))
    setup, _, other = nbformat.read(course.root / LECTURE, 4).cells[1:4]
    assert setup.outputs == [] and setup.execution_count == 1
    assert other.outputs == [line] and build(course) == []
