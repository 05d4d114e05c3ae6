"""What git says about the clone of the students' repository, and about the course's own files."""

import os
import subprocess
from pathlib import Path

from dlcourse.release.course.tables import CourseError
from dlcourse.release.students import project


def clean_clone(folder, course):
    """The folder's resolved path, if it is the top of a git clone without changes; else a
    CourseError."""
    folder = Path(folder)
    cure = f"make one: git clone https://github.com/{course.repository}.git {folder}"
    if not folder.is_dir():
        raise CourseError(f"{folder}: no such folder: {cure}")
    root = folder.resolve()
    if root == course.root.resolve():
        raise CourseError(
            f"{folder}: this is the course itself: name a clone of the students' repository, in "
            "another folder"
        )
    top = _git(root, "rev-parse", "--show-toplevel", cure=cure).removesuffix("\n")
    if not top or Path(top).resolve() != root:
        raise CourseError(f"{folder}: not the top of a git clone, {top or '.git'} is: name that")
    status = _git(root, "status", "--porcelain", "-z", "--untracked-files=normal", cure=cure)
    if status:
        raise CourseError(
            f"{folder}: changes that are not committed ({few(_changed(status))}): commit them, or "
            f"put them aside (git -C {folder} stash --include-untracked), and run this again; "
            "nothing was changed"
        )
    return root


def refuse_unknown_files(course):
    """Raises where the library holds a file that git does not know: a draft, or an answer, that
    would reach students by a slip. A course outside git is taken as it is."""
    if not (course.root / ".git").exists():
        return
    known = _git(course.root, "ls-files", "-z", "--", "dlcourse", cure="repair the repository")
    unknown = sorted(set(project.library(course)) - set(known.split("\0")))
    if unknown:
        raise CourseError(
            f"{few(unknown)}: not known to git, and students would get it: `git add` it, or move "
            "it out of dlcourse/; nothing was written"
        )


def _git(root, *arguments, cure):
    """What a git command prints; a CourseError with the cure where it fails."""
    # within a hook, git's own variables point to the repository that the hook belongs to
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, env=environment)
    except FileNotFoundError:
        raise CourseError("git is missing: install it from https://git-scm.com") from None
    if done.returncode:
        said = os.fsdecode(done.stderr).strip().splitlines()
        raise CourseError(f"{root}: git says: {said[-1] if said else 'nothing'}: {cure}")
    return os.fsdecode(done.stdout)


def _changed(status):
    """The paths in what `git status --porcelain -z` prints."""
    return [entry[3:] for entry in status.split("\0") if entry[2:3] == " "]


def few(paths, shown=4):
    """The first of them, as one line."""
    more = f" and {len(paths) - shown} more" if len(paths) > shown else ""
    return ", ".join(paths[:shown]) + more
