"""English to learn characters from: the reference manual that every Python carries,
cleaned to prose; made-up dates."""

import re
from typing import NamedTuple

import torch


class Text(NamedTuple):
    """A text as numbers."""

    ids: torch.Tensor  # (N,) int64, positions in `characters`
    characters: str  # the vocabulary, sorted, every character once


def manual(repeats=False):
    """The chapters of Python's reference manual (pydoc_data.topics),
    paragraphs of prose only, one to a line.

    repeats: True keeps the paragraphs that stand in several chapters; by default each comes once.
    Returns a str. How long it is and which words occur depends on the Python that runs: compare
    numbers of one machine. Source: Python Software Foundation, PSF licence.
    """
    from pydoc_data.topics import topics

    paragraphs = [
        p for name in sorted(topics) for p in re.split(r"\n\s*\n", topics[name]) if _is_prose(p)
    ]
    lines = [_plain(paragraph) for paragraph in paragraphs]
    return "\n".join(lines if repeats else dict.fromkeys(lines)) + "\n"


def _plain(paragraph):
    text = paragraph.translate(str.maketrans("“”‘’–—…", "\"\"''--."))
    return re.sub(r"\s+", " ", text).strip().encode("ascii", "ignore").decode()


def _is_prose(paragraph):
    """Sentences, neither code, grammar, tables nor underlined headings."""
    text = paragraph.strip()
    signs = sum(character.isalpha() or character in " ,.\n" for character in text)
    marked = re.search(r"::=|>>>|\*\*\*|===|---|\+-|_____", text)
    return len(text) > 60 and text[-1] in ".:;,!?)" and not marked and signs > 0.85 * len(text)


def encode(text, characters=None):
    """A string as a Text. characters: the vocabulary; by default the text's own.
    Raises ValueError for any other."""
    characters = "".join(sorted(set(text))) if characters is None else characters
    number = {character: index for index, character in enumerate(characters)}
    try:
        return Text(
            torch.tensor([number[character] for character in text], dtype=torch.int64), characters
        )
    except KeyError as error:
        raise ValueError(
            f"{error} is not among the {len(characters)} characters of the vocabulary"
        ) from error


def decode(ids, characters):
    """The string of ids (N,), positions in `characters`: what `encode` began with."""
    return "".join(characters[index] for index in ids)


MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November",
          "December")  # fmt: skip


def dates(count, seed=0):
    """Dates as people write them, and as machines want them: two lists of `count` strings.

    "3 March 1987", "March 3, 1987", "03.03.87" or "3 mar 1987" → "1987-03-03". Days 1–28, years
    1950–2049; two digits mean 1950–1999 from 50 on, 2000–2049 below. Short ones may repeat.
    """
    draw = torch.Generator().manual_seed(seed)
    numbers = [torch.randint(low, high, (count,), generator=draw).tolist()
               for low, high in ((1950, 2050), (1, 13), (1, 29), (0, 4))]  # fmt: skip
    written, wanted = [], []
    for year, month, day, style in zip(*numbers, strict=True):
        name = MONTHS[month - 1]
        forms = (f"{day} {name} {year}", f"{name} {day}, {year}",
                 f"{day:02}.{month:02}.{year % 100:02}",
                 f"{day} {name[:3].lower()} {year}")  # fmt: skip
        written.append(forms[style])
        wanted.append(f"{year}-{month:02}-{day:02}")
    return written, wanted
