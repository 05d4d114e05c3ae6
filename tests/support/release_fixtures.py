"""A course of two days, small enough to build in a test: what the
release tool's tests start from."""

import nbformat
import pytest

from dlcourse.release.course import reading
from dlcourse.release.course.tables import CourseError

COURSE = """
[course]
title = "Small course"
repository = "someone/small-course"
branch = "main"
first_day = 2023-11-30
holidays = [2023-12-04]
morning = ["09:00", "12:00"]
afternoon = ["14:00", "17:00"]
solutions_days_later = 1

[staff]
coordinator = "Ada Example"
email = "ada@example.org"
team = ["Bo", "Cy"]

[setup]
packages = { sklearn = "scikit-learn" }

[[day]]
number = 1
folder = "Day01-Start"
title = "Start"
[[day.session]]
when = "morning"
pdf = [{ file = "Day01_notes.pdf", title = "Notes", minutes = 30 }]
[[day.session.notebook]]
student = "Day01_lecture.ipynb"
title = "First lecture"
kind = "lecture"
gpu = true
minutes = { cpu = 1, gpu = 1, reading = 60 }
objectives = ["**see** it"]
[[day.session]]
when = "afternoon"
[[day.session.notebook]]
student = "Day01_exercises.ipynb"
solutions = "Day01_solutions.ipynb"
title = "First exercises"
kind = "exercises"
gpu = false
minutes = { cpu = 2, gpu = 1, reading = 90 }
objectives = ["**write** it", "**check** it"]

[[day]]
number = 2
folder = "Day02-Later"
title = "Later"
[[day.session]]
when = "morning"
planned = true
[[day.session.notebook]]
student = "Day02_codealong.ipynb"
solutions = "Day02_solutions.ipynb"
title = "Still to be written"
kind = "codealong"
gpu = false
[[day.session]]
when = "afternoon"
taught = false
text = "Reading"

[[day]]
number = 3
title = "Assessment"
[[day.session]]
when = "morning"
text = "Coursework 1 released"
coursework = { number = 1, event = "released", at = "09:00" }
[[day.session]]
when = "afternoon"
text = "Coursework 1 due"
coursework = { number = 1, event = "due", at = "18:00" }
"""

README = """# Small course

By hand, before.

<!-- generated: schedule -->
<!-- end of schedule -->

<!-- generated: assessments -->
old text
<!-- end of assessments -->

<!-- generated: staff -->
<!-- end of staff -->

<!-- generated: clone -->
<!-- end of clone -->

<!-- generated: times -->
<!-- end of times -->

By hand, after.
"""

TASK = "### Exercise 1.1 · double ★★ (5 min)\n\nReturn twice the number."
ANSWER = '''# Exercise 1.1 · double
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    twice = x + x
    return twice
    ### END SOLUTION'''
CHECK = "double = check.double(double)"
QUESTION = "### Question 1.2 · why ★\n\nWhy is it even?"
OPEN = "<!-- Question 1.2 · why ★ -->\nBecause two divides it."

PDF = "Day01-Start/Day01_notes.pdf"
TYPST = '#set document(title: "Notes")\n= Notes\nOne line.\n'


def markdown(source, **extra):
    return nbformat.v4.new_markdown_cell(source, **extra)


def code(source, **extra):
    return nbformat.v4.new_code_cell(source, **extra)


def notebook(*cells):
    """A notebook with the two cells that every one begins with, and ids that
    do not change from run to run."""
    nb = nbformat.v4.new_notebook(cells=[markdown("<!-- header -->"), code("# Set-up"), *cells])
    for number, cell in enumerate(nb.cells):
        cell.id = f"cell-{number}"
    nb.nbformat_minor = 5
    return nb


def solutions_cells():
    return [
        markdown(TASK),
        code(ANSWER),
        code(CHECK),
        code("double(4)"),
        markdown(QUESTION),
        markdown(OPEN),
    ]


def exercise(
    number, name, body="### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION", stars="★"
):
    """Heading, exercise and check of a function without arguments."""
    heading = markdown(f"### Exercise {number} · {name} {stars}")
    cell = code(f"# Exercise {number} · {name}\ndef {name}():\n    {body}")
    return [heading, cell, code(f"{name} = check.{name}({name})")]


def write(path, nb):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(nb), encoding="utf-8")


def make_course(root, *cells, toml=COURSE):
    """Writes the small course into the folder `root` and loads it; `cells` replace
    those of the solutions notebook."""
    root.mkdir(exist_ok=True)
    (root / "course.toml").write_text(toml, encoding="utf-8")
    (root / "README.md").write_text(README, encoding="utf-8")
    folder = root / "Day01-Start"
    write(folder / "Day01_lecture.ipynb", notebook(markdown("## Why\n\nA text."), code("1 + 1")))
    write(folder / "Day01_solutions.ipynb", notebook(*(cells or solutions_cells())))
    (folder / "Day01_notes.typ").write_text(TYPST, encoding="utf-8")
    return reading.load(root)


def complaint(root, old, new):
    """The one line that the small course gives with `old` replaced by `new` (once)."""
    assert COURSE.count(old) >= 1
    with pytest.raises(CourseError) as caught:
        make_course(root, toml=COURSE.replace(old, new, 1))
    line = str(caught.value)
    assert line.startswith("course.toml: ") and line.isprintable() and len(line) < 400
    return line


def store(root, path, *sources, **metadata):
    """Writes a notebook of code cells with the ids a, b, c …; metadata goes to the last cell."""
    cells = [code(source, id=chr(ord("a") + number)) for number, source in enumerate(sources)]
    cells[-1].metadata.update(metadata)
    nb = nbformat.v4.new_notebook(cells=cells)
    nb.nbformat_minor = 5
    write(root / path, nb)
    return path
