"""Checks of the parts of the ELBO, against torch.distributions."""

import torch
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.probes import with_gradient


def _normal(mu, log_var):
    return Normal(mu, (0.5 * log_var).exp())


def _kl(mu, log_var):
    return kl_divergence(_normal(mu, log_var), Normal(0.0, 1.0)).sum(1)


def _draws(shape, seed, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


gaussian_kl = Check(
    "gaussian_kl",
    reference=_kl,
    probe=with_gradient(0, 1),
    fallback="dlcourse.methods.elbo:gaussian_kl",
    cases=lambda: [
        case("μ = 0, σ = 1: no distance at all", torch.zeros(1, 2), torch.zeros(1, 2)),
        case("μ = 2 and −3, σ = 1: half of 2² and of 3²", torch.tensor([[2.0], [-3.0]]),
             torch.zeros(2, 1)),
        case("μ = 0, ln σ² = 1", torch.zeros(1, 1), torch.ones(1, 1)),
        case("three examples, five latents", _draws((3, 5), 0), _draws((3, 5), 1)),
        case("transposed views, float64", _draws((2, 4), 2, torch.float64).T,
             _draws((2, 4), 3, torch.float64).T),
        case("one latent hardly known, ln σ² = 6", _draws((2, 1), 6), torch.full((2, 1), 6.0)),
        case("a latent that is known to 1e-9", _draws((2, 3), 4), torch.full((2, 3), -41.4)),
    ],
    mistakes=[
        Mistake("the ½ before μ² + σ² is missing",
                "μ² + σ² − ln σ − ½ has its minimum at σ = 1/√2 ≈ 0.707, not at σ = 1. The ½ "
                "stands before the whole bracket: ½ (μ² + σ² − ln σ² − 1).",
                lambda mu, log_var: (mu**2 + log_var.exp() - 0.5 * log_var - 0.5).sum(1)),
        Mistake("the ½ before the bracket is missing",
                "½ (μ² + σ² − ln σ² − 1): you have twice as much.",
                lambda mu, log_var: 2 * _kl(mu, log_var)),
        Mistake("log_var taken for σ",
                "log_var is ln σ². So σ² is log_var.exp(), and ln σ² is log_var itself.",
                lambda mu, log_var: 0.5 * (mu**2 + log_var**2 - (log_var**2).log() - 1).sum(1)),
        Mistake("log_var taken for ln σ",
                "log_var is the logarithm of the *variance*: σ² = exp(log_var), without a 2.",
                lambda mu, log_var: _kl(mu, 2 * log_var)),
        Mistake("σ for σ²",
                "exp(½ log_var) is σ. In the bracket stands σ² = log_var.exp().",
                lambda mu, log_var: 0.5 * (mu**2 + (0.5 * log_var).exp() - log_var - 1).sum(1)),
        Mistake("opposite sign",
                "A KL divergence is never negative: the bracket is μ² + σ² − ln σ² − 1.",
                lambda mu, log_var: -_kl(mu, log_var)),
        Mistake("mean over the latents",
                "Latents are independent, so their divergences add up: sum over axis 1. A "
                "mean divides the KL by d, which is a β of 1/d by accident.",
                lambda mu, log_var: _kl(mu, log_var) / mu.shape[1]),
        Mistake("mean over the batch as well",
                "One value for each example, (B,): the mean comes later.",
                lambda mu, log_var: _kl(mu, log_var).mean()),
        Mistake("sum over the batch as well",
                "One value for each example, (B,): sum over axis 1 only.",
                lambda mu, log_var: _kl(mu, log_var).sum()),
        Mistake("KL(p ‖ q) instead of KL(q ‖ p)",
                "The expectation is over q, the narrow one: KL(q ‖ p) = ½ (μ² + σ² − ln σ² − 1).",
                lambda mu, log_var: kl_divergence(Normal(torch.zeros_like(mu), 1.0),
                                                  _normal(mu, log_var)).sum(1)),
    ],
)  # fmt: skip


def _nll(logits, x):
    return -Bernoulli(logits=logits, validate_args=False).log_prob(x).flatten(1).sum(1)


def _coins(shape, seed):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.3).float()


bernoulli_nll = Check(
    "bernoulli_nll",
    reference=_nll,
    probe=with_gradient(0),
    fallback="dlcourse.methods.elbo:bernoulli_nll",
    rtol=1e-4,
    cases=lambda: [
        case("one pixel, logit 0: ln 2", torch.zeros(1, 1), torch.ones(1, 1)),
        case("two examples of three pixels", _draws((2, 3), 5), _coins((2, 3), 5)),
        case("images (3, 1, 4, 2)", 2 * _draws((3, 1, 4, 2), 6), _coins((3, 1, 4, 2), 6)),
        case("two channels (2, 2, 3, 4)", _draws((2, 2, 3, 4), 12), _coins((2, 2, 3, 4), 12)),
        case("a view, float64", _draws((4, 1, 5, 3), 7, torch.float64)[::2],
             _coins((4, 1, 5, 3), 7).double()[::2]),
        case("sure and wrong: logits of ±200", torch.tensor([[200.0, -200.0]]),
             torch.tensor([[0.0, 1.0]])),
    ],
    mistakes=[
        Mistake("mean over the pixels",
                "ln p(x|z) is a *sum* over pixels. A mean makes it 784 times smaller than the "
                "KL expects: a β of 784 by accident.",
                lambda logits, x: _nll(logits, x) / logits[0].numel()),
        Mistake("sigmoid twice",
                "binary_cross_entropy_with_logits does the sigmoid itself: give it the logits.",
                lambda logits, x: _nll(logits.sigmoid(), x)),
        Mistake("a logarithm of a rounded probability",
                "sigmoid(200) rounds to 1 and ln(1 − 1) is lost. Compute from the logits: "
                "F.binary_cross_entropy_with_logits.",
                lambda logits, x: F.binary_cross_entropy(logits.sigmoid(), x,
                                                         reduction="none").flatten(1).sum(1)),
        Mistake("opposite sign", "−ln p(x|z) is a loss and never negative.",
                lambda logits, x: -_nll(logits, x)),
        Mistake("one number for the batch",
                "One value for each example, (B,): flatten(1), then sum over axis 1.",
                lambda logits, x: _nll(logits, x).sum()),
        Mistake("the mean over the batch",
                "One value for each example, (B,): the mean comes later.",
                lambda logits, x: _nll(logits, x).mean()),
        Mistake("squared error", "Pixels are coins here: −ln p is a binary cross-entropy, in nats.",
                lambda logits, x: ((logits.sigmoid() - x) ** 2).flatten(1).sum(1)),
    ],
)  # fmt: skip
