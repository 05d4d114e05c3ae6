"""The two cells that every notebook begins with, written from course.toml so that
no link is ever typed by hand."""

import json

from dlcourse.release.course.records import (
    archive_url,
    colab_url,
    github_url,
    released,
    show_moment,
    solutions_open,
)

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"

SETUP = """\
# @title Set-up: run this cell first
import os
import subprocess
import sys
from importlib import invalidate_caches, util

if util.find_spec("dlcourse") is None:  # as in a fresh Colab runtime
    archive = {archive}
    wanted = {packages}
    missing = [package for name, package in wanted.items() if util.find_spec(name) is None]
    library = ["--no-deps", os.environ.get("DLCOURSE_ARCHIVE", archive)]  # no second torch
    for names in filter(None, (library, missing)):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", *names]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            cure = "Connect to the network and run this cell again, or use `make lab`."
            raise RuntimeError(f"the course's library is missing. {cure}\\n{done.stderr[-500:]}")
    invalidate_caches()

from dlcourse import plot
from dlcourse.device import describe, get_device, set_seed
plot.set_style()
device = get_device()
set_seed(0)
describe(device)"""


def setup_source(course, notebook):
    """The set-up cell of a notebook: installs the library where it is missing, and
    never a PyTorch, NumPy or IPython."""
    wanted = course.packages | notebook.packages
    pairs = [f"{json.dumps(name)}: {json.dumps(pip)}" for name, pip in wanted.items()]
    packages = ", ".join(pairs)
    if notebook.packages:  # too long for one line
        packages = "\n        " + ",\n        ".join(pairs) + ",\n    "
    # not str.format: the cell has braces of its own as soon as somebody edits it
    return SETUP.replace("{archive}", json.dumps(archive_url(course))).replace(
        "{packages}", "{" + packages + "}"
    )


def header_source(notebook, course, path, minutes, as_of=None):
    """The header cell of the file at `path` (one of notebook.paths): title,
    badge, twin, minutes, objectives.

    minutes: (core, everything), as minutes.total adds them up.
    as_of: a date or datetime; a solutions notebook that is not out by then
        is named with its date instead of a link.
    """
    is_solutions = path == notebook.solutions_path
    title = f"# Day {notebook.day} · {notebook.title}" + (" · solutions" if is_solutions else "")
    badge = f"[![Open in Colab]({BADGE})]({colab_url(course, path)})"
    links = " · ".join([badge, *_twin(notebook, course, is_solutions, as_of), *_notation(course)])
    parts = [
        "<!-- header: written by `dlcourse build` from course.toml -->\n" + title,
        links,
        _minutes(notebook, *minutes),
    ]
    objectives = "\n".join(f"- {objective}" for objective in notebook.objectives)
    return "\n\n".join([*parts, "After this notebook you can", objectives])


def _twin(notebook, course, is_solutions, as_of):
    if is_solutions:
        return [f"[Student version]({github_url(course, notebook.student_path)})"]
    if notebook.solutions is None:
        return []
    if as_of is not None and not released(notebook, as_of, solutions=True):
        return [f"Solutions: from {show_moment(solutions_open(notebook))}"]
    return [f"[Solutions]({github_url(course, notebook.solutions_path)})"]


def _notation(course):
    here = (course.root / "CONTRIBUTING.md").is_file()
    return [f"[Notation]({github_url(course, 'CONTRIBUTING.md')}#notation)"] if here else []


def _minutes(notebook, core, everything):
    minutes = notebook.minutes
    unit = "minute" if minutes["cpu"] == 1 else "minutes"
    kind = notebook.kind[0].upper() + notebook.kind[1:]
    runs = (
        f"the code runs in about {minutes['cpu']} {unit} on two CPU cores, {minutes['gpu']} on a "
        "GPU"
    )
    takes = f"Core: {core} minutes; everything: {everything}"
    if "reading" in minutes:  # nothing says yet what can wait
        takes = f"about {everything} minutes to work through"
    return f"{kind} · {takes} · {runs}"
