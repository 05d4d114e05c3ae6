"""What `dlcourse verify` says of the ledger: claims whose sentence is gone, that do not hold, or
that are older than their code."""

from dlcourse.release.claims import ledger
from dlcourse.release.claims.registry import collect, find_notebook
from dlcourse.release.claims.statistics import HOLDS
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.source import read_notebook
from dlcourse.release.notebook.text import prose, words


def check_claims(course, notebooks, sources=None):
    """Findings about the claims of some notebooks (records of course.toml), one line each.

    sources: notebooks that are read already, by their paths.
    """
    try:
        claims, rows = collect(course.root), ledger.load(course.root)
    except CourseError as error:
        yield str(error)
        return
    sources = {} if sources is None else sources
    for one in claims:
        try:
            notebook = find_notebook(course, one)
            if notebook in notebooks:
                nb = sources.get(notebook.source)
                nb = read_notebook(course.root / notebook.source, course.root) if nb is None else nb
                yield from check_claim(course.root, one, rows.get(one.name), nb, notebook.source)
        except CourseError as error:
            yield str(error)
    named = {one.name for one in claims}
    stems = {notebook.source for notebook in notebooks}
    for row in rows.values():
        known = len(stems) == len(course.notebooks())
        if known and row.claim not in named:
            yield f"{ledger.FILE}: no claim is named {row.claim}; run `dlcourse claims`"


def check_claim(root, one, row, nb, path):
    """Findings about one claim; row: its Row in the ledger or None, nb: its notebook."""
    where, again = f"{one.file}: {one.name}", "run `dlcourse claims`"
    if words(one.sentence) not in prose(nb):
        cure = "bring the claim up to what it says now, or take it out"
        yield f"{where}: its sentence no longer stands in {path}; {cure}"
    try:
        code = ledger.code_of(root, one, nb, path)
    except (AttributeError, SyntaxError) as error:
        yield f"{where}: {error}"
        return
    if row is None or not row.values:
        yield f"{where}: was never measured; {again}"
    elif row.code != code:
        yield f"{where}: its code has changed since it was measured; {again}"
    elif row.seeds < one.seeds:
        yield f"{where}: {row.seeds} of {one.seeds} seeds are measured; {again}"
    else:
        row.settle(one)
        if row.verdict != HOLDS:
            cure = f"say in {path} what was seen, or test another sentence"
            yield f"{where}: {row.verdict} ({tell(row.judged.strongest)}); {cure}"


def tell(one):
    """A Comparison in words, as in `+0.031, +0.012 … +0.050, against no shifts`."""
    return f"{one.gain:+.3g}, {one.low:+.3g} … {one.high:+.3g}, against {one.rival}"
