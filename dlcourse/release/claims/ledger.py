"""The ledger, tests/claims/ledger.csv: a row a claim, with what was measured, on which code, and
the verdict that follows."""

import ast
import copy
import csv
import io
import json
import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version

from dlcourse.data.tables import as_dicts, parse
from dlcourse.release.claims.definitions import digest, of_notebook, of_text
from dlcourse.release.claims.registry import FOLDER
from dlcourse.release.claims.statistics import Comparison, Judgement, judge
from dlcourse.release.files import read_text, write_atomic

FILE = f"{FOLDER}/ledger.csv"
COLUMNS = (
    "claim", "notebook", "sentence", "verdict", "seeds", "rival", "gain", "low", "high",
    "trivial", "trivial_gain", "trivial_low", "trivial_high", "code", "seconds", "machine",
    "data", "values",
)  # fmt: skip
DIGITS = ".6g"  # of gains and intervals
STAND_INS = "on stand-in data"
HEAD = (
    "# Written by `dlcourse claims`: gain is by how much the sentence's side is better than its "
    "strongest rival,\n# paired by seed, low and high its 95 % interval. Do not edit."
)


@dataclass
class Row:
    """What is known of one claim."""

    claim: str
    code: str  # digest of the code that was measured
    values: dict = field(default_factory=dict)  # side → a number for each of the seeds 0, 1, …
    seconds: float = 0.0
    machine: str = ""
    data: str = ""  # STAND_INS where real data could not be had
    notebook: str = ""
    sentence: str = ""
    judged: Judgement | None = None  # None: seeds are missing

    @property
    def seeds(self):
        return min((len(numbers) for numbers in self.values.values()), default=0)

    @property
    def verdict(self):
        return self.judged.verdict if self.judged else ""

    def add(self, sides, seconds, stand_in=False):
        """Takes the numbers of the next seed. Raises ValueError where the sides have changed, or
        the data."""
        if self.values and list(self.values) != list(sides):
            raise ValueError(f"sides {', '.join(sides)} after {', '.join(self.values)}")
        if self.values and stand_in != (self.data == STAND_INS):
            cure = f"have the real data in the cache, or take its row out of {FILE}"
            raise ValueError(f"some seeds are of real data, others of a stand-in: {cure}")
        for side, number in sides.items():
            self.values.setdefault(side, []).append(float(f"{number:.8g}"))
        self.seconds += seconds
        self.data = STAND_INS if stand_in else self.data
        self.machine = f"{platform.system()}, {os.cpu_count()} cores, torch {version('torch')}"

    def settle(self, one):
        """Judges by the Claim's own rule, once all of its seeds are there."""
        self.notebook, self.sentence = one.notebook, one.sentence
        rule = {"trivial": one.trivial, "every_seed": one.every_seed}
        complete = self.seeds >= one.seeds
        self.judged = judge(self.values, one.better, one.by, **rule) if complete else None


def load(root):
    """The ledger's rows as they stand: a dict claim → Row. Raises CourseError for a file that
    cannot be read."""
    if not (root / FILE).is_file():
        return {}
    return {cells["claim"]: _read(cells) for cells in as_dicts(parse(read_text(root, FILE)))}


def save(root, rows):
    """Writes the rows (a dict claim → Row), sorted by notebook and claim."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_cells(row) for row in in_order(rows))
    write_atomic(root / FILE, f"{HEAD}\n{text.getvalue()}".encode())


def in_order(rows):
    return sorted(rows.values(), key=lambda row: (row.notebook, row.claim))


def code_of(root, one, nb, path):
    """The digest of what a claim measures: its function and what that uses of its own file, and
    the definitions that it takes from the notebook `nb` (at `path`). Raises AttributeError for a
    name that the notebook does not have."""
    own = of_text(read_text(root, one.file), one.file)
    names, texts = set(), []
    for node in own.nodes([one.name]):
        names |= _taken(node)
        texts.append(_without_decorator(node, one.name))
    notebook = of_notebook(nb, path)
    for name in sorted(names):
        notebook.demand(name)
    return digest(*texts, notebook.code(sorted(names)))


def _taken(node):
    """The names N of all `nb.N` in a statement."""
    return {
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute)
        and isinstance(part.value, ast.Name)
        and part.value.id == "nb"
    }


def _without_decorator(node, name):
    """A statement as code; of the claim itself without the sentence and the rule, which ask for no
    new run."""
    if getattr(node, "name", None) == name:
        node = copy.copy(node)
        node.decorator_list = []
    return ast.unparse(node)


def _cells(row):
    cells = {
        "claim": row.claim,
        "notebook": row.notebook,
        "sentence": row.sentence,
        "verdict": row.verdict,
        "seeds": row.seeds,
        "code": row.code,
        "seconds": round(row.seconds, 1),
        "machine": row.machine,
        "data": row.data,
        "values": json.dumps(row.values, ensure_ascii=False),
    }
    if row.judged:
        cells |= _compared(row.judged.strongest, "rival", "")
        cells |= _compared(row.judged.trivial, "trivial", "trivial_") if row.judged.trivial else {}
    return cells


def _compared(one, key, prefix):
    numbers = {"gain": one.gain, "low": one.low, "high": one.high}
    return {key: one.rival} | {
        prefix + name: f"{value:{DIGITS}}" for name, value in numbers.items()
    }


def _read(cells):
    values = json.loads(cells["values"])
    row = Row(cells["claim"], cells["code"], values, float(cells["seconds"]), cells["machine"])
    row.notebook, row.sentence, row.data = cells["notebook"], cells["sentence"], cells["data"]
    if cells["verdict"]:
        strongest = _comparison(cells, "rival", "")
        trivial = _comparison(cells, "trivial", "trivial_") if cells["trivial"] else None
        row.judged = Judgement(cells["verdict"], int(cells["seeds"]), strongest, trivial)
    return row


def _comparison(cells, key, prefix):
    gain, low, high = (float(cells[prefix + name]) for name in ("gain", "low", "high"))
    return Comparison(cells[key], gain, low, high, cells["verdict"])
