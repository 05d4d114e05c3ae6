"""The course as nbgrader sees it: its own command line generates, then autogrades
a blank and a solved notebook."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dlcourse.release.course import reading

ROOT = Path(__file__).parents[2]
# One pair stands for all: their metadata is derived by one rule, and autograding all of them would
# take an hour.
PAIR = next(
    one for one in reading.load(ROOT).notebooks() if one.solutions and (ROOT / one.source).is_file()
)
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "course"
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your code here")'}
c.ExecutePreprocessor.timeout = 600
c.Exchange.root = "exchange"
"""


def nbgrader(folder, *arguments):
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "DLCOURSE_SMOKE": "1",
        "DLCOURSE_PROGRESS": "0",
    }
    # nbgrader starts alembic by name to set its database up
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = [sys.executable, "-m", "nbgrader", *arguments]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def scores(folder, student):
    """Test cell → (points scored, points there are) of what can be marked by a machine."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        submission = gradebook.find_submission("day", student)
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        return {g.cell.name: (g.score, g.max_score) for g in grades if g.cell.cell_type == "code"}


@pytest.mark.executes
def test_a_blank_scores_nothing_and_the_solutions_score_everything(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    name = PAIR.student
    places = {
        "source": PAIR.source,
        "submitted/blank": PAIR.student_path,
        "submitted/solved": PAIR.source,
    }
    for place, file in places.items():
        (tmp_path / place / "day").mkdir(parents=True)
        shutil.copy(ROOT / file, tmp_path / place / "day" / name)
    nbgrader(tmp_path, "generate_assignment", "day")
    nbgrader(tmp_path, "autograde", "day")

    blank, solved = scores(tmp_path, "blank"), scores(tmp_path, "solved")
    assert len(blank) == len(solved) >= 5
    assert {cell: got for cell, (got, _) in blank.items() if got != 0} == {}
    assert {
        cell: (got, full) for cell, (got, full) in solved.items() if got != full or full == 0
    } == {}
