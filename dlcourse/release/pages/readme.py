"""The parts of README.md that follow from course.toml, between pairs of markers:

<!-- generated: schedule --> … <!-- end of schedule -->, and the same for
assessments, staff, clone and times.
"""

import re
from urllib.parse import quote

from dlcourse.release.course.records import colab_url, released, show_date
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.generated import BADGE
from dlcourse.release.run import times

FILE = "README.md"


def render(text, course, as_of=None, coming=()):
    """The README's text with every generated block written anew;
    the rest stays. Raises CourseError.

    as_of: a date; what is not released by then keeps its title and has no link.
    coming: paths that the build is about to write, to be linked as if they were there.
    """
    listing = _Listing(course, as_of, coming)
    blocks = {
        "schedule": listing.schedule,
        "assessments": lambda: _assessments(course),
        "staff": lambda: _staff(course),
        "clone": lambda: _clone(course),
        "times": lambda: _times(course),
    }
    for name in re.findall(r"<!-- (?:generated:|end of) ([^>]*?) -->", text):
        if name not in blocks:
            raise CourseError(
                f"{FILE}: marker of an unknown block {name!r}: the blocks are {', '.join(blocks)}"
            )
    for name, write in blocks.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
        for marker in (begin, end):
            if text.count(marker) != 1:
                count = "is missing" if marker not in text else f"stands {text.count(marker)} times"
                raise CourseError(
                    f"{FILE}: `{marker}` {count}: write it once, each block between its two markers"
                )
        before, rest = text.split(begin)
        if end not in rest:
            raise CourseError(f"{FILE}: `{end}` stands before `{begin}`: swap them")
        inside, after = rest.split(end)
        if "<!-- generated:" in inside or "<!-- end of" in inside:
            raise CourseError(
                f"{FILE}: another block begins or ends within {name!r}: put `{end}` before it"
            )
        text = f"{before}{begin}\n\n{write()}\n\n{end}{after}"
    return text


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain(text):
    return text.replace("|", "\\|")


class _Listing:
    """The schedule: one row for each session."""

    def __init__(self, course, as_of, coming):
        self.course, self.as_of, self.coming = course, as_of, coming

    def schedule(self):
        head = ["Day", "Date", "Time", "Session", "Student notebook", "Solutions"]
        return _table(
            head, [self.row(day, session) for day in self.course.days for session in day.sessions]
        )

    def row(self, day, session):
        hours = f"{session.start}–{session.end}" if session.taught else "self-study"
        kinds = ", ".join(dict.fromkeys(notebook.kind for notebook in session.notebooks))
        about = f"{day.title} · {kinds}" if kinds else session.text or day.title
        out = self.as_of is None or released(session, self.as_of)
        student = [self.notebook(one.student_path, one.title, out) for one in session.notebooks]
        student += [self.pdf(pdf, out) for pdf in session.pdfs]
        out = self.as_of is None or released(session, self.as_of, solutions=True)
        solved = [one for one in session.notebooks if one.solutions]
        solutions = [
            self.notebook(one.solutions_path, one.title if len(solved) > 1 else "Solutions", out)
            for one in solved
        ]
        cells = [f"Day {day.number}", show_date(session.date), hours, _plain(about)]
        return cells + ["<br>".join(student), "<br>".join(solutions)]

    def notebook(self, path, title, out):
        if not self.exists(path):
            return f"{_plain(title)} (to come)"
        if not out:
            return _plain(title)
        return (
            f"[{_plain(title)}]({quote(path)}) [![Open in "
            f"Colab]({BADGE})]({colab_url(self.course, path)})"
        )

    def pdf(self, pdf, out):
        if not self.exists(pdf.path):
            return f"{_plain(pdf.title)} (to come)"
        title = f"{_plain(pdf.title)} (PDF)"
        return f"[{title}]({quote(pdf.path)})" if out else title

    def exists(self, path):
        return path in self.coming or (self.course.root / path).is_file()


def _assessments(course):
    events = {}
    for session in course.sessions():
        if session.coursework:
            one = session.coursework
            events.setdefault(one.number, {})[one.event] = f"{show_date(session.date)}, {one.at}"
    later = "to be announced"
    rows = [
        [f"Coursework {number}", event.get("released", later), event.get("due", later)]
        for number, event in sorted(events.items())
    ]
    return _table(["Assessment", "Released", "Due"], rows)


def _staff(course):
    team = f"Team: {', '.join(course.team)}." if course.team else ""
    lines = [f"Coordinator: {course.coordinator} ([{course.email}](mailto:{course.email})).", team]
    return "\n\n".join(line for line in lines if line)


def _times(course):
    head = [
        "Notebook",
        "Seconds",
        "Slowest cell, s",
        "Peak memory, MB",
        "Blank: seconds",
        "Blank: MB",
    ]
    rows = times.rows(course)
    return _table(head, rows) if rows else "Not measured yet: `dlcourse run --record`."


def _clone(course):
    folder = course.repository.split("/")[1]
    commands = [f"git clone https://github.com/{course.repository}.git", f"cd {folder}", "make lab"]
    return "\n".join(["```bash", *commands, "```"])
