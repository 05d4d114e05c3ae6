"""The search for unproved numbers and formulas finds them."""

import re

import pytest
from prose import Shows, filled, formulas, loose_numbers, loose_relations, sums, value

TEXT = (
    "In Section 3 we have $x = 2$, so $y = 1/2 ln 4 = 0.693$ and $ p(y|x) = x^2 / y . $ About 17 "
    "of them."
)
PLACES = re.compile(r"Section \d+")


def test_a_number_that_nobody_holds_is_named():
    known = ["$x = 2$", "$y = 1/2 ln 4 = 0.693$", "p(y|x) = x^2 / y ."]
    (loose,) = loose_numbers(TEXT, known, PLACES)
    assert "17" in loose and loose_numbers(TEXT, [*known, "About 17"], PLACES) == []
    with pytest.raises(AssertionError, match="not in the text any more"):
        loose_numbers(TEXT, ["$x = 3$"], PLACES)


def test_an_equality_that_nobody_holds_is_named():
    known = ["$x = 2$", "$y = 1/2 ln 4 = 0.693$"]
    (loose,) = loose_relations(TEXT, known)
    assert "p(y|x)" in loose and loose_relations(TEXT, [*known, "p(y|x) = x^2"]) == []
    assert (
        len(loose_relations("If $a <= b$ and $c approx d$, $e prop f$ or $g > h$, then a = b.", []))
        == 4
    )


@pytest.mark.parametrize(
    "written, wanted",
    [
        ("-1/2 ln(20 pi) - 25 \\/ 20", -3.3202),
        ("1/2 ln(2 pi e dot 5)", 2.2237),
        ("0.8 (18\\/4 + 20)", 19.6),
        ("50 sqrt(1 - 0.8^2)", 30),
        ("4.9 dot 10^(-6)", 4.9e-6),
        ("100 e^(-1)", 36.788),
        ("7 times 7", 49),
        ("ln p(x)", None),
        ("sigma_x", None),
        ("ln pi \\/ 2", None),
        ("0))", None),
    ],
)
def test_value_of_one_side(written, wanted):
    assert value(written) == (wanted if wanted is None else pytest.approx(wanted, rel=1e-4))


@pytest.mark.parametrize(
    "equation, right",
    [
        ("1/2 ln 4 = 0.693", True),
        ("1/2 ln 4 = 0.694", False),
        ("2 + 3 = 6", False),
        ("1/3 = 0.33", True),
        ("x > 0.1 dot 2 = 0.3", False),
        ("2 dot 0.01 = 2.0 dot 10^(-2)", True),
        ("2 dot 0.01 = 2.0 dot 10^(-3)", False),
    ],
)
def test_a_sum_that_does_not_come_out_is_found(equation, right):
    ((_, a, b, off),) = sums(f"so $z = {equation}$ .")
    assert (abs(a - b) <= off) == right


def test_a_displayed_formula_that_no_test_holds_is_named():
    shows = Shows()
    assert formulas(TEXT)[0] == ["p(y|x) = x^2 / y"] == shows.lacks(TEXT)
    # a beginning is not the whole
    assert shows("p(y|x) = x^2")(print) is print and shows.lacks(TEXT) != []
    shows("p(y|x) = x^2 / y .")
    assert shows.lacks(TEXT) == []


def test_a_minus_in_a_table():
    assert filled("[{:.1f}], [{:.1f}], {:.0f}", -1.25, 2, -3) == "[−1.2], [2.0], -3"
