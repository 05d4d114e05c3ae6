"""How messages name a cell of a notebook that cannot be built."""

from dlcourse.release.course.tables import CourseError


def fail(path, number, cell, message):
    """Raises the CourseError for cell `number` (from 1) of the notebook at `path`."""
    raise CourseError(f"{path}: cell {number} ({cell.get('id', 'no id')}): {message}")
