"""Check of a repaired snippet about training loops: a state that drags its graph along."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.repairs.autograd import draw, told_apart


class _Bucket(nn.Module):
    """A catchment as a leaking bucket:
    of all the water in it the share sigmoid(logit) stays until the next day."""

    def __init__(self, logit=0.0, dtype=torch.float32):
        super().__init__()
        self.logit = nn.Parameter(torch.tensor(logit, dtype=dtype))

    def forward(self, storage, rain):
        keep, runoff = torch.sigmoid(self.logit), []
        for drop in rain:
            water = storage + drop
            runoff.append((1 - keep) * water)
            storage = keep * water
        return storage, torch.stack(runoff)

    def __repr__(self):
        return f"Bucket(logit={self.logit.item():.3g})"


def _bucket_judged(function, model, months, rate):
    losses = told_apart(function, model, months, rate)
    if losses is None:
        raise Untouched("None: is `return` missing?")
    return {
        "losses": losses,
        "logit afterwards": model.logit.detach(),
        "losses that still hold a graph": sum(
            getattr(loss, "requires_grad", False) for loss in losses
        ),
    }


def _derivatives(keep, storage, rain):
    """Runoff and its derivative with respect to keep,
    and the storage after the last day, by the product rule."""
    # slope: of storage with respect to keep, 0 at the start of a month
    runoff, slopes, slope = (
        [],
        [],
        0.0,
    )
    for drop in rain.tolist():
        water = storage + drop
        runoff.append((1 - keep) * water)
        slopes.append((1 - keep) * slope - water)
        storage, slope = keep * water, keep * slope + water
    return torch.tensor(runoff), torch.tensor(slopes), storage


def _calibrated(model, months, rate, fault=None):
    """One step of gradient descent a month, derivatives by hand; fault: what goes wrong."""
    logit, storage, losses, piled = model.logit.detach().clone(), 0.0, [], 0.0
    for rain, observed in months:
        keep = torch.sigmoid(logit).item()
        runoff, slopes, after = _derivatives(keep, storage, rain)
        error = runoff - observed
        losses.append(error.square().mean().item())
        # The last two: slope of the sigmoid
        gradient = 2 * (error * slopes).mean().item() * keep * (1 - keep)
        piled += gradient
        logit -= 0.0 if fault == "late" else rate * (piled if fault == "piled up" else gradient)
        storage = {"dry": 0.0, "first day": rain[-1].item()}.get(fault, after)
    logit -= rate * piled if fault == "late" else 0.0
    model.load_state_dict({"logit": logit})
    return (
        [torch.tensor(loss, requires_grad=True) for loss in losses] if fault == "graph" else losses
    )


def _with_fault(fault):
    return lambda *args: _calibrated(*args, fault=fault)


def _by_autograd(retain):
    def calibrate(model, months, rate):
        optimiser, storage, losses = torch.optim.SGD(model.parameters(), rate), torch.zeros(()), []
        for rain, observed in months:
            storage, runoff = model(storage, rain)
            optimiser.zero_grad()
            loss = F.mse_loss(runoff, observed)
            loss.backward(retain_graph=retain)
            optimiser.step()
            losses.append(loss.item())
        return losses

    return calibrate


def _months(seed, *days, dtype=torch.float32):
    """Rain and runoff of some months with so many days."""
    return [
        tuple(draw(seed + 50 * k + i, n, dtype=dtype).abs() for k in (0, 1))
        for i, n in enumerate(days)
    ]


train_bucket = Check(
    "train_bucket",
    reference=_calibrated,
    probe=_bucket_judged,
    cases=lambda: [
        case("2 months of 2 days", _Bucket(), _months(0, 2, 2), 1.0),
        case("4 months of 3, 5, 2 and 4 days", _Bucket(1.5), _months(10, 3, 5, 2, 4), 0.5),
        case("1 month", _Bucket(-1.0), _months(20, 6), 2.0),
        case("5 months, float64", _Bucket(0.5, torch.float64),
             _months(30, *[4] * 5, dtype=torch.float64), 0.3),
    ],
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("the storage drags last month's graph along",
                "backward has freed that graph. Carry the number over, not its history: storage = "
                "storage.detach() at the end of the month.",
                _by_autograd(retain=False)),
        Mistake("retain_graph silences the error",
                "Now every backward runs through all months so far: each month takes longer and "
                "more memory than the last, along weights that step has changed since. Cut the "
                "history: storage = storage.detach().",
                _by_autograd(retain=True)),
        Mistake("every month starts dry",
                "The error is gone, and so is the water: "
                "carry the storage over, cut from its graph.",
                _with_fault("dry")),
        Mistake("one step at the very end",
                "One step a month is asked for: backward and step stay inside the loop.",
                _with_fault("late")),
        Mistake("gradients pile up",
                "Each month's gradient is added to the last one's: "
                "zero_grad before every backward.",
                _with_fault("piled up")),
        Mistake("the losses keep their graphs",
                "A list of such tensors keeps every month's graph in memory. Append loss.item().",
                _with_fault("graph")),
    ],
)  # fmt: skip
