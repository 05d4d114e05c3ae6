"""A clinic: the importance-weighted bound for growing k,
with one fault each, and the check of the diagnosis."""

import math

import torch

from dlcourse.checks.clinic import diagnosis, fault_of

FAULTS = {
    "A": "ln k forgotten",
    "B": "log inside the mean",
    "C": "the same draw k times",
    "D": "exp without logsumexp",
}
SIGNS = {
    "log inside the mean": "The mean of the logs does not rise with k; it only becomes steadier.",
    "the same draw k times": "One draw repeated gives its own value for every k: "
    "flat, and as noisy at 100 as at 1.",
    "ln k forgotten": "Too high by ln k: it rises by 2.3 nats with "
    "every factor of 10, without an end.",
    "exp without logsumexp": "Weights below exp(−104) are 0 in float32, and ln 0 is −∞.",
}


def broken_bounds(patient, log_w, ks=(1, 3, 10, 30, 100)):
    """The bound's mean over images for each k;
    log_w (K, B) with K ≥ max(ks); patient "healthy" or "A" … "D".

    Returns (len(ks), 5): five estimates, from five disjoint groups of images.
    KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    rows = []
    for k in ks:
        w = log_w[:1].expand(k, -1) if fault == "the same draw k times" else log_w[:k]
        value = torch.logsumexp(w, 0) - (0.0 if fault == "ln k forgotten" else math.log(k))
        if fault == "log inside the mean":
            value = w.mean(0)
        if fault == "exp without logsumexp":
            value = w.float().exp().mean(0).log()
        rows.append(torch.stack([group.mean() for group in value.chunk(5)]))
    return torch.stack(rows)


diagnose_bounds = diagnosis("diagnose_bounds", FAULTS, SIGNS, what="patient")
