import re

import numpy as np
import pytest
import torch

from dlcourse.checks import core
from dlcourse.checks.core import Check, CheckFailed, Mistake, case, milestone, progress


def softmax(z):
    return torch.softmax(z, -1)


Z = torch.tensor([[1.0, 2.0, 3.0], [0.0, 5.0, 1.0]], dtype=torch.float64)
CHECK = Check(
    "softmax",
    reference=softmax,
    cases=[case("one row", Z[:1]), case("two rows", Z), case("large logits", 1000 * Z)],
    mistakes=[
        Mistake("wrong axis", "Each row is one example.", lambda z: torch.softmax(z, 0)),
        Mistake(
            "overflow",
            "Subtract the largest logit first.",
            lambda z: z.exp() / z.exp().sum(-1, keepdim=True),
        ),
        Mistake("log", "You returned its logarithm.", lambda z: torch.log_softmax(z, -1)),
    ],
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(core, "OUTCOMES", {})
    monkeypatch.setattr(core, "MILESTONES", {})
    for name in ("NBGRADER_EXECUTION", "DLCOURSE_MILESTONES", "DLCOURSE_SMOKE"):
        monkeypatch.delenv(name, raising=False)


def failure(answer, check=CHECK):
    with pytest.raises(CheckFailed) as info:
        check(answer)
    assert core.OUTCOMES[check.name] == "failed"
    return str(info.value)


def test_a_right_answer_passes_through(capsys):
    def answer(z):
        shifted = (z - z.max(-1, keepdim=True).values).exp()
        return shifted / shifted.sum(-1, keepdim=True)

    assert CHECK(answer) is answer
    assert capsys.readouterr().out == "✓ softmax · 3 cases\n"


def not_written(z):
    raise NotImplementedError("your code here")


@pytest.mark.parametrize("blank", [not_written, lambda z: None])
def test_a_blank_is_replaced_by_the_reference(blank, capsys):
    assert CHECK(blank) is softmax
    assert capsys.readouterr().out == "○ softmax: not attempted yet, going on with the reference\n"
    assert core.OUTCOMES["softmax"] == "blank"


def test_running_the_check_cell_twice_does_not_turn_a_blank_into_a_pass():
    handed_back = CHECK(not_written)
    assert CHECK(handed_back) is softmax
    assert core.OUTCOMES["softmax"] == "blank"


@pytest.mark.parametrize("mode", ["autograde", "validate"])
def test_under_nbgrader_a_blank_fails(mode, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", mode)
    with pytest.raises(CheckFailed, match="not attempted"):
        CHECK(not_written)


def test_a_function_that_works_in_place_is_blank_only_if_it_writes_nothing():
    def written(function, z):
        function(z)
        if torch.equal(z, Z):
            raise NotImplementedError
        return z.clone()

    def doubled(z):
        z.mul_(2)

    check = Check("doubled", doubled, [case("a matrix", Z)], probe=written, returns=False)
    # the reference handed back stays blank
    assert check(doubled) is doubled and core.OUTCOMES["doubled"] == "blank"

    def answer(z):
        z.add_(z.clone())

    assert check(answer) is answer and core.OUTCOMES["doubled"] == "passed"
    with pytest.raises(CheckFailed):
        check(lambda z: z.add_(1) is None)
    assert check(lambda z: None) is doubled and core.OUTCOMES["doubled"] == "blank"


def test_a_half_written_class_is_blank():
    class Half:
        def __call__(self, z):
            raise NotImplementedError

    check = Check(
        "Half",
        softmax,
        [case("a row", Z)],
        probe=lambda f, z: (f() if isinstance(f, type) else f)(z),
    )
    assert check(Half) is softmax


def test_the_smallest_failing_case_is_shown_with_expected_and_got():
    message = failure(lambda z: torch.softmax(z, 0))
    assert message.startswith("✗ softmax · case 1 of 3: one row")
    assert "0.09003" in message and "[[1., 1., 1.]]" in message


@pytest.mark.parametrize("mistake", CHECK.mistakes, ids=lambda m: m.name)
def test_every_known_mistake_is_named(mistake):
    assert f"Likely cause: {mistake.name}. {mistake.hint}" in failure(mistake.function)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda z: -softmax(z), "opposite sign"),
        (lambda z: softmax(z) / 2, "0.5 times the expected one"),
        (lambda z: softmax(z) + 1, "off by the constant 1 everywhere"),
        (
            lambda z: softmax(z).T,
            r"should be \(1, 3\), yours is \(3, 1\) \(yours is its transpose\)",
        ),
        (lambda z: softmax(z).sqrt(), "largest difference is 0.25, at index .0, 1."),
        (lambda z: z / 0, "3 of your 3 values are inf or NaN"),
        (lambda z: "0.5", "should be a Tensor, yours is a str"),
        (lambda z: z.copy_(softmax(z)), "changed z in place"),
        (lambda z: softmax(z) @ z, "got: +RuntimeError: .*shapes"),
        (lambda logits: undefined_name, "NameError.*\n.*undefined_name"),  # noqa: F821
    ],
)
def test_a_mistake_outside_the_table_is_put_into_words(answer, words):
    message = failure(answer)
    assert re.search(words, message) and "Likely cause" not in message


