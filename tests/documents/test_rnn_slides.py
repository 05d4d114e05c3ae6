"""The slides of Day 11: every number of their text computed anew, or listed as given."""

import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from prose import filled, loose_numbers, loose_relations, parts, sums
from test_rnn_slide_formulas import FORMULAS, SOURCE

DRAWN, TEXT = parts(SOURCE)

# --- values

STARTS = re.findall(r'#(?:slide|section)\("([^"]+)"', TEXT)
PAGE = {name: page for page, name in enumerate(STARTS, start=2)}  # the title is page 1
D, H = 10, 64
MLP = [H * T * D + H for T in (10, 100)]
CELL = H * D + H * H + H


def echo(w=0.5, steps=3):
    h, states = 0.0, []
    for x in [1] + [0] * (steps - 1):
        h = math.tanh(x + w * h)
        states.append(h)
    return states


ECHO = echo()
REST = echo(2, 100)[-1]
WORD = "abracadabra"
GROWING = np.array([[0.9, 2], [0, 0.9]])
NORMS = [np.linalg.norm(np.linalg.matrix_power(GROWING, n), 2) for n in range(81)]
PEAK = int(np.argmax(NORMS))


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


def bits(counts):
    """Entropy in bits of the shares that these counts make."""
    shares = np.array(list(counts.values())) / sum(counts.values())
    return float(-(shares * np.log2(shares)).sum())


PAIRS = {a: Counter(d for c, d in pairwise(WORD) if c == a) for a in WORD[:-1]}
KNOWING = sum(after.total() * bits(after) for after in PAIRS.values()) / (len(WORD) - 1)


def tempered(tau):
    weights = np.exp(np.array([2, 1, 0, -1]) / tau)
    return weights / weights.sum()


# --- the text

CLAIMS = [
    ("$H T D + H$], [{:,}], [{:,}]", *MLP),
    ("$H D + H^2 + H$], [{0:,}], [{0:,}]", CELL),
    ("$h_1 = tanh(1) = {:.3f}$", ECHO[0]),
    ("$h_2 = tanh({:.3f}) = {:.3f}$", 0.5 * ECHO[0], ECHO[1]),
    ("$h_3 = tanh({:.3f}) = {:.3f}$", 0.5 * ECHO[1], ECHO[2]),
    (
        "10000 dot 256$ numbers of {} bytes each are {:.0f} MB",
        np.float32().nbytes,
        32 * 10000 * 256 * 4 / 1e6,
    ),
    ("unit rests at $h = {:.4f}$", REST),
    ("$2 dot (1 - {:.4f}^2) = {:.3f}$ of the gradient", REST, 2 * (1 - REST**2)),
    ("After 20 steps: {}, {:.2f} and {:.6f}.", 1, 0.91**20, 3**-10),
    (r"$1 \/ sqrt(3) = {:.3f}$ for large", 1 / math.sqrt(3)),
    ("$1 - 0.3^2 = {:.2f}$ a step", 1 - 0.3**2),
    ("$0.9^100 = {:.1f} dot 10^(-5)$", 0.9**100 * 1e5),
    ("$1.1^100 = {:.0f}$", 1.1**100),
    ("*singular* value is {:.2f}, and", NORMS[1]),
    ("peaks at $n = {}$: {:.2f}.", PEAK, NORMS[PEAK]),
    (
        "$bg = (3, 4)$ has length ${:.0f}$. With $c = 1$ it becomes $({:.1f}, {:.1f})$",
        math.hypot(3, 4),
        3 / 5,
        4 / 5,
    ),
    ("to 1 gives $({}, {})$: another", *np.clip([3, 4], -1, 1)),
    ("steps leave $0.99^100 = {:.3f}$ with", 0.99**100),
    ("$0.5^100 = {:.1f} dot 10^(-31)$ with", 0.5**100 * 1e31),
    ("$4 (10 dot 64 + 64^2 + 2 dot 64) = {:.0f}$ numbers", 4 * (H * D + H * H + 2 * H)),
    ("$sigma(0) = {:.1f}$: memory", sigmoid(0)),
    *[(f"$sigma({a}) = {{:.3f}}$", sigmoid(a)) for a in (1, 3, 5)],
    ("$7 + 4 + 2 = {}$ real steps of {}.", 7 + 4 + 2, 3 * 7),
    ("a mean over all {} looks ${:.0f}$~% smaller", 21, 100 * (1 - 13 / 21)),
    ("run of 100 is faultless with $0.99^100 = {:.3f}$", 0.99**100),
    (
        "evenly among its {0}: $ln {0} = {1:.3f}$ nats $= {2:.2f}$ bits, perplexity {0}.",
        5,
        math.log(5),
        math.log2(5),
    ),
    ("each occurs: {:.2f} bits. Knowing the one before: {:.2f}.", bits(Counter(WORD)), KNOWING),
    ("{:.2f} is so low because", KNOWING),
    ("1024 steps in $log_2 1024 = {:.0f}$ rounds", math.log2(1024)),
    ("The first symbol gets {:.2f}, {:.2f}, {:.2f}.", *[tempered(tau)[0] for tau in (0.5, 1, 2)]),
    ("$0.6 dot 0.5 = {:.2f}$", 0.6 * 0.5),
    ("$0.4 dot 0.9 = {:.2f}$", 0.4 * 0.9),
    ("one unit too low costs {:.1f}, one too high {:.1f}.", max(0.9, -0.1), max(-0.9, 0.1)),
    ("below it lie {:.0f}~% of", 100 * 0.9),
    ("do {:.0f}~% fall between the {} and {} lines", 100 * (0.9 - 0.1), 0.1, 0.9),
    ("0.76 after the impulse",),
    ("forget gate 0.95 falls slowly to about {:.2f}", ECHO[0] * 0.95**11),
    ("0.99 to the n stays high for sixty steps, 0.8 to the n is gone after fifteen",),
    ("*Predictions*, slide {}: with", PAGE["An echo that fades"]),
    ("the recurrent unit of slide {} is near zero", PAGE["An echo that fades"]),
    ("settles at {:.4f} (slide {})", REST, PAGE["A product of Jacobians"]),
]

