"""This very course as students see it from the day before to the days after it."""

import datetime
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from dlcourse.release.build import notebook_outputs
from dlcourse.release.course import reading
from dlcourse.release.course.records import solutions_open
from dlcourse.release.students import tree
from dlcourse.release.verify.links import check_text

# no notebook, but all of them are built: too long for `make quick`
pytestmark = pytest.mark.executes
ROOT = Path(__file__).parents[3]
COURSE = reading.load(ROOT)
FIRST, LAST = COURSE.days[0].date, COURSE.days[-1].date
DATES = [FIRST + datetime.timedelta(days=number) for number in range(-1, (LAST - FIRST).days + 3)]
# every page: two dates, for their seconds
THOROUGH = (COURSE.days[len(COURSE.days) // 2].date, DATES[-1])


@pytest.fixture(scope="module")
def made_once():
    """Every notebook is made anew for every date; here each is made once, for all dates."""
    with pytest.MonkeyPatch.context() as patch:
        made = {}

        def remembered(course, notebook):
            if notebook.source not in made:
                made[notebook.source] = notebook_outputs(course, notebook)
            return dict(made[notebook.source])

        patch.setattr(tree, "notebook_outputs", remembered)
        yield


def shown(path, content):
    """The text of a page: of a notebook, that of its markdown cells."""
    if path.endswith(".md"):
        return content.decode()
    cells = nbformat.reads(content.decode(), as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def expected(date):
    """The paths of the notebooks and PDFs that are out in the morning of the date."""
    morning = datetime.datetime.combine(date, datetime.time(8))
    for thing in (*COURSE.notebooks(), *COURSE.pdfs()):
        if thing.date <= date:
            yield getattr(thing, "student_path", None) or thing.path
            if getattr(thing, "solutions", None) and solutions_open(thing) <= morning:
                yield thing.solutions_path


@pytest.mark.parametrize("date", DATES, ids=str)
def test_what_students_see(made_once, date, tmp_path):
    held = tree.collect(COURSE, date)
    wanted = {path for path in expected(date) if (ROOT / path).is_file()}
    assert {path for path in held if path.startswith("Day")} == wanted
    for path, content in held.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    copy = replace(COURSE, root=tmp_path)
    pages = (".md", ".ipynb") if date in THOROUGH else (".md",)
    for path in filter(lambda path: path.endswith(pages), held):
        assert list(check_text(copy, path, shown(path, held[path]))) == [], path
    readme = held["README.md"].decode()
    hidden = [thing for thing in COURSE.notebooks() if thing.date > date]
    assert not any(one.student in readme for one in hidden)
    assert bool(wanted) == (date >= FIRST)


SOLVED = [one for one in COURSE.sessions() if any(n.solutions for n in one.notebooks)]


@pytest.mark.parametrize("session", SOLVED, ids=lambda one: f"{one.day}-{one.when}")
def test_no_solutions_before_the_session_is_over(made_once, session):
    end = datetime.datetime.combine(session.date, datetime.time.fromisoformat(session.end))
    early = tree.collect(COURSE, end - datetime.timedelta(minutes=1))
    assert {one.solutions_path for one in session.notebooks} & set(early) == set()
    assert {one.student_path for one in session.notebooks} <= set(early)
