"""A clinic: five trainings of a small convolutional
network with one fault each, and the check of the diagnosis."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.clinic import diagnosis

FAULTS = {
    "A": "axes mixed by a reshape",
    "B": "batch norm in training mode",
    "C": "no activation",
    "D": "validation prepared differently",
    "E": "augmentation too strong",
}
SIGNS = {
    "batch norm in training mode": "What an image is called depends on which other images are in "
    "its batch: validation falls apart when the batches hold one class each, and is fine when "
    "they are mixed.",
    "validation prepared differently": "Training images are recognised, "
    "validation images are not, from the first epoch on and however they are batched: "
    "the network is shown something other than what it was trained on.",
    "axes mixed by a reshape": "The loss of the steps stands at that of guessing: "
    "what is trained on has lost all connection with its labels.",
    "augmentation too strong": "The batches as they are trained on are answered far worse than the "
    "same images untouched, and than validation: augmentation takes away what the label is about.",
    "no activation": "All four accuracies agree, and the loss levels out too high: "
    "the network is too weak for more, as a linear one is.",
}
EPOCHS, SIZE, RATE = 12, 50, 0.02
CURVES = (
    "loss of the step",
    "batches as trained on",
    "training images",
    "validation",
    "validation, one class per batch",
)


def _network(fault):
    """Two stages, 1 → 8 → 16 channels;
    the pooling takes the mean where nothing may be non-linear."""
    linear = fault == "no activation"
    pool, activation = (nn.AvgPool2d, nn.Identity) if linear else (nn.MaxPool2d, nn.ReLU)
    stages = [[nn.Conv2d(a, b, 3, padding=1, bias=False), pool(2), nn.BatchNorm2d(b), activation()]
              for a, b in ((1, 8), (8, 16))]  # fmt: skip
    layers = *stages[0], *stages[1], nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(144, 10)
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def _distort(x, generator, fault):
    """What the augmentation makes of a batch."""
    if (
        fault == "augmentation too strong"
    ):  # of every other image a square of 22 × 22 pixels is erased
        top, left = (torch.randint(7, (len(x), 1), generator=generator) for _ in range(2))
        rows, columns = (
            (torch.arange(28) >= at) & (torch.arange(28) < at + 22) for at in (top, left)
        )
        hit = torch.rand(len(x), 1, 1, generator=generator) < 0.5
        return x.masked_fill((hit & rows[:, :, None] & columns[:, None])[:, None], 0)
    if fault == "axes mixed by a reshape":
        # (B, 1, H, W) → (H, W, 1, B), read as if it were (B, 1, H, W)
        return x.permute(2, 3, 1, 0).reshape(x.shape)
    return x


def _accuracy(model, x, y, size, fault=None):
    model.train(fault == "batch norm in training mode")
    state = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        right = [model(a).argmax(1) == b for a, b in zip(x.split(size), y.split(size), strict=True)]
    model.load_state_dict(state)  # measuring leaves no trace
    return torch.cat(right).float().mean().item()


def _train(x, y, seed, fault):
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(x), generator=generator)
    train, held = order[:600], order[600:1000]
    sorted_held = held[y[held].argsort(stable=True)]
    prepare = (
        (lambda images: 1 - images)
        if fault == "validation prepared differently"
        else (lambda images: images)
    )
    curves = {name: [] for name in CURVES}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _network(fault)
        optimiser = torch.optim.SGD(model.parameters(), RATE, momentum=0.9)
        for _ in range(EPOCHS):
            right = []
            for rows in train[torch.randperm(600, generator=generator)].split(SIZE):
                output = model.train()(_distort(x[rows], generator, fault))
                loss = F.cross_entropy(output, y[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                curves[CURVES[0]].append(loss.item())
                right.append((output.argmax(1) == y[rows]).float().mean().item())
            curves[CURVES[1]].append(np.mean(right))
            curves[CURVES[2]].append(_accuracy(model, x[train], y[train], 100, fault))
            curves[CURVES[3]].append(_accuracy(model, prepare(x[held]), y[held], 100, fault))
            curves[CURVES[4]].append(
                _accuracy(model, prepare(x[sorted_held]), y[sorted_held], 20, fault)
            )
    return {name: np.array(values) for name, values in curves.items()}


def broken_cnn(patient, x, y, seed=0):
    """The curves of a training with the fault of patient "A" … "E", or of a healthy one.

    patient: a letter, or "healthy". x: (N, 1, 28, 28) float32 in [0, 1] with N ≥ 1000, y: (N,)
    int64 of ten classes; 600 to train on, 400 for validation. seed: of the split, the start and the
    order. Returns a dict of arrays: the loss of each step; for each epoch the accuracy on batches
    as they were trained on, on the same images afterwards, on validation images in mixed batches,
    and in batches of (nearly) one class. Raises KeyError for another patient.
    """
    if patient != "healthy" and patient not in FAULTS:
        raise KeyError(
            f"there is no patient {patient!r}: ask for one of {', '.join(FAULTS)}, or for 'healthy'"
        )
    return _train(torch.as_tensor(x), torch.as_tensor(y), seed, FAULTS.get(patient))


diagnose_cnns = diagnosis("diagnose_cnns", FAULTS, SIGNS, what="run")
