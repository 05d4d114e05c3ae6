"""The dates and hours of a course: working days counted from the first one."""

import datetime

from dlcourse.release.course import records


class Plan:
    """What a day needs to know of the whole course: its dates and hours."""

    def __init__(self, general, root):
        self.root = root
        self.first_day = general.take("first_day", datetime.date)
        self.holidays = general.take_list("holidays", datetime.date, [])
        self.later = general.take("solutions_days_later", int, 0)
        if self.later < 0:
            general.fail(f"key 'solutions_days_later' is {self.later}: give 0 or more days")
        self.hours = {when: _hours(general, when) for when in ("morning", "afternoon")}
        if not self._works(self.first_day):
            why = "a holiday" if self.first_day in self.holidays else "at a weekend"
            shown = records.show_date(self.first_day)
            general.fail(f"key 'first_day' is {shown}, which is {why}: give the first teaching day")

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
            f'key {when!r} must be two times such as ["09:00", "12:00"], not {list(hours)}'
        )
    start, end = (general.check_time(when, value) for value in hours)
    if start >= end:
        general.fail(f"key {when!r} ends at {end}, before it starts at {start}: swap the times")
    return start, end
