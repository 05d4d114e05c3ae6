"""The small CSV tables that come with the library, in dlcourse/data/files; lines
that begin with # say where from."""

import csv
from importlib import resources


def read_table(name):
    """The rows of the table `name`, e.g. "co2.csv", a list of lists of
    str; the first row is the header's.

    Raises FileNotFoundError where the file is missing.
    """
    return parse((resources.files("dlcourse.data") / "files" / name).read_text(encoding="utf-8"))


def parse(text):
    """The rows of a CSV text without its # lines: a list of lists of str."""
    return list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))


def as_dicts(rows):
    """Rows of which the first is the header → a list of {column: cell}."""
    header, *rest = rows
    return [dict(zip(header, row, strict=True)) for row in rest]
