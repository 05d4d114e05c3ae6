"""Every notebook that is there, executed whole: sources with their milestones enforced, student versions blank."""

from pathlib import Path

import pytest

from dlcourse.release import manifest, runner

ROOT = Path(__file__).parents[1]
WRITTEN = [one for one in manifest.load(ROOT).notebooks() if (ROOT / one.source).is_file()]
PAIRS = [one for one in WRITTEN if one.solutions]


def run(path, student):
    result = runner.run_notebook(path, ROOT, student=student, env=runner.environment(student))
    slowest, cell = result.slowest
    print(f"{path}: {result.seconds:.0f} s, slowest cell {cell}: {slowest:.0f} s, {result.peak_mb} MB")
    assert result.ok, f"{path}: {result.problem}\n{result.details}"


@pytest.mark.executes
@pytest.mark.parametrize("notebook", WRITTEN, ids=lambda one: Path(one.source).stem)
def test_a_source_runs_and_reaches_its_milestones(notebook):
    run(notebook.source, student=False)


@pytest.mark.executes
@pytest.mark.parametrize("notebook", PAIRS, ids=lambda one: Path(one.student).stem)
def test_a_blank_student_notebook_runs_from_top_to_bottom(notebook):
    run(notebook.student_path, student=True)


def test_there_are_notebooks_to_run():
    assert WRITTEN and PAIRS
