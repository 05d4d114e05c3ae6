"""A clinic of six runs with one fault each,
trained here and shown as curves, and the check of the diagnosis."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.clinic import diagnosis

FAULTS = {
    "A": "dropout in evaluation",
    "B": "rate too low",
    "C": "softmax before the loss",
    "D": "leakage",
    "E": "no shuffling",
    "F": "rate too high",
}
SIGNS = {
    "rate too high": "The loss of a step jumps above that of guessing and stays near it; "
    "nothing is learnt.",
    "rate too low": "The loss falls smoothly, in nearly a straight line, "
    "and is still falling at the end.",
    "no shuffling": "Batches of one class at a time: the loss of a step rises and falls "
    "with the period of an epoch, and the accuracy on validation swings.",
    "leakage": "Validation looks far better than data that were never near the training set: "
    "some of it was in there.",
    "dropout in evaluation": "The same weights, measured twice on the same data, "
    "give two results: something random is still switched on.",
    "softmax before the loss": "The accuracy is fine, but the loss cannot fall below "
    "ln(e + 9) − 1 = 1.46 for ten classes: F.cross_entropy was given probabilities, not logits.",
}
EPOCHS, SIZE, RATE = 25, 30, 0.01


def _split(x, y, seed, fault):
    """300 training and 300 validation examples and the rest, fresh;
    a tenth of the training labels is wrong."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(x), generator=generator)
    train, validation, fresh = order[:300], order[300:600], order[600:]
    labels = y.clone()
    labels[train[:30]] = torch.randint(10, (30,), generator=generator)
    if fault == "leakage":
        train = torch.cat([train[:150], validation[:150]])
        validation = validation[:150]
    if fault == "no shuffling":
        train = train[labels[train].argsort(stable=True)]
    return labels, train, validation, fresh, generator


def _accuracy(model, x, y):
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


def _train(x, y, seed, fault):
    y, train, validation, fresh, generator = _split(x, y, seed, fault)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10)
        )
        factor = {"rate too low": 0.005, "rate too high": 100}.get(fault, 1)
        optimiser = torch.optim.Adam(model.parameters(), factor * RATE)
        curves = {
            "loss of the step": [],
            "validation": [],
            "validation, measured again": [],
            "fresh data": [],
        }
        for _ in range(EPOCHS):
            order = torch.randperm(len(train), generator=generator)
            order = torch.arange(len(train)) if fault == "no shuffling" else order
            for rows in train[order].split(SIZE):
                output = model.train()(x[rows])
                output = output.softmax(1) if fault == "softmax before the loss" else output
                loss = F.cross_entropy(output, y[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                curves["loss of the step"].append(loss.item())
            model.train(fault == "dropout in evaluation")
            curves["validation"].append(_accuracy(model, x[validation], y[validation]))
            curves["validation, measured again"].append(
                _accuracy(model, x[validation], y[validation])
            )
            curves["fresh data"].append(_accuracy(model.eval(), x[fresh], y[fresh]))
    return {name: np.array(values) for name, values in curves.items()}


def broken_run(patient, x, y, seed=0):
    """The curves of a run with the fault of patient "A" … "F", or of a healthy one.

    patient: a letter, or "healthy". x: (N, D) float32 with N ≥ 700, y: (N,) int64 of ten classes;
    seed of the split, the start and the order. Returns a dict of arrays: the loss of each step, and
    for each epoch the accuracy on validation data, the same measured once more, and on fresh data.
    Raises KeyError for another patient.
    """
    if patient != "healthy" and patient not in FAULTS:
        raise KeyError(
            f"there is no patient {patient!r}: ask for one of {', '.join(FAULTS)}, or for 'healthy'"
        )
    return _train(torch.as_tensor(x), torch.as_tensor(y), seed, FAULTS.get(patient))


diagnose_runs = diagnosis("diagnose_runs", FAULTS, SIGNS, what="run")
