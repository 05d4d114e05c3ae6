"""An answer that never ends, in a kernel."""

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
