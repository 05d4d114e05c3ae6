"""Whether what can wait can: nothing after a section that is left out may need what it defines."""

import ast

from dlcourse.release.notebook import minutes
from dlcourse.release.run.faults import name_cell


def needed(path, nb):
    """Findings about names that only sections with `can wait` define, and others use."""
    waiting, others = _by_section(nb)
    everywhere = set().union(*(defined for _, defined, _ in others))
    for index, defined, _ in waiting:
        for name in sorted(defined - everywhere):
            users = [other for other, _, used in others if other > index and name in used]
            if users:
                yield (
                    f"{path}: {name_cell(nb, users[0])}: uses `{name}`, defined in a section that "
                    f"can wait ({name_cell(nb, index)}); define it outside, or mark this one too"
                )


def _by_section(nb):
    """(index, names defined, names used) of every code cell, in two lists: those of sections that
    can wait, and all others."""
    starts = {one.cell: one.waits for one in minutes.sections(nb)}
    waiting, others, waits = [], [], False
    for index, cell in enumerate(nb.cells):
        waits = starts.get(index, waits)
        if cell.cell_type == "code":
            (waiting if waits else others).append((index, *_names(cell.source)))
    return waiting, others


def _names(source):
    """Names that a cell defines, in functions too, and names that it uses."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:  # a magic
        return set(), set()
    names = [node for node in nodes if isinstance(node, ast.Name)]
    defined = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)
    defined |= {node.name for node in nodes if isinstance(node, kinds) and node.name}
    defined |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            defined |= {(one.asname or one.name).split(".")[0] for one in node.names}
    return defined, {node.id for node in names if isinstance(node.ctx, ast.Load)}
