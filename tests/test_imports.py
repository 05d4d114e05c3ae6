"""What an import costs and drags in: students wait for it in the first cell of every notebook."""

import subprocess
import sys

import pytest

HEAVY = ["nbgrader", "nbconvert", "nbclient", "torchvision", "sklearn", "typst", "scipy"]


def run(code):
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.slow
def test_importing_the_package_after_torch_is_quick():
    # The smallest of three, because a machine that is busy makes any single one slow.
    code = (
        "import torch, time; t = time.perf_counter(); import dlcourse; print(time.perf_counter() - "
        "t)"
    )
    assert min(float(run(code)) for _ in range(3)) < 0.3


@pytest.mark.slow
def test_what_the_set_up_cell_imports_pulls_in_nothing_heavy():
    code = (
        "import dlcourse, dlcourse.device, dlcourse.train, dlcourse.data.batches, "
        "dlcourse.data.images, sys;from dlcourse.checks.core import sheet; sheet('first_network');"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert run(code) == "[]"
