"""The header and set-up cells that are written from course.toml."""

import datetime

import pytest
from release_fixtures import COURSE, make_course

from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import generated, source

SOLUTIONS, STUDENT = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_exercises.ipynb"
LECTURE = "Day01-Start/Day01_lecture.ipynb"


def test_header_cells(tmp_path):
    course = make_course(tmp_path)
    build(course)
    header = source.read_notebook(tmp_path / STUDENT).cells[0]
    lines = header.source.split("\n")
    colab = "https://colab.research.google.com/github/someone/small-course/blob/main/Day01-Start/"
    assert header.id == "header" and lines[1] == "# Day 1 · First exercises"
    assert f"({colab}Day01_exercises.ipynb)" in lines[3]
    assert (
        "[Solutions](https://github.com/someone/small-course/blob/main/Day01-Start/Day01_solutions.ipynb)"
        in lines[3]
    )
    assert lines[5].startswith("Exercises · about 90 minutes")
    assert lines[5].endswith("about 2 minutes on two CPU cores, 1 on a GPU")
    assert lines[-3:] == ["", "- **write** it", "- **check** it"]
    twin = source.read_notebook(tmp_path / SOLUTIONS).cells[0].source
    assert (
        "# Day 1 · First exercises · solutions\n" in twin
        and "[Student version](https://github.com/" in twin
    )
    assert "Solutions" not in source.read_notebook(tmp_path / LECTURE).cells[0].source


def test_header_before_the_solutions_are_out(tmp_path):
    course = make_course(tmp_path)
    one = course.notebooks()[1]
    early = generated.header_source(
        one, course, one.student_path, (90, 90), as_of=datetime.date(2023, 11, 30)
    )
    assert "Solutions: from Fri 1 Dec 2023" in early and "Day01_solutions" not in early
    later = generated.header_source(
        one, course, one.student_path, (90, 90), as_of=datetime.date(2023, 12, 1)
    )
    assert "[Solutions](https://github.com/" in later


def run_setup(course, monkeypatch, capsys, returncode):
    """Runs the set-up cell as if neither the library nor scikit-learn were
    there; returns pip's command lines."""
    calls, real = [], generated.setup_source(course, course.notebooks()[0])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("DLCOURSE_ARCHIVE", "/somewhere/course.zip")

    def run(command, **_):
        calls.append(command[1:])
        return type("Done", (), {"returncode": returncode, "stderr": "no route to host"})

    monkeypatch.setattr("subprocess.run", run)
    exec(compile(real, "set-up", "exec"), {})
    said = capsys.readouterr().out
    assert said.startswith("Ready: dlcourse ") and said.count("\n") == 1
    return calls


def test_setup_cell_installs_only_what_is_missing(tmp_path, monkeypatch, capsys):
    calls = run_setup(make_course(tmp_path), monkeypatch, capsys, 0)
    pip = ["-m", "pip", "install", "--quiet"]
    assert calls == [[*pip, "--no-deps", "/somewhere/course.zip"], [*pip, "scikit-learn"]]


def test_a_notebook_may_need_a_package_of_its_own(tmp_path, monkeypatch, capsys):
    minutes = "minutes = { cpu = 1, gpu = 1, reading = 60 }"
    toml = COURSE.replace(minutes, f'{minutes}\npackages = {{ slim = "slim-model" }}')
    course = make_course(tmp_path, toml=toml)
    calls = run_setup(course, monkeypatch, capsys, 0)
    assert calls[1][-2:] == ["scikit-learn", "slim-model"]
    text = generated.setup_source(course, course.notebooks()[0])
    assert max(len(line) for line in text.split("\n")) <= 96
    assert "slim" not in generated.setup_source(course, course.notebooks()[1])
    with pytest.raises(CourseError, match="Day01_lecture.ipynb: package 'slim' must name what pip"):
        make_course(tmp_path, toml=toml.replace("slim-model", "slim model"))


def test_setup_cell_without_network_says_what_to_do(tmp_path, monkeypatch, capsys):
    with pytest.raises(
        RuntimeError, match="Connect to the network and run this cell again, .*make lab"
    ):
        run_setup(make_course(tmp_path), monkeypatch, capsys, 1)


def test_setup_cell_is_short_and_installs_nothing_where_the_library_is(
    tmp_path, monkeypatch, capsys
):
    course = make_course(tmp_path)
    text = generated.setup_source(course, course.notebooks()[0])
    assert text.startswith("# @title Set-up: run this cell first\n") and len(text.split("\n")) <= 25
    assert max(len(line) for line in text.split("\n")) <= 96
    monkeypatch.setattr("subprocess.run", lambda *a, **k: pytest.fail("pip was called"))
    exec(compile(text, "set-up", "exec"), {})
