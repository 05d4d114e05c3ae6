"""A clinic: four trainings of a small VAE with one fault each, and the check of the diagnosis."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.clinic import diagnosis, fault_of, repeats

FAULTS = {
    "A": "sigmoid twice",
    "B": "the mean is decoded",
    "C": "mean over pixels",
    "D": "the KL is rewarded",
}
SIGNS = {
    "mean over pixels": "The reconstruction weighs too little, so nothing is worth a nat: "
    "the KL falls to 0 and stays there, and the reconstruction is no better than the mean image.",
    "the KL is rewarded": "With the wrong sign the KL grows and grows, far above the healthy one.",
    "the mean is decoded": "Trained without noise: good from the mean, far worse from a draw.",
    "sigmoid twice": "A probability between ½ and 0.73 can never be near 0, which most pixels are: "
    "the reconstruction stays far above that of the mean image.",
}


def _network(pixels, latents, hidden):
    encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latents))
    return encoder, nn.Sequential(nn.Linear(latents, hidden), nn.ReLU(), nn.Linear(hidden, pixels))


def _nll(logits, x):
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1).mean()


def broken_run(patient, x, seed, steps=250, every=10, latents=10, hidden=128):
    """One training on x (N, …) of zeros and ones;
    patient "healthy" or "A" … "D". Batches of 100, Adam.

    Returns {"kl", "from a draw", "from the mean"}:
    (steps // every,) each, nats per image, on the batch at hand:
    the KL, and the reconstruction from z ~ q and from z = μ. KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    x, generator = x.flatten(1), torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder, decoder = (part.to(x.device) for part in _network(x.shape[1], latents, hidden))
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 2e-3)
    rows = {"kl": [], "from a draw": [], "from the mean": []}
    for step in repeats(steps, every):
        batch = x[torch.randint(len(x), (100,), generator=generator).to(x.device)]
        mu, log_var = encoder(batch).chunk(2, dim=1)
        draw = mu + (0.5 * log_var).exp() * torch.randn(mu.shape, generator=generator).to(x.device)
        kl = 0.5 * (mu**2 + log_var.exp() - log_var - 1).sum(1).mean()
        shown = torch.sigmoid if fault == "sigmoid twice" else torch.clone
        terms = {"kl": kl, "from a draw": _nll(shown(decoder(draw)), batch),
                 "from the mean": _nll(shown(decoder(mu)), batch)}  # fmt: skip
        nll = terms["from the mean" if fault == "the mean is decoded" else "from a draw"]
        if fault == "mean over pixels":
            nll = nll / x.shape[1]
        loss = nll - 0.02 * kl if fault == "the KL is rewarded" else nll + kl
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % every == 0:
            for name, value in terms.items():
                rows[name].append(value.detach().cpu())
    return {name: torch.stack(values) for name, values in rows.items()}


diagnose_vaes = diagnosis("diagnose_vaes", FAULTS, SIGNS, what="patient")