# What is given, so not computed: settings, years, data of the examples. One fragment of the text a
# line.
GIVEN = r"""
With $D = 10$, $H = 64$:
[$T = 10$], [$T = 100$]
at step 3" and "*storm* at step 4"
Start: $bh_0 = bf("0")$
One unit, $w_x = 1$, $w_h = 0.5$, $b = 0$
$x = (1, 0, 0, …)$
$w_h = -0.5$? With $w_h = 2$?
what happened 100 steps ago
$B = 32$, $T = 10000$, $H = 256$: $32 dot 10000 dot 256$
*needs* $s > 1$, which is
With $w_h = 2$ the unit
(Bengio et al. 1994)
states of 0.3, steeply
torch's own start
singular values are 1
lengths stay while $h = 0$
flat for an orthogonal matrix at state 0
uniform within $plus.minus 1 \/ sqrt(H)$
states of $0.3$ pass
(Pascanu et al. 2013)
Two series over twelve steps from the same height: the memory of a cell with forget gate 0.95 falls
with $w_h = 2$ it settles
[100 steps leave
Gold: $sigma$, from 0 to 1.
$gamma s < 1$ is *sufficient*
a straight line that climbs for 1.1, a flat one for 1, a straight line that falls for 0.9
Both eigenvalues are $0.9$
the dashed curve of 0.9 to the n
A long dashed arrow to (3, 4), a short one to (0.6, 0.8)
another to (1, 1)
value* to 1
with $f = 0.99$
with $f = 0.5$
Schmidhuber (1997)
et al. (2000)
$D = 10$, $H = 64$: $4 (
With bias 0
with bias 1 almost nothing after ten, with bias 3 about a third after twenty, with bias 5 still half
bias 1 or more (Jozefowicz et al. 2015)
(Cho et al. 2014)
`num_layers=2`
Logits 2, 1, 0, −1.
0.6 and then twice 0.5; B has 0.4, then 0.9 for C, drawn in orange, and 0.1 for D
$m = 12$ months, $k <= m$
Skill 0:
[$hat(y)_(t+1) = a + sum_(j=0)^(p-1) w_j y_(t-j)$]
$q = 0.9$: one unit
for q of 0.9
Gu et al. 2022
Gu & Dao 2023
et al. 2018)
A path of length 1 instead
forget bias 1 or more
$gamma <= 1$ largest slope
`chunk(4, dim=1)`
`lstm.bias_ih_l0[H:2*H] += 3`
The backward one ends at step 1: its half of `output[:, -1]`
(Bengio et al. 2015)
One symbol in 100 wrong
As $tau -> 0$
$k = 1$ is greedy
(Koenker & Bassett 1978)
Bahdanau et al. (2015)
with $w_h = -0.5$ the same sizes
Pascanu et al. (2013)
Karpathy (2015)
Olah (2015)
Athanasopoulos (2021)
""".strip().split("\n")

