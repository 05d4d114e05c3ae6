"""Seconds and memory of every notebook: measured by `dlcourse run
--record`, shown in the README."""

import csv
import io
import os
import platform
from importlib.metadata import version

from dlcourse.data.tables import as_dicts, parse
from dlcourse.release.files import write_atomic

FILE = ".github/times.csv"
COLUMNS = ("notebook", "seconds", "slowest_cell_seconds", "peak_mb", "cores", "torch", "system")
HEAD = (
    "# Written by `dlcourse run --record`, read by `dlcourse build`. A row a notebook: that of its "
    "last good run."
)


def load(root):
    """The recorded rows: a dict path of the notebook → row, itself a dict of str.
    Empty where nothing is recorded."""
    path = root / FILE
    rows = as_dicts(parse(path.read_text(encoding="utf-8"))) if path.is_file() else []
    return {row["notebook"]: row for row in rows}


def record(root, result):
    """Puts what a good run (a runner.Result) took into the table; the
    other notebooks keep their rows."""
    rows = load(root)
    measured = (result.path, round(result.seconds), round(result.slowest[0]), result.peak_mb)
    machine = (os.cpu_count(), version("torch"), platform.system())
    rows[result.path] = dict(zip(COLUMNS, measured + machine, strict=True))
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows[path] for path in sorted(rows))
    write_atomic(root / FILE, f"{HEAD}\n{text.getvalue()}".encode())


def rows(course):
    """The README's rows, one a notebook that was measured: its title, the run
    with solutions, the blank one."""
    known, found = load(course.root), []
    for one in course.select():
        full, blank = known.get(one.source), known.get(one.student_path) if one.solutions else None
        if full or blank:
            found.append([f"{one.folder[:5]} · {one.title}", *_cells(full), *_cells(blank)[::2]])
    return found


def _cells(row):
    return [row["seconds"], row["slowest_cell_seconds"], row["peak_mb"]] if row else ["–"] * 3
