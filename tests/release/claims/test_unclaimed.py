"""Which sentences are shown to the author."""

import nbformat
import pytest
import release_fixtures as small

from dlcourse.release.claims.unclaimed import split, unclaimed
from dlcourse.release.cli import main

SHOWN = nbformat.v4.new_output("stream", text="0.9\n")


def listed(text, source="run()", outputs=(SHOWN,), sentences=()):
    nb = small.notebook(small.code(source, outputs=list(outputs)), small.markdown(text))
    return [sentence for _, sentence in unclaimed(nb, sentences)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Dropout beats decay.",
        "The deeper network is worse, in every seed.",
        "It fails because the signal vanishes.",
        "With momentum it is **faster**.",
        "Batch norm helps.",
        "The reason is the batch.",
        "Adam needs fewer steps than SGD.",
        "Random specks hardly disturb this reader.",
    ],
)
def test_comparisons_and_causes_are_listed(sentence):
    assert listed(sentence) == [sentence.replace("*", "")]


@pytest.mark.parametrize(
    "text",
    [
        "Two rows, three columns.",
        "Does dropout beat decay?",
        "**Predict** whether dropout beats decay.",
        "## Better networks",
        "| better | worse |\n|---|---|\n| a | b |",
        "```\nbetter = 1\n```",
        "### Exercise 1.1 · f ★ (5 min)\n\nReturn the better one.",
    ],
)
def test_what_claims_nothing_is_not(text):
    assert listed(text) == []


def test_only_after_an_experiment():
    assert listed("A beats B.", outputs=()) == []
    assert listed("A beats B.", source="f = check.f(f)") == []
    assert listed("A beats B.") == ["A beats B."]


def test_a_milestone_covers_the_text_after_it():
    assert listed("A beats B.", source="milestone('a − b', gain, at_least=0)") == []


def test_a_claim_covers_its_sentence():
    text = "A *beats*\nB. C beats D."
    assert listed(text, sentences=["A beats B."]) == ["C beats D."]


def test_sentences_end_where_they_end():
    text = "Some say (Veit et al. 2016) so. At 0.5 it is more. *Then* less."
    assert list(split(text)) == ["Some say (Veit et al. 2016) so.", "At 0.5 it is more.",
                                 "Then less."]  # fmt: skip


def test_the_command_lists_and_measures_nothing(course, capsys):
    path = course.root / "Day01-Start/Day01_lecture.ipynb"
    cells = [small.code("1 + 1", outputs=[SHOWN]), small.markdown("A beats B. So be it.")]
    small.write(path, small.notebook(*cells))
    assert main(["claims", "--unclaimed", "Day01", "--root", str(course.root)]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first == "Day01-Start/Day01_lecture.ipynb: cell 4 (cell-3): A beats B."
    assert last.startswith("1 sentences compare or explain")
    assert not (course.root / "tests/claims/ledger.csv").exists()
