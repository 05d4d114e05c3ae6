"""The page that shows what the course claims, and how sure it is of it."""

from dlcourse.release.claims import ledger
from dlcourse.release.claims.registry import FOLDER
from dlcourse.release.files import write_atomic

FILE = f"{FOLDER}/ledger.md"
HEAD = """# What the course claims

Written by `dlcourse claims` from `ledger.csv`. Each sentence stands in its notebook word for word.
The gain is by how much it is better than its strongest rival, or than the trivial answer: the mean
of the differences on the same seeds, with its 95 % interval (Student's t).
"""
COLUMNS = "| claim | verdict | gain over the strongest rival | over the trivial answer | seeds |"


def render(rows):
    """The page as markdown; rows: a dict claim → Row."""
    lines, last = [HEAD], None
    for row in ledger.in_order(rows):
        if row.notebook != last:
            lines += [
                *([""] if last else []),
                f"## {row.notebook}",
                "",
                COLUMNS,
                "|---|---|---|---|---|",
            ]
            last = row.notebook
        lines.append(_line(row))
    return "\n".join(lines) + "\n"


def write(root, rows):
    """Writes the page; returns whether it was not there or another one."""
    return write_atomic(root / FILE, render(rows).encode())


def _line(row):
    strongest, trivial = (row.judged.strongest, row.judged.trivial) if row.judged else (None, None)
    verdict = ", ".join(filter(None, (row.verdict or "not measured to the end", row.data)))
    sentence = row.sentence.replace("|", "\\|")
    return f"| {sentence} | {verdict} | {_tell(strongest)} | {_tell(trivial)} | {row.seeds} |"


def _tell(one):
    if one is None:
        return "–"
    # as the ledger keeps them: the page must not depend on whether they were just measured or read
    gain, low, high = (float(f"{value:{ledger.DIGITS}}") for value in (one.gain, one.low, one.high))
    return f"{gain:+.3g} ({low:+.3g} … {high:+.3g}), {one.rival}"
