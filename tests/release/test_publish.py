"""`dlcourse publish`: what students may see on a date, and nothing of what is to come."""

import datetime
import stat

import nbformat
import pytest
import release_fixtures as small

from dlcourse.release import cli
from dlcourse.release.build import build
from dlcourse.release.course import reading, records
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.generated import BADGE
from dlcourse.release.publish import plain_links, publish
from dlcourse.release.verify.links import check_text

# Day 1 is Thu 30 Nov 2023, day 2 Fri 1 Dec; solutions come a day later.
BEFORE, FIRST, SECOND, THIRD = (
    datetime.date(2023, 11, 29) + datetime.timedelta(days=n) for n in range(4)
)
LATER = 'minutes = { cpu = 1, gpu = 1, reading = 9 }\nobjectives = ["**read**"]'
TOML = small.COURSE.replace('kind = "codealong"\n', f'kind = "codealong"\n{LATER}\n')
LECTURE, STUDENT = "Day01-Start/Day01_lecture.ipynb", "Day01-Start/Day01_exercises.ipynb"
SOURCE, NOTES = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_notes.pdf"
NEXT, NEXT_SOURCE = "Day02-Later/Day02_codealong.ipynb", "Day02-Later/Day02_solutions.ipynb"
GITHUB = "https://github.com/someone/small-course/blob/main"
COLAB = "https://colab.research.google.com/github/someone/small-course/blob/main"
LINKS = f"""Tomorrow [*the* next one](../{NEXT}), <a href="{GITHUB}/{NEXT}">it</a>,
[Colab]({COLAB}/{NEXT}) and <{GITHUB}/{NEXT}>.
Today [exercises](Day01_exercises.ipynb), [more]({GITHUB}/{STUDENT}), [paper](https://arxiv.org),
[all](../README.md).

```markdown
[kept](../{NEXT})
```"""
ALWAYS = {"README.md", "course.toml", "pyproject.toml", "LICENSE", "map.png"}
ALWAYS |= {"dlcourse/__init__.py", "dlcourse/data/a.csv"}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    small.make_course(root, toml=TOML)
    small.write(root / LECTURE, small.notebook(small.markdown(LINKS)))
    small.write(root / NEXT_SOURCE, small.notebook(*small.solutions_cells()))
    files = [
        "pyproject.toml",
        "LICENSE",
        "CONTRIBUTING.md",
        "map.png",
        "dlcourse/__init__.py",
        "dlcourse/data/a.csv",
    ]
    hidden = [
        "dlcourse/__pycache__/a.pyc",
        "tests/test_a.py",
        ".ci/run",
        ".github/workflows/a.yml",
        "notes.txt",
    ]
    for name in files + hidden:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    text = (
        "\n![A map](map.png) [Help](CONTRIBUTING.md), [tests](tests), [code](dlcourse), "
        "[licence](LICENSE)\n"
    )
    (root / "README.md").write_text(small.README + text)
    course = reading.load(root)
    build(course)
    return course


def published(course, date, folder):
    """Publishes and returns path → text of the tree, notebooks by the text of their cells."""
    paths = publish(course, date, folder)
    found = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    assert paths == found
    return {path: read(folder / path) for path in found}


def read(path):
    if path.suffix == ".ipynb":
        return "\n\n".join(cell.source for cell in nbformat.read(path, 4).cells)
    return path.read_text(errors="replace")


@pytest.mark.parametrize(
    "date, released",
    [
        (BEFORE, set()),
        (FIRST, {LECTURE, STUDENT, NOTES}),
        (SECOND, {LECTURE, STUDENT, NOTES, SOURCE, NEXT}),
        (THIRD, {LECTURE, STUDENT, NOTES, SOURCE, NEXT, NEXT_SOURCE}),
    ],
)
def test_what_is_there_on_a_date(course, tmp_path, capsys, date, released):
    tree = published(course, date, tmp_path / "out")
    assert tree.keys() == ALWAYS | released
    assert (
        f"{len(tree)} files as of {records.show_date(date)} in {tmp_path / 'out'}"
        in capsys.readouterr().out
    )
    # every link in the tree leads somewhere within it
    copy = reading.load(tmp_path / "out")
    for path, text in tree.items():
        if path.endswith((".md", ".ipynb")):
            assert list(check_text(copy, path, text)) == []


