"""What holds between the entries of course.toml, once each has been read."""

import datetime

from dlcourse.release.course.records import show_date


def check(course, plan, top):
    """Raises CourseError for days out of order, files with two owners, holidays outside the
    course and coursework that is due before it is out. top: the Table of the whole file."""
    _check_numbers(course, top)
    _check_files(course, top)
    _check_holidays(course, plan, top)
    _check_coursework(course, top)
    _check_continued(course, top)


def _check_numbers(course, top):
    numbers = [day.number for day in course.days]
    for before, after in zip(numbers, numbers[1:], strict=False):
        if after <= before:
            top.fail(f"day {after} comes after day {before}: number the days upwards, each once")


def _check_files(course, top):
    """One file has one owner: two entries of the same name would overwrite each other, as would
    two that differ in capitals alone, on Windows and macOS."""
    seen = set()
    for path in [path for one in course.notebooks() for path in one.paths] + [
        pdf.path for pdf in course.pdfs()
    ]:
        if path.casefold() in seen:
            top.fail(f"{path} is named twice: every file belongs to one entry")
        seen.add(path.casefold())


def _check_holidays(course, plan, top):
    """One outside the course is most often last year's."""
    last = course.days[-1].date
    for date in plan.holidays:
        if not course.first_day < date < last:
            top.fail(
                f"[course]: key 'holidays' has {show_date(date)}, and the course runs from "
                f"{show_date(course.first_day)} to {show_date(last)}: correct it or take it out"
            )


def _check_coursework(course, top):
    moments = {}
    for session in course.sessions():
        one = session.coursework
        if one is None:
            continue
        key = (one.number, one.event)
        if key in moments:
            top.fail(
                f"day {session.day}, {session.when}: coursework {one.number} is {one.event} a "
                "second time: give it another number, or take one of the two out"
            )
        at = datetime.time.fromisoformat(one.at)
        moments[key] = datetime.datetime.combine(session.date, at)
    for (number, event), due in moments.items():
        if event == "due" and due <= moments.get((number, "released"), datetime.datetime.min):
            top.fail(
                f"coursework {number} is due on {show_date(due)} at {due:%H:%M}, not after its "
                "release: correct one of the two"
            )


def _check_continued(course, top):
    """An afternoon can go on only with what the morning began."""
    for day in course.days:
        for session in day.sessions:
            before = [one.when for one in day.sessions if one.notebooks]
            if session.continues and (session.notebooks or before != ["morning"]):
                top.fail(
                    f"day {day.number}, {session.when}: says `continues = true`, which is for an "
                    "afternoon without a notebook after a morning with one: take it out"
                )
