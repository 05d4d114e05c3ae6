"""This very course in another year, and as students see it from day to day."""

import datetime
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from dlcourse.release import build, cli, publish
from dlcourse.release.course import reading
from dlcourse.release.course.tables import CourseError
from dlcourse.release.pages import citation
from dlcourse.release.verify.links import check_text

# no notebook, but all of them are built: too long for `make quick`
pytestmark = pytest.mark.executes
ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache", "scratch", "*.egg-info"
)
OLD, NEW = "ese-msc-2023/DL_module_2023", "ese-msc-2027/another_name"


def next_year(folder):
    """A copy of the course, moved by the five settings that a new year changes."""
    root = folder / "course"
    shutil.copytree(ROOT, root, ignore=LEFT_OUT)
    text = (root / "course.toml").read_text(encoding="utf-8")
    for old, new in [
        (f'repository = "{OLD}"', f'repository = "{NEW}"'),
        ('branch = "main"', 'branch = "taught"'),
        ("first_day = 2023-11-28", "first_day = 2027-11-30"),
        ("holidays = []", "holidays = [2027-12-06]"),
        ('coordinator = "Lluis Guasch"', 'coordinator = "Ada Byron"'),
    ]:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (root / "course.toml").write_text(text, encoding="utf-8")
    return root


def test_a_new_year_is_five_settings_and_one_command(tmp_path, capsys):
    root = next_year(tmp_path)
    assert cli.main(["build", "--root", str(root)]) == 0
    assert "written: README.md" in capsys.readouterr().out
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in root.rglob("*")
        if path.suffix in (".md", ".ipynb", ".cff")
    }
    for path, text in texts.items():
        assert OLD not in text, path
        assert not re.search(r"(Nov|Dec) 2023", text), path
    course = reading.load(root)
    for notebook in course.notebooks():
        for path in notebook.paths:
            if (root / path).is_file():
                assert (
                    f"colab.research.google.com/github/{NEW}/blob/taught/{path}"
                    in texts[root / path]
                ), path
                assert f"github.com/{NEW}/archive/refs/heads/taught.zip" in texts[root / path], path
    readme = texts[root / "README.md"]
    assert "| Day 1 | Tue 30 Nov 2027 |" in readme and "| Day 14 | Mon 20 Dec 2027 |" in readme
    assert "Ada Byron" in readme and "Mon 6 Dec 2027" not in readme
    assert "date-released: 2027-11-30" in texts[root / "CITATION.cff"]
    assert cli.main(["build", "--root", str(root)]) == 0
    assert "written" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "lines", ["", "date-released: 1\nrepository-code: a\nrepository-code: b\n"]
)
def test_a_citation_without_its_lines_is_named(tmp_path, lines):
    shutil.copy(ROOT / "course.toml", tmp_path)
    (tmp_path / "CITATION.cff").write_text(lines)
    with pytest.raises(
        CourseError, match="CITATION.cff: wants one line that begins with `repository-code:`, has"
    ):
        citation.render(reading.load(tmp_path))
    (tmp_path / "CITATION.cff").unlink()
    assert citation.render(reading.load(tmp_path)) is None


@pytest.fixture(scope="module")
def made_once():
    """`publish` makes every notebook anew for every date; here each is made once, for all dates."""
    with pytest.MonkeyPatch.context() as patch:
        made = {}

        def remembered(course, notebook):
            if notebook.source not in made:
                made[notebook.source] = build.notebook_outputs(course, notebook)
            return dict(made[notebook.source])

        patch.setattr(publish, "notebook_outputs", remembered)
        patch.setattr(publish, "check_student", lambda *_: iter(()))  # `verify` has its own test
        yield


def shown(path):
    """The text of a page: of a notebook, that of its markdown cells."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, 4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


DATES = [datetime.date(2023, 11, 27) + datetime.timedelta(days=n) for n in range(20)]


@pytest.mark.parametrize("date", DATES, ids=str)
def test_what_students_see_on_each_day_of_the_course(made_once, date, tmp_path):
    course, folder = reading.load(ROOT), tmp_path / "out"
    tree = set(publish.publish(course, date, folder))
    for thing in (*course.notebooks(), *course.pdfs()):
        for path in getattr(thing, "paths", None) or [thing.path]:
            assert (path in tree) == (thing.date <= date and (ROOT / path).is_file()), path
    copy = reading.load(folder)
    # notebooks: two dates, for their seconds
    pages = (".md", ".ipynb") if date in (DATES[8], DATES[-1]) else (".md",)
    for path in sorted(tree):
        if path.endswith(pages):
            assert list(check_text(copy, path, shown(folder / path))) == []
    readme = (folder / "README.md").read_text(encoding="utf-8")
    hidden = [thing for thing in course.notebooks() if thing.date > date]
    assert not any(one.student in readme for one in hidden)
    days = sorted({path.split("/")[0] for path in tree if re.match(r"Day\d\d", path)})
    first = datetime.date(2023, 11, 28)
    assert bool(days) == (date >= first)
