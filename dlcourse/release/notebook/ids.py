"""The ids of a notebook's cells: every cell gets one that it has alone, the same each time."""

import hashlib
import re

VALID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # as the notebook format has it


def give(cells):
    """Gives an id to every cell (a dict) that has none, none that is allowed, or another cell's;
    returns what was done as a list of words.

    Colab keeps ids in the metadata, and such an id is used again.
    """
    taken = {cell["id"] for cell in cells if _is_valid(cell.get("id"))}
    seen, missing, doubled = set(), 0, 0
    for cell in cells:
        own = cell.get("id")
        if not _is_valid(own) or own in seen:
            doubled += own in seen if _is_valid(own) else 0
            missing += not _is_valid(own)
            own = cell["id"] = _choose(cell, taken)
            taken.add(own)
        seen.add(own)
    return [
        *([f"{_count(missing)} without an id"] if missing else []),
        *([f"{_count(doubled)} with the id of another"] if doubled else []),
    ]


def _is_valid(value):
    return isinstance(value, str) and bool(VALID.fullmatch(value))


def _choose(cell, taken):
    """The id that Colab kept, else one from the cell's text, so that each build finds the same."""
    kept = cell["metadata"].get("id")
    if _is_valid(kept) and kept not in taken:
        return kept
    text = f"{cell['cell_type']}\0{cell['source']}".encode(errors="replace")
    digest = hashlib.sha256(text).hexdigest()[:8]
    own, number = digest, 1
    while own in taken:
        number += 1
        own = f"{digest}-{number}"
    return own


def _count(number):
    return "1 cell" if number == 1 else f"{number} cells"
