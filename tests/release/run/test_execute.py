"""`dlcourse run` on notebooks that are right and wrong in every way that is reported."""

import asyncio
import gc
import os
import signal
import sys
import threading
import time
import warnings

import nbformat
import pytest
import release_fixtures as small

from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.source import fingerprint, to_bytes
from dlcourse.release.run import execute, outputs, runner, times
from dlcourse.release.run.execute import run
from dlcourse.release.run.runner import environment, run_notebook

SOURCE, STUDENT = "Day01-Start/Day01_solutions.ipynb", "Day01-Start/Day01_exercises.ipynb"
LECTURE = "Day01-Start/Day01_lecture.ipynb"
FIGURE = "import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.show()"
WHERE = (
    'import os\n\nprint(os.environ["DLCOURSE_MILESTONES"], os.environ["OMP_NUM_THREADS"], '
    "os.listdir())"
)
BLANK = "print('○ double: not attempted yet, going on with the reference')"


@pytest.fixture
def course(tmp_path):
    return small.make_course(tmp_path)


def test_large_figures_are_saved_with_fewer_colours():
    import base64
    import io

    import numpy as np
    from PIL import Image

    noisy = (np.random.default_rng(0).random((200, 200, 3)) * 255).astype("uint8")
    kept = []
    for picture in (noisy, noisy[:20, :20]):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        png = base64.b64encode(file.getvalue()).decode()
        kept.append((png, outputs.slim(png)))
    (large, slim), (small, same) = kept
    assert len(slim) < len(large) / 2 and small == same
    assert Image.open(io.BytesIO(base64.b64decode(slim))).size == (200, 200)


# --- the command


def test_a_good_run_is_saved(course, capsys):
    small.store(course.root, SOURCE, "print('a')\nprint('b')", FIGURE, WHERE, "")
    assert run(course, save=True)
    printed = capsys.readouterr().out
    assert "notebook" in printed and "2 of 2 notebooks passed" in printed
    assert all(f"{path}" in printed for path in (SOURCE, LECTURE)) and "passed, saved" in printed

    nb = nbformat.read(course.root / SOURCE, 4)
    assert nb.metadata.dlcourse.fingerprint == fingerprint(nb)
    assert [cell.execution_count for cell in nb.cells] == [1, 2, 3, None]
    assert nb.cells[0].outputs == [nbformat.v4.new_output("stream", text="a\nb\n")]
    assert list(nb.cells[1].outputs[0].data) == ["image/png"]
    assert nb.cells[2].outputs[0].text == "enforce 1 []\n"  # in an empty folder, one thread each
    assert all(not cell.metadata for cell in nb.cells)
    assert nb.metadata.keys() == {"dlcourse"}


def test_a_failure_is_shown_in_full_and_not_saved(course, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    small.store(course.root, SOURCE, "print('before')", "x = 1\nx / 0  # 100%", "y = 2")
    before = (course.root / SOURCE).read_bytes()
    assert not run(course, ["Day01_solutions.ipynb"], save=True, failures=tmp_path / "failed")
    assert (course.root / SOURCE).read_bytes() == before
    printed = capsys.readouterr().out
    assert "FAILED" in printed and "0 of 1 notebooks passed" in printed
    problem = "cell 2 (b): ZeroDivisionError: division by zero"
    for part in [
        f"{SOURCE}: {problem}",
        "--- source\nx = 1\nx / 0",
        "--- last output\nbefore",
        "----> 2 x / 0",
    ]:
        assert part in printed
    assert "\x1b[" not in printed
    assert f"::error file={SOURCE}::{problem}" in printed
    page = tmp_path / "failed" / "Day01_solutions.html"
    assert str(page) in printed and "ZeroDivisionError" in page.read_text()


def test_annotations_are_escaped():
    assert execute._escape("100%\nsure") == "100%25%0Asure"


def test_the_student_run_takes_what_students_open_and_demands_blanks(course, capsys):
    small.store(
        course.root,
        STUDENT,
        "import os",
        f"{BLANK}\nprint(os.environ['DLCOURSE_SMOKE'])",
        nbgrader=check_cell(),
    )
    small.store(course.root, LECTURE, "import os\nassert os.environ['DLCOURSE_SMOKE'] == '1'")
    assert run(course, student=True, record=True)
    assert "2 of 2 notebooks passed" in capsys.readouterr().out
    # A smoke run of a lecture says nothing of its time; its full run may be recorded already.
    assert list(times.load(course.root)) == [STUDENT]


def check_cell():
    return {"grade_id": "double-check", "schema_version": 3}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"names": ["Day01_lektur.ipynb"]}, "did you mean Day01_lecture.ipynb?"),
        (
            {"names": ["Day01"], "student": True},
            f"{STUDENT}: the student notebook is missing: run `dlcourse build`",
        ),
        (
            {"student": True, "save": True},
            "--save goes without --student: only sources are committed with outputs",
        ),
        ({"workers": 0}, "--workers, --cell-limit and --notebook-limit must be at least 1"),
    ],
)
def test_what_cannot_be_run_is_named(course, arguments, message):
    with pytest.raises(CourseError) as error:
        run(course, **arguments)
    assert message in str(error.value)


