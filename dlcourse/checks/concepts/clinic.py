"""A clinic: a network of eleven layers whose training has one fault,
and the check of the diagnosis from its curve."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.clinic import diagnosis

FAULTS = {"A": "rate too low", "B": "weights start too small", "C": "rate too high"}
RATES = {"A": 2e-4, "B": 0.02, "C": 0.5, "healthy": 0.02}
SIGNS = {
    "rate too low": "Every step goes the right way and is too short: "
    "the loss falls from the start, steadily, and is far from done at the end.",
    "weights start too small": "Each layer shrinks the signal, so the output is the same for every "
    "image and no gradient gets back: the loss stands at ln 10 from the first step to the last.",
    "rate too high": "Beyond the stability limit steps overshoot further and further: "
    "the loss jumps about, rises above that of guessing and reaches the figure's edge.",
}


def deep_run(patient, x, y, seed, steps=150):
    """Losses (steps,) of one run: x (N, D), y (N,) of ten classes;
    patient "healthy", "A", "B" or "C".

    Ten hidden layers of 64 ReLUs, SGD with momentum 0.9, batches of 64. Where the loss is no number
    any more, 1e9. Raises KeyError for another patient.
    """
    if patient not in RATES:
        raise KeyError(f"there is no patient {patient!r}: ask for one of {', '.join(RATES)}")
    generator = torch.Generator().manual_seed(seed)
    sizes = [x.shape[1], *[64] * 10, 10]
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        std = 0.02 if FAULTS.get(patient) == "weights start too small" else math.sqrt(2 / fan_in)
        nn.init.normal_(layers[-2].weight, 0, std, generator=generator)
        nn.init.zeros_(layers[-2].bias)
    model = nn.Sequential(*layers[:-1]).to(x.device)
    optimiser, losses = torch.optim.SGD(model.parameters(), RATES[patient], momentum=0.9), []
    for _ in range(steps):
        rows = torch.randint(len(x), (64,), generator=generator).to(x.device)
        loss = F.cross_entropy(model(x[rows]), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses).cpu().nan_to_num(1e9, 1e9).clamp_max(1e9)


diagnose = diagnosis("diagnose", FAULTS, SIGNS)
