"""A fault drill for the release tool: whatever breaks, one line says what, no file is half written,
nothing is lost.

The same for data caches stands in tests/data (test_cache.py, test_images.py), for checkpoints in
tests/test_checkpoint.py, for kernels that die and interrupted runs in release/run
(test_limits.py, test_interrupts.py).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from release_fixtures import PDF, code, make_course, notebook, write

from dlcourse.release import cli

SMALL_DISC = """
import resource, sys
from dlcourse.release import cli
# no file may grow beyond 500 bytes, as if the disc were full
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
sys.exit(cli.main(sys.argv[1:]))
"""


def contents(root):
    """Path → bytes of every file below the folder."""
    return {
        path.relative_to(root): path.read_bytes()
        for path in Path(root).rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize(
    "command", [["build"], ["publish", "--as-of", "2023-12-05", "--to", "out"]]
)
def test_a_full_disc(tmp_path, command):
    root = tmp_path / "course"
    root.mkdir()
    make_course(root)
    if command[0] == "publish":
        (root / PDF).write_bytes(b"as a build has left it")
    before = contents(root)
    arguments = [*command, "--root", str(root)]
    broken = subprocess.run(
        [sys.executable, "-c", SMALL_DISC, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert broken.returncode == 1
    assert broken.stderr.startswith("dlcourse: ") and broken.stderr.count("\n") == 1
    assert "File too large" in broken.stderr and "run the command again" in broken.stderr
    assert contents(root) == before
    assert (
        cli.main(
            [*command[:-1], str(root / "out"), "--root", str(root)]
            if "out" in command
            else arguments
        )
        == 0
    )


@pytest.mark.parametrize(
    "error, line",
    [(KeyboardInterrupt(), "stopped"), (OSError(28, "No space left"), "No space left")],
)
@pytest.mark.parametrize("done", range(5))
def test_a_build_that_ends_half_way_is_made_good_by_the_next(
    tmp_path, monkeypatch, capsys, error, line, done
):
    (tmp_path / "whole").mkdir(), (tmp_path / "broken").mkdir()
    make_course(tmp_path / "whole"), make_course(tmp_path / "broken")
    assert cli.main(["build", "--root", str(tmp_path / "whole")]) == 0
    replace, calls = os.replace, []

    def some(source, target):
        calls.append(target)
        if len(calls) > done:
            raise error
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", some)
        assert cli.main(["build", "--root", str(tmp_path / "broken")]) == 1
    assert line in capsys.readouterr().err
    assert not any(path.name.startswith(".") for path in contents(tmp_path / "broken"))
    assert cli.main(["build", "--root", str(tmp_path / "broken")]) == 0
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch, capsys):
    make_course(tmp_path)
    before = contents(tmp_path)

    def refuse(dir, prefix, suffix):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert cli.main(["build", "--root", str(tmp_path)]) == 1
    assert (
        f"dlcourse: {tmp_path}" in (said := capsys.readouterr().err) and "Permission denied" in said
    )
    assert contents(tmp_path) == before


def test_a_corrupt_notebook_stops_the_build_before_anything_is_written(tmp_path, capsys):
    make_course(tmp_path)
    path = tmp_path / "Day01-Start" / "Day01_lecture.ipynb"
    path.write_bytes(path.read_bytes()[:-20])
    before = contents(tmp_path)
    assert cli.main(["build", "--root", str(tmp_path)]) == 1
    assert "Day01_lecture.ipynb" in capsys.readouterr().err and contents(tmp_path) == before


@pytest.mark.executes
def test_outputs_are_not_lost_when_a_run_cannot_be_saved(tmp_path, monkeypatch, capsys):
    make_course(tmp_path)
    lecture = tmp_path / "Day01-Start" / "Day01_lecture.ipynb"
    write(lecture, notebook(code("1 + 1")))
    assert cli.main(["build", "--root", str(tmp_path)]) == 0
    before = contents(tmp_path)
    monkeypatch.setattr(
        "os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    assert cli.main(["run", "--save", "Day01_lecture.ipynb", "--root", str(tmp_path)]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert contents(tmp_path) == before
