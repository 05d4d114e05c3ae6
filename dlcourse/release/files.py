"""Reading and writing files so that nobody ever sees half of one."""

import os
import tempfile
from pathlib import Path

from dlcourse.release.course.tables import CourseError


def write_atomic(path, content):
    """Writes bytes to `path`, aside first and then put in place at once; returns
    False where it holds them already."""
    path = Path(path)
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    name = {"prefix": f".{path.name}.", "suffix": ".half-written"}  # .gitignore knows it
    handle, aside = tempfile.mkstemp(dir=path.parent, **name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes files that only their owner may read
        os.chmod(aside, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    return True


def read_text(root, path):
    """The text of the file `path` (relative to `root`), or a CourseError."""
    try:
        return (Path(root) / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CourseError(
            f"{path}: the file is missing: write it, or take it out of course.toml"
        ) from None
    except UnicodeDecodeError:
        raise CourseError(f"{path}: not UTF-8 text: save it with that encoding") from None
