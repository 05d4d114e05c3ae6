"""Every source there is, executed whole with its milestones enforced.

What students open, blank, runs in tests/versions with the versions of Colab.
"""

from pathlib import Path

import pytest

from dlcourse.release.course import reading
from dlcourse.release.run import runner

ROOT = Path(__file__).parents[2]
WRITTEN = [one for one in reading.load(ROOT).notebooks() if (ROOT / one.source).is_file()]


@pytest.mark.executes
@pytest.mark.parametrize("notebook", WRITTEN, ids=lambda one: Path(one.source).stem)
def test_a_source_runs_and_reaches_its_milestones(notebook):
    path = notebook.source
    result = runner.run_notebook(path, ROOT, env=runner.environment())
    slowest, cell = result.slowest
    print(
        f"{path}: {result.seconds:.0f} s, slowest cell {cell}: {slowest:.0f} s, {result.peak_mb} MB"
    )
    assert result.ok, f"{path}: {result.problem}\n{result.details}"


def test_there_are_notebooks_to_run():
    assert len(WRITTEN) == len(reading.load(ROOT).notebooks())
