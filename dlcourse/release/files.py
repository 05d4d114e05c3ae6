"""Reading and writing files so that nobody ever sees half of one."""

import os
import tempfile
from pathlib import Path

from dlcourse.release import conflicts
from dlcourse.release.course.tables import CourseError

ASIDE = ".half-written"  # .gitignore knows it, for whatever a kill leaves


def write_atomic(path, content):
    """Writes bytes to `path`, aside first and then put in place at once; returns
    False where it holds them already."""
    path = Path(path)
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=ASIDE)
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
    """The text of the file `path` (relative to `root`), without a byte order mark. Raises
    CourseError where there is none, or a merge conflict in it."""
    try:
        data = (Path(root) / path).read_bytes()
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        raise CourseError(
            f"{path}: the file is missing: write it, or take it out of course.toml"
        ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CourseError(
            f"{path}: line {line}: not UTF-8 text: save it with that encoding"
        ) from None
    lines = conflicts.find(text)
    if lines:
        raise CourseError(f"{path}: {conflicts.describe(lines)}: {conflicts.cure(path)}")
    return text
