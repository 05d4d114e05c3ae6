"""When things are out, and how a moment is written."""

import datetime

import pytest
from release_fixtures import COURSE, make_course

from dlcourse.release.course import records

DAY = datetime.date(2023, 11, 30)


@pytest.mark.parametrize(
    "later, morning, afternoon",
    [
        (0, "Thu 30 Nov 2023, 12:00", "Thu 30 Nov 2023, 17:00"),
        (1, "Fri 1 Dec 2023", "Fri 1 Dec 2023"),
        (3, "Sun 3 Dec 2023", "Sun 3 Dec 2023"),
    ],
)
def test_solutions_wait_for_the_end_of_their_session(tmp_path, later, morning, afternoon):
    toml = COURSE.replace("solutions_days_later = 1", f"solutions_days_later = {later}")
    sessions = make_course(tmp_path, toml=toml).days[0].sessions
    for session, shown in zip(sessions, (morning, afternoon), strict=True):
        for thing in (session, *session.notebooks):
            opens = records.solutions_open(thing)
            assert records.show_moment(opens) == shown
            assert records.released(thing, opens, solutions=True)
            early = opens - datetime.timedelta(minutes=1)
            assert not records.released(thing, early, solutions=True)


def test_a_date_means_its_first_minute(tmp_path):
    session = make_course(tmp_path).days[0].sessions[1]
    midnight = datetime.datetime(2023, 11, 30)
    for moment in (DAY, midnight, datetime.datetime(2023, 11, 30, 23, 59)):
        assert records.released(session, moment)
    assert not records.released(session, midnight - datetime.timedelta(minutes=1))
    assert records.show_moment(DAY) == records.show_moment(midnight) == "Thu 30 Nov 2023"
