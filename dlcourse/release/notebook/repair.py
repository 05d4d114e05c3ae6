"""Notebook files as editors leave them: what can be repaired is repaired and said (a byte order
mark, Windows line ends, the older formats of Colab and JupyterLab, ids), the rest is refused."""

import codecs
import json
import re
import shlex

from dlcourse.release import conflicts
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import ids

LONE = re.compile("[\ud800-\udfff]")  # half of a character, as a cut emoji leaves it
ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")  # how JSON spells such a half
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
BADGE = "view-in-github"  # the cell that Colab puts on top of what it saves to GitHub


class Repair:
    """Reads one notebook file: `raw` is the notebook as a dict of format 4.5, `notes` lists in
    words what was repaired. Raises CourseError for what cannot be.

    data: the file's bytes; shown: its path for messages; cure: what messages advise where the
    file is beyond repair (default: to take it from git).
    """

    def __init__(self, data, shown, cure=None):
        self.shown, self.cure = shown, cure
        self.notes = []
        text = self.decode(data)
        self.raw = self.parse(text)
        self.upgrade()
        for number, cell in enumerate(self.raw["cells"], start=1):
            self.check_cell(number, cell)
        self.drop_badge()
        if self.line_ends(text):
            self.notes.append("Windows line ends")
        if ESCAPED.search(text):
            self.halves()
        self.notes += ids.give(self.raw["cells"])

    def refuse(self, message, cure="", number=None):
        """Raises the CourseError for the file, or for its cell `number`."""
        cure = self.cure or cure or f"restore it with `git checkout HEAD -- {self.quoted}`"
        place = ""
        if number is not None:
            cell = self.raw["cells"][number - 1]
            name = cell.get("id", "no id") if isinstance(cell, dict) else "no id"
            place = f"cell {number} ({name}): "
        raise CourseError(f"{self.shown}: {place}{message}: {cure}")

    @property
    def quoted(self):
        return shlex.quote(self.shown)

    def decode(self, data):
        """The file's text, without a byte order mark."""
        coding = "utf-16" if data.startswith(UTF16) else "utf-8"
        try:
            text = data.decode(coding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.refuse(f"line {line}: not UTF-8 text")
        if coding == "utf-16":
            self.notes.append("UTF-16 instead of UTF-8")
        elif text.startswith("\ufeff"):
            self.notes.append("a byte order mark")
        return text.lstrip("\ufeff")

    def parse(self, text):
        """The JSON in the text, which must have a list of cells."""
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as error:
            lines = conflicts.find(text)
            if lines:
                self.refuse(conflicts.describe(lines), conflicts.cure(self.shown))
            self.refuse(f"not valid JSON (line {error.lineno}: {error.msg})")
        except ValueError:  # a number of thousands of digits
            self.refuse("not valid JSON (a number without end)")
        except RecursionError:
            self.refuse("not valid JSON (brackets within brackets without end)")
        if not isinstance(raw, dict) or not isinstance(raw.get("cells"), list):
            if isinstance(raw, dict) and "worksheets" in raw:
                cure = f"`python -m nbconvert --to notebook --inplace {self.quoted}` renews it"
                self.refuse("a notebook of format 3 or older", cure)
            self.refuse("not a notebook (it has no list of cells)")
        return raw

    def upgrade(self):
        """Formats 4.0 to 4.4 differ from 4.5 in the cells' ids alone."""
        major, minor = self.raw.get("nbformat"), self.raw.get("nbformat_minor")
        if major != 4 or minor not in range(6):
            self.refuse(f"notebook format {major!r}.{minor!r}, not 4.5")
        if minor < 5:
            self.notes.append(f"notebook format 4.{minor}")
            self.raw["nbformat_minor"] = 5

    def check_cell(self, number, cell):
        """Kind, text and metadata of a cell; leaves its text as one string."""
        if not isinstance(cell, dict):
            self.refuse("it is no cell", number=number)
        if cell.get("cell_type") not in ("markdown", "code", "raw"):
            self.refuse(f"{cell.get('cell_type')!r} is no kind of cell", number=number)
        source = cell.get("source")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            self.refuse("it has no text", number=number)
        cell["source"] = source
        if not isinstance(cell.setdefault("metadata", {}), dict):
            self.refuse("its metadata are no table of keys", number=number)

    def drop_badge(self):
        """Colab's own badge: the header cell has one already."""
        cells = self.raw["cells"]
        kept = [cell for cell in cells if BADGE not in (cell.get("id"), cell["metadata"].get("id"))]
        if len(kept) < len(cells):
            self.notes.append("Colab's badge on top")
        self.raw["cells"] = kept

    def line_ends(self, text):
        """Whether lines of the file or of a cell ended as on Windows; the cells' are mended."""
        found = "\r\n" in text
        for cell in self.raw["cells"]:
            if "\r" in cell["source"]:
                cell["source"] = cell["source"].replace("\r\n", "\n").replace("\r", "\n")
                found = True
        return found

    def halves(self):
        """Half a character cannot be written to a file: refused in a text, replaced elsewhere."""
        for number, cell in enumerate(self.raw["cells"], start=1):
            match = LONE.search(cell["source"])
            if match:
                half = f"\\u{ord(match[0]):04x}"
                line = cell["source"].count("\n", 0, match.start()) + 1
                cure = "put the whole character in its place, in a text editor"
                self.refuse(f"line {line}: `{half}` is half of a character", cure, number)
        mended = _without_halves(self.raw)
        if mended != self.raw:
            self.raw = mended
            self.notes.append("halves of characters in outputs or metadata")


def _without_halves(value):
    if isinstance(value, str):
        return LONE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_halves(one) for one in value]
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(one) for key, one in value.items()}
    return value
