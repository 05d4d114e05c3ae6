"""Executing one notebook in a fresh kernel, in an empty folder, within limits of time."""

import asyncio
import atexit
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.source import clear_outputs, read_notebook
from dlcourse.release.run.faults import describe, find_fault, last_lines, name_cell
from dlcourse.release.run.limits import Watch
from dlcourse.release.run.processes import RUNNING, Family

START_ATTEMPTS = 3

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
    clear_outputs(result.notebook)
    watch = Watch(cell_limit, notebook_limit)
    with tempfile.TemporaryDirectory(prefix="dlcourse-", ignore_cleanup_errors=True) as folder:
        _execute(result, watch, folder, env or environment(student))
    result.seconds, result.slowest, result.peak_mb = watch.elapsed(), watch.slowest, watch.peak_mb
    found = watch.find_cut() or find_fault(result.notebook, student) if result.ok else None
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
        parts = [] if watch.index is None else [describe(result.notebook, watch.index)]
        if "Kernel died" in str(error) and (said := last_lines(log)):
            parts.append(f"--- kernel\n{said}")
        result.details = "\n".join(parts)


def _attempt(result, watch, work, log, env):
    """One kernel's life, from start to end, and that of all it started; returns what ended it,
    None where that was the notebook's last cell."""
    from dlcourse.release.run.client import Client

    family = watch.family = Family(work)
    RUNNING.add(family)
    client = Client(result.notebook, watch, str(work))
    client.on_notebook_start = lambda notebook: watch.begin(client.km.provisioner.process)
    try:
        with log.open("w") as stream:
            # asyncio.run closes its loop; client.execute would leave one behind, with its sockets,
            # at every call.
            options = {"env": env | family.mark, "stdout": stream, "stderr": stream}
            asyncio.run(_converse(client, family, **options))
    except Exception as error:
        return error
    finally:
        family.end()
        RUNNING.discard(family)
        # A kernel that did not start leaves a clean-up behind that would fail at exit.
        atexit.unregister(client._cleanup_kernel)


async def _converse(client, family, **options):
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    # A task of nbclient that fails after the end has nothing to tell.
    loop.set_exception_handler(lambda loop, context: None)
    family.stop = lambda: loop.call_soon_threadsafe(task.cancel)
    try:
        await client.async_execute(**options)
    finally:
        family.stop = None
        if client.km:  # stopped before nbclient felt bound to tidy up
            await client._async_cleanup_kernel()
