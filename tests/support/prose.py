"""The text of a PDF's source, and what in it no test holds yet: numbers,
formulas, sums that do not come out.

Shared by the tests of the probability primer (Day 05) and of the theory lecture (Day 06).
"""

import math
import re

MARK = "--- The text begins here"
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
RELATION = re.compile(r"[<>]?=|(?<!=)[<>]|approx|prop\b")


def flat(text):
    return re.sub(r"\s+", " ", text)


def parts(path):
    """The source before the mark (pictures), and the text after it; all
    white space made single spaces."""
    drawn, text = path.read_text(encoding="utf-8").split(MARK)
    return flat(drawn), flat(text)


def filled(fragment, *values):
    """A fragment of the text with computed values in its braces; in a
    table, between [ ], a minus is "−"."""
    return fragment.format(*values).replace("[-", "[−")


def spans(text, fragments):
    for fragment in fragments:
        found = [match.span() for match in re.finditer(re.escape(fragment), text)]
        assert found, f"not in the text any more: {fragment}"
        yield from found


def loose(text, matches, held):
    """The matches that lie in none of the spans, each with the words around it."""
    return [
        f"…{text[match.start() - 30 : match.end() + 10]}…"
        for match in matches
        if not any(start <= match.start() and match.end() <= end for start, end in held)
    ]


def loose_numbers(text, known, places):
    """Every number that stands in none of the known fragments and in no
    match of the pattern of places."""
    held = list(spans(text, known)) + [match.span() for match in places.finditer(text)]
    return loose(text, NUMBER.finditer(text), held)


def loose_relations(text, known):
    """Every sign of equality, order or proportion that stands in a formula and
    in none of the known fragments."""
    inside = re.finditer(r"\$[^$]*\$", text)
    signs = (sign for piece in inside for sign in RELATION.finditer(text, *piece.span()))
    return loose(text, signs, list(spans(text, known)))


def formulas(text):
    """The displayed and the inline formulas of a text, without the
    full stop or comma at their ends."""
    pieces = text.split("$")[1::2]
    displayed = [piece.strip(" .,") for piece in pieces if piece[0] == piece[-1] == " "]
    return displayed, [piece for piece in pieces if not piece[0] == piece[-1] == " "]


class Shows(list):
    """The formulas that tests hold, as the source writes them: `@shows("a = b")` above the test."""

    def __call__(self, *written):
        self.extend(written)
        return lambda test: test

    def lacks(self, text):
        """Displayed formulas of the text that no test holds, from
        their first to their last sign."""
        held = {written.strip(" .,") for written in self}
        return [one for one in formulas(text)[0] if one not in held]


ARITHMETIC = re.compile(r"(?:\d|[-+*/(). ^]|\\/|dot|times|ln|sqrt|pi|e\b)+")


def value(side):
    """Value of one side of an equation that is all numbers, as Typst
    writes it; None for any other."""
    side = side.strip(" .,~")
    if (
        not ARITHMETIC.fullmatch(side)
        or not re.search(r"\d", side)
        or re.search(r"ln (?![\d(])", side)
    ):
        return None
    if side.count("(") != side.count(")"):
        return None
    for written, meant in ((r"\/", "/"), ("dot", "*"), ("times", "*"), ("^", "**")):
        side = side.replace(written, meant)
    side = re.sub(r"ln ([\d.]+)", r"ln(\1)", side)
    side = re.sub(r"(?<=[\d)ei]) *(?=ln|sqrt|pi|e\b|\()", "*", side)  # 2 pi, 0.8 (…)
    return eval(side, {"ln": math.log, "sqrt": math.sqrt, "pi": math.pi, "e": math.e})


def allowed(side):
    """What rounding allows a side to be off: half a unit of the last place of a
    figure, or of each of its decimals."""
    if re.fullmatch(r"-?\d+", side):
        return 0.501
    return 0.501 * sum(
        10.0 ** (int(power or 0) - len(decimals))
        for decimals, power in re.findall(r"\d\.(\d+)(?: dot 10\^\((-?\d+)\))?", side)
    )


def sums(text):
    """(equation, value on its left, on its right, what rounding allows) for all
    neighbours that are numbers only."""
    for piece in text.split("$")[1::2]:
        sides = piece.split("=")
        for left, right in zip(sides, sides[1:], strict=False):
            left, right = (
                re.split("[<>]", left)[-1].strip(" .,~"),
                re.split("[<>]", right)[0].strip(" .,~"),
            )
            values = value(left), value(right)
            if None not in values:
                yield f"{left} = {right}", *values, max(allowed(right), 1e-9)
