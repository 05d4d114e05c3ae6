"""The rules of the second edition: faults once `edition = 2` stands in a day's table, until then
points that wait for the day's edit."""

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
