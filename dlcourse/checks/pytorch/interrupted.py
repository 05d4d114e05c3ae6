"""The experiment that opens Day 3's morning: a run that is interrupted and goes on from its weights
alone. Students write all of it by noon, so it does not stand in the notebook's first cells."""

from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, SIZE = 12, 64


def _new_run(x, y, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(x.shape[1], 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(128, 10),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.02)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=EPOCHS)
    order = torch.Generator().manual_seed(seed)
    loader = DataLoader(
        TensorDataset(x, y), batch_size=SIZE, shuffle=True, drop_last=True, generator=order
    )
    return SimpleNamespace(model=model, optimiser=optimiser, scheduler=scheduler, loader=loader)


def _epoch(run):
    run.model.train()
    total, count = 0.0, 0
    for x, y in run.loader:
        loss = F.cross_entropy(run.model(x), y)
        run.optimiser.zero_grad()
        loss.backward()
        run.optimiser.step()
        total, count = total + loss.item() * len(x), count + len(x)
    run.scheduler.step()
    return total / count


def run_losses(x, y, seed, cut=None):
    """Mean training losses of the 12 epochs of a run; a list of floats.

    x: (N, D) float32, y: (N,) int64 of ten classes, N at least 64. seed: of everything that is
    random. cut: the epoch after which the run is interrupted, and another one, built anew with the
    seed + 100, goes on from its weights (its state_dict) alone; None for a run without a break.
    The global generator of PyTorch is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        run = _new_run(x, y, seed)
        losses = [_epoch(run) for _ in range(EPOCHS if cut is None else cut)]
        if cut is not None:
            second = _new_run(x, y, seed + 100)
            second.model.load_state_dict(run.model.state_dict())
            losses += [_epoch(second) for _ in range(EPOCHS - cut)]
    return losses
