"""What a check makes of an answer, and what it says."""

import re
import sys

import numpy as np
import pytest
import torch
from answers import message

from dlcourse.checks import check as check_file
from dlcourse.checks.core import Check, CheckFailed, Mistake, Untouched, case
from dlcourse.checks.probes import with_gradient


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


def of(value, *flags):
    """A check whose right answer is `value`, whatever the argument."""
    return Check("answer", lambda x: value, [case("a case", 1)], **dict.fromkeys(flags, True))


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(check_file, "OUTCOMES", {})
    monkeypatch.setattr(check_file, "JUDGED", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def failure(answer, check=CHECK):
    text = message(check, answer)
    assert check_file.OUTCOMES[check.name] == "failed"
    assert len(text.splitlines()) <= 20
    return text


def test_a_right_answer_passes_through(capsys):
    def answer(z):
        shifted = (z - z.max(-1, keepdim=True).values).exp()
        return shifted / shifted.sum(-1, keepdim=True)

    assert CHECK(answer) is answer
    assert capsys.readouterr().out == "✓ softmax · 3 cases\n"


def stub(z):
    """As in a student's notebook."""
    raise NotImplementedError("your code here")


def empty(z):
    """A region that was emptied."""


@pytest.mark.parametrize("blank", [stub, empty])
def test_a_blank_is_replaced_by_the_reference(blank, capsys):
    assert CHECK(blank) is softmax
    assert capsys.readouterr().out == "○ softmax: not attempted yet, going on with the reference\n"
    assert check_file.OUTCOMES["softmax"] == "blank"


def test_a_blank_checked_again_asks_whether_its_cell_was_run(capsys):
    handed_back = CHECK(stub)
    assert CHECK(handed_back) is softmax
    assert check_file.OUTCOMES["softmax"] == "blank"
    assert "run the cell with your code first" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["autograde", "validate"])
def test_under_nbgrader_a_blank_fails(mode, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", mode)
    with pytest.raises(CheckFailed, match="not attempted"):
        CHECK(stub)


def no_return(z):
    softmax(z)


def not_for_whole_numbers(z):
    return torch.arange(3).softmax(0)


def other_words(z):
    raise NotImplementedError("an unknown kind")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (no_return, "None: is `return` missing?"),
        (not_for_whole_numbers, "not implemented for 'Long'"),  # torch 2.6: a RuntimeError
        (other_words, "NotImplementedError: an unknown kind"),
    ],
)
def test_what_was_attempted_is_no_blank(answer, words):
    assert words in failure(answer)


def test_a_half_written_class_is_blank():
    class Half:
        def __call__(self, z):
            raise NotImplementedError("your code here")

    def probe(kind, z):
        return (kind() if isinstance(kind, type) else kind)(z)

    check = Check("Half", softmax, [case("a row", Z)], probe=probe)
    assert check(Half) is softmax


def test_a_function_that_works_in_place_and_changes_nothing_has_failed():
    def written(function, z):
        before = z.clone()
        function(z)
        if torch.equal(z, before):
            raise Untouched("nothing was doubled")
        return z.clone()

    def doubled(z):
        z.mul_(2)

    def answer(z):
        z.add_(z.clone())

    check = Check("doubled", doubled, [case("a matrix", Z)], probe=written)
    assert check(answer) is answer
    assert check(empty) is doubled
    assert "got:          nothing was doubled" in failure(no_return, check)
    assert "should have been changed" not in failure(lambda z: z.add_(1), check)


def test_the_smallest_failing_case_is_shown_with_expected_and_got():
    text = failure(lambda z: torch.softmax(z, 0))
    assert text.startswith("✗ softmax · case 1 of 3: one row")
    assert "0.09003" in text and "[[1., 1., 1.]]" in text


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
        (lambda z: "0.5", "should be a tensor, yours is a string"),
        (lambda z: softmax(z).numpy(), "should be a tensor, yours is a NumPy array"),
        (lambda z: softmax(z).half(), "differ"),
        (lambda z: z.copy_(softmax(z)), "changed z in place"),
        (lambda z: softmax(z) @ z, "got: +RuntimeError: .*shapes"),
        (lambda logits: undefined_name, "NameError.*\n.*undefined_name"),  # noqa: F821
        (lambda z: torch.manual_seed(0) and softmax(z), "seeds PyTorch's global generator"),
        (lambda z: torch.set_grad_enabled(False) and softmax(z), "leaves gradients switched off"),
        (lambda z: torch.set_default_dtype(z.dtype) or softmax(z), "default dtype"),
        (lambda z: sys.exit(), "SystemExit"),
    ],
)
def test_a_mistake_outside_the_table_is_put_into_words(answer, words):
    text = failure(answer)
    assert re.search(words, text)
    assert "Likely cause" not in text and "One possibility" not in text


def wrong_axis_later(z):
    return torch.softmax(z, 0) if z.abs().max() > 100 else softmax(z)


def test_a_cause_that_another_case_refutes_is_not_named():
    # the wrong axis explains case 3, but it would have failed in case 1
    assert "case 3 of 3" in failure(wrong_axis_later)
    assert "wrong axis" not in failure(wrong_axis_later)


