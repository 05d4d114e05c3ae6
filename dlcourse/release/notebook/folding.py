"""Cells that students run and need not read: `# @title Set-up` in the first line folds a code cell.

Colab shows such a cell as a form that has only its title, Jupyter its first line, a page of the
site nothing. What is folded says so in its text, so that no slip of a mouse in an editor hides a
cell, and none unfolds one.
"""

import re

TITLE = re.compile(r"# ?@title \S")
COLAB, JUPYTER, PAGE = "cellView", "source_hidden", "hide-input"


def is_folded(cell):
    return cell.cell_type == "code" and bool(TITLE.match(cell.source))


def fold(cell):
    """Writes the metadata of a folded cell where its first line asks for that, else takes them
    out; what else an author has put there stays."""
    folded, metadata = is_folded(cell), cell.metadata
    jupyter = {key: value for key, value in metadata.get("jupyter", {}).items() if key != JUPYTER}
    tags = [tag for tag in metadata.get("tags", []) if tag != PAGE]
    for key in (COLAB, "jupyter", "tags"):
        metadata.pop(key, None)
    if folded:
        metadata[COLAB] = "form"
        jupyter, tags = jupyter | {JUPYTER: True}, [*tags, PAGE]
    metadata.update({k: v for k, v in (("jupyter", jupyter), ("tags", tags)) if v})
