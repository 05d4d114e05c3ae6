"""The Typst tools of the PDFs: what a screen reader is told, ticks,
contours, and what refuses to compile."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import typst

ROOT = Path(__file__).parents[3]
TOOLS = Path("dlcourse") / "release" / "pages" / "typst"
HEAD = (
    f'#import "/{TOOLS.as_posix()}/note.typ": *\n#import "/{TOOLS.as_posix()}/figure.typ" as fig\n'
)
NOTE = HEAD + '#show: note.with(title: "A note", subtitle: [on $x_1$])\n'
ALT = '"A bell curve over the whole axis, for a test."'


@pytest.fixture
def tools(tmp_path):
    """A folder with the tools in their place; the tests write their documents beside them."""
    shutil.copytree(ROOT / TOOLS, tmp_path / TOOLS)
    return tmp_path


def values(root, expression):
    """What a Typst expression is, as Python values."""
    source = root / "values.typ"
    speech = f'#import "/{TOOLS.as_posix()}/speech.typ": speak, spoken\n'
    source.write_text(HEAD + speech + f"#metadata({expression}) <value>\n", encoding="utf-8")
    return json.loads(typst.query(str(source), "<value>", field="value", one=True, root=str(root)))


def compiled(root, text):
    source = root / "note.typ"
    source.write_text(text, encoding="utf-8")
    options = {
        "root": str(root),
        "timestamp": 0,
        "ignore_system_fonts": True,
        "pdf_standards": "ua-1",
    }
    return typst.compile(str(source), format="pdf", **options)


def alternative_texts(content):
    found = re.findall(rb"/Alt ?\(((?:\\.|[^\\)])*)\)|/Alt ?<([0-9A-F]+)>", content)
    return [
        bytes.fromhex(coded.decode()).decode("utf-16") if coded else plain.decode()
        for plain, coded in found
    ]


@pytest.mark.parametrize(
    "formula, said",
    [
        ("x^2 + y_t", "x squared plus y sub t"),
        ("alpha >= 0", "alpha is at least 0"),
        ("p(x|z)", "p (x given z)"),
        ("1/2", "1 over 2"),
        ("(a + b)/c", "the fraction a plus b over c, end of fraction,"),
        ("sqrt(x)", "the square root of x"),
        ("sqrt(1 - x)", "the square root of 1 minus x, end of root,"),
        ("sum_(n=1)^N x_n", "the sum from n equals 1 to N of x sub n"),
        ("integral f(x) dif x", "the integral of f (x) d x"),
        ("EE[x]", "the expectation of (x)"),
        ("x_(t-1) dot 2 \\/ 3", "x sub (t minus 1) times 2 over 3"),
        ("EE_(q(z|x)) [z]", "the expectation over q (z given x) of (z)"),
        ("bold(A)^top", "A transposed"),
        ("hat(theta) prop e^(-x)", "theta hat is proportional to e to the power (minus x)"),
        ("x'", "x prime"),
        ("mat(1, 2; 3, 4)", "the matrix with rows 1, 2; 3, 4,"),
        ("vec(a, b)", "the vector with entries a; b,"),
        ('cases(1 "if" x, 0)', "either 1 if x, or 0,"),
        ("underbrace(a + b, c)", "a plus b, labelled c,"),
        ('op("KL")(q || p)', "KL (q relative to p)"),
        ("x ~ cal(N)(0, 1)", "x drawn from N (0, 1)"),
        ("abs(x) overline(y)", "the size of x, y bar"),
        ("norm(x)^2", "the length of x, squared"),
    ],
)
def test_formulas_are_said_in_words(tools, formula, said):
    assert values(tools, f"speak(${formula}$.body)") == said


def test_a_part_of_a_formula_without_words_stops_the_build(tools):
    with pytest.raises(
        (typst.TypstError, RuntimeError), match="speech.typ has no words for cancel"
    ):
        values(tools, "speak($cancel(x)$.body)")


def test_equations_get_alternative_texts_wherever_they_stand(tools):
    text = NOTE + (
        "= Head $a_1$\n*bold $a_2$* _emph $a_3$_ $ a_4 $\n- item $a_5$\n+ one "
        "$a_6$\n\n#text(red)[red $a_7$]\n\n"
        "#question[$a_8$] #example(title: [$a_9$])[$b_1$] #warning[$b_2$] #definition[- in a box "
        "$b_3$] #used[$b_4$]\n"
        "#tabular(columns: 2, header: ([$b_5$], [x]), [$b_6$], [y])\n#unnumbered[$b_7$]\n"
        '#exercise("One", answer: [$b_8$])[$b_9$]\n#answers()\n'
        '#math.equation(alt: "by hand", $c_1$.body) text#footnote[$c_2$]\n'
    )
    said = alternative_texts(compiled(tools, text))
    wanted = (
        ["x sub 1"]
        + [f"{letter} sub {n}" for letter in "ab" for n in range(1, 10)]
        + ["by hand", "c sub 2"]
    )
    assert sorted(said) == sorted(wanted)


def test_an_equation_that_no_tool_has_seen_does_not_pass(tools):
    with pytest.raises(typst.TypstError, match="alt"):
        compiled(tools, NOTE + "#block[$x$]\n")


def test_pictures_need_a_sentence(tools):
    for alt in ("", ", alt: none", ', alt: "bell"'):
        with pytest.raises(typst.TypstError, match="a picture needs alt"):
            compiled(tools, NOTE + f"#picture([bell]{alt})\n")
    content = compiled(tools, NOTE + f"#picture([bell], alt: {ALT}, caption: [Bell $x$])\n")
    assert ALT.strip('"') in alternative_texts(content)


def test_exercises_need_answers_and_print_them_at_the_end(tools):
    with pytest.raises(typst.TypstError, match="exercise Lonely needs an answer"):
        compiled(tools, NOTE + '#exercise("Lonely")[Why?]\n')
    text = '#exercise("Why?", answer: [so])[a]\n#exercise("How", answer: [thus])[b]\n#answers()\n'
    assert compiled(tools, NOTE + text).startswith(b"%PDF")


EVERY_LAYER = f"""
#picture(alt: {ALT}, caption: [All layers])[#fig.plot(
  x: (-3, 3), y: (0, 0.5), xlabel: [$x$], ylabel: [$p(x)$], title: [Title],
  fig.area(fig.normal(0, 1), from: -1, to: 1), fig.area(x => 0.2, base: x => 0.1),
  fig.curve(fig.normal(0, 1), dash: "dashed"), fig.polyline(((0, 0), (1, 0.2))),
  ..("circle", "square", "triangle").map(shape =>
    fig.dots(((0, 0.1),), shape: shape, hollow: true)),
  fig.bars(((0, 0.1), (1, 0.2))), fig.block-at((0, 0), (1, 0.1)),
  fig.ellipse((0, 0.2), ((1, 0.02), (0.02, 0.01))),
  fig.arrow((0, 0.1), (1, 0.3)), fig.label(0, 0.4, [here $x$], halo: true),
)
#fig.plot(x: (1, 1e5), y: (0.001, 1), log: ("x", "y"), fig.curve(x => 1 / calc.sqrt(x)))
#fig.plot(axes: false, xticks: (0, 1), fig.label(0.5, 0.5, [bare]))
#fig.plot(x: (0, 3), xticks: ((0, [a]), (2, $b$)), yticks: (), fig.dots(((1, 0.5),)))
#fig.graph((z: (at: (1, 1), label: $z$), x: (at: (3, 1), label: $x$, seen: true)),
  (("z", "x", [$p$]), ("x", "z")),
  plates: (((0.2, 0.2), (4, 1.8), [$N$]),))]
