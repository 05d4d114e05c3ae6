"""Native linear algebra is reached through one door, `for_linalg`, wherever it can end the process.

Of the decompositions that the course calls, `eigvals` alone does that on a NaN; the others say so
or answer NaN, which is tested below in a process of its own.
"""

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from dlcourse.release.course import reading

ROOT = Path(__file__).parents[2]
DEADLY = "eigvals"
DOOR = "for_linalg"
HARMLESS = [
    "eigh(x)",
    "eigvalsh(x)",
    "svd(x)",
    "svdvals(x)",
    "matrix_norm(x, 2)",
    "matrix_rank(x)",
    "pinv(x)",
    "lstsq(x, x)",
    "lstsq(x, x, driver='gelsd')",
    "inv(x)",
    "solve(x, x)",
    "cholesky(x)",
    "qr(x)",
]


def unguarded(code):
    """The lines on which `eigvals` is given something else than what `for_linalg` returns."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == DEADLY:
            inner = node.args[0] if node.args else None
            through = isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == DOOR
            if not through:
                yield node.lineno


def pieces():
    """Where a piece of code stands → its text: the students' library, sources of notebooks."""
    for path in sorted((ROOT / "dlcourse").rglob("*.py")):
        # the cases of checks are finite, and no student's number goes into their mistakes
        if not {"checks", "release"} & set(path.parts):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for one in reading.load(ROOT).notebooks():
        for number, cell in enumerate(nbformat.read(ROOT / one.source, 4).cells):
            if cell.cell_type == "code" and not cell.source.startswith(("%", "!")):
                yield f"{one.source} cell {number}", cell.source


def test_eigenvalues_are_asked_for_through_the_one_door():
    found = [f"{place}: line {line}" for place, code in pieces() for line in unguarded(code)]
    assert found == []


def test_the_scan_sees_a_call_that_goes_past_it():
    assert list(unguarded("torch.linalg.eigvals(for_linalg(x))")) == []
    assert list(unguarded("y = 1\ntorch.linalg.eigvals(x)")) == [2]
    assert list(unguarded("torch.linalg.eigvals(for_linalg(x) @ y)")) == [1]


@pytest.mark.slow
@pytest.mark.parametrize("number", ["nan", "inf"])
def test_the_other_decompositions_outlive_a_number_that_is_not_finite(number):
    lines = [
        "import contextlib, torch",
        "x = torch.eye(6, dtype=torch.float64) + 0.1",
        f"x[1, 2] = float('{number}')",
    ]
    lines += [f"with contextlib.suppress(RuntimeError): torch.linalg.{one}" for one in HARMLESS]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1000:]
