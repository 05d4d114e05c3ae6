"""`dlcourse publish`: a copy of the course as students may see it at a moment, in a new folder or
in a clone of their repository."""

import os
import tempfile
from collections import Counter
from pathlib import Path

from dlcourse.release import files
from dlcourse.release.course.records import show_moment
from dlcourse.release.course.tables import CourseError
from dlcourse.release.students import clone
from dlcourse.release.students.sync import bring_up_to_date
from dlcourse.release.students.tree import collect


def publish(course, as_of, to):
    """Writes what is released at the moment `as_of` (a date or a datetime) into
    the folder `to`; returns the sorted list of its files.

    Raises CourseError where `to` holds something or a notebook is not fit to
    be seen; then nothing is written.
    """
    to = Path(to)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise CourseError(
            f"{to}: holds files: name a folder that is missing or empty, or a clone of the "
            "students' repository with --sync; nothing was written"
        )
    clone.refuse_unknown_files(course)
    tree = collect(course, as_of)
    to.resolve().parent.mkdir(parents=True, exist_ok=True)
    # The temporary folder's own permissions are its owner's alone, so the tree goes into a folder
    # inside it.
    name = {"prefix": f".{to.resolve().name}.", "suffix": files.ASIDE}
    with tempfile.TemporaryDirectory(dir=to.resolve().parent, **name) as folder:
        aside = Path(folder, "tree")
        for path, content in tree.items():
            files.write_atomic(aside / path, content)
        if to.exists():
            to.rmdir()
        os.replace(aside, to)
    print(f"{len(tree)} files as of {show_moment(as_of)} in {to}")
    return sorted(tree)


def sync(course, as_of, folder):
    """Brings a clone of the students' repository to what is released at the moment `as_of`;
    prints a line for each file added, changed or removed and returns these as pairs such as
    ("added", path). Commits nothing.

    Raises CourseError where `folder` is no clone, holds changes that are not committed, or has a
    file of its own where one is to be written; then nothing is changed.
    """
    root = clone.clean_clone(folder, course)
    clone.refuse_unknown_files(course)
    tree = collect(course, as_of)
    changes = bring_up_to_date(root, tree)
    for what, path in changes:
        print(f"{what}: {path}")
    count = Counter(what for what, _ in changes)
    counts = ", ".join(f"{count[what]} {what}" for what in ("added", "changed", "removed"))
    left = len(tree) - count["added"] - count["changed"]
    print(f"{counts}, {left} as they were, as of {show_moment(as_of)} in {folder}")
    return changes
