"""A clinic: Wasserstein GANs on the ring of eight Gaussians
with one fault each, seen in the critic's own numbers."""

import torch
from torch import nn

from dlcourse.checks.clinic import descend, diagnosis, fault_of, repeats

FAULTS = {
    "A": "slopes to 0",
    "B": "the generator's sign",
    "C": "no graph",
    "D": "the critic's sign",
}
SIGNS = {
    "the critic's sign": "The critic gives fakes the higher values: "
    "its estimate of a distance is negative, and the more so the further the samples flee.",
    "the generator's sign": "The critic is in order and reports a distance, positive, "
    "that grows and grows: the samples run away from the data, as they are told to.",
    "no graph": "The penalty is computed and has no gradient: the slope leaves 1 at once, "
    "by a factor of ten and more, and the estimate swings from one sign to the other.",
    "slopes to 0": "With ‖∇f‖² for a penalty the slope stays well below 1, and the estimate is "
    "a fraction of the healthy one; the direction is right all the same, and the samples come.",
}


def _network(*sizes):
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def broken_critic(patient, x, seed=0, rounds=200):
    """One training run on points x (N, 2), two steps of the critic a round;
    patient "healthy", "A" … "D".

    Returns {"estimate": (rounds,), "slope": (rounds,), "samples": (500, 2)}: mean f(real) − mean
    f(fake), the mean length of the critic's gradient between the two, and what the generator makes
    at the end. Raises KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator, critic = _network(4, 48, 48, 2), _network(2, 48, 48, 1)
        optimisers = [
            torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.5, 0.9))
            for model in (generator, critic)
        ]
        told = {"estimate": [], "slope": []}
        for _ in repeats(rounds):
            for _ in range(2):
                real, fake = x[torch.randint(len(x), (64,))], generator(torch.randn(64, 4)).detach()
                estimate, slope = _critic_step(critic, real, fake, optimisers[1], fault)
            value = critic(generator(torch.randn(64, 4))).mean()
            descend(value if fault == "the generator's sign" else -value, optimisers[0])
            told["estimate"].append(estimate.item())
            told["slope"].append(slope.item())
        with torch.no_grad():
            samples = generator(torch.randn(500, 4))
    return {name: torch.tensor(values) for name, values in told.items()} | {"samples": samples}


def _critic_step(critic, real, fake, optimiser, fault):
    """One step → (the estimate, the mean slope), both before it."""
    eps = torch.rand(len(real), 1)
    between = (eps * real + (1 - eps) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=fault != "no graph")
    length = slope.norm(dim=1)
    estimate = critic(real).mean() - critic(fake).mean()
    penalty = length.square().mean() if fault == "slopes to 0" else (length - 1).square().mean()
    descend(penalty + (estimate if fault == "the critic's sign" else -estimate), optimiser)
    return estimate.detach(), length.mean().detach()


diagnose_critics = diagnosis("diagnose_critics", FAULTS, SIGNS, what="patient")
