"""A clinic: samplers with the exact score of a mixture of
Gaussians and one fault each, seen in the cloud they make."""

import torch

from dlcourse.checks.clinic import diagnosis, fault_of

FAULTS = {
    "A": "abar for alpha",
    "B": "variance as deviation",
    "C": "clipped too tightly",
    "D": "time runs forwards",
}
SIGNS = {
    "abar for alpha": "The posterior's mean counts x too little, because abar is "
    "far smaller than the α of one step: the cloud is pulled towards the centre, "
    "and its islands lie inside the ring of the data.",
    "variance as deviation": "Variances far below 1 are much smaller than their roots: "
    "hardly any noise is added, and the points gather more tightly than the data do.",
    "clipped too tightly": "Each guess of x0 is cut to a square that is smaller than the data: "
    "the points end on its border.",
    "time runs forwards": "Taken in the order 0, 1, 2 … the last steps are those of the "
    "noisiest time: structure never forms at the end, and one blob is left.",
}


def exact_x0(x, level, means, std, told=None):
    """x0 that an exact model sees in x (N, d) at abar = level:
    the mean of the data that can have become x.

    The data are a mixture of N(means_k, std² I), means (K, d); or N(told, std² I), a mean for each
    x, told (N, d). Returns (N, d).
    """
    variance = level * std**2 + 1 - level
    # (N, K or 1, d)
    centres = means[None].expand(len(x), -1, -1) if told is None else told[:, None]
    away = x[:, None] - level**0.5 * centres
    share = (-away.square().sum(2) / (2 * variance)).softmax(1)
    return (share[..., None] * (centres + level**0.5 * std**2 / variance * away)).sum(1)


def broken_sampler(patient, means, std, abar, n=800, seed=0):
    """Samples (n, 2) of the mixture of N(means_k, std² I); patient "healthy", "A" … "D"; abar (T,).

    Raises KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    levels = abar.tolist()
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, means.shape[1], generator=generator)
    order = range(len(levels)) if fault == "time runs forwards" else reversed(range(len(levels)))
    for t in order:
        level, before = levels[t], levels[t - 1] if t > 0 else 1.0
        x0 = exact_x0(x, level, means, std)
        if fault == "clipped too tightly":
            x0 = x0.clamp(-0.8, 0.8)
        alpha = level / before
        kept = level if fault == "abar for alpha" else alpha**0.5
        mean = (before**0.5 * (1 - alpha) * x0 + kept * (1 - before) * x) / (1 - level)
        variance = (1 - alpha) * (1 - before) / (1 - level)
        power = 1.0 if fault == "variance as deviation" else 0.5
        x = mean + variance**power * torch.randn(x.shape, generator=generator)
    return x.clamp(-20, 20)


diagnose_samplers = diagnosis("diagnose_samplers", FAULTS, SIGNS, what="patient")
