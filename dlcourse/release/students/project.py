"""What students get beside notebooks: the library without the release tool, a Makefile, a
pyproject.toml and a README of their own, the page on notation, the licence."""

import re
import tomllib
from pathlib import Path

from dlcourse.release import files
from dlcourse.release.course.records import github_url
from dlcourse.release.course.tables import CourseError
from dlcourse.release.pages import readme

OWN = Path(__file__).parent / "files"  # Makefile and settings of git, as they are
AS_THEY_ARE = ("LICENSE", "CITATION.cff")
TEXT = (".py", ".txt", ".csv", ".toml", ".md")
PYPROJECT = "pyproject.toml"
TOOL = ("dlcourse/release/", "dlcourse/__main__.py")  # instructors' alone
SECTION = "For instructors"  # of the README
CONTRIBUTING, NOTATION = "CONTRIBUTING.md", "NOTATION.md"


def fixed(course):
    """A dict path → bytes of all that does not depend on the date, pages left out."""
    tree = {path.name: path.read_bytes() for path in OWN.iterdir() if path.is_file()}
    for name in (*AS_THEY_ARE, *library(course)):
        if (course.root / name).is_file():
            if name.endswith(TEXT) or name in AS_THEY_ARE:
                files.read_text(course.root, name)  # refuses a merge conflict
            tree[name] = (course.root / name).read_bytes()
    if (course.root / PYPROJECT).is_file():
        text = files.read_text(course.root, PYPROJECT)
        tree[PYPROJECT] = pyproject(text).encode()
    return tree


def pages(course, as_of):
    """A dict path → text: the README as of a date, and the section on notation that the headers
    of notebooks link to."""
    text = readme.render(files.read_text(course.root, readme.FILE), course, as_of)
    found = {readme.FILE: without_instructors(text)}
    if (course.root / CONTRIBUTING).is_file():
        text = files.read_text(course.root, CONTRIBUTING)
        section = re.search(r"^#(# Notation\n.*?)\n*(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
        if section:
            found[NOTATION] = section[1] + "\n"
    return found


def to_notation(course, text):
    """Text whose links to the section on notation lead to the students' page."""
    section = github_url(course, CONTRIBUTING) + "#notation"
    return text.replace(section, github_url(course, NOTATION))


def library(course):
    """The paths of what students import, sorted."""
    package = course.root / "dlcourse"
    for file in sorted(package.rglob("*")):
        parts = file.relative_to(package).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        path = file.relative_to(course.root).as_posix()
        if file.is_file() and not hidden and not path.startswith(TOOL):
            yield path


def pyproject(text):
    """The course's pyproject.toml without what is for instructors: the command, all extras but
    `lab`, settings of tools.

    Comments stay, so the text is cut; what is left must mean what was meant to be left, else a
    CourseError is raised.
    """
    tables = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    tables = [one for one in tables if not re.match(r"\[+(tool\b|project\.scripts\])", one)]
    extra = r"^(?!lab\b)[\w-]+ = \[.*?\]\n"
    for number, table in enumerate(tables):
        if table.startswith("[project.optional-dependencies]"):
            tables[number] = re.sub(extra, "", table, flags=re.DOTALL | re.MULTILINE)
    cut = "".join(tables).rstrip("\n") + "\n"
    wanted = tomllib.loads(text)
    wanted.pop("tool", None)
    project = wanted.get("project", {})
    project.pop("scripts", None)
    extras = project.get("optional-dependencies", {})
    for name in set(extras) - {"lab"}:
        del extras[name]
    if tomllib.loads(cut) != wanted:
        raise CourseError(
            f"{PYPROJECT}: the students' part cannot be told from the rest: write each extra as "
            "`name = [...]` in a table [project.optional-dependencies], and [project.scripts] and "
            "each [tool.…] as tables of their own"
        )
    return cut


def without_instructors(text):
    """The README without the section "For instructors" and the lines that link to it."""
    anchor = "#" + SECTION.lower().replace(" ", "-")
    section = rf"^## {SECTION}\n.*?(?=^## |\Z)"
    text = re.sub(section, "", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(line for line in text.splitlines(True) if f"]({anchor})" not in line)
