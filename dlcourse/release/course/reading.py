"""course.toml → records.Course. A missing, unknown or wrong key is a CourseError with its place."""

import datetime
import re
import tomllib
from pathlib import Path

from dlcourse.release.course import records
from dlcourse.release.course.plan import Plan
from dlcourse.release.course.tables import CourseError, Table

KEPT_BY_COLAB = ("torch", "torchvision", "numpy", "matplotlib", "IPython", "ipython")
NO_FILES = "give the day a key 'folder' to hold its files"


def load(root="."):
    """The Course whose course.toml lies in `root` or in the nearest folder
    above it. Raises CourseError."""
    start = Path(root).resolve()
    for folder in (start, *start.parents):
        if (folder / "course.toml").is_file():
            return read_course(folder)
    raise CourseError(
        f"{start}: no course.toml here or in a folder above: go into the course's folder or use "
        "--root"
    )


def read_course(root):
    """The Course in the folder `root` (a Path)."""
    try:
        values = tomllib.loads((root / "course.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"course.toml: not valid TOML: {error}: correct that line") from None
    except UnicodeDecodeError:
        raise CourseError("course.toml: not UTF-8 text: save it with that encoding") from None
    top = Table(values, "top level")
    general = top.take_table("course", "[course]")
    staff = top.take_table("staff", "[staff]")
    setup = top.take_table("setup", "[setup]")
    plan = Plan(general, root)
    days = top.take_tables(
        "day", lambda place, values: f"day {values.get('number', f'in place {place}')}"
    )
    if not days:
        top.fail("no days: add at least one [[day]]")
    course = records.Course(
        root=root,
        title=general.take("title", str),
        repository=_repository(general),
        branch=general.take("branch", str),
        first_day=plan.first_day,
        solutions_days_later=plan.later,
        coordinator=staff.take("coordinator", str),
        email=_email(staff),
        team=staff.take_list("team", str),
        packages=_packages(setup),
        days=tuple(_day(day, plan) for day in days),
    )
    for table in (general, staff, setup, top):
        table.finish()
    _check_numbers(course, top)
    _check_files(course, top)
    return course


def _repository(general):
    value = general.take("repository", str)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", value):
        general.fail(f"key 'repository' must be owner/name as on GitHub, not {value!r}")
    return value


def _email(staff):
    value = staff.take("email", str)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        staff.fail(f"key 'email' must be an address such as name@example.org, not {value!r}")
    return value


def _packages(setup):
    packages = setup.take("packages", dict)
    for name, pip_name in packages.items():
        if type(pip_name) is not str:
            setup.fail(f"package {name!r} must name what pip installs, in quotes, not {pip_name!r}")
        if name in KEPT_BY_COLAB:
            setup.fail(
                f"package {name!r} must not be listed: a Colab runtime has to keep its own; take "
                "it out"
            )
    return packages


def _day(table, plan):
    number = table.take("number", int)
    if number < 1:
        table.fail(f"key 'number' is {number}: days count from 1")
    title, folder = table.take("title", str), table.take_name("folder", "", None)
    date = plan.date(number)
    sessions = table.take_tables(
        "session", lambda place, values: f"{table.where}, {values.get('when', f'session {place}')}"
    )
    sessions = tuple(_session(one, plan, number, folder, date) for one in sessions)
    edition = table.take("edition", int, 1)
    table.finish()
    if edition not in (1, 2):
        table.fail(f"key 'edition' is {edition}: give 1, or 2 once the day has been edited")
    whens = [session.when for session in sessions]
    if whens not in (["morning"], ["afternoon"], ["morning", "afternoon"]):
        table.fail(
            f"sessions are {whens or 'missing'}: give one morning, one afternoon, or both in that "
            "order"
        )
    return records.Day(number, title, folder, date, sessions, edition)


def _session(table, plan, day, folder, date):
    when = table.take("when", str)
    if when not in plan.hours:
        table.fail(f'key \'when\' must be "morning" or "afternoon", not {when!r}')
    place = lambda number, values: f"{table.where}, {values.get('student', f'notebook {number}')}"  # noqa: E731
    notebooks = [
        _notebook(one, plan, day, folder, when, date)
        for one in table.take_tables("notebook", place)
    ]
    pdfs = [
        _pdf(one, folder, date)
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
    )
    table.finish()
    if not (notebooks or pdfs or text):
        table.fail("nothing to show: give it a notebook, a pdf or a text")
    return session


def _coursework(table):
    number, event, at = table.take("number", int), table.take("event", str), table.take_time("at")
    table.finish()
    if event not in ("released", "due"):
        table.fail(f'key \'event\' must be "released" or "due", not {event!r}')
    return records.Coursework(number, event, at)


def _pdf(table, folder, date):
    file, title = table.take_name("file", ".pdf"), table.take("title", str)
    table.finish()
    if folder is None:
        table.fail(NO_FILES)
    return records.Pdf(file, title, folder, date)


def _notebook(table, plan, day, folder, when, date):
    student = table.take_name("student", ".ipynb")
    solutions = table.take_name("solutions", ".ipynb", None)
    if folder is None:
        table.fail(NO_FILES)
    # A notebook that is still to come may be planned by its title alone.
    written = any((plan.root / folder / name).exists() for name in (student, solutions) if name)
    minutes = table.take_table("minutes", f"{table.where}, minutes", None)
    objectives = table.take_list("objectives", str, [])
    if written and not objectives:
        table.fail(
            "key 'objectives' is missing: list what a student can do afterwards, each a verb first"
        )
    if written and minutes is None:
        table.fail("key 'minutes' is missing: write minutes = { cpu = 3, gpu = 2, reading = 150 }")
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
    )
    table.finish()
    return notebook


def _minutes(table):
    minutes = {key: table.take(key, int) for key in ("cpu", "gpu", "reading")}
    table.finish()
    for key, value in minutes.items():
        if value < 1:
            table.fail(f"key {key!r} is {value}: give whole minutes, at least 1")
    return minutes


def _check_numbers(course, top):
    numbers = [day.number for day in course.days]
    for before, after in zip(numbers, numbers[1:], strict=False):
        if after <= before:
            top.fail(f"day {after} comes after day {before}: number the days upwards, each once")


def _check_files(course, top):
    """One file has one owner: two entries of the same name would overwrite each other."""
    seen = set()
    for path in [path for one in course.notebooks() for path in one.paths] + [
        pdf.path for pdf in course.pdfs()
    ]:
        if path in seen:
            top.fail(f"{path} is named twice: every file belongs to one entry")
        seen.add(path)
