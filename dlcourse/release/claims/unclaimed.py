"""Sentences that compare or explain, after an experiment, and that neither a claim nor a milestone
covers: a list for the author to judge."""

import re

from dlcourse.release.notebook.source import SETUP_ID
from dlcourse.release.notebook.text import words
from dlcourse.release.run.faults import name_cell

COMPARING = (
    r"better|worse|best|worst|fewer|fewest|more|most|less|least|as (?:well|good|bad|far|fast|many|"
    r"much) as|\w{3,}er (?:than|in every|on every|in all|in each)|faster|slower|higher|lower|"
    r"larger|smaller|sharper|harder|easier|beats?|wins?|won|loses?|lost|ahead|behind|outperforms?|"
    r"helps?|hurts?|harms?|improves?|matters?|suffers?|gains?|costs?|rises?|falls?|grows?|"
    r"shrinks?|the same as|no difference|alike|hardly|catch(?:es)? up"
)
CAUSING = (
    r"because|since|therefore|hence|thus|due to|thanks to|the reasons?|that is why|which is why|"
    r"causes?|caused|explains?|leads? to|makes?|prevents?|cures?|so that|, so|, for|owing to"
)
PATTERN = re.compile(rf"(?<!\w)(?:{COMPARING}|{CAUSING})(?!\w)", re.IGNORECASE)
EXPERIMENT = ("stream", "display_data", "execute_result")


def unclaimed(nb, sentences=()):
    """(place, sentence) of each in the notebook `nb`. sentences: those of its claims."""
    claimed = [words(one) for one in sentences]
    for index, cell in after_experiments(nb):
        for sentence in split(cell.source):
            if PATTERN.search(sentence) and not any(
                one in words(sentence) or words(sentence) in one for one in claimed
            ):
                yield name_cell(nb, index), sentence


def after_experiments(nb):
    """(index, cell) of the markdown cells that come directly after a code cell with results and
    without a milestone, or after such text."""
    shown = False
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "code":
            results = any(output.output_type in EXPERIMENT for output in cell.outputs)
            other = re.match(r"\s*\w+ = check\.", cell.source) or cell.get("id") == SETUP_ID
            shown = bool(results and not other and not re.search(r"\bmilestone\(", cell.source))
        elif shown and cell.cell_type == "markdown":
            yield index, cell


def split(text):
    """The sentences of a markdown text, without headings, tables, formulas of their own and code
    blocks; tasks, questions and predictions claim nothing."""
    text = re.split(r"^#+ (?:Exercise|Question) ", text, flags=re.MULTILINE)[0]
    text = re.sub(r"```.*?```|\$\$.*?\$\$|<!--.*?-->|<[^>]+>", " ", text, flags=re.DOTALL)
    for part in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text):
        if re.match(r"\s*(?:#|\|)", part):
            continue
        for sentence in re.split(r"(?<=[.!?])(?<!et al\.)\)? +(?=[A-ZÀ-Þ(“‘])", words(part)):
            if not sentence.endswith("?") and not sentence.startswith("Predict"):
                yield sentence
