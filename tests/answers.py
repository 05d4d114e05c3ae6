"""What tests of checks share: the message that a wrong answer gets, and marks that turn every warning into an error."""

import pytest

from dlcourse.checks.core import CheckFailed

WARNINGS_ARE_ERRORS = [
    pytest.mark.filterwarnings("error"),  # a warning is stderr, and costs a student the points
    # not what the garbage collector finds of another test, e.g. an event loop that a kernel's client left open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def message(check, answer):
    """What `check` says to a wrong answer; fails where the answer passes."""
    with pytest.raises(CheckFailed) as failure:
        check(answer)
    return str(failure.value)
