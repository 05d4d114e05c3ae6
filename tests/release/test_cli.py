"""The command `dlcourse`: one line for what is wrong, and the exit status."""

import subprocess
import sys

import pytest
from release_fixtures import make_course

from dlcourse.release import cli


def test_cli_builds(tmp_path, capsys):
    make_course(tmp_path)
    assert cli.main(["build", "--root", str(tmp_path), "Day01"]) == 0
    assert "written: README.md" in capsys.readouterr().out


def test_cli_shows_one_line_and_exits_1(tmp_path, capsys):
    make_course(tmp_path)
    assert cli.main(["build", "--root", str(tmp_path), "Day77"]) == 1
    shown = capsys.readouterr()
    assert (
        shown.err == "dlcourse: there is no day 77: the days are Day01, Day02, Day03\n"
        and not shown.out
    )


def test_cli_bad_date(tmp_path, capsys):
    make_course(tmp_path)
    arguments = [
        "publish",
        "--root",
        str(tmp_path),
        "--as-of",
        "2023-02-30",
        "--to",
        str(tmp_path / "out"),
    ]
    assert cli.main(arguments) == 1
    assert capsys.readouterr().err.startswith(
        "dlcourse: --as-of 2023-02-30: not a date: write it as YYYY-MM-DD"
    )


@pytest.mark.parametrize("arguments", [[], ["bake"], ["run", "--workers", "0"], ["publish"]])
def test_cli_usage_exits_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2 and "usage: dlcourse" in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["0", "01", "1.5", "²", "100000", "9" * 5000])
def test_cli_limits_are_numbers_within_reason(limit, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["run", "--cell-limit", limit])
    said = capsys.readouterr().err
    assert caught.value.code == 2 and "give a whole number from 1 to 99999" in said


def test_cli_a_day_of_thousands_of_digits(tmp_path, capsys):
    make_course(tmp_path)
    assert cli.main(["build", "--root", str(tmp_path), "9" * 5000]) == 1
    assert capsys.readouterr().err.startswith("dlcourse: there is no day 999999999: the days are")


def test_cli_without_the_instructors_tools(tmp_path, capsys, monkeypatch):
    make_course(tmp_path)

    def missing(*_):
        raise ModuleNotFoundError("no", name="nbgrader")

    monkeypatch.setattr("dlcourse.release.build.build", missing)
    assert cli.main(["build", "--root", str(tmp_path)]) == 1
    assert "module 'nbgrader' is missing: install the instructors' tools" in capsys.readouterr().err


def test_cli_outside_a_course(tmp_path, capsys):
    assert cli.main(["verify", "--root", str(tmp_path)]) == 1
    assert "no course.toml here" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("module", ["dlcourse", "dlcourse.release.cli"])
def test_python_m_is_the_command(module, tmp_path):
    root = make_course(tmp_path).root
    command = [sys.executable, "-m", module, "build", "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "written: README.md" in done.stdout, done.stderr
