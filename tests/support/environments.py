"""Virtual environments with other versions than the one that runs the tests, kept between runs."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock  # comes with torch

CACHE = Path(os.environ.get("DLCOURSE_TEST_ENVIRONMENTS", "~/.cache/dlcourse-tests")).expanduser()


def find_python(version):
    """The interpreter of this version ("3.13") where the machine has one, else the one in use."""
    pyenv = Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
    for name in (shutil.which(f"python{version}"), *pyenv, sys.executable):
        works = name and subprocess.run([name, "-c", "import venv"], capture_output=True)
        if works and works.returncode == 0:
            return name


def environment(name, requirements, python):
    """The interpreter of an environment with these requirements: built once, then found again.

    One of another content under the same name is removed first: each takes some 5 GB.
    """
    wanted = "\n".join([subprocess.check_output([python, "-VV"], text=True), *requirements])
    folder = CACHE / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    inside = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / f"{name}.lock"):  # both test processes may ask for it
        if not (folder / "complete").exists():
            for old in CACHE.glob(f"{name}-*"):
                shutil.rmtree(old)
            _run([python, "-m", "venv", folder])
            _run([inside, "-m", "pip", "install", "--quiet", *requirements])
            (folder / "complete").touch()
    return inside


def _run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))[:300]}\n{done.stderr[-2000:]}", pytrace=False)


def offline(folder, **extra):
    """Environment variables of a process with no cached data and no way to fetch any."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    kept = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONHOME")}
    return kept | nowhere | {"no_proxy": "", "DLCOURSE_DATA": str(folder)} | extra


NOWHERE = "http://127.0.0.1:9"  # the port of "discard", where nobody listens
