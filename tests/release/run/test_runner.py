"""One notebook executed: what can go wrong in it and with its kernel."""

import asyncio
import gc
import warnings

import pytest
import release_fixtures as small

from dlcourse.release.run.processes import peak_memory
from dlcourse.release.run.runner import environment, run_notebook


@pytest.mark.parametrize(
    "source, problem",
    [
        (
            "import sys\nprint('oh', file=sys.stderr)",
            "cell 2 (b): wrote to stderr: oh: mend the cause",
        ),
        (
            "import warnings\nwarnings.warn('old')",
            "cell 2 (b): wrote to stderr: line 2: UserWarning: old: mend",
        ),
        (
            "import time\ntime.sleep(30)",
            "cell 2 (b): still running after 2 s: make it shorter, or raise --cell-limit",
        ),
        ("import os\nos._exit(1)", "cell 2 (b): the kernel ended itself with exit code 1: take"),
        ("raise ValueError('first\\nsecond')", "cell 2 (b): ValueError: first"),
        ("x = )", "cell 2 (b): SyntaxError: "),
    ],
)
def test_what_a_cell_can_do_wrong(tmp_path, source, problem):
    small.store(tmp_path, "a.ipynb", "1", source, "2")
    result = run_notebook("a.ipynb", tmp_path, cell_limit=2)
    assert not result.ok and result.problem.startswith(problem) and "\n" not in result.problem
    assert f"--- source\n{source}" in result.details


def test_an_error_that_is_allowed_is_still_shown(tmp_path):
    small.store(tmp_path, "a.ipynb", "raise ValueError('no')", tags=["raises-exception"])
    result = run_notebook("a.ipynb", tmp_path)
    assert result.problem.startswith(
        "cell 1 (a): shows an error, ValueError: catch it and print it"
    )


def test_a_notebook_that_takes_too_long(tmp_path):
    small.store(tmp_path, "a.ipynb", "import time", "1", "time.sleep(20)")
    result = run_notebook("a.ipynb", tmp_path, notebook_limit=3)
    assert result.problem.startswith(
        "cell 3 (c): the notebook took longer than 3 s: make it shorter, or raise"
    )
    assert result.slowest[1] == 3


def test_many_short_cells_take_too_long_too(tmp_path):
    small.store(tmp_path, "a.ipynb", "import time", *["time.sleep(0.6)"] * 20)
    result = run_notebook("a.ipynb", tmp_path, notebook_limit=4)
    assert "the notebook took longer than 4 s: make it shorter, or raise" in result.problem
    assert result.seconds < 8


def test_a_kernel_that_does_not_start(tmp_path):
    small.store(tmp_path, "a.ipynb", "1")
    code = "import os, sys\nprint('no luck', file=sys.stderr, flush=True)\nos._exit(3)"
    (tmp_path / "sitecustomize.py").write_text(code)
    result = run_notebook("a.ipynb", tmp_path, env=environment(PYTHONPATH=str(tmp_path)))
    assert result.problem.startswith("the kernel did not start: Kernel died before replying")
    assert "python -m ipykernel" in result.problem and result.details == "--- kernel\nno luck"


def test_a_kernel_that_finds_its_port_taken_is_started_again(tmp_path):
    small.store(tmp_path, "a.ipynb", "print('a')")
    marker = tmp_path / "taken"
    code = (
        f"import os\ntry:\n    os.close(os.open({str(marker)!r}, os.O_CREAT | os.O_EXCL))\n    "
        "os._exit(1)\n"
    )
    (tmp_path / "sitecustomize.py").write_text(code + "except FileExistsError:\n    pass")
    result = run_notebook("a.ipynb", tmp_path, env=environment(PYTHONPATH=str(tmp_path)))
    assert result.ok and marker.exists()
    assert result.notebook.cells[0].outputs[0].text == "a\n"


def test_a_file_that_is_no_notebook(tmp_path):
    (tmp_path / "a.ipynb").write_text("{")
    assert run_notebook("a.ipynb", tmp_path).problem.startswith("a.ipynb: not valid JSON (line 1")


def test_a_check_that_takes_a_blank_for_an_answer(tmp_path):
    small.store(
        tmp_path,
        "a.ipynb",
        "print('✓ double · 3 cases')",
        nbgrader={"grade_id": "double-check", "schema_version": 3},
    )
    result = run_notebook("a.ipynb", tmp_path, student=True)
    assert result.problem.startswith(
        "cell 1 (a): the check did not report a blank as not attempted"
    )
    assert run_notebook("a.ipynb", tmp_path).ok


def open_loops():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some objects warn when they are looked at
        return {
            id(one)
            for one in gc.get_objects()
            if isinstance(one, asyncio.BaseEventLoop) and not one.is_closed()
        }


def test_a_run_closes_its_event_loop(tmp_path):
    before = open_loops()
    assert run_notebook(small.store(tmp_path, "loop.ipynb", "1 + 1"), tmp_path).ok
    assert open_loops() <= before


def test_time_and_memory_are_measured(tmp_path):
    small.store(
        tmp_path, "a.ipynb", "import time", "x = bytearray(150 * 2**20)\ntime.sleep(0.3)\ndel x"
    )
    result = run_notebook("a.ipynb", tmp_path)
    assert result.ok and result.slowest[1] == 2 and 0.3 <= result.slowest[0] <= result.seconds
    assert 150 < result.peak_mb < 2000
    assert peak_memory(2**30) == 0


def test_the_environment_of_a_kernel(monkeypatch):
    for name in ("DLCOURSE_SMOKE", "NBGRADER_EXECUTION", "MPLBACKEND"):
        monkeypatch.setenv(name, "1")
    source, student = environment(one_thread=False), environment(student=True, DLCOURSE_DATA="here")
    assert (
        "NBGRADER_EXECUTION" not in source
        and "MPLBACKEND" not in source
        and "DLCOURSE_SMOKE" not in source
    )
    assert source["DLCOURSE_MILESTONES"] == "enforce" and source["DLCOURSE_PROGRESS"] == "0"
    assert student["DLCOURSE_SMOKE"] == "1" and "DLCOURSE_MILESTONES" not in student
    assert student["OMP_NUM_THREADS"] == "1" and student["DLCOURSE_DATA"] == "here"
