"""A clinic: guided sampling in few steps,
with an exact model of a mixture of Gaussians and one fault each."""

import torch

from dlcourse.checks.clinic import diagnosis, fault_of
from dlcourse.checks.diffusion.clinic import exact_x0

FAULTS = {
    "A": "noise on top",
    "B": "the label is lost",
    "C": "v taken for noise",
    "D": "too much guidance",
}
SIGNS = {
    "noise on top": "What σ adds is not taken from the old noise: "
    "the clouds are where they belong, but too wide, more so with every step.",
    "the label is lost": "Every point lands on an island, as tight as it should be: "
    "but the colours are mixed, and the curve rises because others' "
    "islands are far from the one asked for.",
    "v taken for noise": "The guess of x0 is too large where there is much noise, "
    "and clipped (at ±3): every island lies too far out, and is too wide.",
    "too much guidance": "Points flee from what the unlabelled model finds: outwards, "
    "away from the neighbours, and closer together than the points of their label should be.",
}


def broken_generator(patient, means, std, abar, n=600, steps=25, seed=0):
    """Points asked for by label, from N(means_k, std² I),
    in DDIM steps with η = 1; patient "healthy", "A" … "D".

    means (K, d), abar (T,). Returns {"samples": (n, d), "wanted": (n,), "spread": (steps,)}: spread
    is the root mean square distance of x from where its label's points are at that time, divided by
    what it should be. x0 is clipped at ±3. Raises KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    generator = torch.Generator().manual_seed(seed)
    wanted = torch.arange(n) % len(means)
    x, goal, spread = torch.randn(n, means.shape[1], generator=generator), means[wanted], []
    scale = {"too much guidance": 6.0, "the label is lost": 0.0}.get(fault, 1.0)
    levels = abar[
        torch.linspace(len(abar) - 1, 0, steps, dtype=torch.float64).round().long()
    ].tolist()
    for now, later in zip(levels, [*levels[1:], 1.0], strict=True):
        told, untold = exact_x0(x, now, means, std, goal), exact_x0(x, now, means, std)
        x0 = untold + scale * (told - untold)
        eps = (x - now**0.5 * x0) / (1 - now) ** 0.5
        if fault == "v taken for noise":
            x0 = (x - (1 - now) ** 0.5 * (now**0.5 * eps - (1 - now) ** 0.5 * x0)) / now**0.5
        x0 = x0.clamp(-3, 3)
        eps = (x - now**0.5 * x0) / (1 - now) ** 0.5
        variance = (1 - later) / (1 - now) * (1 - now / later)
        kept = 1 - later if fault == "noise on top" else max(1 - later - variance, 0.0)
        x = (
            later**0.5 * x0
            + kept**0.5 * eps
            + variance**0.5 * torch.randn(x.shape, generator=generator)
        )
        gap, least = x - later**0.5 * goal, means.shape[1] * (later * std**2 + 1 - later)
        spread.append((gap.square().sum(1).mean() / least).sqrt())
    return {"samples": x, "wanted": wanted, "spread": torch.stack(spread)}


diagnose_generators = diagnosis("diagnose_generators", FAULTS, SIGNS, what="patient")
