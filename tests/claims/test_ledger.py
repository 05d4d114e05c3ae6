"""The ledger as it is committed, read again by its own rule; nothing is measured."""

from pathlib import Path

import pytest

from dlcourse.release.claims import ledger, page
from dlcourse.release.claims.registry import collect

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = {one.name: one for one in collect(ROOT)}
ROWS = ledger.load(ROOT)


def test_every_row_is_that_of_a_claim():
    assert set(ROWS) <= set(CLAIMS)


@pytest.mark.parametrize("name", ROWS)
def test_the_verdict_follows_from_the_numbers(name):
    row = ROWS[name]
    written = row.judged
    row.settle(CLAIMS[name])
    assert (row.judged is None) == (written is None)
    if written:
        assert (written.verdict, written.seeds) == (row.verdict, row.seeds)
        for one, other in ((written.strongest, row.judged.strongest),
                           (written.trivial, row.judged.trivial)):  # fmt: skip
            assert (one is None) == (other is None)
            if one:
                assert [one.gain, one.low, one.high] == pytest.approx(
                    [other.gain, other.low, other.high], rel=1e-4
                )


def test_the_page_shows_the_ledger():
    rows = ledger.load(ROOT)  # afresh: the tests above settle theirs again
    assert (ROOT / page.FILE).read_text(encoding="utf-8") == page.render(rows)


@pytest.mark.parametrize(
    "name",
    ["permuted_pixels", "residual_depth", "pairs_make_the_error_smaller", "wrong_pairs_obey",
     "oracle_is_at_the_floor"],
)  # fmt: skip
def test_what_a_critical_reader_found_good_holds(name):
    row = ROWS[name]
    row.settle(CLAIMS[name])
    if row.judged is None:  # `dlcourse verify` reports it
        pytest.skip(f"{row.seeds} of {CLAIMS[name].seeds} seeds are measured")
    assert row.verdict == "holds"
