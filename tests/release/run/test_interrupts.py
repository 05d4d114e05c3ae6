"""Ctrl-C and the signals that end a process end `dlcourse run` at once, with all it started."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import release_fixtures as small

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no such signals there"),
]
START = """import os, subprocess
from pathlib import Path
sleep = ['sleep', '300']
plain = subprocess.Popen(sleep)
detached = subprocess.Popen(sleep, start_new_session=True, cwd='/')
for number in (os.getpid(), plain.pid, detached.pid):
    Path('NOTES', str(number)).touch()
"""
BUSY = {
    "computes": "while True:\n    pass",
    "prints": "while True:\n    print('x' * 60_000)",
    "ignores": "import signal as s\ns.signal(s.SIGTERM, s.SIG_IGN)\nwhile True:\n    pass",
}


def listen():
    """Undoes what a background job or nohup around the tests has set for all that they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def running(tmp_path):
    """A function that starts `dlcourse run` on two notebooks; it returns the process and the
    numbers of those that the notebooks started."""
    notes, processes = tmp_path / "notes", []
    notes.mkdir()

    def start(source, *before, ready=6):
        course = small.make_course(tmp_path)
        for name in ("Day01_solutions", "Day01_lecture"):
            cell = START.replace("NOTES", str(notes)) + source
            small.store(course.root, f"Day01-Start/{name}.ipynb", cell)
        command = [*before, sys.executable, "-m", "dlcourse", "run", "--root", str(tmp_path)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen(command, preexec_fn=listen, **pipes))
        deadline = time.monotonic() + 60
        while len(list(notes.iterdir())) < ready and time.monotonic() < deadline:
            time.sleep(0.05)
        return processes[0], [int(path.name) for path in notes.iterdir()]

    yield start
    for process in processes:
        process.kill()
        process.communicate()
    for path in notes.iterdir():
        if alive(int(path.name)):
            os.kill(int(path.name), signal.SIGKILL)


def alive(number):
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def assert_ends(process, numbers):
    started = time.perf_counter()
    _, said = process.communicate(timeout=15)
    assert time.perf_counter() - started < 8
    assert (process.returncode, said) == (1, "dlcourse: stopped\n")
    assert not any(map(alive, numbers))


@pytest.mark.parametrize(
    "name, kind",
    [("SIGINT", "computes"), ("SIGHUP", "computes"), *(("SIGTERM", kind) for kind in BUSY)],
)
def test_a_signal_ends_everything(running, name, kind):
    process, numbers = running(BUSY[kind])
    assert len(numbers) == 6 and all(map(alive, numbers))
    process.send_signal(getattr(signal, name))
    assert_ends(process, numbers)


def test_an_impatient_user_leaves_nothing_behind_either(running):
    process, numbers = running(BUSY["computes"])
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert_ends(process, numbers)


@pytest.mark.parametrize("seconds", [0, 0.3, 60])
def test_a_kernel_that_is_only_starting_ends_too(running, seconds):
    process, _ = running(BUSY["computes"], ready=0)
    process.stdout.readline()  # the table's first line: kernels are started now
    deadline, children = time.monotonic() + seconds, []
    while not children and time.monotonic() < deadline:
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    assert_ends(process, [child.pid for child in children])
    assert children or seconds < 60


def test_nohup_is_obeyed(running):
    process, numbers = running("import time\ntime.sleep(2)", "nohup")
    process.send_signal(signal.SIGHUP)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "2 of 2 notebooks passed" in printed
    assert not any(map(alive, numbers))
