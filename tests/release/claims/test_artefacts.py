"""The ledger against sentences of the first edition that a reader had found to be artefacts: each,
with its strongest rival beside it, must come out as *fails* or *undecided*, on small models."""

import functools
from pathlib import Path

import pytest

from dlcourse.release.claims.registry import collect, find_notebook
from dlcourse.release.claims.statistics import FAILS, HOLDS, UNDECIDED, judge
from dlcourse.release.claims.worker import measure
from dlcourse.release.course import reading

ROOT = Path(__file__).resolve().parents[3]
FOLDER = "tests/release/claims/artefacts"
ARTEFACTS = {one.name: one for one in collect(ROOT, FOLDER)}


@functools.cache
def measured(name):
    """side → its numbers on as many seeds as the claim asks for."""
    one = ARTEFACTS[name]
    path, values = find_notebook(reading.load(ROOT), one).source, {}
    for sides, _ in measure(ROOT, one.file, one.name, path, range(one.seeds)):
        for side, number in sides.items():
            values.setdefault(side, []).append(number)
    return values


def test_there_are_ten_and_each_day_named_has_one():
    assert len(ARTEFACTS) >= 10
    days = {one.notebook[:5] for one in ARTEFACTS.values()}
    assert days == {"Day01", "Day02", "Day05", "Day06", "Day07", "Day10", "Day12"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ARTEFACTS)
def test_an_artefact_does_not_hold(name):
    one = ARTEFACTS[name]
    values = measured(name)
    judged = judge(values, one.better, one.by, one.trivial)
    assert judged.verdict in (FAILS, UNDECIDED), values


# What the notebooks compared with: without the strongest rival the same numbers look convincing.
WEAK = {
    "learned_features": ("learned", "two features, 7 × 7"),
    "only_the_vae_draws": ("VAE", "autoencoder, N(0, I)"),
    "specks_hardly_disturb": ("specks", "chance"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WEAK)
def test_against_the_rival_of_the_notebook_it_would_have_held(name):
    one = ARTEFACTS[name]
    values = measured(name)
    assert judge({side: values[side] for side in WEAK[name]}, one.better).verdict == HOLDS
