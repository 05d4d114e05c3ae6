"""One claim, measured seed by seed in a process of its own."""

import contextlib
import io
import math
import os
import signal
import time
import traceback
from numbers import Real
from pathlib import Path

STANDING_IN = ": standing in "  # what dlcourse.data.images says where it has not the real data


def work(root, file, name, path, seeds, connection):
    """Measures the claim `name` of root/file on the notebook root/path for each of `seeds`.

    Sends ("seed", {side: number}, seconds, whether a stand-in took the place of real data) after
    each, at the end ("done",), or ("error", text).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that waits for us sees to that
    os.environ |= {"MPLBACKEND": "Agg", "DLCOURSE_PROGRESS": "0", "DLCOURSE_DEVICE": "cpu"}
    os.environ.pop("DLCOURSE_SMOKE", None)
    try:
        # What a notebook prints is of no interest here, but for one thing.
        with contextlib.redirect_stdout(io.StringIO()) as said:
            for sides, seconds in measure(root, file, name, path, seeds):
                connection.send(("seed", sides, seconds, STANDING_IN in said.getvalue()))
        connection.send(("done",))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        connection.send(("error", f"{type(error).__name__}: {error} ({where})"))


def measure(root, file, name, path, seeds):
    """Yields ({side: number}, seconds) for each seed, on one thread. Raises what the claim
    raises, and ValueError for a result that cannot be judged."""
    import torch

    from dlcourse.device import set_seed
    from dlcourse.release.claims.definitions import of_notebook
    from dlcourse.release.claims.registry import load
    from dlcourse.release.notebook.source import read_notebook

    torch.set_num_threads(1)
    one = next(one for one in load(Path(root, file), file) if one.name == name)
    nb = of_notebook(read_notebook(Path(root, path), root), path)
    for seed in seeds:
        started = time.perf_counter()
        set_seed(seed)
        sides = numbers(one.measure(nb, seed))
        yield sides, time.perf_counter() - started


def numbers(result):
    """The {side: number} that a claim returned, as floats. Raises ValueError for anything else."""
    if not isinstance(result, dict) or len(result) < 2:
        raise ValueError(
            f"a claim returns a dict of two sides at least, the favoured first: {result!r:.80}"
        )
    return {side: _number(side, value) for side, value in result.items()}


def _number(side, value):
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, Real) or not math.isfinite(value):
        cure = "return a finite number; cap one that may run away, as in min(loss, 10)"
        raise ValueError(f"{side!r} is {value!r:.40}: {cure}")
    return float(value)
