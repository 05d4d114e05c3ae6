import threading
import time

import nbformat
import pytest
from nbclient import NotebookClient

from dlcourse.checks.calling import STUB, TookTooLong, attempt, is_stub, within
from dlcourse.release.notebook import regions


def endless():
    while True:
        pass


def stubborn():
    while True:
        try:
            time.sleep(0.01)
        except:  # noqa: E722 (what a student writes)
            time.sleep(0.01)


def test_a_loop_is_stopped_after_its_time():
    begin = time.perf_counter()
    with pytest.raises(TookTooLong):
        within(0.2, endless)
    assert time.perf_counter() - begin < 2


def test_what_ends_in_time_is_handed_back_and_nothing_comes_later():
    assert within(0.2, lambda: 7) == 7
    time.sleep(0.5)


def test_outside_the_main_thread_there_is_no_limit_but_an_answer():
    found = []
    thread = threading.Thread(target=lambda: found.append(within(0.01, lambda: time.sleep(0.1))))
    thread.start()
    thread.join()
    assert found == [None]


def test_an_attempt_has_the_error_of_whatever_was_raised():
    assert isinstance(attempt(endless, (), seconds=0.1).error, TookTooLong)
    assert isinstance(attempt(lambda: exit(), ()).error, SystemExit)


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


def documented(x):
    """Only this."""


def passing(x):
    pass


def dots(x): ...


def returning(x):
    return None


def working(x):
    x += 1


@pytest.mark.parametrize("function", [documented, passing, dots, returning])
def test_an_empty_body_is_a_stub(function):
    assert is_stub(function)


@pytest.mark.parametrize("function", [working, lambda x: x, lambda x: 0, print, threading.Thread])
def test_a_body_with_anything_in_it_is_none(function):
    assert not is_stub(function)


def test_students_get_the_words_by_which_a_blank_is_known():
    assert f'raise NotImplementedError("{STUB}")' == regions.STUB
