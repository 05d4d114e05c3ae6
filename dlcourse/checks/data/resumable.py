"""Check of a training run with validation, scheduler,
early stopping, best weights, and checkpoints it can go on from.

The run is a toy whose weight remembers every batch in order,
so that anything lost at an interruption shows.
"""

import contextlib
import copy
import itertools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, case


def _get(part):
    return part.get_state() if isinstance(part, torch.Generator) else part.state_dict()


def _put(part, state):
    part.set_state(state) if isinstance(part, torch.Generator) else part.load_state_dict(state)


def _run_epoch(step, batches):
    """Mean metrics of one epoch, weighted by examples; in a smoke run of two batches."""
    sums, count = {}, 0
    for batch in (
        itertools.islice(batches, 2) if os.environ.get("DLCOURSE_SMOKE") == "1" else batches
    ):
        metrics = step(*batch)
        count += len(batch[0])
        for name, value in metrics.items():
            sums[name] = sums.get(name, 0.0) + torch.as_tensor(value).item() * len(batch[0])
    return {name: total / count for name, total in sums.items()}


def _fit(
    step, batches, validate, parts, path, epochs, patience, keep="model", report=None, fault=None
):
    """The run, by loops of its own; `fault` names one thing to get wrong."""
    history, best, resumed = [], None, path.exists() and fault != "from the start"
    if resumed:
        stored = torch.load(path, weights_only=False)
        for name, state in stored["states"].items():
            _put(parts[name], state)
        torch.set_rng_state(stored["rng"])
        history, best = stored["history"], None if fault == "best forgotten" else stored["best"]
    start = len(history)
    history = [] if fault == "history lost" else history
    for epoch in range(
        start + 1, (min(epochs, 1) if os.environ.get("DLCOURSE_SMOKE") == "1" else epochs) + 1
    ):
        row = {"epoch": epoch} | _run_epoch(step, batches)
        history.append(row | validate())
        losses = [one["validation"] for one in history]
        if losses[-1] == min(losses) or (best is None and fault == "best forgotten"):
            best = (
                parts[keep].state_dict()
                if fault == "by reference"
                else copy.deepcopy(parts[keep].state_dict())
            )
        if fault != "no schedule" and fault != "schedule after saving":
            parts["scheduler"].step()
        _save(path, parts, history, best)
        if fault == "schedule after saving":
            parts["scheduler"].step()
        if report:
            report(history)
        if fault != "never stops" and len(losses) - 1 - losses.index(min(losses)) >= patience + (
            fault == "late"
        ):
            break
    if fault != "last weights" and best is not None:
        parts[keep].load_state_dict(best)
    return history


def _save(path, parts, history, best):
    states = {name: copy.deepcopy(_get(part)) for name, part in parts.items()}
    aside = path.with_name(path.name + ".part")
    torch.save(
        {"states": states, "rng": torch.get_rng_state(), "history": history, "best": best}, aside
    )
    os.replace(aside, path)


@dataclass(frozen=True)
class Plan:
    """A run to be: the validation loss of every epoch,
    how it ends, and in which epoch it breaks off (0: in none)."""

    losses: tuple
    patience: int = 9
    breaks_in: int = 0
    keep: str = "model"


class _Interrupted(Exception):
    """Stands for a runtime that goes away."""


class _Run:
    """A weight that becomes ½·weight + batch at every step,
    a counter of steps, and the rates that the steps saw."""

    def __init__(self, plan, seed, breaks):
        self.plan, self.breaks, self.rates, self.reports = plan, breaks, [], []
        self.model = nn.Linear(1, 1, bias=False).double()
        self.model.register_buffer("steps", torch.tensor(0))
        nn.init.constant_(self.model.weight, seed)
        self.generator = torch.Generator().manual_seed(seed)
        optimiser = torch.optim.SGD(self.model.parameters(), lr=1.0)
        scheduler = torch.optim.lr_scheduler.StepLR(optimiser, step_size=1, gamma=0.5)
        self.average = copy.deepcopy(self.model)
        self.parts = {"model": self.model, "average": self.average, "optimiser": optimiser,
                      "scheduler": scheduler,
                      "generator": self.generator}  # fmt: skip

    def __iter__(self):
        for i in torch.randperm(3, generator=self.generator).tolist():
            yield (torch.full((1 + i, 1), float(1 + i), dtype=torch.float64),)

    def __len__(self):
        return 3

    def step(self, x):
        if self.breaks and self.model.steps == 3 * self.plan.breaks_in - 2:
            raise _Interrupted
        # No gradients: nothing moves, but the scheduler wants to see it called
        self.parts["optimiser"].step()
        with torch.no_grad():
            self.model.weight.mul_(0.5).add_(x[0] + torch.rand((), dtype=torch.float64))
            self.model.steps.add_(1)
            self.average.weight.lerp_(self.model.weight, 0.5)
        self.rates.append(self.parts["optimiser"].param_groups[0]["lr"])
        # With a graph, as a loss has
        return {"loss": (x * self.model.weight / self.model.weight.detach()).mean()}

    def validate(self):
        return {"validation": self.plan.losses[int(self.model.steps) // 3 - 1]}


@contextlib.contextmanager
def _environment(**changes):
    before = {name: os.environ.pop(name, None) for name in changes}
    os.environ.update({name: value for name, value in changes.items() if value is not None})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})


def _live(function, plan):
    """The run of a plan, begun again from its checkpoint where it broke off;
    what came out of its last life."""
    with (
        tempfile.TemporaryDirectory() as folder,
        torch.random.fork_rng(devices=[]),
        _environment(DLCOURSE_SMOKE=None, DLCOURSE_PROGRESS="0"),
    ):
        path = Path(folder) / "run.pt"
        for breaks in (True, False) if plan.breaks_in else (False,):
            torch.manual_seed(int(breaks))
            run = _Run(plan, seed=5 + breaks, breaks=breaks)
            with contextlib.suppress(_Interrupted):
                history = function(run.step, run, run.validate, run.parts, path, len(plan.losses),
                                   plan.patience, plan.keep, run.reports.append)  # fmt: skip
        if history is None:
            return None
        found = path.exists()
    return {
        "epochs in the history": [row["epoch"] for row in history],
        "training losses": [float(row["loss"]) for row in history],
        "validation losses": [row["validation"] for row in history],
        "learning rate of each step": run.rates,
        "weight afterwards": run.parts[plan.keep].weight.detach(),
        "reports": len(run.reports),
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
        case("the averaged weights are kept", Plan((3.0, 1.0, 2.0), keep="average")),
    ],
    mistakes=[
        Mistake("the weights are those of the last epoch",
                "At the end load the best ones: parts[keep].load_state_dict(best).",
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
        Mistake("it never stops", "if stop_early(losses, patience): break.",
                _faulty("never stops")),
        Mistake("it stops an epoch late",
                "stop_early(losses, patience) after each epoch, with all losses so far.",
                _faulty("late")),
        Mistake("a checkpoint is not used",
                "If the path exists the run goes on: values = resume(path, **parts), "
                "train(…, start=len(history)).",
                _faulty("from the start")),
        Mistake("the history before the break is lost",
                "It is one of the plain values of the checkpoint: take it back.",
                _faulty("history lost")),
        Mistake("the best weights before the break are lost",
                "Store best in the checkpoint too, and take it back.", _faulty("best forgotten")),
    ],
)  # fmt: skip
