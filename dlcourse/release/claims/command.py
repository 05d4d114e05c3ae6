"""`dlcourse claims`: measures what the ledger does not know, or lists what nobody has claimed."""

import contextlib

from dlcourse.release.claims import ledger, page
from dlcourse.release.claims.findings import tell
from dlcourse.release.claims.registry import collect, find_notebook, stem
from dlcourse.release.claims.runner import LIMIT, measure_all
from dlcourse.release.claims.statistics import HOLDS
from dlcourse.release.claims.unclaimed import unclaimed
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.source import read_notebook


def run(course, names=(), limit=LIMIT, workers=2):
    """Measures the claims of the named days or notebooks (all by default) that are new, changed or
    unfinished, prints a line for each and writes ledger and page; returns whether all hold.

    A stopped run goes on where it was: each seed is in the ledger as soon as it is known.
    """
    rows, notebooks = ledger.load(course.root), course.select(names)
    everything = collect(course.root)
    chosen, tasks, problems = [], [], {}
    for one in everything:
        notebook = find_notebook(course, one)
        if notebook in notebooks:
            chosen.append(one)
            try:
                rows[one.name] = row = _begin(course.root, one, notebook, rows.get(one.name))
            except (AttributeError, SyntaxError) as error:
                problems[one.name] = str(error)
                continue
            if row.seeds < one.seeds:
                tasks.append((one, row, notebook.source))
    rows = {one.name: rows[one.name] for one in everything if one.name in rows}
    measured = {one.name for one, *_ in tasks}
    for one in chosen:
        if one.name not in measured:
            _say(one, rows.get(one.name), problems.get(one.name, ""))
    problems |= _measure(course.root, tasks, rows, limit, workers)
    _write(course.root, rows)
    if not chosen:
        print("No claims about these notebooks yet.")
    return all(one.name not in problems and rows[one.name].verdict == HOLDS for one in chosen)


def _begin(root, one, notebook, row):
    """The row that a run goes on from: that of the ledger where its code is today's, else a new
    one. More seeds than asked for are kept."""
    nb = read_notebook(root / notebook.source, root)
    code = ledger.code_of(root, one, nb, notebook.source)
    row = row if row and row.code == code else ledger.Row(one.name, code)
    _settle(one, row)
    return row


def _settle(one, row):
    try:
        row.settle(one)
    except ValueError as error:
        raise CourseError(f"{one.file}: {one.name}: {error}") from error


def _measure(root, tasks, rows, limit, workers):
    def keep(one):
        _settle(one, rows[one.name])
        _write(root, rows)

    problems, walk = {}, measure_all(root, tasks, keep, limit, workers)
    with contextlib.closing(walk):  # whatever ends this ends what still runs
        for one, problem in walk:
            if problem:
                problems[one.name] = problem
            _say(one, rows[one.name], problem)
    return problems


def _write(root, rows):
    if rows or (root / ledger.FILE).is_file():
        ledger.save(root, rows)
        page.write(root, rows)


def _say(one, row, problem):
    if problem:
        print(f"{'–':10} {one.name}: {problem}", flush=True)
        return
    judged = row.judged
    told, seen = tell(judged.strongest), f"{row.seeds} seeds, {row.seconds:.0f} s"
    seen += f", {row.data}" if row.data else ""
    if judged.trivial and judged.trivial != judged.strongest:
        told += f"; {tell(judged.trivial)}"
    print(f"{row.verdict:10} {one.name}: {told} ({seen})", flush=True)


def list_unclaimed(course, names):
    """Prints the sentences of the named days that compare or explain and that no claim and no
    milestone covers; returns their number."""
    claims, count = collect(course.root), 0
    for notebook in course.select(names):
        if (course.root / notebook.source).is_file():
            nb = read_notebook(course.root / notebook.source, course.root)
            known = [one.sentence for one in claims if one.notebook == stem(notebook)]
            for place, sentence in unclaimed(nb, known):
                print(f"{notebook.source}: {place}: {sentence}")
                count += 1
    print(f"{count} sentences compare or explain without a claim or a milestone: judge each")
    return count
