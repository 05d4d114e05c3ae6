"""What students get beside notebooks works where they are: without the release tool."""

import datetime
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from dlcourse.release.course import reading
from dlcourse.release.course.tables import CourseError
from dlcourse.release.students import project

ROOT = Path(__file__).parents[3]
INSTRUCTORS = ["nbgrader", "nbconvert", "nbclient", "nbformat", "jupytext", "typst", "psutil"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The students' repository on the day before the course, as files in a folder."""
    folder = tmp_path_factory.mktemp("students")
    course = reading.load(ROOT)
    pages = project.pages(course, course.first_day - datetime.timedelta(days=1))
    pages = {path: text.encode() for path, text in pages.items()}
    for path, content in {**project.fixed(course), **pages}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def make(folder, *arguments):
    command = ["make", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_no_release_tool_and_no_tests(tree):
    paths = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}
    assert [path for path in paths if path.startswith(("dlcourse/release", "tests", ".ci"))] == []
    left_out = {"course.toml", "CONTRIBUTING.md", "CHANGELOG.md", "dlcourse/__main__.py"}
    assert paths & left_out == set() and len(paths) > 200
    kept = {path.relative_to(tree).parts[1] for path in (tree / "dlcourse").glob("*")}
    ours = {path.name for path in (ROOT / "dlcourse").glob("*") if path.name[0] != "_"}
    assert ours - {"release"} == kept - {"__init__.py"}


def test_every_target_of_the_makefile_works(tree):
    targets = set(re.findall(r"^([a-z]+):", (tree / "Makefile").read_text(), re.MULTILINE))
    assert targets == {"lab", "clean"}
    for target in targets:
        done = make(tree, "--dry-run", target)
        assert done.returncode == 0, done.stderr
    assert make(tree, "--dry-run").stdout == make(tree, "--dry-run", "lab").stdout
    assert "jupyter lab" in make(tree, "--dry-run").stdout


def test_the_course_has_these_targets_too():
    for target in ("lab", "clean"):
        assert make(ROOT, "--dry-run", target).returncode == 0
    done = make(ROOT, "--dry-run", "verify", "DAY=Day01")
    assert "bin/dlcourse verify Day01" in done.stdout, done.stderr


def test_lab_installs_once_and_opens_jupyter(tree, tmp_path):
    shutil.copytree(tree, tmp_path / "clone")
    tools = tmp_path / "clone" / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("python", "jupyter"):
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/log\n')
        (tools / name).chmod(0o755)
    for _ in range(2):
        assert make(tmp_path / "clone", "lab").returncode == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines == ["python -m pip install --quiet -e .[lab]", "jupyter lab", "jupyter lab"]
    assert make(tmp_path / "clone", "clean").returncode == 0 and not tools.exists()


def test_the_readme_names_no_command_that_is_not_there(tree):
    text = (tree / "README.md").read_text()
    commands = re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE)
    assert set(commands) == {"lab"}
    assert re.findall(r"dlcourse (?:build|verify|run|publish)", text) == []
    assert "nstructor" not in text and "## Teaching team" in text and "\n\n\n" not in text


def test_the_library_imports_without_the_tools_of_instructors(tree):
    code = f"""
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys({INSTRUCTORS}))  # None: an import of it fails
import dlcourse
assert dlcourse.__file__.startswith({str(tree)!r}), dlcourse.__file__
names = [one.name for one in pkgutil.walk_packages(dlcourse.__path__, "dlcourse.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 150


def test_the_page_on_notation_is_whole(tree):
    text = (ROOT / "CONTRIBUTING.md").read_text().split("## Notation\n")[1].split("\n## ")[0]
    assert (tree / "NOTATION.md").read_text() == f"# Notation\n{text.rstrip()}\n"
    assert text.count("\n| ") > 20


def test_pyproject_keeps_what_students_install():
    text = (ROOT / "pyproject.toml").read_text()
    ours, theirs = tomllib.loads(text), tomllib.loads(project.pyproject(text))
    assert theirs["project"]["dependencies"] == ours["project"]["dependencies"]
    lab = ours["project"]["optional-dependencies"]["lab"]
    assert theirs["project"]["optional-dependencies"] == {"lab": lab}
    assert set(theirs) == {"build-system", "project"} and "scripts" not in theirs["project"]
    assert "# Lower bounds only" in project.pyproject(text)


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nname = "a"\noptional-dependencies = { lab = [], dev = ["pytest"] }\n',
        '[project]\nname = "a"\n[project.optional-dependencies]\ndev = ["pytest"] # tests\n',
        'tool = { ruff = 1 }\n[project]\nname = "a"\n',
        '[project]\nname = "a"\nscripts.dlcourse = "dlcourse.release.cli:main"\n',
    ],
)
def test_a_pyproject_that_is_written_in_another_way_is_refused(text):
    with pytest.raises(CourseError, match="pyproject.toml: the students' part cannot be told"):
        project.pyproject(text)


def test_a_readme_without_instructors_is_left_alone():
    assert project.without_instructors("# A\n\n## B\ntext\n") == "# A\n\n## B\ntext\n"
    text = "# A\n\nsee [it](#for-instructors)\n\n## For instructors\n\ntext\n"
    assert project.without_instructors(text) == "# A\n\n\n"


@pytest.mark.executes
def test_it_can_be_installed(tree, tmp_path):
    shutil.copytree(tree, tmp_path / "clone")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    done = subprocess.run([*command, str(tmp_path / "clone")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert "dlcourse/train.py" in names and "dlcourse/data/files/co2.csv" in names
    assert [name for name in names if "release" in name or "entry_points" in name] == []
