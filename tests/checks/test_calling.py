import signal
import threading
import time

import pytest

from dlcourse.checks.calling import TookTooLong, attempt, is_stub, within


def endless():
    while True:
        pass


def stubborn_once():
    try:
        endless()
    finally:
        sum(range(100_000))  # busy when the next interrupt may come


def test_a_loop_is_stopped_after_its_time():
    begin = time.perf_counter()
    with pytest.raises(TookTooLong):
        within(0.2, endless)
    assert time.perf_counter() - begin < 2


def test_interrupts_that_come_too_late_reach_nobody():
    for _ in range(30):
        with pytest.raises(TookTooLong):
            within(0.01, stubborn_once)
    time.sleep(1.2)


def test_a_thread_that_starts_late_leaves_no_interrupts_behind(monkeypatch):
    class Late(threading.Thread):
        def start(self):
            super().start()
            time.sleep(0.2)

    monkeypatch.setattr(threading, "Thread", Late)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TookTooLong):
        within(0.01, lambda: 7)
    assert signal.getsignal(signal.SIGINT) is before
    time.sleep(1.2)


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
