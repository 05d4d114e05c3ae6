"""Calling a student's function once, whatever it does: errors, prints, endless loops and empty
bodies."""

import _thread
import contextlib
import dis
import functools
import io
import os
import signal
import sys
import threading
import time
import types
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch.random import fork_rng

from dlcourse.checks.compare import clone, differs

STUB = "your code here"  # what an empty region raises, NotImplementedError(STUB)
SECONDS = 20  # for one case; ten times what the reference needs, if that is more
SEED = 20_230_911  # nobody else's: an answer that seeds the global generator is found out
PRINTED = 500  # characters of a student's print that are shown


class TookTooLong(BaseException):
    """A case ran past its time. Not an Exception, so that `except Exception` cannot swallow it."""


class Untouched(Exception):
    """Raised by the probe of a function that works in place: nothing was changed."""


@dataclass
class Outcome:
    """What one call gave: a value or an error, which argument it changed, what it left switched
    over, what it printed and how long it took."""

    value: object = None
    error: BaseException | None = None
    changed: int | None = None
    traces: tuple = ()  # what it did to settings that belong to its caller
    printed: str = ""
    seconds: float = 0.0
    gave_none: bool = False  # the function itself, whatever a probe made of that

    def is_blank(self):
        """Whether the call came to a body that is not written yet."""
        return isinstance(self.error, NotImplementedError) and words_of(self.error) == STUB


def attempt(function, args, probe=None, seconds=None):
    """One call with copies of `args` → Outcome. seconds: time limit, by default none.

    probe: probe(function, *args) → the value; by default the function's own result. Warnings and
    prints are kept back: what reaches stderr would cost a cell its points.
    """
    copies, heard, begin = clone(args), io.StringIO(), time.perf_counter()
    outcome = Outcome()
    if isinstance(function, types.FunctionType):
        function = _watched(function, outcome)
    with _quiet(heard):
        try:
            call = (lambda: probe(function, *copies)) if probe else (lambda: function(*copies))
            # numbers of their own: a result may share memory with what a later call changes
            outcome.value = clone(within(seconds, call) if seconds else call())
        except (Exception, SystemExit, TookTooLong) as error:
            outcome.error = error
        outcome.traces = tuple(_traces())
    outcome.seconds = time.perf_counter() - begin
    outcome.printed = heard.getvalue()[: PRINTED + 1]
    outcome.changed = None if outcome.error else first_change(copies, args)
    return outcome


def _watched(function, outcome):
    """The same function; the outcome keeps whether its latest call gave None."""

    @functools.wraps(function)
    def watched(*args, **kwargs):
        value = function(*args, **kwargs)
        outcome.gave_none = value is None
        return value

    return watched


@contextlib.contextmanager
def _without_stderr(heard):
    """Nothing reaches the cell by a stream that was kept before, as a logger keeps it, nor past
    Python, as from a child: to nbgrader a cell that shows stderr is worth nothing."""
    stream, kept, nowhere = sys.stderr, os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        with contextlib.suppress(AttributeError):  # a plain file's write cannot be exchanged
            stream.write = heard.write
        os.dup2(nowhere, 2)
        yield
    finally:
        if sys.__stderr__:
            sys.__stderr__.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
        with contextlib.suppress(AttributeError):
            del stream.write


@contextlib.contextmanager
def _quiet(heard):
    dtype = torch.get_default_dtype()
    with (
        _without_stderr(heard),
        torch.set_grad_enabled(torch.is_grad_enabled()),
        contextlib.redirect_stdout(heard),
        contextlib.redirect_stderr(heard),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        fork_rng(devices=[]),
    ):
        warnings.simplefilter("ignore")
        torch.default_generator.manual_seed(SEED)  # same answer, same message
        torch.set_grad_enabled(True)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)


def _traces():
    if torch.initial_seed() != SEED:
        yield "seeds PyTorch's global generator"
    if not torch.is_grad_enabled():
        yield "leaves gradients switched off (use `with torch.no_grad():`)"
    if torch.get_default_dtype() != torch.float32:
        yield "changes PyTorch's default dtype"


def first_change(now, before):
    """Position of the first argument that a call changed; None where it changed none."""
    for position, (one, other) in enumerate(zip(now, before, strict=True)):
        if differs(one, other, 0, 0):
            return position
    return None


def within(seconds, call):
    """call(), stopped by TookTooLong after so many seconds; outside the main thread, which alone
    can be interrupted, without a limit.

    A second thread interrupts the first one again and again, in case a bare `except:` swallows it.
    That needs no signal from the system, so Windows, Jupyter and Colab are alike.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    # A list, because emptying it is one step: an interrupt may arrive between any two.
    running, late, woken, lock = [True], [], threading.Event(), threading.Lock()

    def interrupted(number, frame):
        if running:
            raise TookTooLong if late else KeyboardInterrupt

    def watch():
        pause = seconds
        while not woken.wait(pause):
            with lock:
                if running:
                    late.append(True)
                    _thread.interrupt_main()
            pause = 0.5

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        # inside: a machine that is busy may start the thread so late that it interrupts at once
        threading.Thread(target=watch, daemon=True).start()
        return call()
    finally:
        running.clear()
        # an interrupt on its way arrives here at the latest, and is let pass
        woken.set()
        with lock:
            signal.signal(signal.SIGINT, before)


def words_of(error):
    """What an exception says, even one that cannot say it."""
    try:
        return str(error)
    except Exception:
        return "(an exception that cannot be printed)"


def is_stub(answer):
    """Whether a function's body is no more than a docstring, `pass`, `...` or `return None`."""
    if not isinstance(answer, types.FunctionType):
        return False
    steps = [
        step
        for step in dis.get_instructions(answer)
        if step.opname not in ("RESUME", "NOP", "COPY_FREE_VARS", "MAKE_CELL")
    ]
    if all(step.opname in ("LOAD_CONST", "RETURN_VALUE", "RETURN_CONST") for step in steps):
        return all(step.argval is None for step in steps if "CONST" in step.opname)
    return False