def test_links_into_the_future_are_plain_text(course, tmp_path):
    tree = published(course, FIRST, tmp_path / "out")
    assert "Tomorrow *the* next one, it,\nColab and Day02_codealong.ipynb." in tree[LECTURE]
    assert LINKS[LINKS.index("Today") :] in tree[LECTURE]
    assert "Solutions: from Fri 1 Dec 2023" in tree[STUDENT] and SOURCE not in tree[STUDENT]
    readme = tree["README.md"]
    assert NEXT not in readme and SOURCE not in readme and STUDENT in readme
    assert "![A map](map.png) Help, tests, [code](dlcourse), [licence](LICENSE)" in readme
    tree = published(course, SECOND, tmp_path / "later")
    assert LINKS in tree[LECTURE] and f"[Solutions]({GITHUB}/{SOURCE})" in tree[STUDENT]


def test_student_notebooks_are_made_anew(course, tmp_path):
    path = course.root / STUDENT
    good = path.read_bytes()
    path.write_bytes(good.replace(b"raise NotImplementedError", b"return x + x"))
    try:
        tree = published(course, FIRST, tmp_path / "out")
    finally:
        path.write_bytes(good)
    assert "raise NotImplementedError" in tree[STUDENT] and "return x + x" not in tree[STUDENT]


def test_the_files_can_be_read_by_everybody(course, tmp_path):
    publish(course, FIRST, tmp_path / "out")
    for path, wanted in [(tmp_path / "out", 0o5), (tmp_path / "out" / LECTURE, 0o4)]:
        assert stat.S_IMODE(path.stat().st_mode) & wanted == wanted


def test_a_folder_that_is_empty_or_missing_is_filled(course, tmp_path):
    (tmp_path / "empty").mkdir()
    assert publish(course, FIRST, tmp_path / "empty") == publish(
        course, FIRST, tmp_path / "a" / "b"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "empty"]


def test_nothing_is_overwritten(course, tmp_path):
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path, tmp_path / "file"):
        message = (
            f"{folder}: holds files: name a folder that is missing or empty; nothing was written"
        )
        with pytest.raises(CourseError) as error:
            publish(course, FIRST, folder)
        assert str(error.value) == message
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "cell, message",
    [
        (
            small.code("y = 1\ntwice = x + x"),
            f"{STUDENT}: cell 9 (cell-8): gives away the answer of cell 4",
        ),
        (
            small.code("### BEGIN SOLUTION\n1"),
            f"{SOURCE}: cell 9 (cell-8): a solution marker outside an exercise",
        ),
    ],
)
def test_a_notebook_that_is_not_fit_to_be_seen_stops_it(tmp_path, cell, message):
    course = small.make_course(tmp_path, *small.solutions_cells(), cell)
    with pytest.raises(CourseError) as error:
        publish(course, FIRST, tmp_path / "out")
    assert str(error.value).startswith(message)
    assert not (tmp_path / "out").exists()


def test_from_the_command_line(course, tmp_path, capsys):
    root = ["--root", str(course.root)]
    arguments = ["publish", *root, "--to", str(tmp_path / "out"), "--as-of"]
    assert cli.main([*arguments, "28/11/2023"]) == 1
    assert capsys.readouterr().err.startswith(
        "dlcourse: --as-of 28/11/2023: not a date: write it as YYYY-MM-DD"
    )
    assert cli.main([*arguments, "2023-11-30"]) == 0
    assert (tmp_path / "out" / LECTURE).is_file()


def test_plain_links_leave_other_text_alone(course):
    text = (
        f"[![Open]({BADGE})]({COLAB}/{NEXT}) [a](#b) [c](mailto:d) ![e](f.png) [g][h] $x[0](y)$ "
        "[there](Day01.ipynb)"
    )
    assert plain_links(course, LECTURE, text, {NEXT}) == text
    assert plain_links(course, LECTURE, text, set()) == text.replace(f"]({COLAB}/{NEXT})", "")[1:]
