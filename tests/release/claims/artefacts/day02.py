"""Day 02: shifts that wrapped around, noise taken for bias, a spike taken for damage."""

import copy
import math

import numpy as np
import torch
from small_networks import dense, digits, fit, loss
from torch.nn import functional as F

from dlcourse.release.claims.registry import claim
from dlcourse.schedule import cosine_with_warmup

MORNING = "Day02-DL_concepts_morning"


def shift(x):
    """Half of the images (B, 64) moved by up to a pixel, each its own way; what leaves is lost."""
    padded = F.pad(x.reshape(-1, 1, 8, 8), (1, 1, 1, 1), value=-0.3 / 0.38)
    nine = F.unfold(padded, 8).transpose(1, 2)  # (B, 9, 64), the fifth where it was
    place = torch.where(torch.rand(len(x)) < 0.5, torch.randint(9, (len(x),)), 4)
    return nine[torch.arange(len(x)), place]


@claim(
    MORNING,
    "Shifts do not help here: one pixel is an eighth of these images, and the test digits are "
    "centred.",
    by=-0.01,  # no more than a hundredth of a nat
)
def shifts_do_not_help(nb, seed):
    x, y, x_test, y_test = digits()
    rows = torch.randperm(len(x))[:150]
    result = {}
    for name, change in (("as they are", lambda x: x), ("each shifted", shift)):
        torch.manual_seed(seed)
        net = fit(dense(64, 128, 10), x[rows], y[rows], steps=200, size=50, change=change)
        result[name] = loss(net, x_test, y_test)
    return result


def bias(degree, rng, count=200):
    """Bias² of a polynomial as the notebook estimated it: its variance / count is still in it."""
    grid, x = np.linspace(-0.9, 0.9, 50), np.linspace(-1, 1, 15)
    targets = np.sin(math.pi * x) + 0.3 * rng.normal(size=(count, 15))
    fits = [np.polynomial.Polynomial.fit(x, y, degree)(grid) for y in targets]
    return ((np.mean(fits, axis=0) - np.sin(math.pi * grid)) ** 2).mean()


@claim(
    MORNING,
    "Bias falls (odd degrees help, a sine is odd), variance rises with every coefficient, and the "
    "sum has a minimum.",
)
def bias_falls(nb, seed):
    rng = np.random.default_rng(seed)
    return {f"degree {degree}": bias(degree, rng) for degree in (7, 5)}


def go_on(net, x, y, seed, warmup):
    """Mean training loss over steps 41 … 60 of a fresh Adam, rate 0.01 after the warm-up."""
    net, seen = copy.deepcopy(net), []
    optimiser = torch.optim.Adam(net.parameters())
    torch.manual_seed(seed)
    for step in range(60):
        optimiser.param_groups[0]["lr"] = cosine_with_warmup(step, 10**6, warmup, 0.01)
        rows = torch.randint(len(x), (64,))
        optimiser.zero_grad()
        F.cross_entropy(net(x[rows]), y[rows]).backward()
        optimiser.step()
        if step >= 40:
            seen.append(loss(net, x, y))
    return sum(seen) / len(seen)


@claim(
    MORNING,
    "Without warm-up every weight makes a full step in a direction that one batch chose, and what "
    "was learnt is damaged.",
)
def warm_up_saves(nb, seed):
    x, y, *_ = digits()
    net = fit(dense(64, 64, 64, 10), x, y, steps=250, rate=0.002)
    return {f"warm-up of {steps}": go_on(net, x, y, seed, steps) for steps in (40, 1)}
