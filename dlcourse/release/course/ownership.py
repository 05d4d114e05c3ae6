"""Whether course.toml and the course's folder agree: what is named is there, and every Day folder
and notebook that is there is named. Each finding is a line with its cure."""

import difflib
import os
import re
from pathlib import Path

from dlcourse.release.course.records import show_date
from dlcourse.release.course.tables import CourseError

# what .gitignore names: no part of the course
LEFT_OUT = {"marking", "scratch", "build", "dist", "__pycache__"}
KINDS = (".ipynb", ".pdf")  # files that somebody must own
DAY = re.compile(r"day[ _-]?\d", re.IGNORECASE)
# what lies at the top of a virtual environment, and of another repository
NOT_OURS = ("pyvenv.cfg", ".git")


def check(course):
    """Raises CourseError with the first finding, if there is one."""
    for line in findings(course):
        raise CourseError(line)


def findings(course):
    """All findings about the whole course."""
    strays = list(_strays(course))
    for session in course.sessions():
        yield from missing(course, session, strays)
        yield from _no_longer_planned(course, session)
    yield from unowned(course, strays)


def missing(course, session, strays=()):
    """Findings about files that a session names and that are not there, unless it says that they
    are to come. strays: paths that nobody names, one of which may be what was meant."""
    if session.planned:
        return
    for notebook in session.notebooks:
        if not (course.root / notebook.source).is_file():
            if notebook.solutions and (course.root / notebook.student_path).is_file():
                yield (
                    f"{notebook.source}: the solutions notebook is missing: write it, or restore "
                    f"it: {notebook.student} is made from it"
                )
            else:
                yield _missing(notebook.source, session, strays)
    for pdf in session.pdfs:
        if not _is_made(course, pdf):
            yield _missing(pdf.path, session, strays)


def unowned(course, strays=None):
    """Findings about Day folders, notebooks and PDFs that course.toml does not name: nobody
    builds, checks or publishes them."""
    strays = list(_strays(course)) if strays is None else strays
    folders = {day.folder for day in course.days}
    for folder in sorted(path.name for path in course.root.iterdir() if path.is_dir()):
        if DAY.match(folder) and folder not in folders:
            yield f"{folder}: this folder is no day's in course.toml: {_cure('folder')}"
    for path in strays:
        if path.endswith(KINDS):
            yield f"{path}: this file is not in course.toml: {_cure('file')}"


def _cure(what):
    return f"add it there, correct the {what}'s name, or move it to scratch/"


def _missing(path, session, strays):
    alike = [stray for stray in strays if Path(stray).suffix == Path(path).suffix]
    near = difflib.get_close_matches(path, alike, n=1, cutoff=0.8)
    hint = f"did you mean {near[0]}? Else write" if near else "write"
    return (
        f"{path}: named in course.toml for the {session.when} of {show_date(session.date)}, but "
        f"there is no such file: {hint} it, or say `planned = true` there while it is to come"
    )


def _no_longer_planned(course, session):
    """A planned session that has all its files would lose one without a word."""
    there = [(course.root / notebook.source).is_file() for notebook in session.notebooks]
    there += [_is_made(course, pdf) for pdf in session.pdfs]
    if session.planned and there and all(there):
        yield (
            f"course.toml: day {session.day}, {session.when}: says `planned = true`, and its files "
            "are there: take it out, so that none can be lost unnoticed"
        )


def _is_made(course, pdf):
    path = course.root / pdf.path
    return path.is_file() or path.with_suffix(".typ").is_file()


def _strays(course):
    """Paths below the root that course.toml does not name: all notebooks, and whatever lies in a
    Day folder; sorted."""
    owned = {path for one in course.notebooks() for path in one.paths}
    owned |= {one.path for one in course.pdfs()}
    for folder, inside, names in os.walk(course.root):
        inside[:] = sorted(name for name in inside if not _is_left_out(Path(folder, name)))
        place = Path(folder).relative_to(course.root)
        for name in sorted(names):
            path = (place / name).as_posix()
            if path not in owned and (name.endswith(".ipynb") or DAY.match(place.as_posix())):
                yield path


def _is_left_out(folder):
    if folder.name.startswith(".") or folder.name in LEFT_OUT:
        return True
    return any((folder / sign).exists() for sign in NOT_OURS)
