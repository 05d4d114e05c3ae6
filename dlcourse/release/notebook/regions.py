"""Solution regions of an exercise cell: their markers, and what stands inside and outside of them.

Every complaint is raised as ValueError with the sentence to show; who
calls knows the file and the cell.
"""

import ast
import re

STUB = 'raise NotImplementedError("your code here")'
BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
HIDDEN_BEGIN, HIDDEN_END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"


def has_markers(source, begin=BEGIN, end=END):
    return begin in source or end in source


def contents(source, begin=BEGIN, end=END):
    """The text of every region of a cell, in order, without its markers. Raises
    ValueError for a slip in them."""
    return [text for text, inside in split(source, begin, end) if inside]


def split(source, begin=BEGIN, end=END):
    """A cell as a list of (text, inside): the pieces outside and inside the
    regions, in order, markers left out."""
    pieces, opened = [([], False)], None
    for number, line in enumerate(source.split("\n"), start=1):
        if begin not in line and end not in line:
            pieces[-1][0].append(line)
            continue
        name = begin if begin in line else end
        if not re.fullmatch(rf"\s*### {name}\s*", line):
            raise ValueError(
                f"line {number}: a marker shares its line: write `### {name}` alone on it"
            )
        if name == begin and opened:
            raise ValueError(
                f"line {number}: a region inside the one of line {opened}: end that with `### "
                f"{end}` first"
            )
        if name == end and not opened:
            raise ValueError(
                f"line {number}: `### {end}` without a beginning: add `### {begin}` above it"
            )
        opened = number if name == begin else None
        pieces.append(([], name == begin))
        if name == begin:
            pieces[-2][0].append(line[: len(line) - len(line.lstrip())] + STUB)
    if opened:
        raise ValueError(f"line {opened}: `### {begin}` without an end: add `### {end}` below it")
    return [("\n".join(lines), inside) for lines, inside in pieces]


def blank(source):
    """The cell as students get it: every region replaced by the stub."""
    return "\n".join(text for text, inside in split(source) if not inside)


def check_exercise(source):
    """Raises ValueError where a blank of this exercise cell would give an answer
    away or stop a blank notebook."""
    _parse(source, "the cell is no valid Python")
    inside = contents(source)
    if not inside:
        raise ValueError(
            "no solution region: put the answer between `### BEGIN SOLUTION` and `### END SOLUTION`"
        )
    for text in inside:
        if all(
            line.strip() in ("", "pass", "...") or line.lstrip().startswith("#")
            for line in text.split("\n")
        ):
            raise ValueError("an empty solution region: put the answer between its markers")
        # indented text parses as the body of something
        _parse(
            ("if True:\n" if text.lstrip("\n").startswith(" ") else "") + text,
            "a solution region cuts a statement",
        )
    tree = _parse(blank(source), "the blank is no valid Python, indent the markers as the body")
    stubs = [node for node in ast.walk(tree) if _is_stub(node)]
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    in_functions = {id(node) for function in functions for node in ast.walk(function)}
    if any(id(stub) not in in_functions for stub in stubs):
        raise ValueError(
            "a solution region outside a function: its blank would stop Run All; make it a "
            "function's body"
        )
    _check_top_level(tree, source)


def _check_top_level(tree, source):
    """At top level only imports, a docstring, and functions and classes that hold a region."""
    loose = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not any(_is_stub(inner) for inner in ast.walk(node)):
                raise ValueError(
                    f"`{node.name}` has no solution region: mark its answer, or move it to a cell "
                    "of its own"
                )
        elif not isinstance(node, ast.Import | ast.ImportFrom) and not _is_docstring(node):
            loose.append(node)
    if loose:
        count = sum(node.end_lineno - node.lineno + 1 for node in loose)
        lines = "1 line of code stands" if count == 1 else f"{count} lines of code stand"
        shown = ast.unparse(loose[0]).split("\n")[0]
        raise ValueError(
            f"{lines} outside the markers: `{shown}`: move it into the region or to a cell of its "
            "own"
        )


def _parse(text, complaint):
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise ValueError(f"{complaint} (line {error.lineno}: {error.msg}): correct it") from None


def _is_stub(node):
    return isinstance(node, ast.Raise) and ast.unparse(node) == ast.unparse(ast.parse(STUB))


def _is_docstring(node):
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
