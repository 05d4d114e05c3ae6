"""The dates and hours of a course: working days counted from the first one."""

import datetime

from dlcourse.release.course import records
from dlcourse.release.course.tables import quoted


class Plan:
    """What a day needs to know of the whole course: its dates and hours."""

    def __init__(self, general, root):
        self.root = root
        self.first_day = general.take("first_day", datetime.date)
        self.holidays = general.take_list("holidays", datetime.date, [])
        self.later = general.take_number("solutions_days_later", 0, 365, 0)
        self.hours = {when: _hours(general, when) for when in ("morning", "afternoon")}
        ends, starts = self.hours["morning"][1], self.hours["afternoon"][0]
        if ends > starts:
            general.fail(
                f"key 'morning' ends at {ends}, after key 'afternoon' starts at {starts}: change "
                "one of the two"
            )
        if not 2000 <= self.first_day.year <= 2100:
            general.fail(f"key 'first_day' is in the year {self.first_day.year:04}: correct it")
        if not self._works(self.first_day):
            why = "a holiday" if self.first_day in self.holidays else "at a weekend"
            shown = records.show_date(self.first_day)
            general.fail(f"key 'first_day' is {shown}, which is {why}: give the first teaching day")
        self._check_holidays(general)

    def _check_holidays(self, general):
        for number, date in enumerate(self.holidays):
            shown = f"key 'holidays' has {records.show_date(date)}"
            if date in self.holidays[:number]:
                general.fail(f"{shown} twice: take one of the two out")
            if date.weekday() > 4:
                general.fail(f"{shown}, a weekend, which is free anyway: correct it or take it out")

    def _works(self, date):
        return date.weekday() < 5 and date not in self.holidays

    def date(self, number):
        """The date of day `number`: the working days are counted from first_day, which is day 1."""
        date = self.first_day
        while number > 1:
            date += datetime.timedelta(days=1)
            number -= self._works(date)
        return date


def _hours(general, when):
    hours = general.take_list(when, str)
    if len(hours) != 2:
        general.fail(
            f'key {when!r} must be two times such as ["09:00", "12:00"], not {quoted(list(hours))}'
        )
    start, end = (general.check_time(when, value) for value in hours)
    if start >= end:
        general.fail(f"key {when!r} ends at {end}, before it starts at {start}: swap the times")
    return start, end
