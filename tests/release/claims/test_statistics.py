"""The verdict on measured numbers, against t tables and by its own rule."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from dlcourse.release.claims.statistics import FAILS, HOLDS, UNDECIDED, compare, judge


def noisy(mean, spread, n=8, seed=0):
    """n numbers of exactly this mean and standard deviation."""
    drawn = np.random.default_rng(seed).normal(size=n)
    return (mean + spread * (drawn - drawn.mean()) / drawn.std(ddof=1)).tolist()


def test_the_interval_is_that_of_the_t_table():
    # 7 degrees of freedom: 2.365, so 8 gains of deviation 1 reach ± 2.365 / √8 = 0.836
    one = compare("rival", noisy(2.0, 1.0))
    assert [one.gain, one.low, one.high] == pytest.approx(
        [2.0, 2.0 - 0.8360, 2.0 + 0.8360], abs=1e-4
    )


def test_the_interval_is_that_of_a_paired_t_test():
    a, b = noisy(1.0, 2.0, seed=1), noisy(1.5, 2.0, seed=2)
    one = judge({"a": a, "b": b}, better="higher").strongest
    interval = ttest_rel(a, b).confidence_interval(0.95)
    assert (one.low, one.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize(("mean", "verdict"), [(0.9, HOLDS), (0.8, UNDECIDED), (-0.9, FAILS)])
def test_the_verdict_follows_from_the_interval(mean, verdict):
    assert compare("rival", noisy(mean, 1.0)).verdict == verdict


@pytest.mark.parametrize(("by", "verdict"), [(1.0, HOLDS), (2.0, UNDECIDED), (3.0, FAILS)])
def test_the_gain_must_exceed_what_the_sentence_says(by, verdict):
    assert compare("rival", noisy(2.0, 1.0), by).verdict == verdict


def test_a_claim_of_no_harm_may_lose_a_little():
    sides = {"with": noisy(0.89, 0.01), "without": noisy(0.9, 0.01)}
    assert judge(sides, "higher").verdict == FAILS
    assert judge(sides, "higher", by=-0.05).verdict == HOLDS


def test_equal_numbers_are_no_gain():
    assert judge({"a": [1.0] * 8, "b": [1.0] * 8}).verdict == FAILS


def test_lower_and_higher_are_mirror_images():
    sides = {"a": noisy(1.0, 0.1), "b": noisy(2.0, 0.1, seed=1)}
    low, high = judge(sides, "lower"), judge(sides, "higher")
    assert (low.verdict, high.verdict) == (HOLDS, FAILS)
    assert low.strongest.gain == pytest.approx(1.0) == pytest.approx(-high.strongest.gain)


def test_pairing_sees_what_the_spread_between_seeds_hides():
    hard = noisy(0.0, 5.0)
    sides = {"a": [x + 1 for x in hard], "b": hard}
    assert judge(sides, "higher").verdict == HOLDS
    assert judge(sides | {"b": hard[::-1]}, "higher").verdict == UNDECIDED


def test_the_strongest_rival_decides():
    sides = {"ours": [3.0] * 8, "weak": [1.0] * 8, "strong": noisy(3.1, 0.01)}
    judged = judge(sides, "higher")
    assert (judged.verdict, judged.strongest.rival) == (FAILS, "strong")


def test_the_trivial_answer_can_sink_a_claim_that_beats_its_rival():
    sides = {"GAN": [8.0] * 8, "naive": [1.0] * 8, "circle": [8.0] * 8}
    judged = judge(sides, "higher", trivial="circle")
    assert judged.verdict == FAILS == judged.trivial.verdict
    assert (judged.strongest.rival, judged.strongest.verdict) == ("naive", HOLDS)


@pytest.mark.parametrize(
    ("sides", "trivial", "told"),
    [
        ({"a": [1.0, 2.0]}, None, "two sides"),
        ({"a": [1.0], "b": [1.0]}, None, "two seeds"),
        ({"a": [1.0, 2.0], "b": [1.0, 2.0]}, "c", "no side 'c'"),
    ],
)
def test_what_cannot_be_compared_is_refused(sides, trivial, told):
    with pytest.raises(ValueError, match=told):
        judge(sides, trivial=trivial)


def test_in_every_seed_means_in_every_seed():
    sides = {"a": [2.0] * 7 + [1.1], "b": [1.0] * 7 + [1.2]}
    assert judge(sides, "higher").verdict == HOLDS
    assert judge(sides, "higher", every_seed=True).verdict == FAILS
    assert judge(sides | {"a": [2.0] * 8}, "higher", every_seed=True).verdict == HOLDS
