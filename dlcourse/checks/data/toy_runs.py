"""A toy run for the check of resumable training: its weight remembers every batch in order, so that
anything lost at an interruption shows."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Plan:
    """A run to be: the validation loss of every epoch,
    how it ends, and in which epoch it breaks off (0: in none; past the last: it is called again
    when it has ended), there in the middle or, with `late`, when it reports."""

    losses: tuple
    patience: int = 9
    breaks_in: int = 0
    late: bool = False


class Interrupted(Exception):
    """Stands for a runtime that goes away."""


class Run:
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
        self.parts = {"model": self.model, "optimiser": optimiser, "scheduler": scheduler,
                      "generator": self.generator}  # fmt: skip

    def train_epoch(self):
        """Three batches of 1 to 3 numbers in random order; the mean loss over all six."""
        total = 0.0
        for i in torch.randperm(3, generator=self.generator).tolist():
            total += (1 + i) * self._step(float(1 + i))
        return {"loss": total / 6}

    def _step(self, value):
        at = self.breaks and not self.plan.late and 3 * self.plan.breaks_in - 2
        if at and self.model.steps == at:
            raise Interrupted
        # No gradients: nothing moves, but the scheduler wants to see it called
        self.parts["optimiser"].step()
        with torch.no_grad():
            self.model.weight.mul_(0.5).add_(value + torch.rand((), dtype=torch.float64))
            self.model.steps.add_(1)
        self.rates.append(self.parts["optimiser"].param_groups[0]["lr"])
        return value

    def validate(self):
        loss = self.plan.losses[int(self.model.steps) // 3 - 1]
        return {"accuracy": 1 / loss, "validation": loss}

    def report(self, history):
        self.reports.append(len(history))
        if self.breaks and self.plan.late and len(history) == self.plan.breaks_in:
            raise Interrupted
