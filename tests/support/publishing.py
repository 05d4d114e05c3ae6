"""The small course with a lecture full of links, a second day, and files that students must not
get: what the tests of `dlcourse publish` start from."""

import datetime
import subprocess

import nbformat
import release_fixtures as small

from dlcourse.release.build import build
from dlcourse.release.course import reading

# Day 1 is Thu 30 Nov 2023, day 2 Fri 1 Dec; solutions come a day later.
BEFORE, FIRST, SECOND, THIRD = (
    datetime.date(2023, 11, 29) + datetime.timedelta(days=n) for n in range(4)
)
LATER = 'minutes = { cpu = 1, gpu = 1, reading = 9 }\nobjectives = ["**read**"]'
TOML = small.COURSE.replace("planned = true\n", "").replace(
    'kind = "codealong"\n', f'kind = "codealong"\n{LATER}\n'
)
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
PYPROJECT = """[project]
name = "dlcourse"

[project.optional-dependencies]
lab = ["jupyterlab"]
dev = ["dlcourse[lab]", "pytest"]

[project.scripts]
dlcourse = "dlcourse.release.cli:main"

[tool.ruff]
line-length = 100
"""
README = """
![A map](map.png) [Help](CONTRIBUTING.md), [tests](tests), [code](dlcourse), [licence](LICENSE)

An instructor: see [For instructors](#for-instructors).

## For instructors

`make build`

## Licence
"""
CONTRIBUTING = """# Contributing

## Notation

*B*, a batch, as in [the code](dlcourse) and [its tests](tests)

## Benchmarks
"""
SHIPPED = ["LICENSE", "map.png", "dlcourse/__init__.py", "dlcourse/data/a.csv"]
AT_HOME = [
    "CONTRIBUTING.md",
    "Makefile",
    "dlcourse/__main__.py",
    "dlcourse/__pycache__/a.pyc",
    "dlcourse/release/cli.py",
    "tests/test_a.py",
    ".ci/run",
    ".github/workflows/a.yml",
    "notes.txt",
    "Day01-Start/instructor_notes.md",
]
ALWAYS = {*SHIPPED, "README.md", "NOTATION.md", "pyproject.toml", "Makefile"}
ALWAYS |= {".gitignore", ".gitattributes"}


def make_course(root):
    """Writes the course into the folder `root`, builds and loads it."""
    small.make_course(root, toml=TOML)
    small.write(root / LECTURE, small.notebook(small.markdown(LINKS)))
    small.write(root / NEXT_SOURCE, small.notebook(*small.solutions_cells()))
    for name in SHIPPED + AT_HOME:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "CONTRIBUTING.md").write_text(CONTRIBUTING)
    (root / "README.md").write_text(small.README + README)
    course = reading.load(root)
    build(course)
    return course


def read(path):
    """The text of a file, of a notebook that of its cells."""
    if path.suffix == ".ipynb":
        return "\n\n".join(cell.source for cell in nbformat.read(path, 4).cells)
    return path.read_text(errors="replace")


def git(root, *arguments):
    """What a git command prints in the folder `root`, as somebody with a name and an address."""
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    command = ["git", "-C", str(root), *person, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def commit(root):
    """Commits all there is, as the instructor does after a sync."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "state")


def make_clone(root):
    """A students' repository with a file of its own, committed."""
    root.mkdir()
    git(root, "init", "--quiet")
    (root / "forum.md").write_text("ours\n")
    commit(root)
    return root
