"""A small course that `verify` finds in order, and how a test changes its notebooks."""

import nbformat
import release_fixtures as small

from dlcourse.release.build import build
from dlcourse.release.notebook.source import fingerprint, to_bytes

SOURCE, STUDENT = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_exercises.ipynb"
LECTURE = "Day01-Start/Day01_lecture.ipynb"
SHEET = "from types import SimpleNamespace\n\ncheck = SimpleNamespace()"


def cells():
    """The small course's cells, with everything defined that they use; cell 3 holds the sheet."""
    return [small.code(SHEET), *small.solutions_cells()]


def read(course, path):
    return nbformat.read(course.root / path, 4)


def store(course, path, nb):
    (course.root / path).write_bytes(to_bytes(nb))


def pretend_run(course, path):
    """Gives a source the marks of a saved run, without the seconds that a kernel takes."""
    nb = read(course, path)
    for count, cell in enumerate((cell for cell in nb.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    nb.metadata["dlcourse"] = {"fingerprint": fingerprint(nb)}
    store(course, path, nb)


def make(root, *more):
    course = small.make_course(root, *cells(), *more)
    # its default changes by version
    (root / "pyproject.toml").write_text('[tool.ruff.lint]\nselect = ["E", "F"]\n')
    build(course)
    for path in (SOURCE, LECTURE):
        pretend_run(course, path)
    return course
