"""Whether the checks that a notebook asks for stand in its sheet."""

import ast
import difflib
import re

from dlcourse.release.notebook.cells import fail

ASKED = re.compile(r"\bcheck\.(\w+)\(")


def check_names(nb, path):
    """Every `check.name(…)` must be in the rooms of `check = sheet("room", …)`; a notebook without
    a sheet is left alone. Raises CourseError with the file and the cell."""
    rooms, names = [], None
    for number, cell in enumerate(nb.cells, start=1):
        if cell.cell_type != "code":
            continue
        found = _rooms(cell.source)
        if found is not None:
            rooms, names = found, _gather(path, number, cell, found)
        for name in ASKED.findall(cell.source) if names is not None else ():
            if name not in names:
                _unknown(path, number, cell, name, names, rooms)


def _unknown(path, number, cell, name, names, rooms):
    if not rooms:
        fail(path, number, cell, '`sheet()` names no room: write such as `check = sheet("gan")`')
    near = difflib.get_close_matches(name, names, 1)
    there = " or ".join(f"dlcourse/checks/{room}" for room in rooms)
    cure = f"did you mean `check.{near[0]}`?" if near else "write it there"
    fail(path, number, cell, f"`check.{name}` does not exist in {there}: {cure}")


def _rooms(source):
    """The arguments of the cell's `sheet("room", …)`; None where it has none."""
    if "sheet(" not in source:
        return None
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "sheet":
            return [one.value for one in node.args if isinstance(one, ast.Constant)]
    return None


def _gather(path, number, cell, rooms):
    """The names of all checks in the rooms, and `progress`."""
    # Late: torch takes seconds.
    from dlcourse.checks.sheets import list_rooms, sheet

    known = list_rooms()
    for room in rooms:
        if room not in known:
            near = difflib.get_close_matches(str(room), known, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"the rooms are {', '.join(known)}"
            fail(path, number, cell, f"no room {room!r} in dlcourse/checks: {cure}")
    try:
        return list(vars(sheet(*rooms)))
    except ValueError as error:
        fail(path, number, cell, f"{error}: rename one of the two")
