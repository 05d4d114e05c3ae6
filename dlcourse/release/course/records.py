"""What the course consists of and when: course.toml as plain
records, names to select by, and links.

Paths are strings relative to the root with forward slashes
("Day01-Intro/file.ipynb"), as they stand in links.
"""

import datetime
import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from dlcourse.release.course.tables import CourseError

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Notebook:
    """One notebook for students and, unless it is a lecture, the solutions
    notebook that it is made from."""

    student: str  # file name
    solutions: str | None  # file name; None: a lecture, complete as it is
    title: str
    kind: str
    gpu: bool
    minutes: dict | None  # {"cpu": …, "gpu": …}, "reading" where its sections name none
    objectives: tuple
    folder: str
    day: int
    when: str
    date: datetime.date  # when students get it
    solutions_date: datetime.date
    end: str  # when its session ends, such as "17:00"
    packages: dict  # what it needs beside the course's: import name → name for pip

    @property
    def student_path(self):
        return f"{self.folder}/{self.student}"

    @property
    def solutions_path(self):
        return f"{self.folder}/{self.solutions}" if self.solutions else None

    @property
    def source(self):
        """Path of the notebook that people edit."""
        return self.solutions_path or self.student_path

    @property
    def paths(self):
        return tuple(path for path in (self.student_path, self.solutions_path) if path)


@dataclass(frozen=True)
class Pdf:
    """A PDF, made from the Typst file of the same stem beside it where there is one."""

    file: str
    title: str
    folder: str
    date: datetime.date
    minutes: int  # of its session; 0: it is read at home

    @property
    def path(self):
        return f"{self.folder}/{self.file}"


@dataclass(frozen=True)
class Coursework:
    """What happens to a coursework in a session: event is "released" or
    "due", at a time such as "18:00"."""

    number: int
    event: str
    at: str


@dataclass(frozen=True)
class Session:
    """Half a day: its notebooks and PDFs, or a text that stands where there are none."""

    day: int
    when: str  # "morning" or "afternoon"
    notebooks: tuple
    pdfs: tuple
    taught: bool
    text: str | None
    coursework: Coursework | None
    date: datetime.date
    solutions_date: datetime.date
    start: str
    end: str
    planned: bool = False  # whether its files are still to come
    continues: bool = False  # the afternoon goes on with the morning's notebook


@dataclass(frozen=True)
class Day:
    """One day of the course; folder is None where it has no files."""

    number: int
    title: str
    folder: str | None
    date: datetime.date
    sessions: tuple
    edition: int = 1  # 2: held to all rules of the second edition

    @property
    def notebooks(self):
        return [notebook for session in self.sessions for notebook in session.notebooks]

    @property
    def notes_path(self):
        """The instructors' page, which students never get."""
        return f"{self.folder}/instructor_notes.md" if self.folder else None


@dataclass(frozen=True)
class Course:
    """The whole course.toml; root is the folder that it lies in."""

    root: Path
    title: str
    repository: str  # owner/name
    branch: str
    first_day: datetime.date
    solutions_days_later: int
    coordinator: str
    email: str
    team: tuple
    packages: dict  # import name → name for pip
    days: tuple

    def sessions(self):
        return [session for day in self.days for session in day.sessions]

    def notebooks(self):
        return [notebook for session in self.sessions() for notebook in session.notebooks]

    def pdfs(self):
        return [pdf for session in self.sessions() for pdf in session.pdfs]

    def select(self, names=()):
        """Notebooks in the course's order: all, or those named by day ("Day01",
        "day1", "1"), file name or path."""
        if not names:
            return self.notebooks()
        chosen = [notebook for name in names for notebook in self._named(str(name))]
        return [notebook for notebook in self.notebooks() if notebook in chosen]

    def _named(self, name):
        match = re.fullmatch(r"(?:day)?[ _-]?0*(\d+)", name, re.IGNORECASE)
        for day in self.days:
            if name.rstrip("/") == day.folder or (match and match[1] == str(day.number)):
                return day.notebooks
        if match:
            raise CourseError(f"there is no day {match[1][:9]}: {self._listed_days()}")
        file = name.replace("\\", "/").rsplit("/", 1)[-1]
        found = [one for one in self.notebooks() if file in (one.student, one.solutions)]
        if found:
            return found
        files = [path.rsplit("/", 1)[-1] for one in self.notebooks() for path in one.paths]
        near = difflib.get_close_matches(file, files, n=1)
        cure = f"did you mean {near[0]}?" if near else self._listed_days()
        raise CourseError(f"there is no day or notebook {name!r} in course.toml: {cure}")

    def _listed_days(self):
        return "the days are " + ", ".join(f"Day{day.number:02d}" for day in self.days)


def released(thing, as_of, solutions=False):
    """Whether students may have a session, notebook or PDF at the moment `as_of` (a
    datetime, or a date, which means its first minute); solutions: its solutions."""
    opens = solutions_open(thing) if solutions else _moment(thing.date)
    return opens <= _moment(as_of)


def solutions_open(thing):
    """When students may have the solutions of a session or notebook, a datetime: on its
    own day not before it is over, else from the date's first minute on."""
    opens = _moment(thing.solutions_date)
    if thing.solutions_date > thing.date:
        return opens
    return datetime.datetime.combine(opens, datetime.time.fromisoformat(thing.end))


def _moment(date):
    """The first minute of a date; a datetime stays what it is."""
    if isinstance(date, datetime.datetime):
        return date
    return datetime.datetime.combine(date, datetime.time.min)


def show_date(date):
    """As in "Tue 28 Nov 2023", whatever language the machine speaks."""
    return f"{WEEKDAYS[date.weekday()]} {date.day} {MONTHS[date.month - 1]} {date.year}"


def show_moment(moment):
    """The same with the time, as in "Tue 28 Nov 2023, 17:00", unless it is midnight."""
    moment = _moment(moment)
    time = "" if moment.time() == datetime.time.min else f", {moment:%H:%M}"
    return show_date(moment) + time


def github_url(course, path):
    return f"https://github.com/{course.repository}/blob/{quote(course.branch)}/{quote(path)}"


def colab_url(course, path):
    return f"https://colab.research.google.com/github/{course.repository}/blob/{quote(course.branch)}/{quote(path)}"


def archive_url(course):
    """A zip of the branch: what a set-up cell installs from, without cloning a history."""
    return f"https://github.com/{course.repository}/archive/refs/heads/{quote(course.branch)}.zip"
