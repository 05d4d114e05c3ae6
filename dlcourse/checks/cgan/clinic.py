"""A clinic: conditional GANs on a ring of Gaussians
whose labels are the modes, with one fault each."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.clinic import descend, diagnosis, fault_of, repeats

FAULTS = {
    "A": "labels off by one",
    "B": "z is lost",
    "C": "D is not told",
    "D": "G is not told",
}
SIGNS = {
    "D is not told": "Colours land on any mode, on the right one by luck: "
    "nobody insists on the label. Both curves are soon at ½, since the cloud as a whole is right.",
    "G is not told": "All colours are mixed everywhere, and D, which knows the labels, "
    "rejects most fakes: the curves stay far apart.",
    "labels off by one": "Each colour is together, on the wrong mode: all are turned by one place. "
    "D is content, because it was shown the fakes with the labels that they happen to show.",
    "z is lost": "Each colour is a single point: a share of 1 on the right mode, "
    "and no variety at all, which D's curves do not tell.",
}
MODES = 6


class _Told(nn.Module):
    def __init__(self, size, out):
        super().__init__()
        self.embed = nn.Embedding(MODES, 6)
        self.layers = nn.Sequential(nn.Linear(size + 6, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64),
                                    nn.LeakyReLU(0.2), nn.Linear(64, out))  # fmt: skip

    def forward(self, x, y):
        return self.layers(torch.cat([x, self.embed(y)], dim=1))


def broken_cgan(patient, x, y, seed=0, steps=400):
    """One training run on points x (N, 2) with labels y (N,), 0 … 5; patient "healthy", "A" … "D".

    Returns {"real": (steps,), "fake": (steps,), "samples": (600, 2), "wanted": (600,)}: the
    probabilities D gives to real and to generated points, and at the end points with the labels
    they were asked for. Raises KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator, discriminator = _Told(4, 2), _Told(2, 1)
        told = _play(generator, discriminator, x, y, steps, fault)
        wanted = torch.arange(600) % MODES
        with torch.no_grad():
            samples = _draw(generator, wanted, fault)
    return {name: torch.tensor(values) for name, values in told.items()} | {
        "samples": samples,
        "wanted": wanted,
    }


def _draw(generator, y, fault):
    z = torch.randn(len(y), 4)
    return generator(0 * z if fault == "z is lost" else z, 0 * y if fault == "G is not told" else y)


def _play(generator, discriminator, x, y, steps, fault):
    optimiser_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optimiser_d = torch.optim.Adam(discriminator.parameters(), lr=3e-3, betas=(0.5, 0.999))
    told = {"real": [], "fake": []}
    for number in repeats(steps):
        noise = 0.4 * (1 - (number - 1) / steps)  # on all that D sees, fading out
        rows = torch.randint(len(x), (64,))
        fake, shown = _draw(generator, y[rows], fault), y[rows]
        if fault == "labels off by one":
            shown = (shown + 1) % MODES

        def judge(points, labels, noise=noise):
            labels = 0 * labels if fault == "D is not told" else labels
            return discriminator(points + noise * torch.randn_like(points), labels)

        logits, logits_fake = judge(x[rows], y[rows]), judge(fake.detach(), shown)
        told["real"].append(logits.sigmoid().mean().item())
        told["fake"].append(logits_fake.sigmoid().mean().item())
        descend(F.softplus(-logits).mean() + F.softplus(logits_fake).mean(), optimiser_d)
        descend(F.softplus(-judge(fake, shown)).mean(), optimiser_g)
    return told


diagnose_cgans = diagnosis("diagnose_cgans", FAULTS, SIGNS, what="patient")
