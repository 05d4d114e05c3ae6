"""What `verify` says of the ledger, without measuring anything."""

import claimed
import nbformat
import pytest

from dlcourse.release.claims import ledger
from dlcourse.release.claims.findings import check_claims
from dlcourse.release.claims.registry import collect
from dlcourse.release.notebook.source import read_notebook

SOURCE = "Day01-Start/Day01_solutions.ipynb"


def pretend(course, better=1.0):
    """A ledger in which every claim's first side wins on each of eight seeds."""
    rows, nb = {}, read_notebook(course.root / SOURCE)
    for one in collect(course.root):
        rows[one.name] = row = ledger.Row(one.name, ledger.code_of(course.root, one, nb, SOURCE))
        sign = 1 if one.better == "higher" else -1
        for seed in range(8):
            sides = {"ours": sign * better + 0.01 * seed, "theirs": 0.0, "nothing": 0.0}
            row.add(sides, 0.1)
        row.settle(one)
    ledger.save(course.root, rows)
    return rows


def findings(course):
    return list(check_claims(course, course.notebooks()))


def change(course, old, new):
    path = course.root / SOURCE
    nb = nbformat.read(path, 4)
    for cell in nb.cells:
        cell.source = cell.source.replace(old, new)
    nbformat.write(nb, path)


def test_a_ledger_in_order_has_no_findings(course):
    pretend(course)
    assert findings(course) == []


def test_what_was_never_measured_is_told(course):
    assert [line.split(": ", 2)[2] for line in findings(course)] == [
        "was never measured; run `dlcourse claims`"
    ] * 3


def test_a_sentence_that_is_gone_is_told(course):
    pretend(course)
    change(course, "Noise is as good", "Noise is nearly as good")
    (line,) = findings(course)
    assert "day01.py: false: its sentence no longer stands in Day01-Start/Day01_solu" in line


def test_emphasis_and_line_breaks_do_not_matter(course):
    pretend(course)
    change(course, "*loss*\non", "loss\n on")
    assert findings(course) == []


def test_a_claim_that_does_not_hold_is_told_with_its_numbers(course):
    pretend(course, better=-1.0)
    lines = findings(course)
    assert len(lines) == 3 and all(": fails (" in line for line in lines)
    assert "against theirs); say in Day01-Start/Day01_solutions.ipynb what was seen" in lines[0]


@pytest.mark.parametrize(("old", "new"), [("SCALE = 2.0", "SCALE = 3.0"), ("shift +", "shift -")])
def test_a_ledger_older_than_the_notebooks_code_is_told(course, old, new):
    pretend(course)
    change(course, old, new)
    lines = findings(course)
    assert lines and all("its code has changed since it was measured" in line for line in lines)
    assert any("true: " in line for line in lines)


def test_a_change_that_no_claim_uses_is_no_finding(course):
    pretend(course)
    change(course, "runs = ", "# others\nruns = ")
    change(course, "range(3)", "range(4)")
    assert findings(course) == []


def test_a_ledger_older_than_the_claim_is_told(course):
    pretend(course)
    claimed.store(course, claimed.CLAIMS.replace("draw(seed + 100)", "draw(seed + 200)"))
    (line,) = findings(course)
    assert "undecidable: its code has changed" in line


def test_a_rule_that_has_changed_judges_the_same_numbers_anew(course):
    pretend(course)
    claimed.store(course, claimed.CLAIMS.replace('as good.", better', 'as good.", by=5.0, better'))
    (line,) = findings(course)
    assert "false: fails (+1.0" in line


def test_rows_without_a_claim_are_told(course):
    rows = pretend(course)
    rows["gone"] = ledger.Row("gone", "0", rows["true"].values)
    ledger.save(course.root, rows)
    assert findings(course) == [
        "tests/claims/ledger.csv: no claim is named gone; run `dlcourse claims`"
    ]


def test_a_name_that_the_notebook_has_lost_is_told(course):
    pretend(course)
    change(course, "SCALE = 2.0", "")
    (line,) = findings(course)
    assert "true: Day01-Start/Day01_solutions.ipynb defines no 'SCALE'" in line


def test_only_the_notebooks_asked_for_are_looked_at(course):
    lecture = [one for one in course.notebooks() if one.solutions is None]
    assert list(check_claims(course, lecture)) == []


def test_a_merge_conflict_in_the_ledger_is_told(course):
    path = course.root / ledger.FILE
    path.write_text("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n")
    (line,) = findings(course)
    assert line.startswith("tests/claims/ledger.csv: ") and "conflict" in line


def test_verify_reads_the_ledger(course):
    from dlcourse.release.build import build
    from dlcourse.release.verify.verify import verify

    build(course)
    told = [line for line in verify(course) if "was never measured" in line]
    assert len(told) == 3
