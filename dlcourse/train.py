"""The bookkeeping around a training step. What is worth learning, the
step itself, stays in the notebook.

def step(x, y):
    loss = F.cross_entropy(model(x), y)
    descend(loss, optimiser)
    return {"loss": loss}

for row in train(step, batches, epochs=5):
    print(row | evaluate(model, validation, accuracy=accuracy))

How to save a run and go on with it: dlcourse.checkpoint.
"""

import contextlib
import itertools
import os
import sys

import torch
from tqdm import tqdm


def smoke():
    """True in a smoke run (DLCOURSE_SMOKE=1): one epoch of two batches, to see
    that everything fits together."""
    return os.environ.get("DLCOURSE_SMOKE") == "1"


def train(step, batches, epochs=1, progress=True, start=0):
    """Calls `step(*batch)` for every batch of every epoch; yields one row of mean metrics an epoch.

    step: a function of one batch that returns a dict of scalars, name → 0-d
        tensor or float (per-example means).
    batches: anything that can be walked through again each epoch: Batches, a DataLoader, a list. A
        batch is a tuple (or a single tensor); the length of its first element weighs its metrics,
        so a short last batch counts less.
    epochs: how many times through. Leave the loop with `break` to stop early.
    progress: shows a bar while an epoch runs. start: epochs that a resumed run has
    behind it already. Yields {"epoch": 1, "loss": 0.31, …}; `list(train(...))` is a
    whole fit. Raises TypeError for a one-shot iterator or a step that returns no dict,
    ValueError where there are no batches.
    """
    # and not iter(batches), which for a DataLoader draws from its generator
    if hasattr(batches, "__next__"):
        raise TypeError(
            "batches is an iterator: it would be empty from the second epoch on. Pass Batches, a "
            "DataLoader or a list, e.g. train(step, list(batches))"
        )
    if not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"epochs is a whole number of at least 1, not {epochs!r}")
    if not isinstance(start, int) or not 0 <= start <= epochs:
        raise ValueError(
            f"start counts the epochs that are done, 0 to {epochs} here, not {start!r}"
        )
    return _epochs(step, batches, epochs, progress, start)


def _epochs(step, batches, epochs, progress, start):
    last = min(epochs, start + 1) if smoke() else epochs
    for epoch in range(start + 1, last + 1):
        sums, count = {}, 0
        walk = itertools.islice(batches, 2) if smoke() else batches
        for batch in _bar(walk, batches, f"epoch {epoch}/{epochs}", progress):
            batch = batch if isinstance(batch, (tuple, list)) else (batch,)
            size = len(batch[0])
            count += size
            for name, value in _scalars(step(*batch)):
                # Summed where it lies: asking for the number here would wait for the GPU at every
                # step.
                sums[name] = sums.get(name, 0.0) + value * size
        if count == 0:
            raise ValueError("there are no batches to train on: `batches` is empty")
        yield {"epoch": epoch} | {name: float(total) / count for name, total in sums.items()}


def _scalars(metrics):
    if not isinstance(metrics, dict):
        raise TypeError(
            f'step must return its metrics as a dict, e.g. {{"loss": loss}}; it returned '
            f"{metrics!r}"
        )
    for name, value in metrics.items():
        if isinstance(value, torch.Tensor):
            if value.numel() != 1:
                raise TypeError(
                    f"metric {name!r} must be a scalar; it has shape {tuple(value.shape)}: take "
                    "its mean"
                )
            # a metric that keeps its graph keeps every activation of the epoch alive
            value = value.detach()
        yield name, value


def _bar(walk, batches, label, progress):
    # On stdout, because nbgrader gives no points to a cell that wrote to stderr; none where nobody
    # watches.
    quiet = (
        not progress
        or os.environ.get("DLCOURSE_PROGRESS") == "0"
        or "NBGRADER_EXECUTION" in os.environ
    )
    total = len(batches) if hasattr(batches, "__len__") else None
    return tqdm(
        walk, total=total, desc=label, leave=False, disable=quiet, file=sys.stdout, mininterval=0.5
    )


def descend(loss, optimiser, clip=None):
    """One step downhill: zero the gradients, backward, clip the gradients'
    norm to `clip` if given, step."""
    optimiser.zero_grad()
    loss.backward()
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(
            [p for group in optimiser.param_groups for p in group["params"]], clip
        )
    optimiser.step()


@contextlib.contextmanager
def evaluating(*models):
    """Inside, the models are in eval mode and nothing is recorded for backward;
    their modes come back afterwards."""
    modes = {module: module.training for model in models for module in model.modules()}
    try:
        for model in models:
            model.eval()
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def evaluate(model, batches, **metrics):
    """Means of metrics over batches of (x, y), weighted by examples.

    model: called as model(x). metrics: name=function(output, y) → scalar, e.g.
    accuracy=metrics.accuracy. Returns a dict of floats, name → mean. Raises ValueError where
    there are no batches or no metrics.
    """
    if not metrics:
        raise ValueError(
            "name at least one metric, e.g. evaluate(model, batches, accuracy=accuracy)"
        )
    sums, count = dict.fromkeys(metrics, 0.0), 0
    with evaluating(model):
        for x, y in batches:
            output = model(x)
            count += len(x)
            for name, metric in metrics.items():
                sums[name] = sums[name] + metric(output, y) * len(x)
    if count == 0:
        raise ValueError("there are no batches to evaluate on: `batches` is empty")
    return {name: float(total) / count for name, total in sums.items()}