def test_a_cause_that_one_later_case_refutes_is_called_a_possibility():
    cases = [case("one", 1.0), case("two", 2.0), case("three", 3.0), case("four", 4.0)]
    double = Mistake("doubled", "Once is enough.", lambda x: 2 * x)
    check = Check("same", lambda x: x, cases, [double])
    assert "One possibility: doubled" in failure(lambda x: 2 * x if x < 4 else -x, check)
    assert "doubled" not in failure(lambda x: 2 * x if x < 2 else -x, check)


def raising(text):
    def answer(x):
        raise IndexError(text)

    return answer


def test_an_error_of_the_same_type_alone_names_nothing():
    reads_too_far = Mistake("reads too far", "Stop one earlier.", raising("index 3"))
    check = Check("last", lambda x: x, [case("one", 1.0)], [reads_too_far])
    assert "Likely cause: reads too far" in failure(raising("index 3"), check)
    assert "reads too far" not in failure(raising("pop from an empty list"), check)


def test_a_case_may_ask_for_an_error_of_a_type():
    def refusing(x):
        raise ValueError("x must be positive")

    check = Check("root", refusing, [case("below 0", -1.0)])
    own = check(lambda x: (_ for _ in ()).throw(ValueError("no root")))
    assert own is not refusing
    assert "expected:     ValueError: x must be positive" in failure(lambda x: 0.0, check)


class Mute(Exception):
    def __str__(self):
        raise RuntimeError


def mute(z):
    raise Mute


def test_an_exception_that_cannot_be_printed_is_named():
    assert "Mute: (an exception that cannot be printed)" in failure(mute)


def test_long_exceptions_are_cut_and_the_line_of_the_library_is_not_blamed():
    def answer(z):
        return re.compile("(" + "x" * 1000)

    text = failure(answer)
    assert max(map(len, text.splitlines())) < 400
    assert 're.compile("("' in text.splitlines()[-1]


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (torch.ones(2), torch.ones(2, dtype=torch.float64), "dtype should be float32, yours is fl"),
        (torch.tensor([1]), torch.tensor([1.0]), "dtype should be int64, yours is float32"),
        (torch.tensor([True]), torch.tensor([1]), "dtype should be bool, yours is int64"),
        (np.ones(2, np.float32), np.ones(2), "dtype should be float32, yours is float64"),
        (np.ones(2, bool), np.ones(2), "dtype should be bool, yours is float64"),
        (3, 3.0, "should be an int (a whole number), yours is a float"),
        (True, 1, "should be a bool (True or False), yours is an int"),
        (0.5, torch.tensor(0.5), "should be a float, yours is a tensor"),
        (torch.tensor(0.5), 0.5, "should be a tensor, yours is a float"),
        (0.5, np.array(0.5), "should be a float, yours is an array of shape ()"),
        (np.ones(2), np.array(["a", "b"]), "should hold numbers"),
        (np.ones(2), np.array([None, 1]), "should hold numbers"),
        (torch.ones(1), torch.ones(1, device="meta"), "should lie on cpu, yours lies on meta"),
        ((1.0,), None, "None: is `return` missing?"),
        (("a",), (2,), "should be a string, yours is an int"),
        ({"w": 1.0}, [1.0], "should be a dictionary, yours is a list"),
        ({"w": 1.0, "b": 2.0}, {"w": 1.0}, "The entry 'b' is missing"),
        ({"w": 1.0}, {"w": 1.0, "c": 2.0}, "The entry 'c' is not asked for"),
        ((1.0, 2.0), (1.0,), "should have 2 items, yours has 1"),
        (torch.tensor([1, 2, 3]), torch.tensor([1, 4, 6]), "2 of 3 values differ, the first at in"),
        (np.array([1.0, np.nan]), np.array([1.0, 0.0]), "Expected is nan at index [1], yours is 0"),
    ],
)
def test_kinds_and_dtypes_are_compared(expected, got, words):
    assert words in failure(lambda x: got, of(expected))


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (0.5, np.float32(0.5)),
        (1.0, 1),
        (3, np.int32(3)),
        (True, np.bool_(True)),
        (np.array([1, 2]), np.array([1, 2], np.int32)),
        ((1.0, 2.0), [1.0, 2.0]),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan])),
    ],
)
def test_what_is_as_good_passes(expected, got):
    of(expected)(lambda x: got)


def test_where_the_text_leaves_it_open_so_does_the_check():
    of(torch.ones(2), "any_kind")(lambda x: np.ones(2, np.float32))
    of(torch.ones(2), "any_dtype")(lambda x: torch.ones(2).double())
    assert "dtype" in failure(lambda x: np.ones(2), of(torch.ones(2), "any_kind"))


def test_float32_will_do_where_a_case_asks_in_float64():
    answer = CHECK(lambda z: softmax(z).float())
    assert answer is not softmax
    strict = Check("softmax", softmax, CHECK.cases, single=False)
    assert "should be float64" in failure(lambda z: softmax(z).float(), strict)


