"""The course as nbgrader sees it: what CONTRIBUTING says to type, typed in a shell that knows
nothing of the environment, generates, then autogrades a blank and a solved notebook."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dlcourse.release.course import reading
from dlcourse.release.run import times

ROOT = Path(__file__).parents[2]
SECTION = (
    (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Marking with nbgrader")[1]
)
LINES = re.search(r"```bash\n(.*?)```", SECTION, re.DOTALL)[1]
NAME = re.search(r"source/day01/(\S+\.ipynb)", LINES)[1]
# One pair stands for all: their metadata is derived by one rule, and autograding all of them would
# take an hour.
PAIR = next(one for one in reading.load(ROOT).notebooks() if one.student == NAME)
ENVIRONMENT = Path(sys.prefix)

pytestmark = pytest.mark.skipif(
    not (ENVIRONMENT / "bin" / "activate").is_file(), reason="not in a virtual environment"
)


def make_repository(root):
    """What the lines need of the repository, in the folder `root`."""
    (root / ".venv").symlink_to(ENVIRONMENT)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (root / PAIR.folder).mkdir()
    for path in PAIR.paths:
        shutil.copy(ROOT / path, root / path)
    for name, path in [("blank", PAIR.student_path), ("solved", PAIR.source)]:
        (root / "marking" / "submitted" / name / "day01").mkdir(parents=True)
        shutil.copy(ROOT / path, root / "marking" / "submitted" / name / "day01" / NAME)


def type_in(root, lines):
    """Runs lines in a shell as a new login has it, no environment activated."""
    (root / "home").mkdir()
    clean = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(root / "home")}
    quick = {"OMP_NUM_THREADS": "1", "DLCOURSE_SMOKE": "1", "DLCOURSE_PROGRESS": "0"}
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", lines],
        cwd=root,
        env=clean | quick | {"PYTHONPATH": str(ROOT)},  # the library that is tested
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def scores(gradebook, student):
    """Test cell → (points scored, points there are) of what can be marked by a machine."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{gradebook}") as gradebook:
        submission = gradebook.find_submission("day01", student)
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        return {g.cell.name: (g.score, g.max_score) for g in grades if g.cell.cell_type == "code"}


@pytest.mark.slow
def test_a_shell_without_the_environment_generates(tmp_path):
    make_repository(tmp_path)
    type_in(tmp_path, LINES.split("nbgrader autograde")[0])
    made = (tmp_path / "marking" / "release" / "day01" / NAME).read_text(encoding="utf-8")
    assert "raise NotImplementedError" in made and "BEGIN SOLUTION" not in made
    assert "*Your answer here.*" in made
    assert {path.name for path in tmp_path.glob("*.db")} == set()


def test_each_cell_has_the_time_it_needs():
    from nbgrader.preprocessors import Execute
    from traitlets.config.loader import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    seconds = Execute(config=config).timeout
    rows = times.load(ROOT).values()
    slowest = max(float(row["slowest_cell_seconds"]) for row in rows)
    # a marker's machine may be much slower than the one that took the times
    assert seconds >= 4 * slowest > 4 * Execute().timeout
    assert f"each cell {seconds} s" in SECTION.replace("\n", " ")


@pytest.mark.executes
def test_a_blank_scores_nothing_and_the_solutions_score_everything(tmp_path):
    make_repository(tmp_path)
    type_in(tmp_path, LINES)
    gradebook = tmp_path / "marking" / "gradebook.db"
    blank, solved = scores(gradebook, "blank"), scores(gradebook, "solved")
    assert len(blank) == len(solved) >= 5
    assert {cell: got for cell, (got, _) in blank.items() if got != 0} == {}
    assert {
        cell: (got, full) for cell, (got, full) in solved.items() if got != full or full == 0
    } == {}