def test_nothing_to_run(course, capsys):
    assert run(course, ["Day02"])
    printed = capsys.readouterr().out
    assert printed.startswith(
        "not written yet: Day02-Later/Day02_solutions.ipynb\nNothing to run: "
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no signals to a thread there")
def test_an_interrupted_run_leaves_no_kernel_behind(course):
    small.store(course.root, SOURCE, "import time\ntime.sleep(60)")

    def interrupt():
        while not runner.KERNELS:
            time.sleep(0.05)
        running.extend(runner.KERNELS)
        time.sleep(0.2)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    running, started = [], time.perf_counter()
    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run(course, ["Day01_solutions.ipynb"])
    assert time.perf_counter() - started < 20
    with pytest.raises(ProcessLookupError):
        os.kill(running[0], 0)


# --- one notebook


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
        ("import os\nos._exit(1)", "cell 2 (b): the kernel died (it had used "),
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
    small.store(tmp_path, "a.ipynb", "print('✓ double · 3 cases')", nbgrader=check_cell())
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
    assert runner.peak_memory(2**30) == 0


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


# --- saving


def result_of(course, path, *more):
    nb = nbformat.read(course.root / path, 4)
    for count, cell in enumerate((cell for cell in nb.cells if cell.cell_type == "code"), start=5):
        cell.execution_count, cell.outputs = count, [nbformat.from_dict(output) for output in more]
    return runner.Result(path, notebook=nb)


def test_nothing_is_saved_over_a_file_that_changed_meanwhile(course):
    result = result_of(course, LECTURE)
    result.notebook.cells[3].source = "other"
    message = f"{LECTURE}: the file changed while it ran, so nothing was saved: run it again"
    with pytest.raises(CourseError, match=message):
        outputs.save_outputs(course.root, result)


def test_a_figure_without_png_is_refused(course):
    before = (course.root / LECTURE).read_bytes()
    svg = nbformat.v4.new_output(
        "display_data", data={"image/svg+xml": "<svg/>", "text/plain": "SVG"}
    )
    result = result_of(course, LECTURE, svg)
    execute._save(course.root, result)
    assert (
        result.problem
        == "cell 2 (cell-1): shows a figure as image/svg+xml only: show it as PNG; nothing was "
        "saved"
    )
    assert (course.root / LECTURE).read_bytes() == before


def test_saving_keeps_the_source_and_drops_what_a_run_adds(course):
    before = nbformat.read(course.root / LECTURE, 4)
    result = result_of(course, LECTURE, nbformat.v4.new_output("execute_result", execution_count=7))
    result.notebook.metadata["widgets"] = {"state": {}}
    result.notebook.cells[3].metadata["execution"] = {"iopub": "2023"}
    outputs.save_outputs(course.root, result)
    after = nbformat.read(course.root / LECTURE, 4)
    assert [cell.source for cell in after.cells] == [cell.source for cell in before.cells]
    codes = [after.cells[1], after.cells[3]]
    assert (
        [cell.execution_count for cell in codes]
        == [1, 2]
        == [cell.outputs[0].execution_count for cell in codes]
    )
    assert after.metadata.keys() == {"dlcourse"} and not after.cells[3].metadata
    assert (course.root / LECTURE).read_bytes() == to_bytes(after)


@pytest.mark.parametrize(
    "kinds, kept",
    [
        (["image/png", "image/svg+xml", "text/plain"], ["image/png"]),
        (["text/html", "text/plain"], ["text/html", "text/plain"]),
        (["application/vnd.jupyter.widget-view+json", "text/plain"], ["text/plain"]),
        (["text/plain"], ["text/plain"]),
    ],
)
def test_which_forms_of_an_output_are_kept(kinds, kept):
    data, metadata = dict.fromkeys(kinds, "eA=="), {kind: {"width": 1} for kind in kinds}
    output = outputs.tidy(nbformat.v4.new_output("display_data", data=data, metadata=metadata), 1)
    assert list(output.data) == kept and list(output.metadata) == kept
