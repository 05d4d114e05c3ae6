"""Checks of free bits and active units:
what a code must at least carry, and which latents carry anything."""

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.draws import drawn
from dlcourse.checks.probes import judge


def _each(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - log_var - 1)


def _free(mu, log_var, floor):
    return torch.maximum(_each(mu, log_var).mean(0), torch.as_tensor(floor, dtype=mu.dtype)).sum()


def _and_gradient(function, mu, log_var, floor):
    mu, log_var = (one.clone().requires_grad_() for one in (mu, log_var))
    value = function(mu, log_var, floor)
    if value is None:
        raise Untouched("None: is `return` missing?")
    leaves = {"mu": mu, "log_var": log_var}
    found = judge(value, leaves)
    if isinstance(value, torch.Tensor) and not value.requires_grad:
        found = {"loss": value}
    # below the floor no gradient at all is as good as zeros
    for name, leaf in leaves.items():
        gradient = found.get(f"gradient by {name}", "none")
        if isinstance(value, torch.Tensor):
            found[f"gradient by {name}"] = (
                torch.zeros_like(leaf) if isinstance(gradient, str) else gradient
            )
    return found


free_bits = Check(
    "free_bits",
    reference=_free,
    probe=_and_gradient,
    cases=lambda: [
        case("one latent below the floor", torch.tensor([[0.4]]), torch.zeros(1, 1), 0.5),
        case("one latent above the floor, one below", torch.tensor([[2.0, 0.4]]), torch.zeros(1, 2),
             0.5),
        case("latents that differ from image to image", 2 * drawn(4, 3), drawn(4, 3, seed=1), 1.0),
        case("floor 0: the KL itself", drawn(3, 2, seed=2), drawn(3, 2, seed=3), 0.0),
        case("float64 views", drawn(3, 5, seed=4, dtype=torch.float64).T,
             drawn(3, 5, seed=5, dtype=torch.float64).T, 0.7),
    ],
    rtol=1e-4,
    mistakes=[
        Mistake("the floor on the sum",
                "Each *latent* is given its nats for free. "
                "A floor on the sum lets one latent use all of it.",
                lambda mu, log_var, floor: _each(mu, log_var).sum(1).mean().clamp(min=floor)),
        Mistake("the floor on each image",
                "First the mean over the batch, then the floor: a latent may be needed for "
                "some images only (Kingma et al. 2016).",
                lambda mu, log_var, floor: _each(mu, log_var).clamp(min=floor).mean(0).sum()),
        Mistake("a ceiling",
                "max(KL, λ): below λ the price does not fall any more, above it all of it is paid.",
                lambda mu, log_var, floor: _each(mu, log_var).mean(0).clamp(max=floor).sum()),
        Mistake("the floor subtracted",
                "max(KL − λ, 0) has the same gradient, but is no longer in nats of the KL.",
                lambda mu, log_var, floor: (_each(mu, log_var).mean(0) - floor).clamp(min=0).sum()),
        Mistake("mean over the latents", "The KL is the sum over the latents.",
                lambda mu, log_var, floor: _free(mu, log_var, floor) / mu.shape[1]),
        Mistake("no floor", "A latent below λ pays λ: torch.clamp(…, min=floor).",
                lambda mu, log_var, floor: _each(mu, log_var).mean(0).sum()),
    ],
)  # fmt: skip


def _active(mu, threshold=0.01):
    return mu.var(0) > threshold


def _codes(scales, n=50, seed=0, offset=0.0):
    return torch.tensor(scales) * drawn(n, len(scales), seed=seed) + offset


active_units = Check(
    "active_units",
    reference=_active,
    cases=lambda: [
        case("one latent moves, one hardly", _codes([1.0, 0.02])),
        case("a latent far from 0 that never moves",
             _codes([0.01, 0.5, 0.03], offset=torch.tensor([3.0, 0.0, -2.0]))),
        case("threshold 0.5", _codes([0.3, 0.6, 0.8, 1.5], n=2000, seed=1), 0.5),
        case("a standard deviation of 0.05: a variance of 0.0025", _codes([0.05, 0.3], seed=2)),
        case("threshold 0.05", _codes([0.1, 0.3, 0.6], n=500, seed=4), 0.05),
        case("variances of ½ and 2, threshold ½: above, not equal",
             torch.tensor([[0.0, 0.0], [1.0, 2.0]]), 0.5),
        case("many images and few latents", _codes([1.0], n=7, seed=3)),
    ],
    mistakes=[
        Mistake("standard deviation against the threshold",
                "The threshold (Burda et al. 2016) is for the *variance* of μ over the images.",
                lambda mu, threshold=0.01: mu.std(0) > threshold),
        Mistake("the threshold itself is active", "Active is what is *above* the threshold: >.",
                lambda mu, threshold=0.01: mu.var(0) >= threshold),
        Mistake("mean square in place of variance",
                "A latent that sits at 3 for every image says nothing: "
                "the variance takes the mean off.",
                lambda mu, threshold=0.01: (mu**2).mean(0) > threshold),
        Mistake("over the latents",
                "Does it change from image to *image*? "
                "The variance over axis 0, one value for each latent.",
                lambda mu, threshold=0.01: mu.var(1) > threshold),
        Mistake("the collapsed ones", "Active is what varies: > threshold.",
                lambda mu, threshold=0.01: mu.var(0) <= threshold),
        Mistake("how many in place of which",
                "Return a bool for each latent, (d,); its sum is the number.",
                lambda mu, threshold=0.01: (mu.var(0) > threshold).sum()),
    ],
)  # fmt: skip
