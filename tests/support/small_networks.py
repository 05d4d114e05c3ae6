"""What the artefacts share: one training loop and the small data that it needs."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.data import images

torch.set_num_threads(1)


def fit(model, x, y, steps, size=64, rate=5e-3, change=lambda x: x):
    """Trains a classifier in place with Adam on random batches; change(x) alters each batch."""
    optimiser = torch.optim.Adam(model.parameters(), rate, fused=True)
    for _ in range(steps):
        rows = torch.randint(len(x), (size,))
        optimiser.zero_grad()
        F.cross_entropy(model(change(x[rows])), y[rows]).backward()
        optimiser.step()
    return model.eval()


def dense(*widths, activation=nn.ReLU):
    """A network of dense layers."""
    layers = []
    for a, b in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(a, b), activation()]
    return nn.Sequential(*layers[:-1])


def digits():
    """Images of 8 × 8 as rows of 64 numbers, mean 0 and deviation 1: x, y, x_test, y_test."""
    small = images.digits8()
    x, x_test = ((part.flatten(1) - 0.3) / 0.38 for part in (small.x, small.x_test))
    return x, small.y, x_test, small.y_test


@torch.no_grad()
def right(model, x, y):
    """The share that is classified right, a float."""
    return (model(x).argmax(1) == y).float().mean().item()


@torch.no_grad()
def loss(model, x, y):
    """The mean cross-entropy in nats, a float."""
    return F.cross_entropy(model(x), y).item()
