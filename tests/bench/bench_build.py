"""Making a student notebook in process against nbgrader's command line, per notebook."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dlcourse.release.course import reading
from dlcourse.release.notebook import source, student

ROOT = Path(__file__).parents[2]


def in_process(course, notebook, rounds=20):
    start = time.perf_counter()
    for _ in range(rounds):
        raw = source.read_notebook(ROOT / notebook.source)
        student.generate(source.normalise(raw, notebook, course), notebook, course)
    return (time.perf_counter() - start) / rounds


def command_line(notebook):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "source" / "day"
        place.mkdir(parents=True)
        shutil.copy(ROOT / notebook.source, place)
        command = [
            sys.executable,
            "-m",
            "nbgrader",
            "generate_assignment",
            "day",
            "--CourseDirectory.course_id=c",
        ]
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return time.perf_counter() - start


def main():
    course = reading.load(ROOT)
    notebook = next(n for n in course.notebooks() if n.solutions and (ROOT / n.source).exists())
    in_process(course, notebook, rounds=1)  # nbgrader's imports, once a build
    ours, theirs = in_process(course, notebook), command_line(notebook)
    print(
        f"student notebook: {1000 * ours:.0f} ms in process, {theirs:.1f} s by command line: "
        f"{theirs / ours:.0f}×"
    )


if __name__ == "__main__":
    main()
