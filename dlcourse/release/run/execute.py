"""`dlcourse run`: executes notebooks, two at a time, and says how long each took,
what it needed and what failed."""

import contextlib
import os
import signal
import tempfile
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from dlcourse.release.course.tables import CourseError
from dlcourse.release.run import times
from dlcourse.release.run.faults import name_cell
from dlcourse.release.run.outputs import images_without_png, save_outputs
from dlcourse.release.run.page import write_page
from dlcourse.release.run.processes import end_all
from dlcourse.release.run.runner import environment, run_notebook


def run(course, names=(), student=False, save=False, record=False, workers=2, cell_limit=300,
        notebook_limit=900, failures=None):  # fmt: skip
    """Executes the named notebooks (all by default), prints a table, returns whether all went well.

    student: what students open, blank notebooks and lectures, as a smoke run; otherwise solutions
    and lectures, milestones enforced.
    save: write the outputs of every good run into its notebook. record: keep its times for
    the README. Limits are in seconds.
    failures: folder for an HTML page of every failed notebook (default: a
        temporary one, which is printed).
    """
    _refuse(student and save, min(workers, cell_limit, notebook_limit))
    paths = _list_paths(course, names, student)
    if not paths:
        print("Nothing to run: these notebooks are not written yet.")
        return True
    lectures = {one.source for one in course.notebooks() if not one.solutions}
    workers = min(workers, len(paths))
    limits = {"cell_limit": cell_limit, "notebook_limit": notebook_limit}
    env = environment(student, one_thread=workers > 1)
    started, width = time.perf_counter(), max(len(path) for path in paths)
    head, results = f"{'notebook':<{width}}  seconds  slowest cell      peak MB  result", []
    walk = _walk(course.root, paths, workers, head, student=student, env=env, **limits)
    with contextlib.closing(walk):
        for result in walk:
            if save and result.ok:
                _save(course.root, result)
            # Of a lecture the full run is recorded, not the smoke run.
            if record and result.ok and not (student and result.path in lectures):
                times.record(course.root, result)
            print(_row(result, width, save), flush=True)
            results.append(result)
    failed = [result for result in results if not result.ok]
    _report(failed, failures)
    passed = len(results) - len(failed)
    print(f"\n{passed} of {len(results)} notebooks passed in {time.perf_counter() - started:.0f} s")
    return not failed


def _refuse(saves_students, least):
    if saves_students:
        raise CourseError("--save goes without --student: only sources are committed with outputs")
    if least < 1:
        raise CourseError("--workers, --cell-limit and --notebook-limit must be at least 1")


def _list_paths(course, names, student):
    """Files to run, the longest first so that no worker is left alone with it at the end."""
    chosen = course.select(names)
    chosen.sort(key=lambda one: -(one.minutes or {"cpu": 0})["cpu"])
    paths = []
    for one in chosen:
        path = one.student_path if student else one.source
        if (course.root / path).is_file():
            paths.append(path)
        elif student and (course.root / one.source).is_file():
            raise CourseError(
                f"{path}: the student notebook is missing: run `dlcourse build` first"
            )
        elif names:
            print(f"not written yet: {path}")
    return paths


def _walk(root, paths, workers, head, **options):
    """Results as they come, under the printed line `head`. Whatever ends this early (Ctrl-C,
    SIGTERM) ends the kernels and all that they started, so that nothing goes on behind one's
    back."""
    with _noted_signals() as noted, ThreadPoolExecutor(workers) as pool:
        print(head, flush=True)
        futures = [pool.submit(run_notebook, path, root, **options) for path in paths]
        waiting = futures
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                if noted:
                    raise KeyboardInterrupt
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            end_all(futures)
            raise


@contextlib.contextmanager
def _noted_signals():
    """A list of the signals that came meanwhile and ask for an end: Ctrl-C, SIGTERM, and SIGHUP
    where nobody ignores it. They only raise where it is safe: not while a kernel or a thread
    starts, a file is written, or what was started is being ended."""
    noted, before = [], {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        numbers = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
        before = {number: signal.getsignal(number) for number in numbers if number}
    # None: set by something that is not Python, which could not be put back
    before = {n: old for n, old in before.items() if old not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, lambda number, frame: noted.append(number))
    try:
        yield noted
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _save(root, result):
    figures = list(images_without_png(result.notebook))
    if figures:
        index, kind = figures[0]
        where = name_cell(result.notebook, index)
        result.problem = (
            f"{where}: shows a figure as {kind} only: show it as PNG; nothing was saved"
        )
        return
    try:
        save_outputs(root, result)
    except CourseError as error:
        result.problem = str(error)


def _row(result, width, saved):
    seconds, number = result.slowest
    slowest = f"cell {number}, {seconds:.1f} s" if number else "–"
    outcome = ("passed, saved" if saved else "passed") if result.ok else "FAILED"
    return (
        f"{result.path:<{width}}  {result.seconds:7.1f}  {slowest:<16}  {result.peak_mb:7d}  "
        f"{outcome}"
    )


def _report(failed, folder):
    """Everything one needs to mend a failure without running it again."""
    if not failed:
        return
    folder = Path(folder or tempfile.mkdtemp(prefix="dlcourse-failed-"))
    for result in failed:
        problem = result.problem.removeprefix(f"{result.path}: ")
        print(f"\n{result.path}: {problem}")
        if result.details:
            print(result.details)
        if os.environ.get("GITHUB_ACTIONS"):
            print(f"::error file={result.path}::{_escape(problem)}")
        if result.notebook:
            print(f"The notebook as far as it came: {write_page(folder, result)}")


def _escape(text):
    """Text as a GitHub annotation takes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
