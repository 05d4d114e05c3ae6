"""Executing one notebook in a fresh kernel, in an empty folder, within limits of time."""

import asyncio
import atexit
import logging
import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.source import read_notebook
from dlcourse.release.run.faults import code_cells, describe, find_fault, name_cell, plain

# what went wrong is said once, in a Result
QUIET = logging.Logger("dlcourse-quiet", level=logging.CRITICAL + 1)
START_SECONDS = 60
START_ATTEMPTS = 3
OUTPUT_SECONDS = 60  # how long the outputs of a finished cell may take to arrive
KERNELS = set()  # process ids of the kernels that run now

# What a shell may have set and a run decides for itself. MPLBACKEND would keep figures out of the
# notebook.
DECIDED_HERE = ("DLCOURSE_SMOKE", "DLCOURSE_MILESTONES", "NBGRADER_EXECUTION", "MPLBACKEND")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass
class Result:
    """How a run of one notebook went."""

    path: str  # relative to the course's root
    seconds: float = 0.0
    slowest: tuple = (0.0, 0)  # seconds and number of the slowest cell
    peak_mb: int = 0  # the kernel's largest memory, as far as it was seen between cells
    problem: str = ""  # one line; "" where everything went well
    details: str = ""  # source, traceback and last output of the failing cell
    notebook: object = None  # with the outputs of the run

    @property
    def ok(self):
        return not self.problem


