"""What a notebook starts ends with it, however it was started and however the notebook ends."""

import subprocess
import sys
import time

import psutil
import pytest
import release_fixtures as small

from dlcourse.release.run.processes import RUNNING, Family
from dlcourse.release.run.runner import environment, run_notebook

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no sessions there"),
]
SLEEP = "import subprocess\nnote(subprocess.Popen(['sleep', '300']{}).pid)"
FORK = """import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir('/')
        note(os.getpid())
        time.sleep(300)
    os._exit(0)
os.wait()"""
SHELL = (
    "import subprocess\nsubprocess.run('nohup setsid sleep 300 & echo $! > NOTES/$!', shell=True)"
)
CHILDREN = {
    "a child": SLEEP.format(""),
    "in a group of its own": SLEEP.format(", process_group=0"),
    "in a session of its own": SLEEP.format(", start_new_session=True"),
    "without our environment": SLEEP.format(", start_new_session=True, env={}"),
    "without our folder": SLEEP.format(", start_new_session=True, cwd='/'"),
    "without both": SLEEP.format(", start_new_session=True, cwd='/', env={}"),
    "forked twice": FORK,
    "by a shell": SHELL,
}
ENDS = {
    "well": ("print('end')", ""),
    "with an error": ("1 / 0", "ZeroDivisionError"),
    "at its limit": ("while True:\n    pass", "still running"),
    "with a dead kernel": ("import os\nos._exit(1)", "exit code 1"),
    "with a kernel that stands still": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        "still running",
    ),
}
NOTE = """from pathlib import Path
def note(number):
    Path('NOTES', str(number)).touch()"""


def run_sources(tmp_path, *sources, limit=4):
    """Executes cells after one that defines `note`; returns result and noted numbers."""
    notes = tmp_path / "notes"
    notes.mkdir(exist_ok=True)
    sources = [source.replace("NOTES", str(notes)) for source in (NOTE, *sources)]
    small.store(tmp_path, "a.ipynb", *sources)
    started = time.perf_counter()
    result = run_notebook("a.ipynb", tmp_path, cell_limit=limit)
    assert time.perf_counter() - started < limit + 12
    assert not RUNNING
    return result, [int(path.name) for path in notes.iterdir() if path.name != "alive"]


def alive(number):
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_child_ends_with_the_notebook(tmp_path, kind):
    result, numbers = run_sources(tmp_path, CHILDREN[kind], "import time\ntime.sleep(0.5)")
    assert result.ok, result.problem + result.details
    assert len(numbers) == 1 and not alive(numbers[0])


@pytest.mark.parametrize("end", ENDS)
def test_children_end_however_the_notebook_ends(tmp_path, end):
    source, problem = ENDS[end]
    hidden = CHILDREN["without both"]
    result, numbers = run_sources(tmp_path, FORK, hidden, CHILDREN["a child"], source)
    assert problem in result.problem and bool(problem) != result.ok
    assert len(numbers) == 3 and not any(map(alive, numbers))


def test_a_child_that_starts_the_next_and_exits_is_caught(tmp_path):
    hop = """import os, time
if os.fork() == 0:
    os.setsid()
    while time.time() < START + 120:
        Path('NOTES', 'alive').touch()
        time.sleep(0.05)
        if os.fork():
            os._exit(0)
    os._exit(0)"""
    # the limit of time in it is for a machine on which this test fails
    result, _ = run_sources(tmp_path, "import time\nSTART = time.time()", hop, "time.sleep(1)")
    assert result.ok, result.problem
    beat = tmp_path / "notes" / "alive"
    before = beat.stat().st_mtime
    time.sleep(1)
    assert beat.stat().st_mtime == before


def test_what_others_started_goes_on(tmp_path):
    mine, other = Family(tmp_path / "mine"), Family(tmp_path / "other")
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    children = [
        subprocess.Popen(sleep, env=environment(**family.mark), start_new_session=True)
        for family in (mine, other)
    ]
    try:
        mine.end()
        assert children[0].wait(5) < 0 and children[1].poll() is None
    finally:
        for child in children:
            child.kill()
            child.wait()
