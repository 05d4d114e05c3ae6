"""Days and hours of a course, and dates that no calendar has."""

import numpy as np
import pytest
from release_fixtures import COURSE, complaint, make_course


def test_days_are_the_working_days_that_numpy_counts(tmp_path):
    """numpy.busday_offset counts them too."""
    for number in (2, 5, 17, 200):
        toml = COURSE.replace("number = 3", f"number = {number + 2}")
        last = make_course(tmp_path, toml=toml).days[-1].date
        first, holidays = np.datetime64("2023-11-30"), ["2023-12-04"]
        assert last == np.busday_offset(first, number + 1, holidays=holidays).item()


def test_a_holiday_is_given_once_and_on_a_working_day(tmp_path):
    said = complaint(tmp_path, "[2023-12-04]", "[2023-12-04, 2023-12-04]")
    assert "[course]: key 'holidays' has Mon 4 Dec 2023 twice: take one of the two out" in said
    said = complaint(tmp_path, "[2023-12-04]", "[2023-12-03]")
    assert "'holidays' has Sun 3 Dec 2023, a weekend, which is free anyway" in said


@pytest.mark.parametrize("start", ["11:59", "09:00", "00:00"])
def test_the_afternoon_begins_when_the_morning_is_over(tmp_path, start):
    said = complaint(tmp_path, '"14:00"', f'"{start}"')
    assert f"'morning' ends at 12:00, after key 'afternoon' starts at {start}: change one" in said
    assert make_course(tmp_path, toml=COURSE.replace('"14:00"', '"12:00"'))


@pytest.mark.parametrize("date", ["0023-11-30", "1999-11-30", "9999-12-30"])
def test_a_year_is_one_of_ours(tmp_path, date):
    said = complaint(tmp_path, "2023-11-30", date)
    assert f"[course]: key 'first_day' is in the year {date[:4]}: correct it" in said
