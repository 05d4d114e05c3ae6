"""Check of a training run with validation, scheduler,
early stopping, best weights, and checkpoints it can go on from."""

import contextlib
import copy
import math
import os
import secrets
import tempfile
from pathlib import Path

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.data.toy_runs import Interrupted, Plan, Run


def _get(part):
    return part.get_state() if isinstance(part, torch.Generator) else part.state_dict()


def _put(part, state):
    part.set_state(state) if isinstance(part, torch.Generator) else part.load_state_dict(state)


def _quiet(history):
    """A report that says nothing."""


def _waited(history):
    """Epochs since the best one."""
    losses = [row["validation"] for row in history]
    return len(losses) - 1 - losses.index(min(losses))


def _fit(train_epoch, validate, parts, path, epochs, patience, report=_quiet, fault=None):
    """The run, by loops of its own; `fault` names one thing to get wrong."""
    history, best, resumed = [], None, path.exists() and fault != "from the start"
    if resumed:
        stored = torch.load(path, weights_only=True)
        for name, state in stored["states"].items():
            _put(parts[name], state)
        torch.set_rng_state(stored["rng"])
        history, best = stored["history"], None if fault == "best forgotten" else stored["best"]
    start = len(history)
    history = [] if fault == "history lost" else history
    patience = math.inf if fault == "never stops" else patience + (fault == "late")
    for epoch in range(start + 1, epochs + 1):
        forgotten = fault == "stop forgotten" and epoch == start + 1
        if history and _waited(history) >= patience and not forgotten:
            break
        row, scores = {"epoch": epoch} | train_epoch(), validate()
        if fault == "one entry":
            scores = {"validation": scores["validation"]}
        history.append(row | scores)
        if _waited(history) == 0 or (best is None and fault == "best forgotten"):
            best = parts["model"].state_dict()
            best = best if fault == "by reference" else copy.deepcopy(best)
        if fault != "no schedule" and fault != "schedule after saving":
            parts["scheduler"].step()
        if fault == "report first":
            report(history)
        _save(path, parts, history, best)
        if fault == "schedule after saving":
            parts["scheduler"].step()
        if fault != "report first":
            report(history)
    if fault != "last weights" and best is not None:
        parts["model"].load_state_dict(best)
    return history


def _save(path, parts, history, best):
    states = {name: copy.deepcopy(_get(part)) for name, part in parts.items()}
    content = {"states": states, "rng": torch.get_rng_state(), "history": history, "best": best}
    # a name that nobody can foresee, and mode "x": no link that lies there is followed
    aside = path.with_name(f"{path.name}.{secrets.token_hex(6)}.part")
    with open(aside, "xb") as file:
        torch.save(content, file)
    os.replace(aside, path)


def _live(function, plan):
    """The run of a plan, begun again from its checkpoint where it broke off;
    what came out of its last life."""
    with (
        tempfile.TemporaryDirectory() as folder,
        torch.random.fork_rng(devices=[]),
    ):
        path = Path(folder) / "run.pt"
        for breaks in (True, False) if plan.breaks_in else (False,):
            torch.manual_seed(int(breaks))
            run = Run(plan, seed=5 + breaks, breaks=breaks)
            with contextlib.suppress(Interrupted):
                history = function(run.train_epoch, run.validate, run.parts, path,
                                   len(plan.losses), plan.patience, run.report)  # fmt: skip
        if history is None:
            raise Untouched("None: is `return` missing?")
        found = path.exists()
    return {
        "epochs in the history": [row["epoch"] for row in history],
        "training losses": [float(row["loss"]) for row in history],
        "validation losses": [row["validation"] for row in history],
        "accuracies, of validate too": [row.get("accuracy", "missing") for row in history],
        "learning rate of each step": run.rates,
        "weight afterwards": run.parts["model"].weight.detach(),
        "lengths of the histories reported": run.reports,
        "checkpoint": found,
    }


def _faulty(fault):
    return lambda *args: _fit(*args, fault=fault)


fit_resumable = Check(
    "fit_resumable",
    reference=_fit,
    probe=_live,
    cases=[
        case("two epochs, the second one better", Plan((2.0, 1.0))),
        case("the best epoch is not the last", Plan((3.0, 1.0, 2.0, 4.0))),
        case("patience 2", Plan((3.0, 1.0, 2.0, 1.5, 1.2, 0.5), patience=2)),
        case("it breaks off in epoch 3 and is called again",
             Plan((4.0, 3.0, 2.0, 1.0), breaks_in=3)),
        case("the best epoch lies before the break", Plan((4.0, 1.0, 2.0, 3.0, 5.0), breaks_in=4)),
        case("patience runs across the break",
             Plan((4.0, 1.0, 2.0, 3.0, 0.5), patience=2, breaks_in=4)),
        case("it breaks off while it reports on epoch 2", Plan((3.0, 2.0, 1.0), breaks_in=2,
                                                               late=True)),
        case("called again when it has ended", Plan((3.0, 1.0, 2.0), breaks_in=9)),
        case("called again when its patience has run out",
             Plan((3.0, 1.0, 2.0, 1.5, 1.2, 0.5), patience=2, breaks_in=9)),
    ],
    mistakes=[
        Mistake("the weights are those of the last epoch",
                'At the end load the best ones: parts["model"].load_state_dict(best).',
                _faulty("last weights")),
        Mistake("a reference is kept instead of a copy",
                "state_dict() holds the live tensors: training goes on changing them. "
                "copy.deepcopy(….state_dict()).",
                _faulty("by reference")),
        Mistake("the rate never changes", 'Once an epoch: parts["scheduler"].step().',
                _faulty("no schedule")),
        Mistake("saved before the scheduler's step",
                "The checkpoint then holds the rate of the epoch that is over, and a resumed run "
                "repeats it. Step first, save then.",
                _faulty("schedule after saving")),
        Mistake("reported before it is saved",
                "Whatever happens while it reports (a lost runtime, say), the epoch should be "
                "safe by then: checkpoint first.", _faulty("report first")),
        Mistake("only the validation loss gets into the row",
                "validate() may return more than that: add all its entries to the row, "
                "e.g. with row | validate().",
                _faulty("one entry")),
        Mistake("it never stops", "if stop_early(losses, patience): break.",
                _faulty("never stops")),
        Mistake("it stops an epoch late",
                "stop_early(losses, patience) after each epoch, with all losses so far.",
                _faulty("late")),
        Mistake("a run that has stopped goes on when it is called again",
                "Test the patience before each epoch, the first one too: "
                "if history and stop_early(…): break.",
                _faulty("stop forgotten")),
        Mistake("a checkpoint is not used",
                "If the path exists the run goes on: values = resume(path, **parts), and "
                "the next epoch is len(history) + 1.",
                _faulty("from the start")),
        Mistake("the history before the break is lost",
                "It is one of the plain values of the checkpoint: take it back.",
                _faulty("history lost")),
        Mistake("the best weights before the break are lost",
                "Store best in the checkpoint too, and take it back.", _faulty("best forgotten")),
    ],
)  # fmt: skip