def test_only_the_part_that_differs_is_shown():
    check = of({"w": torch.zeros(2), "b": (1.0, 2.0)})
    text = failure(lambda x: {"w": torch.zeros(2), "b": (1.0, 4.0)}, check)
    assert "Entry 'b', item 2 of 2 differs. Your answer is 2 times the expected one" in text
    assert "expected:     2\n" in text and "0." not in text


def test_of_single_numbers_only_a_whole_factor_is_named_and_of_whole_numbers_none():
    assert "4 times the expected one" in failure(lambda x: 4.0, of(1.0))
    assert "times" not in failure(lambda x: 1.3, of(1.0))
    assert "times" not in failure(lambda x: 1e6, of(1.0))
    assert "times" not in failure(lambda x: 8, of(2))
    assert "times" not in failure(lambda x: torch.tensor([2, 4]), of(torch.tensor([1, 2])))


def test_a_long_message_keeps_its_end():
    cases = [case("many", *[torch.randn(3, 3) for _ in range(9)])]
    check = Check("total", lambda *args: sum(args).sum(), cases)
    text = failure(lambda a, b, c, d, e, f, g, h, i: a.sum() * 0, check)
    assert "  …" in text.splitlines() and "largest difference" in text.splitlines()[-1]


def test_arguments_are_called_by_the_names_that_the_probe_has_for_them():
    def probe(function, rate, rounds):
        return function(rate) * rounds

    check = Check("half", lambda x: x / 2, [case("a rate", 0.5, 3)], probe=probe)
    assert "  rate:" in failure(lambda x: x, check) and "  rounds:" in failure(lambda x: x, check)


def test_a_probe_that_goes_on_with_none_asks_for_a_return():
    def probe(function, x):
        return function(x) + 1

    check = Check("same", lambda x: x, [case("one", 1.0)], probe=probe)
    assert "got:          None: is `return` missing?" in failure(lambda x: None if x else 1, check)
    assert "TypeError" in failure(lambda x: "a", check)


def test_what_an_earlier_call_leaves_behind_is_found():
    def answer(z, calls=[]):  # noqa: B006
        calls.append(z)
        return softmax(z) if len(calls) < 4 else softmax(z) + len(calls)

    text = failure(answer)
    assert text.startswith("✗ softmax · case 1 once more, after all 3: one row")
    assert "does something of an earlier call stay behind?" in text


def test_a_print_is_shown_once_and_stderr_stays_empty(capfd):
    def answer(z):
        print("shape", tuple(z.shape))
        print("debugging", file=sys.stderr)
        return softmax(z)

    CHECK(answer)
    out, err = capfd.readouterr()
    assert out.count("shape") == 1 and out.count("debugging") == 1 and err == ""
    assert failure(lambda z: print("x" * 5000)).count("x") < 600


def test_an_endless_loop_is_stopped_and_its_case_named(monkeypatch):
    def endless(z):
        while z.abs().max() > 100:
            z = z.clone()
        return softmax(z)

    monkeypatch.setattr(check_file, "SECONDS", 0.3)
    text = failure(endless)
    assert "case 3 of 3" in text and "Is there a loop that never ends?" in text


def test_an_interrupt_says_which_case_was_running(capsys):
    def interrupted(z):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CHECK(interrupted)
    assert "softmax was interrupted in case 1: one row" in capsys.readouterr().out


def test_cases_are_cloned_so_that_nothing_carries_over():
    before = Z.clone()
    failure(lambda z: z.zero_())
    assert torch.equal(Z, before)


def test_warnings_do_not_reach_stderr(capfd):
    failure(lambda x: 1 / x, Check("one", lambda x: np.ones(1), [case("x", np.zeros(1))]))
    assert capfd.readouterr().err == ""


def test_a_fallback_is_fetched_by_name():
    check = Check("MLP", softmax, [case("a row", Z)], fallback="dlcourse.models.mlp:MLP")
    assert check(stub).__name__ == "MLP"


def test_passing_the_result_instead_of_the_function_is_explained():
    with pytest.raises(TypeError, match=r"write check.softmax\(softmax\), without brackets"):
        CHECK(softmax(Z))


def test_a_failed_check_shows_its_message_in_place_of_a_traceback():
    error = CheckFailed("one\ntwo")
    assert error._render_traceback_() == ["one", "two"]


def mean_square(prediction, target):
    return (prediction - target).square().mean()


LOSS = Check(
    "mean_square",
    mean_square,
    [case("two", torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0]))],
    probe=with_gradient(0),
)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda p, t: mean_square(p, t).item(), "should be a tensor, yours is a float"),
        (lambda p, t: mean_square(p, t).detach(), "cut off"),
        (lambda p, t: mean_square(p.detach(), t) + 0 * p.sum(), "Entry 'gradient by p' differs"),
        (lambda p, t: mean_square(p.double(), t), "dtype should be float32"),
        (lambda p, t: (p - t).square(), "shape should be ()"),
    ],
)
def test_the_probe_of_a_loss_looks_at_its_gradient_too(answer, words):
    assert words in failure(answer, LOSS)
    assert LOSS(lambda p, t: ((t - p) ** 2).sum() / 2)
