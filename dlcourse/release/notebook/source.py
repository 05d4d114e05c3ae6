"""The notebooks that people edit: read with care, and brought into the one
form in which they are committed."""

import ast
import copy
import hashlib
import re
from pathlib import Path

import nbformat
from nbformat.v4.rwbase import rejoin_lines

from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import (
    exercises,
    folding,
    generated,
    minutes,
    repair,
    sheets,
    slips,
)
from dlcourse.release.notebook.cells import fail

HEADER_ID, SETUP_ID = "header", "set-up"
SETUP = re.compile(r"# ?(?:@title )?set-up", re.IGNORECASE)
KEPT_CELL_KEYS = ("cell_type", "id", "metadata", "source", "outputs", "execution_count")
KEPT_CELL_METADATA = ("tags", "jupyter", "cellView", "nbgrader")  # nbgrader's is derived anew
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def read_notebook(path, root=None):
    """The notebook at `path` as a NotebookNode, repaired where that is possible. Raises
    CourseError, which shows the path relative to `root`."""
    return read_repaired(path, root)[0]


def read_repaired(path, root=None, cure=None):
    """The same, and what had to be repaired as a list of words; nothing is written.

    cure: what messages advise for a file beyond repair (default: to take it from git).
    """
    path = Path(path)
    shown = path.relative_to(root).as_posix() if root else path.name
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise CourseError(
            f"{shown}: the file is missing: write it, or take it out of course.toml"
        ) from None
    mended = repair.Repair(data, shown, cure)
    nb = nbformat.from_dict(mended.raw)
    try:
        nbformat.validate(nb, relax_add_props=True)
    except nbformat.ValidationError as error:
        # the message of a schema may quote half of the notebook
        mended.refuse(f"not a valid notebook ({str(error).splitlines()[0][:120]})")
    return rejoin_lines(nb), mended.notes


def to_bytes(nb):
    """The notebook as it stands in its file: sorted keys, one space of
    indent, a newline at the end."""
    return (nbformat.writes(nb, version=4).rstrip("\n") + "\n").encode()


def normalise(nb, notebook, course):
    """A copy of `nb` as its source must be committed; doing it again changes nothing.

    Writes the header and set-up cells, derives nbgrader's metadata from the exercises' anchors and
    that of folded cells from their titles, sets the notebook's metadata and drops what an editor
    left in the cells'. Outputs stay, but for the set-up cell's. Raises CourseError for a slip in
    the notebook.
    """
    nb = copy.deepcopy(nb)
    path = notebook.source
    minutes.check_form(nb, path)
    _place_generated(nb, notebook, course, path)
    _clean(nb, path)
    _check_headings(nb, path)
    slips.check_cells(nb, path)
    had = [cell.metadata.get("nbgrader") for cell in nb.cells]
    if notebook.solutions is None:
        exercises.refuse(nb, path)
    else:
        exercises.derive(nb, path)
    slips.check_texts(nb, path, answers=notebook.solutions is not None)
    slips.check_lost(nb, path, had)
    slips.check_copies(nb, path)
    sheets.check_names(nb, path)
    kept = nb.metadata.get("dlcourse")
    nb.metadata = nbformat.from_dict(_metadata(notebook))
    if kept:
        nb.metadata["dlcourse"] = kept
    return nb


def _metadata(notebook):
    metadata = {
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
    }
    return metadata | ({"accelerator": "GPU"} if notebook.gpu else {})


def _place_generated(nb, notebook, course, path):
    header = (
        nb.cells[0]
        if nb.cells
        else nbformat.from_dict({"cell_type": None, "id": "none", "source": ""})
    )
    marked = header.source.startswith("<!-- header") or header.id == HEADER_ID
    if header.cell_type != "markdown" or not marked:
        fail(
            path,
            1,
            header,
            "no header cell: start the notebook with a markdown cell `<!-- header -->`",
        )
    codes = [
        (number, cell) for number, cell in enumerate(nb.cells, start=1) if cell.cell_type == "code"
    ]
    number, setup = codes[0] if codes else (1, header)
    if setup.id != SETUP_ID and not SETUP.match(setup.source):
        fail(
            path,
            number,
            setup,
            "no set-up cell: make `# Set-up` the first code cell, it is filled in for you",
        )
    for number, cell in enumerate(nb.cells, start=1):
        if cell.id in (HEADER_ID, SETUP_ID) and cell is not header and cell is not setup:
            fail(
                path, number, cell, "this id belongs to a generated cell: give the cell another id"
            )
    took = minutes.total(nb, notebook)
    header.id, header.source = HEADER_ID, generated.header_source(notebook, course, path, took)
    setup.id, setup.source = SETUP_ID, generated.setup_source(course, notebook)
    setup.outputs = []  # they name the machine


def _clean(nb, path):
    """Drops what JupyterLab, Colab and converters leave behind."""
    for number, cell in enumerate(nb.cells, start=1):
        if "attachment:" in cell.source:
            fail(
                path, number, cell, "a pasted picture (attachment): draw it in a code cell instead"
            )
        for key in [key for key in cell if key not in KEPT_CELL_KEYS]:
            del cell[key]
        for key in [key for key in cell.metadata if key not in KEPT_CELL_METADATA]:
            del cell.metadata[key]
        folding.fold(cell)


def _check_headings(nb, path):
    first = None
    for number, cell in enumerate(nb.cells, start=1):
        for level, text in exercises.headings(cell):
            if level == 1 and first is not None:
                fail(
                    path,
                    number,
                    cell,
                    f"a second title `# {text}` after cell {first}'s: use ## for sections",
                )
            first = number if level == 1 else first


def fingerprint(nb):
    """16 hexadecimal digits that change when a code cell (other than
    set-up) does, docstrings aside: tells stale outputs."""
    codes = [cell.source for cell in nb.cells if cell.cell_type == "code" and cell.id != SETUP_ID]
    code = "\0".join(_without_docstrings(one) for one in codes)
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def _without_docstrings(source):
    """A cell's lines without docstrings and empty lines: neither changes what it prints."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic
        return source
    lines = source.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            text = node.body[0]
            if text.lineno > node.lineno:
                lines[text.lineno - 1 : text.end_lineno] = [""] * (
                    text.end_lineno - text.lineno + 1
                )
    return "\n".join(line for line in lines if line.strip())


def clear_outputs(nb):
    """Takes the results of an earlier run away, in place."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
