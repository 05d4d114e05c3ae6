"""A clinic: GANs on the ring of eight Gaussians with one fault each,
seen in what the discriminator says."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.clinic import descend, diagnosis, fault_of, repeats

FAULTS = {
    "A": "wrong optimiser",
    "B": "sigmoid twice",
    "C": "range too small",
    "D": "labels swapped",
}
SIGNS = {
    "labels swapped": "The two curves change places: the discriminator gives real points low "
    "probabilities and fakes high ones, and the generator is content wherever it is.",
    "wrong optimiser": "The generator's loss moves the discriminator: "
    "the cloud stays exactly as it was drawn at the start, and one loss pulls the "
    "discriminator's answer to fakes down, the other up, so that it stays at ½.",
    "sigmoid twice": "What goes into the loss as a logit is a probability already: "
    "read as logits, such numbers give probabilities between ½ and 0.73 and never any others.",
    "range too small": "The generator ends in a tanh and the data reach beyond ±1: "
    "the cloud sits on the edge of a square, and the discriminator is sure of both kinds for ever.",
}


def _network(sizes, last=None):
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(fan_in, fan_out), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1], *([last] if last else []))


def broken_gan(patient, x, seed=0, steps=600):
    """One training run on points x (N, 2); patient "healthy", "A" … "D".

    Returns {"real": (steps,), "fake": (steps,), "samples": (500, 2)}: the mean probabilities that
    the discriminator's output stands for (its sigmoid), for real points and for fakes, and what the
    generator makes at the end. Raises KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = _network((8, 64, 64, 2), nn.Tanh() if fault == "range too small" else None)
        discriminator = _network((2, 64, 64, 1), nn.Sigmoid() if fault == "sigmoid twice" else None)
        return _play(generator, discriminator, x, steps, fault)


def _play(generator, discriminator, x, steps, fault):
    optimiser_g, optimiser_d = (torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.5, 0.999))
                                for model in (generator, discriminator))  # fmt: skip
    told = {"real": [], "fake": []}
    sign = -1.0 if fault == "labels swapped" else 1.0
    for _ in repeats(steps):
        real, fake = x[torch.randint(len(x), (128,))], generator(torch.randn(128, 8))
        logits, logits_fake = discriminator(real), discriminator(fake.detach())
        told["real"].append(logits.sigmoid().mean().item())
        told["fake"].append(logits_fake.sigmoid().mean().item())
        descend(
            F.softplus(-sign * logits).mean() + F.softplus(sign * logits_fake).mean(), optimiser_d
        )
        loss = F.softplus(-discriminator(fake)).mean()
        descend(loss, optimiser_d if fault == "wrong optimiser" else optimiser_g)
    with torch.no_grad():
        samples = generator(torch.randn(500, 8))
    return {name: torch.tensor(values) for name, values in told.items()} | {"samples": samples}


diagnose_gans = diagnosis("diagnose_gans", FAULTS, SIGNS, what="patient")
