"""What a reader sees: how wide and long code cells may be, and what comes before the question."""

import ast

from dlcourse.release.notebook.exercises import headings
from dlcourse.release.notebook.folding import is_folded
from dlcourse.release.notebook.source import SETUP, SETUP_ID
from dlcourse.release.run.faults import name_cell

COLUMNS = 96  # what Colab and JupyterLab show at ordinary widths without cutting
CELL_LINES = 20
ASIDE = ("dlcourse.checks", "dlcourse.pictures", "dlcourse.report", "matplotlib")
FOLD = "a cell that begins with `# @title Imports for pictures and checks`"


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


def opening(path, nb):
    """Findings about code in sight before a notebook's question, and about imports in its opening
    that only serve pictures, tables and checks."""
    asked = False
    for index, cell in enumerate(nb.cells):
        titles = [text for level, text in headings(cell) if level == 2]
        if any(text[:1].isdigit() for text in titles):  # the first numbered section
            return
        asked |= bool(titles)
        if cell.cell_type != "code" or is_folded(cell) or SETUP.match(cell.source):
            continue
        where = f"{path}: {name_cell(nb, index)}"
        if not asked:
            yield f"{where}: code before the question; move it below, or fold it: `# @title …`"
        aside = sorted({name for name in _imported(cell.source) if name.startswith(ASIDE)})
        if aside:
            yield f"{where}: imports {', '.join(aside)} in sight; move that to {FOLD}"


def _imported(source):
    """The modules that a cell imports, or imports from."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:  # a magic
        return []
    names = [one.name for node in nodes if isinstance(node, ast.Import) for one in node.names]
    return names + [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]


def _lines(nb):
    """(index of the cell, number of the line, its text) for all code but the generated set-up."""
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "code" and cell.id != SETUP_ID:
            for number, text in enumerate(cell.source.split("\n"), start=1):
                yield index, number, text