def test_numpy_answers_and_tuples_are_compared_item_by_item():
    check = Check("pair", lambda x: (x.sum(), x.mean(0)), [case("a matrix", np.ones((2, 3)))])
    assert "Item 1 of 2 differs" in failure(lambda x: (6.0, x.mean(1)), check)
    assert "should have 2 items, yours has 1" in failure(lambda x: (6.0,), check)
    check(lambda x: (torch.tensor(6.0), torch.ones(3)))


def test_dicts_are_compared_entry_by_entry():
    check = Check(
        "halves", lambda x: {"w": x / 2, "b": x.sum()}, [case("a vector", np.array([1.0, 2.0]))]
    )
    assert "Entry 'b' of your dict is missing" in failure(lambda x: {"w": x / 2}, check)
    assert "Entry 'c' of your dict is not asked for" in failure(
        lambda x: {"w": x / 2, "b": 3.0, "c": 0}, check
    )
    assert "Entry 'w' differs. Your answer is 2 times the expected one" in failure(
        lambda x: {"w": x, "b": 3.0}, check
    )


def test_of_single_numbers_only_a_whole_factor_is_named():
    check = Check(
        "mean", lambda x: x.mean(), [case("four numbers", np.array([1.0, 2.0, 3.0, 5.0]))]
    )
    assert "4 times the expected one" in failure(lambda x: x.sum(), check)
    assert "times" not in failure(lambda x: x.mean() * 1.3, check)


def test_cases_are_cloned_so_that_nothing_carries_over():
    before = Z.clone()
    failure(lambda z: z.zero_())
    assert torch.equal(Z, before)


def test_warnings_do_not_reach_stderr(capfd):
    check = Check("one", lambda x: np.ones(1), [case("x", np.zeros(1))])
    failure(lambda x: 1 / x, check)
    assert capfd.readouterr().err == ""


def test_a_fallback_is_fetched_by_name():
    check = Check("MLP", softmax, [case("a row", Z)], fallback="dlcourse.models.mlp:MLP")
    assert check(not_written).__name__ == "MLP"


def test_passing_the_result_instead_of_the_function_is_explained():
    with pytest.raises(TypeError, match=r"write check.softmax\(softmax\), without brackets"):
        CHECK(softmax(Z))


def test_a_failed_check_shows_its_message_in_place_of_a_traceback():
    error = CheckFailed("one\ntwo")
    assert error._render_traceback_() == ["one", "two"]


def test_an_unknown_room_is_named_and_those_there_are_listed():
    with pytest.raises(
        ModuleNotFoundError,
        match="no room 'gans' in dlcourse.checks: architectures, cgan, .*, gan, ",
    ):
        core.sheet("gans")


def test_a_sheet_gathers_every_check_of_its_rooms():
    check = core.sheet("data", "repairs")
    assert {check.read_idx.name, check.clip_gradients.name} == {"read_idx", "clip_gradients"}
    names = [one.name for room in ("data", "repairs") for _, one in core.gather(room)]
    assert set(vars(check)) == {*names, "progress"}


def test_a_name_that_two_rooms_use_is_refused():
    with pytest.raises(ValueError, match="second check named 'diagnose'"):
        core.sheet("cnns", "architectures", "convolution")


def test_a_milestone_reports_and_raises_only_when_asked(monkeypatch, capsys):
    milestone("accuracy", torch.tensor(0.5), at_least=0.9)
    milestone("error", 0.1, at_most=0.2)
    assert capsys.readouterr().out == "✗ accuracy: 0.5 (at least 0.9)\n✓ error: 0.1 (at most 0.2)\n"
    monkeypatch.setenv("DLCOURSE_MILESTONES", "enforce")
    with pytest.raises(AssertionError, match="milestone missed: accuracy: 0.5"):
        milestone("accuracy", 0.5, at_least=0.9)
    with pytest.raises(AssertionError):
        milestone("accuracy", float("nan"), at_least=0.9)
    monkeypatch.setenv("DLCOURSE_SMOKE", "1")
    milestone("accuracy", 0.5, at_least=0.9)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("error")
def test_a_milestone_takes_a_loss_that_still_has_its_graph(capsys):
    milestone("loss", torch.tensor(0.5, requires_grad=True), at_most=1)
    assert capsys.readouterr().out == "✓ loss: 0.5 (at most 1)\n"


def test_a_milestone_without_a_bar_is_refused():
    with pytest.raises(ValueError, match="at_least"):
        milestone("accuracy", 0.5)


def test_progress_keeps_the_order_in_which_checks_were_run(capsys):
    core.OUTCOMES.update(zebra="passed", ant="passed")
    progress(["ant", "zebra", "bee"])
    assert "passed (2 of 3): zebra, ant" in capsys.readouterr().out


def test_progress_lists_what_passed_is_blank_failed_or_was_not_run(capsys):
    milestone("accuracy", 0.95, at_least=0.9)
    core.OUTCOMES.update(a="passed", b="blank", c="failed")
    capsys.readouterr()
    progress(["a", "b", "c", "d"])
    out = capsys.readouterr().out.splitlines()
    assert out[:5] == [
        "✓ accuracy: 0.95 (at least 0.9)",
        "✓ passed (1 of 4): a",
        "○ blank (1 of 4): b",
        "✗ failed (1 of 4): c",
        "· not run yet (1 of 4): d",
    ]
    assert re.fullmatch(r"Time since the set-up cell: \d+ min \d+ s", out[5])
