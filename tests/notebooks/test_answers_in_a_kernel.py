"""Answers in a kernel: one that never ends, and ways to stderr, which costs points there."""

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = [
    "import dlcourse.checks.check as judge; judge.SECONDS = 1.5\n"
    "from dlcourse.checks.core import sheet\n"
    "check = sheet('gan')",
    "def g_loss(fake):\n"
    "    while True:\n"
    "        try:\n"
    "            fake = fake + 1\n"
    "        except:\n"
    "            pass\n"
    "g_loss = check.g_loss(g_loss)",
    "print('the kernel goes on')",
]


@pytest.mark.executes
def test_in_a_notebook_an_endless_loop_ends_and_the_kernel_goes_on():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    NotebookClient(notebook, allow_errors=True, kernel_name="python3").execute()
    error, after = notebook.cells[1].outputs[0], notebook.cells[2].outputs[0]
    assert error.ename == "CheckFailed" and "a loop that never ends" in "".join(error.traceback)
    assert after.text == "the kernel goes on\n"


LOUD = [
    "import logging, os, subprocess, sys\n"
    "from sys import stderr\n"
    "logger = logging.getLogger('own')\n"
    "logger.addHandler(logging.StreamHandler())\n"
    "from dlcourse.checks.core import sheet\n"
    "check = sheet('first_network')",
    "import numpy as np\n"
    "def softmax(z, out=sys.stderr):\n"
    "    logger.warning('by a logger')\n"
    "    print('by a name', file=stderr)\n"
    "    print('by a default', file=out)\n"
    "    print('by the first one', file=sys.__stderr__)\n"
    "    os.write(2, b'past Python')\n"
    "    subprocess.run([sys.executable, '-c', 'import sys; print(1, file=sys.stderr)'])\n"
    "    e = np.exp(z - z.max(-1, keepdims=True))\n"
    "    return e / e.sum(-1, keepdims=True)\n"
    "softmax = check.softmax(softmax)",
    "print('heard again', file=sys.stderr)\nlogger.warning('and here')",
]


@pytest.mark.executes
def test_an_answer_reaches_stderr_by_no_way_and_the_next_cell_does():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in LOUD])
    NotebookClient(notebook, kernel_name="python3").execute()
    names = [output.name for output in notebook.cells[1].outputs]
    assert names == ["stdout"] and "✓ softmax" in notebook.cells[1].outputs[0].text
    after = "".join(o.text for o in notebook.cells[2].outputs if o.name == "stderr")
    assert after == "heard again\nand here\n"
