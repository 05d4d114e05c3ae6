"""Merge conflicts that git left in a file, found by their markers."""

import re
import shlex

MARKER = re.compile(r"<{7} |\|{7} |={7}\s*$|>{7} ")


def find(text):
    """Numbers of the lines of `text` that are markers of a merge conflict; an empty list where
    there are none. A row of = alone is a heading's underline."""
    marked = [
        (number, line)
        for number, line in enumerate(text.split("\n"), start=1)
        if MARKER.match(line)
    ]
    return [number for number, _ in marked] if any(line[0] in "<>" for _, line in marked) else []


def describe(lines):
    """Such as "merge-conflict markers in lines 3, 7 and 9"."""
    *most, last = map(str, lines)
    where = f"lines {', '.join(most)} and {last}" if most else f"line {last}"
    return f"merge-conflict markers in {where}"


def cure(path):
    """What to do about a file at `path` that holds them: both ways were tried."""
    return (
        f"keep one side with `git checkout --ours -- {shlex.quote(path)}` (or `--theirs`), or "
        "delete the markers and one of the two sides in a text editor"
    )
