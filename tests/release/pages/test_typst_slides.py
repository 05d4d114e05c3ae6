"""The slide tools: a page for each slide, nothing cut off, nothing without
words for those who do not see it."""

import shutil
from pathlib import Path

import pytest
import typst

ROOT = Path(__file__).parents[3]
TOOLS = Path("dlcourse") / "release" / "pages" / "typst"
HEAD = "".join(
    f'#import "/{TOOLS.as_posix()}/{name}\n'
    for name in ('slides.typ": *', 'figure.typ" as fig', 'diagram.typ" as dia')
)
DECK = HEAD + '#show: slides.with(title: "A deck", subtitle: [on $x_1$], day: "Day 99")\n'
ALT = "A box with an arrow into it and another out of it, for a test."
EVERYTHING = f"""
#slide("First", level: 1)[Text $x_1$]
#section("Part", question: [Why $x_2$?])
#slide("Boxes")[#key[$a$] #worked[$b$] #beware[$c$] #predict[$d$]]
#slide("Drawn")[#beside(share: 60%)[Left $e$][#shown(alt: "{ALT}",
  caption: [so $f$])[#dia.diagram(4, 2,
  dia.node(1, 1, [$g$], dash: "dashed", filled: false),
  dia.op(2.5, 1, [+]), dia.way((1.5, 1), (2.2, 1)),
  dia.way((2.5, 0.1), (2.5, 0.4), (2.5, 0.7), head: false))]]]
#slide("Table")[#tabular(columns: 2, header: ([$k$], [m]), [$n$], [p])]
"""


@pytest.fixture
def tools(tmp_path):
    """A folder with the tools in their place."""
    shutil.copytree(ROOT / TOOLS, tmp_path / TOOLS)
    return tmp_path


def compiled(root, text, **options):
    source = root / "deck.typ"
    source.write_text(text, encoding="utf-8")
    return typst.compile(
        str(source), root=str(root), timestamp=0, ignore_system_fonts=True, **options
    )


def test_one_page_a_slide_and_the_same_bytes(tools):
    assert len(compiled(tools, DECK + EVERYTHING, format="svg")) == 6
    content = compiled(tools, DECK + EVERYTHING, format="pdf", pdf_standards="ua-1")
    assert content == compiled(tools, DECK + EVERYTHING, format="pdf", pdf_standards="ua-1")
    assert b"A deck" in content and b"en-GB" in content


def test_a_slide_that_does_not_fit_is_named(tools):
    text = DECK + '#slide("Endless", level: 1)[' + "A line.\n\n" * 40 + "]\n"
    with pytest.raises(typst.TypstError, match=r"the slide Endless is \d+ pt too tall"):
        compiled(tools, text, format="svg")


@pytest.mark.parametrize("given", ["", ", alt: none", ', alt: "box"'])
def test_pictures_need_a_sentence(tools, given):
    with pytest.raises(typst.TypstError, match="a picture needs alt"):
        compiled(tools, DECK + f'#slide("One", level: 1)[#shown([box]{given})]\n', format="svg")
