"""Every check of the course: its reference passes, each of its mistakes fails and is named, a blank
passes through.

New checks are found by themselves: a file in a room of dlcourse/checks with a Check in it is
    enough.
"""

import pytest
import torch
from answers import WARNINGS_ARE_ERRORS
from scans import all_checks, student

from dlcourse.checks.compare import differs
from dlcourse.checks.core import CheckFailed

pytestmark = WARNINGS_ARE_ERRORS
CHECKS = all_checks()
# Topics whose cases are whole runs, or networks of many layers: with `make test` only.
LONG = {
    "architectures.resnets",
    "architectures.unets",
    "cnns.blocks",
    "data.resumable",
    "image_diffusion.blocks",
    "wgan.gradient_penalty",
    "wgan.step",
}


def _marks(name):
    return [pytest.mark.slow] if name.rsplit(".", 1)[0] in LONG else []


MISTAKES = [
    pytest.param(check, mistake, marks=_marks(name))
    for name, check in CHECKS.items()
    for mistake in check.mistakes
]
MISTAKE_IDS = [
    f"{name}.{mistake.name}" for name, check in CHECKS.items() for mistake in check.mistakes
]
each_check = pytest.mark.parametrize(
    "check", [pytest.param(check, marks=_marks(name)) for name, check in CHECKS.items()], ids=CHECKS
)


def _frozen(value):
    """The value with the weights of its modules and the states of its
    generators written out, to compare."""
    if isinstance(value, torch.nn.Module):
        return dict(value.state_dict())
    if isinstance(value, torch.Generator):
        return value.get_state()
    if isinstance(value, (tuple, list)):
        return [_frozen(item) for item in value]
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return str(value.bit_generator.state) if hasattr(value, "bit_generator") else value


def _frozen_cases(check):
    torch.manual_seed(0)
    return [(case.label, _frozen(case.args)) for case in check.list_cases()]


def test_there_are_checks_to_test():
    assert {"first_network.losses.softmax", "gan.step.gan_step"} <= set(CHECKS)


@each_check
def test_a_check_knows_three_mistakes_and_says_why(check):
    assert len(check.mistakes) >= 3
    assert all(mistake.name and mistake.hint.endswith(".") for mistake in check.mistakes)
    # the message adds the full stop
    assert not any(mistake.name.endswith(".") for mistake in check.mistakes)


@each_check
def test_the_reference_passes(check, capfd):
    answer = student(check.reference)
    assert check(answer) is answer
    out, err = capfd.readouterr()
    assert out.startswith("✓") and err == ""


@each_check
def test_the_reference_raises_only_what_a_case_asks_for_and_leaves_no_trace(check):
    for one in check.list_cases():
        outcome = check.attempt(check.reference, one)
        assert outcome.error is None or isinstance(outcome.error, ValueError), one.label
        assert outcome.traces == (), one.label


@each_check
def test_what_a_blank_goes_on_with_passes(check):
    answer = student(check.substitute())
    assert check(answer) is answer


@pytest.mark.parametrize(("check", "mistake"), MISTAKES, ids=MISTAKE_IDS)
def test_a_mistake_fails_and_is_named(check, mistake, capfd):
    with pytest.raises(CheckFailed) as failure:
        check(student(mistake.function))
    assert f"Likely cause: {mistake.name}. {mistake.hint}" in str(failure.value)
    assert capfd.readouterr().err == ""


def _raises(*args, **kwargs):
    raise NotImplementedError("your code here")


def _returns_nothing(*args, **kwargs):
    """Body of an exercise whose region was emptied."""


@each_check
@pytest.mark.parametrize("blank", [_raises, _returns_nothing])
def test_a_blank_passes_through_and_scores_nothing(check, blank, monkeypatch, capfd):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert check(blank) is check.substitute()
    out, err = capfd.readouterr()
    assert out.startswith("○") and err == ""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(CheckFailed, match="not attempted"):
        check(blank)


@each_check
def test_cases_are_the_same_each_time_and_stay_as_they_are(check):
    before = _frozen_cases(check)
    check(student(check.reference))
    with pytest.raises(CheckFailed):
        check(student(check.mistakes[0].function))
    torch.manual_seed(1)  # a case that draws from the global generator would change with it
    after = [(case.label, _frozen(case.args)) for case in check.list_cases()]
    assert not differs(after, before, rtol=0, atol=0)
