"""A folder brought to hold a tree: what it owns is added, changed and removed, all else is left.

What it owns stands in a file in the folder itself, a line for each with the digest of what was
written, as `sha256sum` writes them. A file that is not listed there, or that somebody has edited
since, stops everything before anything is changed.
"""

import hashlib
import os
import re

from dlcourse.release import files
from dlcourse.release.course.tables import CourseError
from dlcourse.release.students.clone import few

OWNED = ".dlcourse-published"
HEAD = "# What `dlcourse publish --sync` wrote, and may change or remove; no other file."
LINE = re.compile(r"([0-9a-f]{64})  (.+)")
OUTSIDE = {"", ".", "..", ".git"}  # no part of a path that is written


def bring_up_to_date(root, tree):
    """Writes and removes files in the folder `root` (a Path) until it holds the `tree` (a dict
    path → bytes); returns the changes, sorted by path, as pairs such as ("added", path)."""
    before = read_owned(root)
    after = {path: hashlib.sha256(content).hexdigest() for path, content in tree.items()}
    held = {path: _held(root, path) for path in before | after}
    _refuse_foreign(root, before, after, held)
    changes = []
    for path in sorted(before | after):
        if path not in after:
            if held[path] is not None:
                changes.append(("removed", path))
                _remove(root, path)
        elif files.write_atomic(root / path, tree[path]):
            changes.append(("added" if held[path] is None else "changed", path))
    lines = [HEAD, *(f"{after[path]}  {path}" for path in sorted(after))]
    files.write_atomic(root / OWNED, ("\n".join(lines) + "\n").encode())
    return changes


def read_owned(root):
    """Which files the folder's list names: a dict path → digest, empty where there is no list.
    Raises CourseError for a line that cannot be its own, or leads out of the folder."""
    if not os.path.lexists(root / OWNED):
        return {}
    text = (root / OWNED).read_text(encoding="utf-8", errors="replace")
    head, *lines = text.removesuffix("\n").split("\n")
    if head != HEAD:
        raise CourseError(_broken(root, 1, head))
    owned = {}
    for number, line in enumerate(lines, start=2):
        match = LINE.fullmatch(line)
        if not match or OUTSIDE & set(match[2].lower().split("/")):
            raise CourseError(_broken(root, number, line))
        owned[match[2]] = match[1]
    return owned


def _broken(root, number, line):
    return (
        f"{root / OWNED}: line {number}: not a line that publish writes ({line[:40]!r}): bring the "
        f"last good one back: git -C {root} log --oneline -- {OWNED}, then "
        f"git -C {root} checkout COMMIT -- {OWNED}, and commit; nothing was changed"
    )


def _held(root, path):
    """The digest of a file; None where nothing is, "" for what is no file or lies behind a link."""
    file = root / path
    for parent in file.parents:
        if parent == root:
            break
        if parent.is_symlink() or parent.is_file():
            return ""
    if not os.path.lexists(file):
        return None
    if file.is_symlink() or not file.is_file():
        return ""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _refuse_foreign(root, before, after, held):
    own = sorted(path for path in after if path not in before and held[path] is not None)
    if own:
        raise CourseError(
            f"{root}: {few(own)}: the students' repository's own, not written by publish: remove "
            "it there (git rm, or git mv to another name; what git ignores, by hand), commit, and "
            "run this again; nothing was changed"
        )
    edited = sorted(
        path for path in before if held[path] not in (None, before[path], after.get(path))
    )
    if edited:
        raise CourseError(
            f"{root}: {few(edited)}: edited there since publish wrote it: make the edit in the "
            "course, then remove it there (git rm), commit, and run this again; nothing was changed"
        )


def _remove(root, path):
    """Removes a file and the folders that are empty without it."""
    (root / path).unlink()
    for parent in (root / path).parents:
        if parent == root or any(parent.iterdir()):
            break
        parent.rmdir()
