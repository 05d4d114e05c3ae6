"""The limits of a run, and what ended it, in words."""

import signal
import time

from dlcourse.release.run import client
from dlcourse.release.run.faults import name_cell, plain, shorten
from dlcourse.release.run.processes import peak_memory

CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP")


class Watch:
    """Follows a run through nbclient's hooks: where it is, how long it takes, how much memory it
    needs, how many characters of a cell's outputs were left out."""

    def __init__(self, cell_limit, notebook_limit):
        self.limits = cell_limit, notebook_limit
        self.started = self.cell_started = time.perf_counter()
        self.slowest, self.peak_mb, self.index = (0.0, 0), 0, None
        self.cut = {}  # index of a cell → characters left out
        self.family = None  # the kernel with all it started, a processes.Family
        self.kernel = None  # the kernel's subprocess.Popen

    def elapsed(self):
        return time.perf_counter() - self.started

    def time_left(self):
        """Seconds that a cell may take: its own limit, or what is left to the notebook."""
        return max(0, min(self.limits[0], self.limits[1] - self.elapsed()))

    def enter(self, cell, cell_index):
        self.index, self.cell_started = cell_index, time.perf_counter()

    def leave(self, cell, cell_index, execute_reply):
        self._note_time()

    def begin(self, kernel):
        """Takes the kernel that is ready now, a subprocess.Popen."""
        self.kernel = kernel
        self.family.take(kernel.pid)
        self.peak_mb = peak_memory(kernel.pid)

    def note(self, cell_index, cut):
        """Looks at the kernel after a cell that ended, well or not; so many characters were cut."""
        if cut:
            self.cut[cell_index] = cut
        self.peak_mb = max(self.peak_mb, peak_memory(self.kernel.pid))
        self.family.look()

    def _note_time(self):
        self.slowest = max(self.slowest, (time.perf_counter() - self.cell_started, self.index + 1))

    def find_cut(self):
        """Index and fault of the first cell that showed more than is kept; None without one."""
        for index, count in sorted(self.cut.items()):
            return index, f"{count:,} characters of its outputs were left out: show less"
        return None

    def explain(self, error, notebook):
        """What ended the run, in one line with the cure."""
        if self.index is None:
            why = shorten(" ".join(str(error).split()) or type(error).__name__)
            return (
                f"the kernel did not start: {why}: see that `python -m ipykernel --version` works "
                "here"
            )
        self._note_time()
        return f"{name_cell(notebook, self.index)}: {shorten(self._explain(error))}"

    def _explain(self, error):
        from nbclient import exceptions

        if isinstance(error, exceptions.CellExecutionError):
            message = plain(error.evalue).strip() or "no message"
            return f"{error.ename}: {message}".splitlines()[0]
        if isinstance(error, exceptions.DeadKernelError):
            code = self.kernel.poll() if self.kernel else None
            return explain_death(code, self.peak_mb)
        if isinstance(error, exceptions.CellTimeoutError):
            return self._explain_timeout(error)
        return f"{type(error).__name__}: {' '.join(str(error).split())}"

    def _explain_timeout(self, error):
        cell_limit, notebook_limit = self.limits
        if "IOPub" in str(error):
            return "its outputs did not arrive: print less, and leave the kernel's sockets alone"
        cut = self.cut.get(self.index, 0)
        if cut > client.MOST:
            return f"stopped when it had shown {cut:,} characters: show less"
        shown = f" ({cut:,} characters of its outputs were left out: show less)" if cut else ""
        if self.elapsed() >= notebook_limit:
            return (
                f"the notebook took longer than {notebook_limit} s: make it shorter, or raise "
                f"--notebook-limit{shown}"
            )
        return f"still running after {cell_limit} s: make it shorter, or raise --cell-limit{shown}"


def explain_death(code, peak_mb):
    """Why a kernel died, from its exit code as subprocess gives it: -9 where signal 9 ended it."""
    before = f"{peak_mb} MB before this cell"
    if code is None:
        return f"the kernel died ({before}): run the cell alone to see why"
    if code >= 0:
        return (
            f"the kernel ended itself with exit code {code}: take out what exits, such as os._exit"
        )
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name == "SIGKILL":
        return f"the kernel was killed ({before}): most often memory ran out: use less"
    if name in CRASHES:
        return (
            f"the kernel crashed ({name}) in native code, most often given what it cannot take, "
            "as NaN or memory that is gone: the line is under `kernel` below"
        )
    return f"the kernel was ended by {name}: see who sends it, and run it again"
