"""Every source's smoke run on an emulated Apple GPU: no float64 goes there, NumPy reads nothing."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dlcourse.release.course import reading
from dlcourse.release.run import runner

ROOT = Path(__file__).parents[2]
SUPPORT = ROOT / "tests" / "support"
SOURCES = [one.source for one in reading.load(ROOT).notebooks() if (ROOT / one.source).is_file()]
# A notebook that brings nothing to a device meets no GPU, whatever it has.
SOURCES = [
    path for path in SOURCES if re.search(r"\.to\(|device=", (ROOT / path).read_text("utf-8"))
]
MODULES = os.pathsep.join([str(ROOT), str(SUPPORT)])


def environment(folder):
    """Variables of a kernel that begins with `apple.pretend()`."""
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "begin.py").write_text("import apple; apple.pretend(); del apple\n")
    here = {"IPYTHONDIR": str(folder / "ipython"), "PYTHONPATH": MODULES}
    return runner.environment(DLCOURSE_SMOKE="1", **here)


@pytest.mark.executes
@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: Path(source).stem)
def test_the_smoke_run_of_a_source_asks_an_apple_gpu_for_nothing_it_lacks(source, tmp_path):
    limits = {"cell_limit": 900, "notebook_limit": 1800}  # each call of torch takes a detour
    result = runner.run_notebook(source, ROOT, env=environment(tmp_path), **limits)
    assert result.ok, f"{source}: {result.problem}\n{result.details}"
    shown = json.dumps([cell.get("outputs") for cell in result.notebook.cells])
    assert "MPS with" in shown  # as `describe` says, and not the CPU after all


def answers(lines):
    """What each line gives in a process on the emulated GPU: a text, or the name of its error."""
    code = """
import json, sys
import numpy as np, torch
import apple
mode = apple.pretend()
from dlcourse import device, metrics
gpu = device.get_device()
x = torch.rand(6, 3, device=gpu)
layer = torch.nn.Linear(3, 2).to(gpu)
said = []
for line in json.load(sys.stdin):
    try:
        said.append(str(eval(line)))
    except Exception as error:
        said.append(type(error).__name__)
mode.__exit__(None, None, None)
print(json.dumps(said))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(list(lines)),
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": MODULES},
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(lines, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.slow
def test_the_emulated_gpu_refuses_what_apples_does():
    expected = {
        "x.double()": "TypeError",
        "x.to(torch.float64)": "TypeError",
        "x.to('cpu', torch.float64)": "TypeError",
        "torch.zeros(2, dtype=torch.float64).to(gpu)": "TypeError",
        "torch.zeros(2, dtype=torch.float64, device='mps')": "TypeError",
        "torch.tensor(np.zeros(2), device=gpu)": "TypeError",
        "torch.linspace(0, 1, 3, dtype=torch.float64, device=gpu)": "TypeError",
        "x.new_zeros(2, dtype=torch.float64)": "TypeError",
        "x * torch.ones(6, 3, dtype=torch.float64)": "TypeError",
        "layer.double()": "TypeError",
        "x.numpy()": "TypeError",
        "np.asarray(x)": "TypeError",
        "torch.linalg.eigvals(x @ x.T)": "NotImplementedError",
    }
    assert answers(expected) == expected


@pytest.mark.slow
def test_the_emulated_gpu_does_the_rest_and_says_where_it_is():
    expected = {
        "gpu": "mps",
        "x.device": "mps:0",
        "(2 * x).max(0).values.device": "mps:0",
        "layer(x).device": "mps:0",
        "torch.autograd.grad(layer(x).sum(), layer.weight)[0].device": "mps:0",
        "torch.stack([x, x])[0].device": "mps:0",
        "torch.zeros_like(x).device, torch.zeros_like(x, device='cpu').device.type": (
            "(device(type='mps', index=0), 'cpu')"
        ),
        "x.cpu().device, x.cpu().double().dtype": "(device(type='cpu'), torch.float64)",
        "[p.device.type for p in layer.parameters()]": "['mps', 'mps']",
        "(one := torch.nn.LSTM(3, 2)).load_state_dict(one.to(gpu).state_dict())": (
            "<All keys matched successfully>"
        ),
        "torch.optim.Adam(layer.parameters()).step() is None": "True",
        # what comes from the GPU is a copy
        "bool(x.cpu().add_(1).min() > x.max().cpu())": "True",
        "device.for_linalg(x).device, device.for_linalg(x).dtype": (
            "(device(type='cpu'), torch.float64)"
        ),
    }
    assert answers(expected) == expected


@pytest.mark.slow
def test_distances_of_features_on_an_apple_gpu_are_those_on_the_cpu():
    moments = "x.mean(0), x.T.cov(), x.mean(0) + 1, x.T.cov()"
    here, there = "x, 2 * x", "x.cpu(), 2 * x.cpu()"
    both = [f"metrics.frechet_from_features({place})" for place in (here, there)]
    lines = {
        f"({' - '.join(both)}).abs() < 1e-6": "tensor(True)",
        f"round(float(metrics.frechet_distance({moments})), 3)": "3.0",
        "metrics.noise_floor(x).device.type": "cpu",
        "float(metrics.nearest(x, x)[0].max())": "0.0",
    }
    assert answers(lines) == lines
