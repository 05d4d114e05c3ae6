"""What tests of checks share: what a wrong and a right answer get, and marks that
turn every warning into an error."""

import pytest

from dlcourse.checks.core import CheckFailed

WARNINGS_ARE_ERRORS = [
    pytest.mark.filterwarnings("error"),  # a warning is stderr, and costs a student the points
    # not what the garbage collector finds of another test, e.g. an event loop that a kernel's
    # client left open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def message(check, answer):
    """What `check` says to a wrong answer; fails where the answer passes."""
    with pytest.raises(CheckFailed) as failure:
        check(answer)
    return str(failure.value)


def assert_caught(check, wrong, label, says):
    """Fails unless `check` stops the wrong answer at the case called `label`
    with a message that says `says`."""
    text = message(check, wrong)
    assert label in text.splitlines()[0], text
    assert says in text, text


def assert_passes(check, answer, capfd):
    """Fails unless `check` hands the right answer back, with its mark and without a warning."""
    assert check(answer) is answer
    out, err = capfd.readouterr()
    assert out.startswith("✓") and err == ""


def right_and_wrong(right, wrong):
    """Two parametrised tests: that right answers pass, and that wrong ones
    are caught by a helpful message.

    right: {name: (check, answer)}. wrong: {name: (check, answer, label of the
        case, what the message must say)}.
    """

    @pytest.mark.parametrize(("check", "answer"), right.values(), ids=right)
    def a_right_answer_written_differently_passes(check, answer, capfd):
        assert_passes(check, answer, capfd)

    @pytest.mark.parametrize(("check", "answer", "label", "says"), wrong.values(), ids=wrong)
    def an_unforeseen_mistake_is_caught(check, answer, label, says):
        assert_caught(check, answer, label, says)

    return a_right_answer_written_differently_passes, an_unforeseen_mistake_is_caught
