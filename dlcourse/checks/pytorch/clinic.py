"""A clinic of four loops with one fault each,
trained here and shown as curves, and the check of the diagnosis."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.clinic import diagnosis

FAULTS = {
    "A": "train() forgotten after eval()",
    "B": "zero_grad between backward and step",
    "C": "optimiser holds an old layer",
    "D": "scheduler stepped per batch",
}
SIGNS = {
    "train() forgotten after eval()": "From the second epoch on dropout is off: the training "
    "loss drops at once, far below that of the healthy run, while validation does not gain.",
    "zero_grad between backward and step": "Nothing ever moves: "
    "no layer leaves its start, and the loss stays where it was.",
    "optimiser holds an old layer": "One layer does not move at all while the other does, "
    "and the loss falls less far.",
    "scheduler stepped per batch": "All layers move at first, then the rate is used "
    "up within an epoch or two and every curve goes flat, far from done.",
}
EPOCHS, SIZE = 15, 30


def _score(model, x, y):
    with torch.no_grad():
        return (model.eval()(x).argmax(1) == y).float().mean().item()


def _moved(layer, start):
    return (layer.weight.detach() - start).norm().item() / start.norm().item()


def _epoch(model, optimiser, scheduler, x, y, order, fault):
    losses = []
    for rows in order.split(SIZE):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        optimiser.zero_grad()
        loss.backward()
        if fault == "zero_grad between backward and step":
            optimiser.zero_grad()
        optimiser.step()
        losses.append(loss.item())
        if fault == "scheduler stepped per batch":
            scheduler.step()
    if fault != "scheduler stepped per batch":
        scheduler.step()
    return np.mean(losses)


def _players(inputs, fault):
    """Model, optimiser and scheduler."""
    model = nn.Sequential(nn.Linear(inputs, 128), nn.ReLU(), nn.Dropout(0.6), nn.Linear(128, 10))
    old = nn.Linear(128, 10)
    last = old if fault == "optimiser holds an old layer" else model[3]
    held = [*model[0].parameters(), *last.parameters()]
    optimiser = torch.optim.SGD(held, lr=0.05, momentum=0.9)
    return model, optimiser, torch.optim.lr_scheduler.StepLR(optimiser, step_size=5, gamma=0.4)


def loop_run(patient, x, y, seed=0):
    """The curves of a run with the fault of patient "A" … "D", or of a healthy one.

    patient: a letter, or "healthy". x: (N, D) float32 with N ≥ 900, y: (N,) int64 of ten classes;
    seed of everything. Returns a dict of arrays, one number an epoch: mean training loss,
    validation accuracy, and how far the first and the last layer have moved, relative to their
    start. Raises KeyError for another patient.
    """
    if patient != "healthy" and patient not in FAULTS:
        raise KeyError(
            f"there is no patient {patient!r}: ask for one of {', '.join(FAULTS)}, or for 'healthy'"
        )
    fault = FAULTS.get(patient)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, optimiser, scheduler = _players(x.shape[1], fault)
        starts = [model[i].weight.detach().clone() for i in (0, 3)]
        curves = {
            "training loss": [],
            "validation accuracy": [],
            "first layer moved": [],
            "last layer moved": [],
        }
        for epoch in range(EPOCHS):
            if epoch == 0 or fault != "train() forgotten after eval()":
                model.train()
            loss = _epoch(model, optimiser, scheduler, x[:600], y[:600], torch.randperm(600), fault)
            row = (
                loss,
                _score(model, x[600:900], y[600:900]),
                *map(_moved, (model[0], model[3]), starts),
            )
            for values, value in zip(curves.values(), row, strict=True):
                values.append(value)
    return {name: np.array(values) for name, values in curves.items()}


diagnose_loops = diagnosis("diagnose_loops", FAULTS, SIGNS, what="loop")
