"""`dlcourse claims` on a true, a false and an undecidable claim; stopped, changed, too slow."""

import csv
import re

import claimed
import pytest

from dlcourse.release.claims import command, ledger, page
from dlcourse.release.claims.findings import check_claims
from dlcourse.release.claims.registry import collect
from dlcourse.release.claims.runner import measure_all
from dlcourse.release.claims.statistics import Comparison, Judgement
from dlcourse.release.claims.worker import STANDING_IN, measure, numbers
from dlcourse.release.cli import main

SOURCE = "Day01-Start/Day01_solutions.ipynb"
pytestmark = pytest.mark.slow  # each starts processes that import torch


def only(name):
    """The text of one claim of the three."""
    head, *parts = claimed.CLAIMS.split("\n\n@claim")
    return head + "\n\n@claim" + next(part for part in parts if f"def {name}(" in part)


def findings(course):
    return list(check_claims(course, course.notebooks()))


def test_a_true_a_false_and_an_undecidable_claim(course, capsys):
    assert not command.run(course)
    rows = ledger.load(course.root)
    verdicts = {name: row.verdict for name, row in rows.items()}
    assert verdicts == {"true": "holds", "false": "fails", "undecidable": "undecided"}
    assert all(row.seeds == 8 for row in rows.values())
    said = capsys.readouterr().out
    assert "holds      true: +" in said and "against as it is; +" in said and "(8 seeds, " in said
    false, undecided = findings(course)
    assert "day01.py: false: fails (" in false and "undecidable: undecided (" in undecided

    shown = (course.root / page.FILE).read_text(encoding="utf-8")
    assert "| Noise is as good. | fails | -" in shown and shown.count("\n## ") == 1
    lines = (course.root / ledger.FILE).read_text(encoding="utf-8").splitlines()[2:]
    row = next(row for row in csv.DictReader(lines) if row["claim"] == "true")
    assert (row["rival"], row["trivial"]) == ("as it is", "nothing")
    assert float(row["low"]) < float(row["gain"]) < float(row["high"])

    before = (course.root / ledger.FILE).read_bytes()
    command.run(course)
    assert (course.root / ledger.FILE).read_bytes() == before  # nothing was measured again


def test_the_command_says_by_its_status_whether_all_hold(course):
    claimed.store(course, only("true"))
    assert main(["claims", "Day01", "--root", str(course.root)]) == 0
    assert findings(course) == []
    claimed.store(course, only("false"))
    assert main(["claims", "--root", str(course.root)]) == 1
    assert list(ledger.load(course.root)) == ["false"]  # the row of what is gone goes, too


def test_a_stopped_run_goes_on(course):
    claimed.store(course, only("true"))
    command.run(course)
    rows = ledger.load(course.root)
    whole = {side: list(values) for side, values in rows["true"].values.items()}
    for values in rows["true"].values.values():
        del values[5:]
        values[0] = 77.0  # to be kept: seed 0 is not measured again
    ledger.save(course.root, rows)
    assert any("5 of 8 seeds are measured" in line for line in findings(course))
    command.run(course)
    found = ledger.load(course.root)["true"].values
    assert found == {side: [77.0, *values[1:]] for side, values in whole.items()}


def test_changed_code_is_measured_anew(course):
    claimed.store(course, only("true"))
    command.run(course)
    claimed.store(course, only("true").replace("-3 *", "-4 *"))
    assert ["its code has changed" in line for line in findings(course)] == [True]
    command.run(course)
    assert findings(course) == []


SLOW = """
@claim(NOTEBOOK, "Noise is as good.")
def slow(nb, seed):
    import time
    time.sleep(seed)
    print("not to be seen")
    return {"a": seed, "b": 1.0}
"""


def test_a_claim_over_its_limit_is_stopped_and_told(course, capfd):
    claimed.store(course, only("true").split("\n\n@claim")[0] + "\n" + SLOW)
    row = ledger.Row("slow", "code")
    tasks = [(collect(course.root)[0], row, SOURCE)]
    ((one, problem),) = measure_all(course.root, tasks, lambda one: None, limit=20)
    assert one.name == "slow" and 1 <= row.seeds <= 6
    told = f"stopped: {row.seeds} of 8 seeds within 20 s; make its experiment smaller"
    assert problem.startswith(told) and "not to be seen" not in capfd.readouterr().out
    # What it has is kept, and a new run does not begin where the limit is spent already.
    row.seconds = 20.0
    ((_, again),) = measure_all(course.root, tasks, lambda one: None, limit=20)
    assert again == problem


def broken(body):
    """The text of a claim whose function has this body."""
    head = only("true").split("\n\n@claim")[0]
    return head + f'\n\n@claim(NOTEBOOK, "Noise is as good.")\ndef one(nb, seed):\n    {body}\n'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return 1 / 0", "ZeroDivisionError: division by zero (day01.py, line"),
        ("import os; os._exit(3)", "its process died (exit status 3)"),
    ],
)
def test_a_claim_that_cannot_be_measured_says_why(course, capsys, body, told):
    claimed.store(course, broken(body))
    assert not command.run(course)
    assert told in capsys.readouterr().out
    assert len(findings(course)) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return {'a': 1.0}", "a dict of two sides at least"),
        ("return {'a': 1.0, 'b': float('inf')}", "'b' is inf: return a finite number"),
        ("return nb.nowhere", "Day01_solutions.ipynb defines no 'nowhere'"),
    ],
)
def test_a_result_that_cannot_be_judged_says_why(course, body, told):
    claimed.store(course, broken(body))
    with pytest.raises((ValueError, AttributeError), match=re.escape(told)):
        list(measure(course.root, "tests/claims/day01.py", "one", SOURCE, range(8)))


def test_real_data_and_stand_ins_are_not_mixed():
    row = ledger.Row("one", "code")
    row.add({"a": 1.0, "b": 2.0}, 1.0)
    with pytest.raises(ValueError, match="some seeds are of real data, others of a stand-in: have"):
        row.add({"a": 1.0, "b": 2.0}, 1.0, stand_in=True)
    assert row.seeds == 1


def test_the_page_is_the_same_from_measured_and_from_read_rows(tmp_path):
    row = ledger.Row("one", "code", notebook="N", sentence="S")
    rival = Comparison("b", 0.04154999, 0.0386500001, 0.044350001, "holds")
    row.judged = Judgement("holds", 8, rival, rival)
    (tmp_path / "tests/claims").mkdir(parents=True)
    ledger.save(tmp_path, {"one": row})
    assert page.render(ledger.load(tmp_path)) == page.render({"one": row})


def test_stand_ins_for_real_data_are_told(course):
    body = 'print("MNIST is not reachable: standing in 9 digits"); return {"a": 0, "b": seed + 1}'
    claimed.store(course, broken(body))
    command.run(course)
    shown = (course.root / page.FILE).read_text(encoding="utf-8")
    assert "| holds, on stand-in data |" in shown and ledger.load(course.root)["one"].data


def test_the_library_says_so_in_these_words(monkeypatch, capsys):
    from dlcourse.data import images

    def nowhere(name):
        raise ConnectionError

    monkeypatch.setattr(images, "torchvision_sets", nowhere)
    few = images.digits8()
    images._load("MNIST", lambda: images.Images("digits", few.x, few.y, None, None, ()), True)
    assert STANDING_IN in capsys.readouterr().out


def test_tensors_and_whole_numbers_are_numbers():
    import torch

    assert numbers({"a": torch.tensor(1.5), "b": 2}) == {"a": 1.5, "b": 2.0}
    with pytest.raises(ValueError, match="'b' is 'two'"):
        numbers({"a": 1, "b": "two"})