"""


def test_every_layer_draws_and_the_bytes_are_the_same(tools):
    content = compiled(tools, NOTE + EVERY_LAYER)
    assert content == compiled(tools, NOTE + EVERY_LAYER)
    assert b"A note" in content and b"en-GB" in content and b"/Title" in content


@pytest.mark.parametrize(
    "low, high, wanted",
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-3, 3, [-2, 0, 2]),
        (1880, 2120, [1900, 1950, 2000, 2050, 2100]),
        (0, 0.01, [0, 0.002, 0.004, 0.006, 0.008, 0.01]),
        (2, 47, [10, 20, 30, 40]),
    ],
)
def test_ticks_are_round_and_inside(tools, low, high, wanted):
    assert np.allclose(values(tools, f"fig.ticks({low}, {high})"), wanted)


def test_tick_labels(tools):
    assert values(tools, "(-2, 0.5, 1000).map(v => fig.tick-label(v))") == ["−2", "0.5", "1000"]
    assert np.allclose(values(tools, "fig.tick-values((0.05, 200), true)"), [0.1, 1, 10, 100])


def test_axes_map_the_ends_of_the_data_to_the_ends_of_the_paper(tools):
    assert values(
        tools, "(1, 10, 100).map(v => fig.scale((1, 100), 80.0, true)(v))"
    ) == pytest.approx([0, 40, 80])
    assert values(
        tools, "(-1, 0, 3).map(v => fig.scale((-1, 3), 80.0, false)(v))"
    ) == pytest.approx([0, 20, 80])


def test_ellipse_is_a_contour_of_its_gaussian(tools):
    points = np.array(
        values(tools, "fig.ellipse-points((1, -2), ((2.0, 0.8), (0.8, 0.5)), radius: 1.5)")
    )
    away = points - [1, -2]
    assert np.allclose((away @ np.linalg.inv([[2.0, 0.8], [0.8, 0.5]]) * away).sum(1), 1.5**2)


def test_normal_is_a_density(tools):
    drawn = np.array(values(tools, "fig.steps(-8, 10, 901).map(fig.normal(1, 1.5))"))
    assert np.isclose(np.trapezoid(drawn, dx=0.02), 1) and np.isclose(
        drawn.max(), 0.3989 / 1.5, atol=1e-4
    )


def test_the_palette_is_that_of_the_notebooks(tools):
    from dlcourse.plot import PALETTE

    names = "(fig.blue, fig.orange, fig.green, fig.pink, fig.gold, fig.sky).map(c => c.to-hex())"
    assert values(tools, names) == [colour.lower() for colour in PALETTE[:6]]


def test_the_tools_are_short_files():
    for file in (ROOT / TOOLS).glob("*.typ"):
        lines = file.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 250 and max(map(len, lines)) <= 120, file.name
