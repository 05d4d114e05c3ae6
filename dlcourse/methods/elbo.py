"""The parts of the evidence lower bound (ELBO) of a variational autoencoder.
Everything in nats, one value an example.

ELBO(x) = E_q(z|x)[ln p(x|z)] − KL(q(z|x) ‖ p(z)) ≤ ln p(x),
with q(z|x) = N(μ, diag σ²) and p(z) = N(0, I): Kingma & Welling (2014),
"Auto-encoding variational Bayes", equations 3 and 10. Means over a batch are the caller's.
"""

import torch
from torch.nn import functional as F


def reparameterise(mu, log_var, generator=None):
    """One draw z = μ + σ ε for every example, ε ~ N(0, I),
    through which gradients flow to mu and log_var.

    mu, log_var: (B, d); log_var is ln σ². Returns (B, d).
    """
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype, device=mu.device)
    return mu + torch.exp(0.5 * log_var) * eps


def gaussian_kl(mu, log_var):
    """KL(N(μ, diag σ²) ‖ N(0, I)) in nats, summed over the latents:
    (B, d) twice → (B,). log_var is ln σ².

    Kingma & Welling (2014), appendix B: ½ Σ (μ² + σ² − ln σ² − 1).
    """
    return 0.5 * (mu**2 + log_var.exp() - log_var - 1).sum(dim=1)


def bernoulli_nll(logits, x):
    """−ln p(x|z) in nats where each pixel is a coin with these logits,
    summed over all axes but the first → (B,).

    x: the shape of logits, values 0 or 1.
    """
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(dim=1)
