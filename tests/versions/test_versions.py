"""The versions that students meet: every notebook they open with those of Colab, offline and with
an empty cache; the library's quick tests with the oldest that pyproject.toml allows."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from environments import environment, find_python, offline

from dlcourse.release.course import reading

ROOT = Path(__file__).parents[2]
COLAB = (Path(__file__).parent / "colab.txt").read_text(encoding="utf-8")
OPENED = [one.student_path for one in reading.load(ROOT).notebooks()]
RUNNING = ["nbformat>=5.10", "nbclient>=0.10", "nbconvert>=7.16", "psutil>=5.9"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# No release tool, whose packages students do not have, and no documents.
LIBRARY = ["checks", "data", "methods", "metrics", "models", "pictures", "test_*.py"]


def pins():
    return re.findall(r"^[a-z].*==.*$", COLAB, re.MULTILINE)


def lower_bounds():
    """The oldest versions allowed: "torch>=2.6" → "torch==2.6"."""
    return [bound.replace(">=", "==") for bound in PROJECT["project"]["dependencies"]]


@pytest.fixture(scope="module")
def colab():
    """Colab's packages, and what runs notebooks; without nbgrader, as students have it."""
    return environment("colab", [*pins(), "tqdm", *RUNNING], find_python("3.13"))


@pytest.mark.executes
@pytest.mark.parametrize("path", OPENED, ids=lambda path: Path(path).stem)
def test_a_notebook_as_students_open_it_runs_with_the_versions_of_colab(colab, path, tmp_path):
    command = [colab, "-m", "dlcourse", "run", "--student", "--workers", "1", Path(path).name]
    env = offline(tmp_path, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.executes
def test_the_library_passes_its_quick_tests_at_its_lower_bounds(tmp_path):
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    # The newest pyparsing warns of what matplotlib 3.9 calls; some tests take that for an error.
    wanted = [*lower_bounds(), "pyparsing<3.3", "pytest>=8.2"]
    python = environment("lower-bounds", wanted, find_python(oldest))
    places = [str(place) for name in LIBRARY for place in (ROOT / "tests").glob(name)]
    # Mistakes and scans are judged by the same functions as the references: those are enough here.
    left_out = "not a_mistake_fails and not no_argument_can_be_ignored"
    chosen = ["-m", "not executes and not slow", "-k", left_out]
    command = [python, "-m", "pytest", "-q", *chosen, *places]
    env = offline(tmp_path, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_colab_is_no_older_than_the_lower_bounds():
    """Otherwise pip would replace what a Colab runtime holds, and break the session."""
    numbers = lambda text: [int(part) for part in re.findall(r"\d+", text)]  # noqa: E731
    allowed = dict(bound.split("==") for bound in lower_bounds())
    for name, version in (pin.split("==") for pin in pins()):
        assert numbers(version) >= numbers(allowed.get(name, "0")), name
