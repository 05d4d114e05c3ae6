"""A kernel and everything that it started, detached or not, and how to end them all."""

import contextlib
import os
import re
import time
from concurrent.futures import wait
from pathlib import Path

MARK = "DLCOURSE_RUN"  # in the environment of a kernel, so in that of all it starts
RUNNING = set()  # the families that run now


class Family:
    """A kernel and what it started. A child may leave its parent, its process group and its
    session; it belongs here as long as it keeps the environment or the folder it was born with,
    or was seen below the kernel before."""

    def __init__(self, folder):
        """folder: that of the kernel alone; whatever works in it belongs to the kernel."""
        self.folder = os.path.realpath(folder)
        self.kernel = None  # a psutil.Process: a number alone may be given to a stranger later
        self.stop = None  # a function for other threads, which makes nbclient give up the kernel
        self._seen = set()

    @property
    def mark(self):
        """What the kernel's environment needs to hold."""
        return {MARK: self.folder}

    def take(self, number):
        """Takes the process with this id as the kernel."""
        import psutil

        with contextlib.suppress(psutil.Error):
            self.kernel = psutil.Process(number)

    def look(self):
        """Notes what runs below the kernel now: once the kernel is dead, nothing leads there."""
        import psutil

        with contextlib.suppress(psutil.Error):
            if self.kernel:
                self._seen.update(self.kernel.children(recursive=True))

    def find(self):
        """All members that are alive, as psutil.Process."""
        import psutil

        # The newest first: a process that forks and exits is gone when a slow look reaches it.
        for number in sorted(psutil.pids(), reverse=True):
            with contextlib.suppress(psutil.Error, OSError):
                process = psutil.Process(number)
                if process.status() != psutil.STATUS_ZOMBIE and self._owns(process):
                    yield process

    def _owns(self, process):
        import psutil

        if process.pid == os.getpid():
            return False
        if process == self.kernel or process in self._seen or self._in_session(process.pid):
            return True
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == self.folder:
                return True
        return Path(process.cwd()).is_relative_to(self.folder)

    def _in_session(self, number):
        """A kernel leads a session of its own, where there are sessions."""
        return self.kernel and hasattr(os, "getsid") and os.getsid(number) == self.kernel.pid

    def end(self, seconds=5):
        """Ends all members, and those that they start meanwhile; takes at most some `seconds`."""
        import psutil

        self.look()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = False
            for process in self.find():
                found = True
                with contextlib.suppress(psutil.Error):
                    process.kill()
            if not found:
                return
            time.sleep(0.02)


def end_all(futures, seconds=10):
    """Ends all families, and those that the workers behind `futures` still start,
    until these workers have stopped."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for family in list(RUNNING):
            if stop := family.stop:
                family.stop = None
                with contextlib.suppress(RuntimeError):  # its loop is closed: it has stopped
                    stop()
            family.end()
        if not wait(futures, timeout=0.1).not_done:
            return


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
