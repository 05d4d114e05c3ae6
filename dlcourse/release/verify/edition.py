"""The rules of the second edition: faults once `edition = 2` stands in a day's table, until then
points that wait for the day's edit."""

import re

from dlcourse.release.files import read_text
from dlcourse.release.verify.layout import long_cells, opening
from dlcourse.release.verify.schedule import crowded, untimed
from dlcourse.release.verify.waits import needed


def check_rules(course, sources, held):
    """Findings about the days that are held to the rules (held: True) or not yet (False).
    sources: the notebooks that `verify` has read, by their paths."""
    for day in course.days:
        if (day.edition >= 2) != held:
            continue
        for notebook in day.notebooks:
            path, nb = notebook.source, sources.get(notebook.source)
            if nb is not None:
                for rule in (long_cells, opening, untimed, needed):
                    yield from rule(path, nb)
        yield from crowded(day, sources)
        yield from _unnoted(course, day, sources)


def _unnoted(course, day, sources):
    """Findings about sessions of which the instructors' page says nothing."""
    path = day.notes_path
    there = path and (course.root / path).is_file()
    text = read_text(course.root, path) if there else ""
    for session in day.sessions:
        named = re.search(rf"^#+ .*\b{session.when}\b", text, re.IGNORECASE | re.MULTILINE)
        read = any(notebook.source in sources for notebook in session.notebooks)
        if read and not named:
            yield (
                f"{path}: says nothing of the {session.when}: give it a heading `# Day "
                f"{day.number:02d} · {session.when.capitalize()}` with minutes, what not to miss, "
                "the questions that always come, where students get stuck and what to drop"
            )