# Numbers that say where something stands, layout, or an index
PLACES = re.compile(
    r"Days? \d+|S4 |columns: (\d|\([^)]*fr[^)]*\))|column-gutter: \d+pt|share: \d+%|magnified: "
    r"\d+%|level: \d"
    r"|#v\(\d+pt\)|_l0|bf\(\"0\"\)"
    r"|_\(?[a-z]?[-+]?\d+|\(t ?[-+] ?1\)|[a-z)]\^2|T\^2|\$2 H\$|\$\(4 H, D\)\$|\$2\^L\$"
)

# Equalities that only name or describe something. One a line.
NAMED = r"""
$bd_t = partial L \/ partial bh_t$
$bJ_(t+1) = partial bh_(t+1) \/ partial bh_t$
gamma <= 1$ largest slope
$Wh^top Wh = bI$
[$hat(y)_(t+k) = y_t$]
[$hat(y)_(t+k) = y_(t+k-m)$]
""".strip().split("\n")


@pytest.mark.parametrize(
    "fragment, values", [(one[0], one[1:]) for one in CLAIMS], ids=[one[0] for one in CLAIMS]
)
def test_number_in_the_text(fragment, values):
    wanted = filled(fragment, *values)
    assert TEXT.count(wanted) == 1, f"the text should say, once: {wanted}"


def test_every_number_in_the_text_is_computed_or_given():
    known = [filled(*claim) for claim in CLAIMS] + GIVEN + list(FORMULAS)
    assert loose_numbers(TEXT, known, PLACES) == [], (
        "put these into CLAIMS with how they are computed, or into GIVEN"
    )


def test_every_equality_in_the_text_is_held_or_only_a_name():
    known = [filled(*claim) for claim in CLAIMS] + GIVEN + list(FORMULAS) + NAMED
    assert loose_relations(TEXT, known) == [], "`shows` it above a test, or put it into NAMED"


def test_every_sum_comes_out():
    found = list(sums(TEXT))
    wrong = [equation for equation, left, right, off in found if abs(left - right) > off]
    assert len(found) >= 8 and wrong == []


def test_what_the_text_says_in_words():
    assert all(0.4 < b / a < 0.55 for a, b in pairwise(ECHO))  # "halves the memory, roughly"
    assert round(ECHO[0], 2) == 0.76 and sigmoid(1) ** 10 < 0.05
    # "a third after twenty", "half after 100"
    assert 0.3 < sigmoid(3) ** 20 < 0.45 and 0.45 < sigmoid(5) ** 100 < 0.55
    assert 7 < max(NORMS) < 8  # "nearly eight"
    assert 0.99**60 > 0.5 and 0.8**15 < 0.05 and echo(steps=5)[-1] < 0.05
    assert tempered(0.5)[0] > 0.85 and 0.6 < tempered(1)[0] < 0.7 and tempered(2)[0] < 0.5


def test_slides_and_their_pictures():
    slides, sections = (
        re.findall(r'#slide\("([^"]+)"', TEXT),
        re.findall(r'#section\("([^"]+)"', TEXT),
    )
    assert 25 <= 1 + len(slides) + len(sections) <= 35 and len(set(slides)) == len(slides)
    alts = re.findall(r'alt: "([^"]*)"', TEXT)
    assert len(alts) == TEXT.count("#shown(") >= 15 and all(len(alt) > 80 for alt in alts)


def test_every_slide_is_one_page():
    typst = pytest.importorskip("typst")
    root = SOURCE.parents[1]
    pages = typst.compile(str(SOURCE), root=str(root), ignore_system_fonts=True, format="svg")
    assert len(pages) == 1 + TEXT.count("#slide(") + TEXT.count("#section(")
