"""The outputs of a run as they are committed: small, the same from run to run,
marked with what they came from."""

import base64
import io

import nbformat

from dlcourse.release.course.tables import CourseError
from dlcourse.release.files import write_atomic
from dlcourse.release.notebook.source import SETUP_ID, fingerprint, read_notebook, to_bytes


def save_outputs(root, result):
    """Puts the outputs of a good run (a runner.Result) into its notebook on
    disk, with the code's fingerprint."""
    path = root / result.path
    notebook, ran = read_notebook(path, root), result.notebook
    if [cell.source for cell in notebook.cells] != [cell.source for cell in ran.cells]:
        raise CourseError(
            f"{result.path}: the file changed while it ran, so nothing was saved: run it again"
        )
    count = 0
    for cell, done in zip(notebook.cells, ran.cells, strict=True):
        if cell.cell_type != "code":
            continue
        executed = done.execution_count is not None
        count += executed
        cell.execution_count = count if executed else None
        # that of the set-up cell names the machine
        outputs = [] if cell.id == SETUP_ID else done.outputs
        cell.outputs = [tidy(output, count) for output in outputs]
        cell.metadata.pop("execution", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["dlcourse"] = {
        **notebook.metadata.get("dlcourse", {}),
        "fingerprint": fingerprint(notebook),
    }
    nbformat.validate(notebook)
    write_atomic(path, to_bytes(notebook))


def tidy(output, count):
    """An output without what only one run or one front end needs:
    figures as PNG alone, no widgets."""
    output = nbformat.from_dict(output)
    if output.output_type == "execute_result":
        output.execution_count = count
    if "data" not in output:
        return output
    kinds = [kind for kind in output.data if not kind.startswith("application/vnd.jupyter.widget")]
    if "image/png" in kinds:  # its text would only say "<Figure size 640x480 with 1 Axes>"
        kinds = [
            kind for kind in kinds if not kind.startswith("image/") and kind != "text/plain"
        ] + ["image/png"]
    output.data = nbformat.from_dict({kind: output.data[kind] for kind in kinds})
    if "image/png" in kinds:
        output.data["image/png"] = slim(output.data["image/png"])
    output.metadata = nbformat.from_dict(
        {kind: output.metadata[kind] for kind in kinds if kind in output.metadata}
    )
    return output


def slim(png, limit=60_000):
    """A figure (base64) of more than `limit` bytes with 256 colours, as many as a
    colour map has; else as it is."""
    content = base64.b64decode(png)
    if len(content) <= limit:
        return png
    from PIL import Image  # comes with matplotlib

    small = io.BytesIO()
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    # this method misses no colour by more than a few of 256 steps; the usual one loses the ends of
    # a colour map
    slim = picture.quantize(
        256, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
    )
    slim.save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode() if small.tell() < len(content) else png


def images_without_png(notebook):
    """(index, kind) of every figure that is there in another format only."""
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            kinds = [kind for kind in output.get("data", {}) if kind.startswith("image/")]
            if kinds and "image/png" not in kinds:
                yield index, kinds[0]
