"""What is said of a kernel that died."""

import signal
import sys

import pytest
import release_fixtures as small

from dlcourse.release.run.limits import explain_death
from dlcourse.release.run.runner import environment, run_notebook

SEND = "import os, signal, time\nos.kill(os.getpid(), signal.{})\ntime.sleep(9)"
LINES = "import ctypes\n\nctypes.string_at(0)"


@pytest.mark.slow
@pytest.mark.parametrize("outside", [True, False])
@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize(
    "source, problem",
    [
        (SEND.format("SIGKILL"), "the kernel was killed ("),
        (LINES, "the kernel crashed (SIGSEGV) in native code"),
        ("import os\nos.abort()", "the kernel crashed (SIGABRT) in native code"),
        (SEND.format("SIGTERM"), "the kernel was ended by SIGTERM: see who sends it"),
        ("import os\nos._exit(0)", "the kernel ended itself with exit code 0: take out"),
        ("import os\nos._exit(3)", "the kernel ended itself with exit code 3: take out"),
    ],
)
def test_a_dead_kernel_says_what_it_died_of(tmp_path, source, problem, outside):
    small.store(tmp_path, "a.ipynb", "1", source)
    env = environment()
    if outside:  # ipykernel leaves the streams below Python alone where it sees this variable
        env.pop("PYTEST_CURRENT_TEST")
    result = run_notebook("a.ipynb", tmp_path, env=env, cell_limit=20)
    assert result.problem.startswith(f"cell 2 (b): {problem}")
    assert ("memory" in result.problem) == ("SIGKILL" in source or "crashed" in problem)
    if source == LINES:  # the cure that the message names: the line is there
        kernel = result.details.split("--- kernel\n")[1]
        assert "Segmentation fault" in kernel and "line 3 in <module>" in kernel


def test_only_what_was_killed_is_said_to_have_run_out_of_memory():
    codes = [None, 0, 1, 137, -signal.SIGSEGV, -signal.SIGTERM, -63]
    assert not any("ran out" in explain_death(code, 100) for code in codes)
    assert "signal 99" in explain_death(-99, 100)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_the_memory_named_is_that_before_the_cell():
    assert "(123 MB before this cell): most often memory ran out" in explain_death(-9, 123)
