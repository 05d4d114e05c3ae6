"""What the text cells of a notebook say, without what only sets it off."""

import re


def words(text):
    """A text with its line breaks, emphasis and double spaces taken out: what is compared where a
    sentence is looked for."""
    return " ".join(re.sub(r"[*_`]", "", text).split())


def prose(nb):
    """All its markdown cells as one text, for `words(sentence) in prose(nb)`."""
    return "\n".join(words(cell.source) for cell in nb.cells if cell.cell_type == "markdown")
