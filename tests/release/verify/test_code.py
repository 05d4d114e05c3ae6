"""Who may import whom, short files and functions, ruff and spelling."""

from pathlib import Path

import pytest
from verified import LECTURE, pretend_run, read, store

from dlcourse.release.verify import code as rules
from dlcourse.release.verify.verify import verify

ROOT = Path(__file__).parents[3]


def library_findings(root, path, code):
    file = root / "dlcourse" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code)
    return list(rules.check_library(root))


@pytest.mark.parametrize(
    "path, code, finding",
    [
        ("models/a.py", "import numpy", "line 1: imports numpy; models may use torch only"),
        ("models/a.py", "from dlcourse.models import b", "models may import nothing of dlcourse"),
        (
            "models/a.py",
            "from . import b",
            "imports dlcourse.models; models may import nothing of dlcourse",
        ),
        (
            "methods/a.py",
            "def f():\n    from dlcourse.models.mlp import MLP",
            "line 2: imports dlcourse.models.mlp;",
        ),
        (
            "methods/a.py",
            "import sklearn",
            "imports sklearn on import; move it into the function that uses it",
        ),
        (
            "checks/a.py",
            "def f():\n    import dlcourse.models.mlp",
            "line 2: imports dlcourse.models.mlp; checks may",
        ),
        (
            "checks/a.py",
            "from dlcourse import methods",
            "imports dlcourse.methods; checks may use checks of dlcourse",
        ),
        (
            "data/a.py",
            "import torchvision",
            "imports torchvision on import; move it into the function",
        ),
        (
            "data/a.py",
            "from dlcourse.train import train",
            "data may use device, data of dlcourse only",
        ),
        ("data/a.py", "import pandas", "imports pandas; data may use torch, numpy only"),
        ("train.py", "import nbgrader", "imports nbgrader; train may use torch, tqdm only"),
        (
            "plot.py",
            "def f():\n    from dlcourse.release import build",
            "line 2: imports dlcourse.release; plot may",
        ),
        ("plot.py", "from math import *", "line 1: star import of math; name what is used"),
        ("odd.py", "", "stands on no floor; add it to FLOORS in dlcourse/release/verify/code.py"),
        ("plot.py", "x = (", "line 1: '(' was never closed; correct it"),
        ("plot.py", "x = 1\n" * 251, "251 lines; split it by concept, 250 are the limit"),
        (
            "plot.py",
            "def f():\n" + "    x = 1\n" * 40,
            "line 1: f has 41 lines; take a part of it out, 40 are",
        ),
        ("release/a.py", "from os import *", "line 1: star import of os; name what is used"),
    ],
)
def test_the_library_keeps_its_rules(tmp_path, path, code, finding):
    found = library_findings(tmp_path, path, code)
    assert len(found) == 1 and found[0].startswith(f"dlcourse/{path}: ") and finding in found[0]


@pytest.mark.parametrize(
    "path, code",
    [
        ("models/a.py", "import math\nimport torch.nn.functional\nfrom torch import nn"),
        ("data/a.py", "from dlcourse.data import b\n\ndef f():\n    import torchvision"),
        (
            "checks/a.py",
            "from dlcourse.checks.core import Check\nFALLBACK = 'dlcourse.models.mlp:MLP'",
        ),
        ("device.py", "def f():\n    from dlcourse import __version__"),
        ("train.py", "from .device import get_device\nfrom tqdm import tqdm"),
        ("release/a.py", "import nbgrader\nfrom dlcourse.models import mlp"),
        ("plot.py", "def f():\n" + "    x = 1\n" * 39),
    ],
)
def test_what_the_library_may_do(tmp_path, path, code):
    assert library_findings(tmp_path, path, code) == []


def test_this_library_keeps_its_rules():
    assert list(rules.check_library(ROOT)) == []


def test_ruff_and_spelling_findings_name_the_cell(course):
    nb = read(course, LECTURE)
    nb.cells[2].source += "\n\nWe recieve it, $x_{teh}$ and `hte`."
    nb.cells[3].source = "import json\n\n1 + 1"
    store(course, LECTURE, nb)
    pretend_run(course, LECTURE)
    assert verify(course) == [
        f"{LECTURE}: cell 4 (cell-3): line 1: F401 `json` imported but unused; correct it",
        f"{LECTURE}: cell 3 (cell-2): line 5: spelling: recieve ==> receive; correct it, "
        "or list the word in pyproject.toml",
    ]


def test_ruff_that_is_missing_or_does_not_run(course, monkeypatch):
    (course.root / "pyproject.toml").write_text("[tool.ruff]\nline-length = 'long'\n")
    assert any(
        one.startswith("ruff did not run: ") and "pyproject.toml" in one for one in verify(course)
    )
    found = rules.importlib.util.find_spec
    monkeypatch.setattr(
        rules.importlib.util,
        "find_spec",
        lambda name: found(name) if name != "ruff" else None,
    )
    message = (
        "ruff is not installed, so nothing was linted; run `make test` once, or pip install ruff"
    )
    assert message in verify(course)
