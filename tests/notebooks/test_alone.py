"""A student notebook alone in an empty folder, in an environment without the course: as in Colab.

The environment holds torch, torchvision, numpy, matplotlib and ipykernel only, linked
from the one that runs the tests, so it costs seconds instead of gigabytes. The
notebook's first cell must fetch the rest.
"""

import importlib.metadata as metadata
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

from dlcourse.release.course import reading

ROOT = Path(__file__).parents[2]
RUNTIME = ["torch", "torchvision", "numpy", "matplotlib", "ipykernel"]
NOTEBOOK = "Day01-Intro_DL_FFNs_and_Colab/Day01_Intro_Colab_and_FFNs_afternoon_exercises.ipynb"


def with_requirements(names):
    """The names and everything that they need, as distributions."""
    found, queue = {}, list(names)
    while queue:
        name = queue.pop().lower().replace("_", "-")
        if name in found:
            continue
        found[name] = metadata.distribution(name)
        for text in found[name].requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                queue.append(requirement.name)
    return found.values()


def link(source, target):
    if os.path.exists(target):  # a folder that several distributions share
        return
    # Links, so that a cell that replaced torch would break only this environment, which is what the
    # test watches for.
    try:
        os.link(source, target)
    except OSError:
        os.symlink(source, target)


def link_distribution(distribution, site):
    for entry in {
        Path(file).parts[0] for file in distribution.files if not str(file).startswith("..")
    }:
        source, target = Path(distribution.locate_file(entry)), site / entry
        if source.is_dir():
            shutil.copytree(source, target, copy_function=link, dirs_exist_ok=True)
        else:
            link(source, target)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """The python of a fresh environment that has only what Colab's runtime is promised to have."""
    folder = tmp_path_factory.mktemp("runtime") / "env"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    site = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    for distribution in with_requirements(RUNTIME):
        link_distribution(distribution, Path(site.strip()))
    return python


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The repository as GitHub's zip archive would hold it."""
    target = tmp_path_factory.mktemp("archive") / "main.zip"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in listed.stdout.splitlines():
            if not name.endswith(".ipynb") and (ROOT / name).is_file():
                archive.write(ROOT / name, f"DL_module-main/{name}")
    return target


def versions(python):
    code = (
        "import torch, torchvision as v, numpy as n, IPython as i; print(*(m.__version__ for m in "
        "(torch, v, n, i)))"
    )
    return subprocess.check_output([python, "-c", code], text=True, cwd="/")


def has_course(python):
    code = "import importlib.util as u; print(u.find_spec('dlcourse') is not None)"
    return subprocess.check_output([python, "-c", code], text=True, cwd="/").strip() == "True"


@pytest.mark.executes
@pytest.mark.skipif(sys.platform == "win32", reason="links need a developer's mode on Windows")
def test_the_exercise_notebook_sets_itself_up_and_runs(runtime, archive, tmp_path, monkeypatch):
    from nbclient import NotebookClient

    before = versions(runtime)
    assert not has_course(runtime)
    kernel = tmp_path / "jupyter" / "kernels" / "alone"
    kernel.mkdir(parents=True)
    argv = [str(runtime), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "alone", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("DLCOURSE_ARCHIVE", str(archive))
    monkeypatch.setenv("DLCOURSE_SMOKE", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)

    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(ROOT / NOTEBOOK, empty)
    notebook = nbformat.read(empty / Path(NOTEBOOK).name, 4)
    NotebookClient(
        notebook, kernel_name="alone", timeout=600, resources={"metadata": {"path": str(empty)}}
    ).execute()

    assert has_course(runtime)
    assert versions(runtime) == before
    assert "not attempted yet" in json.dumps(notebook.cells, ensure_ascii=False)
    assert reading.load(ROOT).repository in notebook.cells[1].source
