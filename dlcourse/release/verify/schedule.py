"""Whether the minutes of a notebook are all there, and whether a session's core fits into it."""

from dlcourse.release.notebook import minutes
from dlcourse.release.run.faults import name_cell

# of 180: a morning that is taught has breaks and questions in the rest
TAUGHT, OTHERS = 165, 180
UNTIMED = ("summary", "further reading")  # sections to come back to at home
AFTERNOON = "afternoon"  # how the heading begins where a notebook goes on after lunch


def short_sections(path, nb):
    """Findings about sections of fewer minutes than what stands in them."""
    for one in minutes.sections(nb):
        parts = sum(part.minutes or 0 for part in one.parts)
        if one.minutes is not None and one.minutes < parts:
            where = f"{path}: {name_cell(nb, one.cell)}"
            yield (
                f"{where}: `{one.title}` says {one.minutes} min, and what it holds adds up to "
                f"{parts}; give it at least those, and what its text takes"
            )


def untimed(path, nb):
    """Findings about sections, exercises and questions that do not say how long they take."""
    found = minutes.sections(nb)
    if minutes.add_up(found) is None:
        yield f"{path}: no section says how long it takes; end its heading with {minutes.EXAMPLE}"
        return
    for one in found:
        tail = any(word in one.title.lower() for word in UNTIMED)
        parts = [part for part in one.parts if part.title.startswith(("Exercise", "Question"))]
        for heading in [*([] if tail else [one]), *parts]:
            if heading.minutes is None:
                where = f"{path}: {name_cell(nb, heading.cell)}: `{heading.title}`"
                yield f"{where}: says no minutes; end the heading with {minutes.EXAMPLE}"


def crowded(day, sources):
    """Findings about the sessions of a day whose core does not fit. sources: notebooks by path; a
    day of which one is missing there is left out."""
    if not all(notebook.source in sources for notebook in day.notebooks):
        return
    goes_on = any(session.continues for session in day.sessions)
    later = []  # of a notebook that the afternoon goes on with
    for session in day.sessions:
        works = later if session.continues else []
        for notebook in session.notebooks:
            nb = sources[notebook.source]
            if goes_on:
                first, second = _split(nb, notebook)
                works, later = [*works, (notebook.source, first)], [(notebook.source, second)]
            else:
                works.append((notebook.source, _core(nb, notebook)))
        yield from _check_session(session, works)


def _split(nb, notebook):
    """Minutes of the core before and after the heading that says where the afternoon begins."""
    found = minutes.sections(nb)
    starts = [one.title.lower().startswith(AFTERNOON) for one in found]
    if True not in starts:
        return _core(nb, notebook), 0
    at = starts.index(True)
    return sum(one.core for one in found[:at]), sum(one.core for one in found[at:])


def _core(nb, notebook):
    added = minutes.add_up(minutes.sections(nb))
    return added[0] if added else notebook.minutes.get("reading", 0)


def _check_session(session, works):
    """In a session that is held all of it counts together; at home each notebook for itself."""
    limit = TAUGHT if session.taught and session.when == "morning" else OTHERS
    for group in [works] if session.taught else [[work] for work in works]:
        core, lectured = sum(core for _, core in group), sum(pdf.minutes for pdf in session.pdfs)
        if group and core + lectured > limit:
            pdfs = f" and {lectured} of PDFs" if lectured else ""
            yield (
                f"{group[0][0]}: day {session.day}, {session.when}: a core of {core} minutes"
                f"{pdfs}, {limit} are the limit; mark what `can wait`, or shorten it"
            )