def environment(student=False, one_thread=True, **extra):
    """The environment variables of a kernel: sources must reach their milestones,
    student notebooks run as smoke."""
    env = {name: value for name, value in os.environ.items() if name not in DECIDED_HERE}
    env |= {"DLCOURSE_PROGRESS": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    env |= {"DLCOURSE_SMOKE": "1"} if student else {"DLCOURSE_MILESTONES": "enforce"}
    if one_thread:
        env |= dict.fromkeys(THREADS, "1")
    return env | extra


def run_notebook(path, root=".", student=False, env=None, cell_limit=300, notebook_limit=900):
    """Executes the notebook `path` (relative to `root`) and returns a Result;
    writes only to a temporary folder.

    student: demand that every check reports its exercise as not attempted.
    env: the kernel's environment variables (default:
        `environment(student)`). Limits are in seconds.
    """
    result = Result(str(path))
    try:
        result.notebook = read_notebook(Path(root) / path, root)
    except CourseError as error:
        result.problem = str(error)
        return result
    for cell in code_cells(result.notebook.cells):
        cell.outputs, cell.execution_count = [], None
    watch = _Watch(cell_limit, notebook_limit)
    with tempfile.TemporaryDirectory(prefix="dlcourse-", ignore_cleanup_errors=True) as folder:
        _execute(result, watch, folder, env or environment(student))
    result.seconds, result.slowest, result.peak_mb = watch.elapsed(), watch.slowest, watch.peak_mb
    found = find_fault(result.notebook, student) if result.ok else None
    if found:
        index, fault = found
        result.problem = f"{name_cell(result.notebook, index)}: {fault}"
        result.details = describe(result.notebook, index)
    return result


def _execute(result, watch, folder, env):
    """Runs the notebook in `folder`/work; what the kernel itself has to say goes
    into a file, not to the terminal."""
    work, log = Path(folder, "work"), Path(folder, "kernel.log")
    work.mkdir()
    for attempt in range(1, START_ATTEMPTS + 1):
        error = _attempt(result, watch, work, log, env)
        # Between a port's choice and its use another kernel may take it; one that died of that
        # starts with new ports.
        if not (watch.index is None and "Kernel died" in str(error) and attempt < START_ATTEMPTS):
            break
    if error:
        result.problem = watch.explain(error, result.notebook)
        if watch.index is None:
            result.details = "\n".join(
                ["--- kernel", *log.read_text(errors="replace").splitlines()[-15:]]
            )
        else:
            result.details = describe(result.notebook, watch.index)


def _attempt(result, watch, work, log, env):
    """One kernel's life, from start to end; returns what ended it, None where that
    was the notebook's last cell."""
    client = _client(result.notebook, watch, str(work))
    try:
        with log.open("w") as stream:
            # asyncio.run closes its loop; client.execute would leave one behind, with its sockets,
            # at every call.
            asyncio.run(client.async_execute(env=env, stdout=stream, stderr=stream))
    except Exception as error:
        return error
    finally:
        KERNELS.discard(watch.process)
        # A kernel that did not start leaves a clean-up behind that would fail at exit.
        atexit.unregister(client._cleanup_kernel)


class _Watch:
    """Follows a run through nbclient's hooks: where it is, how long it
    takes, how much memory it needs."""

    def __init__(self, cell_limit, notebook_limit):
        self.limits = cell_limit, notebook_limit
        self.started = self.cell_started = time.perf_counter()
        self.slowest, self.peak_mb, self.index, self.process = (0.0, 0), 0, None, None

    def elapsed(self):
        return time.perf_counter() - self.started

    def time_left(self, cell):
        """Seconds that this cell may take: its own limit, or what is left to the notebook."""
        return max(1, min(self.limits[0], self.limits[1] - self.elapsed()))

    def enter(self, cell, cell_index):
        self.index, self.cell_started = cell_index, time.perf_counter()

    def leave(self, cell, cell_index, execute_reply):
        self._note_time()
        self.peak_mb = max(self.peak_mb, peak_memory(self.process))

    def _note_time(self):
        self.slowest = max(self.slowest, (time.perf_counter() - self.cell_started, self.index + 1))

    def explain(self, error, notebook):
        """What ended the run, in one line with the cure."""
        from nbclient import exceptions

        if self.index is None:
            why = " ".join(str(error).split()) or type(error).__name__
            return (
                f"the kernel did not start: {why}: see that `python -m ipykernel --version` works "
                "here"
            )
        self._note_time()
        where = f"{name_cell(notebook, self.index)}: "
        if isinstance(error, exceptions.CellExecutionError):
            return (
                where
                + f"{error.ename}: {plain(error.evalue).strip() or 'no message'}".splitlines()[0]
            )
        if isinstance(error, exceptions.DeadKernelError):
            return (
                where
                + f"the kernel died (it had used {self.peak_mb} MB): most often memory ran out; "
                "use less"
            )
        if isinstance(error, exceptions.CellTimeoutError):
            return where + self._explain_timeout(error)
        return where + f"{type(error).__name__}: {' '.join(str(error).split())}"

    def _explain_timeout(self, error):
        cell_limit, notebook_limit = self.limits
        if "IOPub" in str(error):
            return f"its outputs did not arrive within {OUTPUT_SECONDS} s: print less"
        if self.elapsed() >= notebook_limit:
            return (
                f"the notebook took longer than {notebook_limit} s: make it shorter, or raise "
                "--notebook-limit"
            )
        return f"still running after {cell_limit} s: make it shorter, or raise --cell-limit"


def _client(notebook, watch, folder):
    from nbclient import NotebookClient

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        startup_timeout=START_SECONDS,
        iopub_timeout=OUTPUT_SECONDS,
        raise_on_iopub_timeout=True,
        timeout_func=watch.time_left,
        coalesce_streams=True,
        record_timing=False,
        # there is nothing left to tidy up, and asking politely takes a second
        shutdown_kernel="immediate",
        resources={"metadata": {"path": folder}},
        log=QUIET,
        on_cell_execute=watch.enter,
        on_cell_executed=watch.leave,
    )

    def note_process(notebook):
        watch.process = getattr(client.km.provisioner, "pid", None)
        watch.peak_mb = peak_memory(watch.process)
        KERNELS.add(watch.process)

    client.on_notebook_start = note_process
    return client


def peak_memory(process):
    """The most memory, in MB, that the process with this id has had so
    far; 0 where it cannot be told."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) // 1024
    except (OSError, TypeError):
        pass
    try:  # no /proc here: what it has now is the next best
        import psutil

        return psutil.Process(process).memory_info().rss // 2**20
    except Exception:
        return 0
