"""What fits on a laptop's screen: how wide and how long the code cells of a notebook may be."""

from dlcourse.release.notebook.source import SETUP_ID
from dlcourse.release.run.faults import name_cell

COLUMNS = 96  # what Colab and JupyterLab show at ordinary widths without cutting
CELL_LINES = 20


def wide_lines(path, nb):
    """Findings about lines of code that a reader would have to scroll sideways for."""
    for index, line, text in _lines(nb):
        if len(text) > COLUMNS:
            where = f"{path}: {name_cell(nb, index)}: line {line}"
            yield f"{where}: {len(text)} columns; break it, {COLUMNS} are the limit"


def long_cells(path, nb):
    """Findings about code cells of more lines than one can take in at a glance."""
    last = {index: line for index, line, _ in _lines(nb)}
    for index, lines in last.items():
        if lines > CELL_LINES:
            where = f"{path}: {name_cell(nb, index)}"
            yield f"{where}: {lines} lines; split or simplify it, {CELL_LINES} are the limit"


def _lines(nb):
    """(index of the cell, number of the line, its text) for all code but the generated set-up."""
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "code" and cell.id != SETUP_ID:
            for number, text in enumerate(cell.source.split("\n"), start=1):
                yield index, number, text
