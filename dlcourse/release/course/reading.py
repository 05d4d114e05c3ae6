"""course.toml → records.Course. A missing, unknown or wrong key is a CourseError with its place."""

import datetime
import tomllib
from pathlib import Path

from dlcourse.release import files
from dlcourse.release.course import consistency, records, settings
from dlcourse.release.course.plan import Plan
from dlcourse.release.course.tables import REQUIRED, CourseError, Table, quoted

FILE = "course.toml"
LAST_DAY = 260  # the working days of a year
LONGEST = 1440  # the minutes of a day
NO_FILES = "give the day a key 'folder' to hold its files"


def load(root="."):
    """The Course whose course.toml lies in `root` or in the nearest folder
    above it. Raises CourseError."""
    start = Path(root).resolve()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return read_course(folder)
    raise CourseError(
        f"{start}: no course.toml here or in a folder above: go into the course's folder or use "
        "--root"
    )


def read_course(root):
    """The Course in the folder `root` (a Path)."""
    top = Table(_values(root), "top level")
    general = top.take_table("course", "[course]")
    staff = top.take_table("staff", "[staff]")
    setup = top.take_table("setup", "[setup]")
    plan = Plan(general, root)
    days = top.take_tables(
        "day", lambda place, values: f"day {_name(values, 'number', f'in place {place}')}"
    )
    if not days:
        top.fail("no days: add at least one [[day]]")
    course = records.Course(
        root=root,
        title=general.take("title", str),
        repository=settings.repository(general),
        branch=settings.branch(general),
        first_day=plan.first_day,
        solutions_days_later=plan.later,
        coordinator=staff.take("coordinator", str),
        email=settings.email(staff),
        team=staff.take_list("team", str),
        packages=settings.packages(setup, setup.take("packages", dict)),
        days=tuple(_day(day, plan) for day in days),
    )
    for table in (general, staff, setup, top):
        table.finish()
    consistency.check(course, plan, top)
    return course


def _name(values, key, place):
    """What a table is called in messages: the value of a key, else its place."""
    return quoted(values[key]).strip("'\"") if key in values else place


def _values(root):
    """course.toml as Python values."""
    text = files.read_text(root, FILE)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"{FILE}: not valid TOML: {error}: correct that line") from None
    # tomllib gives up on numbers of thousands of digits and on brackets within brackets
    except (ValueError, RecursionError):
        cure = "look for a number or a row of brackets that got out of hand, and shorten it"
        raise CourseError(f"{FILE}: too much for a reader of TOML: {cure}") from None


def _day(table, plan):
    number = table.take_number("number", 1, LAST_DAY)
    title, folder = table.take("title", str), table.take_name("folder", "", None)
    date = plan.date(number)
    sessions = table.take_tables(
        "session",
        lambda place, values: f"{table.where}, {_name(values, 'when', f'session {place}')}",
    )
    planned = table.take("planned", bool, False)
    sessions = tuple(_session(one, plan, number, folder, date, planned) for one in sessions)
    edition = table.take("edition", int, 1)
    if edition not in (1, 2):
        shown = quoted(edition)
        table.fail(f"key 'edition' is {shown}: give 1, or 2 once the day has been edited")
    table.finish()
    whens = [session.when for session in sessions]
    if whens not in (["morning"], ["afternoon"], ["morning", "afternoon"]):
        table.fail(
            f"sessions are {whens or 'missing'}: give one morning, one afternoon, or both in that "
            "order"
        )
    return records.Day(number, title, folder, date, sessions, edition)


def _session(table, plan, day, folder, date, planned):
    planned = table.take("planned", bool, False) or planned
    when = table.take("when", str)
    if when not in plan.hours:
        table.fail(f'key \'when\' must be "morning" or "afternoon", not {quoted(when)}')
    place = lambda n, values: f"{table.where}, {_name(values, 'student', f'notebook {n}')}"  # noqa: E731
    notebooks = [
        _notebook(one, plan, day, folder, when, date, planned)
        for one in table.take_tables("notebook", place)
    ]
    pdfs = [
        _pdf(one, folder, date, planned)
        for one in table.take_tables("pdf", lambda n, _: f"{table.where}, pdf {n}")
    ]
    text = table.take("text", str, None)
    coursework = table.take_table("coursework", f"{table.where}, coursework", None)
    session = records.Session(
        day=day,
        when=when,
        notebooks=tuple(notebooks),
        pdfs=tuple(pdfs),
        taught=table.take("taught", bool, True),
        text=text,
        coursework=_coursework(coursework) if coursework else None,
        date=date,
        solutions_date=date + datetime.timedelta(days=plan.later),
        start=plan.hours[when][0],
        end=plan.hours[when][1],
        planned=planned,
        continues=table.take("continues", bool, False),
    )
    table.finish()
    if not (notebooks or pdfs or text):
        table.fail("nothing to show: give it a notebook, a pdf or a text")
    return session


def _coursework(table):
    number, event = table.take_number("number", 1, 99), table.take("event", str)
    at = table.take_time("at")
    table.finish()
    if event not in ("released", "due"):
        table.fail(f'key \'event\' must be "released" or "due", not {quoted(event)}')
    return records.Coursework(number, event, at)


def _pdf(table, folder, date, planned):
    file, title = table.take_name("file", ".pdf"), table.take("title", str)
    cure = "give those of the session that it takes, 0 where it is read at home"
    default = 0 if planned else REQUIRED
    minutes = table.take_number("minutes", 0, LONGEST, default, cure)
    table.finish()
    if folder is None:
        table.fail(NO_FILES)
    return records.Pdf(file, title, folder, date, minutes)


def _notebook(table, plan, day, folder, when, date, planned):
    student = table.take_name("student", ".ipynb")
    solutions = table.take_name("solutions", ".ipynb", None)
    if folder is None:
        table.fail(NO_FILES)
    # A notebook that is still to come needs no more than its title.
    written = not planned or any(
        (plan.root / folder / name).exists() for name in (student, solutions) if name
    )
    minutes = table.take_table("minutes", f"{table.where}, minutes", None)
    objectives = table.take_list("objectives", str, [])
    if written and not objectives:
        table.fail(
            "key 'objectives' is missing: list what a student can do afterwards, each a verb first"
        )
    if written and minutes is None:
        table.fail("key 'minutes' is missing: write minutes = { cpu = 3, gpu = 2 }")
    notebook = records.Notebook(
        student=student,
        solutions=solutions,
        title=table.take("title", str),
        kind=table.take("kind", str),
        gpu=table.take("gpu", bool),
        minutes=_minutes(minutes) if minutes else None,
        objectives=objectives,
        folder=folder,
        day=day,
        when=when,
        date=date,
        solutions_date=date + datetime.timedelta(days=plan.later),
        end=plan.hours[when][1],
        packages=settings.packages(table, table.take("packages", dict, {})),
    )
    table.finish()
    return notebook


def _minutes(table):
    minutes = {key: table.take_number(key, 1, LONGEST) for key in ("cpu", "gpu")}
    if "reading" in table.values:  # until the notebook's sections say how long they take
        minutes["reading"] = table.take_number("reading", 1, LONGEST)
    table.finish()
    return minutes
