"""Checks of the importance-weighted bound and its weights,
and of a Gaussian likelihood with its own noise level."""

import math

import torch
from torch import nn
from torch.distributions import Bernoulli, Normal

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn


def _gaussian_nll(mean, x, log_sigma, lowest=-4.0, bounded=True):
    sigma = (log_sigma.clamp(min=lowest) if bounded else log_sigma).exp()
    return -Normal(mean, sigma, validate_args=False).log_prob(x).flatten(1).sum(1)


def _with_gradient(function, mean, x, log_sigma, lowest):
    log_sigma = log_sigma.clone().requires_grad_()
    value = function(mean, x, log_sigma, lowest)
    if value is None:
        return None
    (gradient,) = torch.autograd.grad(value.sum(), log_sigma, allow_unused=True)
    return {"nll": value, "∂/∂ log_sigma": gradient}


def _squares(mean, x, log_sigma, lowest):
    return (0.5 * ((x - mean) / log_sigma.clamp(min=lowest).exp()) ** 2).flatten(1).sum(1)


def _constant(x):
    return 0.5 * math.log(2 * math.pi) * x[0].numel()


gaussian_nll = Check(
    "gaussian_nll",
    reference=_gaussian_nll,
    probe=_with_gradient,
    rtol=1e-4,
    atol=1e-5,
    cases=lambda: [
        case("one pixel, right mean, σ = 1: ½ ln 2π", torch.zeros(1, 1), torch.zeros(1, 1),
             torch.tensor(0.0), -4.0),
        case("one pixel, σ = e", torch.zeros(1, 1), torch.ones(1, 1), torch.tensor(1.0), -4.0),
        case("images (3, 1, 4, 2), σ = 0.37", drawn(3, 1, 4, 2), drawn(3, 1, 4, 2, seed=1),
             torch.tensor(-1.0), -4.0),
        case("σ for each pixel, float64", drawn(2, 3, dtype=torch.float64),
             drawn(2, 3, seed=2, dtype=torch.float64), drawn(3, seed=3, dtype=torch.float64), -4.0),
        case("a log_sigma far below the lowest", drawn(2, 3), drawn(2, 3, seed=4),
             torch.tensor(-50.0), -3.0),
    ],
    mistakes=[
        Mistake("σ unbounded",
                "Where a pixel is always the same, σ → 0 and the likelihood grows without end: "
                "use log_sigma.clamp(min=lowest).",
                lambda mean, x, log_sigma, lowest: _gaussian_nll(mean, x, log_sigma,
                                                                 bounded=False)),
        Mistake("ln σ is missing",
                "Without + ln σ a larger σ is always better: the squares shrink and nothing grows.",
                lambda mean, x, log_sigma, lowest: _squares(mean, x, log_sigma,
                                                            lowest) + _constant(x)),
        Mistake("½ ln 2π is missing",
                "A density integrates to 1: ½ ln 2π for each pixel. "
                "Without it nats cannot be compared.",
                lambda mean, x, log_sigma, lowest: _gaussian_nll(mean, x, log_sigma,
                                                                 lowest) - _constant(x)),
        Mistake("the ½ of the square is missing", "½ ((x − mean) / σ)².",
                lambda mean, x, log_sigma, lowest: _gaussian_nll(mean, x, log_sigma, lowest)
                + _squares(mean, x, log_sigma, lowest)),
        Mistake("log_sigma taken for ln σ²", "log_sigma is ln σ: σ = exp(log_sigma).",
                lambda mean, x, log_sigma, lowest: _gaussian_nll(mean, x, log_sigma / 2, lowest)),
        Mistake("mean over the pixels", "Pixels are independent given z: their −ln p add up.",
                lambda mean, x, log_sigma, lowest: _gaussian_nll(mean, x, log_sigma,
                                                                 lowest) / x[0].numel()),
        Mistake("one number for the batch",
                "One value for each image: flatten(1), then sum over axis 1.",
                lambda mean, x, log_sigma, lowest: _gaussian_nll(mean, x, log_sigma, lowest).sum()),
    ],
)  # fmt: skip


def _bound(log_w):
    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


iwae_bound = Check(
    "iwae_bound",
    reference=_bound,
    rtol=1e-4,
    cases=lambda: [
        case("one draw: the ELBO itself", torch.tensor([[-3.0, -5.0]])),
        case("two draws of one image", torch.tensor([[0.0], [1.0]])),
        case("four draws, three images", drawn(4, 3)),
        case("as on images: around −1000", -1000 + 5 * drawn(6, 2, seed=1)),
        case("a transposed view, float64", drawn(2, 5, seed=2, dtype=torch.float64).T),
    ],
    mistakes=[
        Mistake("the log inside the mean",
                "The mean of the logs is the ELBO again, however many draws. The bound is "
                "the log of the mean: ln (1/k) Σ w.",
                lambda log_w: log_w.mean(0)),
        Mistake("no logsumexp",
                "exp(−1000) is 0 and its logarithm −∞. "
                "torch.logsumexp(log_w, 0) takes the largest out first.",
                lambda log_w: log_w.exp().mean(0).log()),
        Mistake("ln k is missing",
                "The log of the *mean*: subtract ln k, or the bound grows with k for nothing.",
                lambda log_w: torch.logsumexp(log_w, 0)),
        Mistake("over the images", "The draws are axis 0; each image has its own bound, (B,).",
                lambda log_w: torch.logsumexp(log_w, 1) - math.log(log_w.shape[1])),
        Mistake("the best draw only", "The largest weight dominates, but all k count.",
                lambda log_w: log_w.amax(0)),
        Mistake("the mean over the images as well", "One bound for each image, (B,).",
                lambda log_w: _bound(log_w).mean()),
    ],
)  # fmt: skip


class _Model(nn.Module):
    """A VAE whose parts are known:
    q's mean is 0.7 x, its ln σ² given; the decoder's logits are 1.5 z."""

    def __init__(self, log_var):
        super().__init__()
        self.log_var = log_var

    def encode(self, x):
        mu = 0.7 * x.flatten(1)
        return mu, torch.full_like(mu, self.log_var)

    def decode(self, z):
        return (1.5 * z).unflatten(1, (1, -1, 2))


def _log_weights(model, x, k, generator=None, prior=1.0, posterior=-1.0, shared=False, mean=False):
    mu, log_var = model.encode(x)
    q = Normal(mu, (0.5 * log_var).exp())
    draws = 1 if shared else k
    eps = torch.randn(
        draws, *mu.shape, generator=generator, dtype=mu.dtype, device=mu.device
    ).expand(k, *mu.shape)
    z = mu + 0 * eps if mean else mu + q.scale * eps  # (k, B, d)
    # (k B, 1, H, W) → (k, B, 1, H, W)
    logits = model.decode(z.flatten(0, 1)).unflatten(0, (k, len(x)))
    log_likelihood = Bernoulli(logits=logits, validate_args=False).log_prob(x).flatten(2).sum(2)
    return (
        log_likelihood
        + prior * Normal(0.0, 1.0).log_prob(z).sum(2)
        + posterior * q.log_prob(z).sum(2)
    )


def _moments(function, log_var, x, k):
    """Mean and spread of the weights over many draws, for each image:
    what can be said whatever order is drawn in."""
    log_w = function(_Model(log_var), x, k, torch.Generator().manual_seed(0))
    if log_w is None:
        return None
    same = torch.equal(log_w, function(_Model(log_var), x, k, torch.Generator().manual_seed(0)))
    found = {
        "shape": str(tuple(log_w.shape)),
        "same generator, same draws": same,
        "mean": log_w.mean(0),
    }
    # not ln mean w: of a q narrower than the posterior w has no variance, and two right answers
    # would disagree
    return found | {"standard deviation over the draws": log_w.std(0)}


def _coins(*shape, seed=0):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.4).float()


log_weights = Check(
    "log_weights",
    reference=_log_weights,
    probe=_moments,
    rtol=0.03,
    atol=0.08,
    cases=lambda: [
        case("q as wide as the prior, one image, 3,000 draws", 0.0, _coins(1, 1, 1, 2), 3_000),
        case("a narrow q, three images", -1.0, _coins(3, 1, 2, 2, seed=1), 3_000),
        case("a wide q, two images", 0.5, _coins(2, 1, 1, 2, seed=2), 3_000),
    ],
    mistakes=[
        Mistake("q multiplied in place of divided",
                "w = p(x|z) p(z) / q(z|x): ln q is *subtracted*.",
                lambda *args: _log_weights(*args, posterior=1.0)),
        Mistake("q is missing",
                "Draws come from q, so each must be divided by how often "
                "q proposes it: − ln q(z|x).",
                lambda *args: _log_weights(*args, posterior=0.0)),
        Mistake("the prior is missing",
                "The joint density is p(x|z) p(z): add ln p(z) of the drawn z.",
                lambda *args: _log_weights(*args, prior=0.0)),
        Mistake("prior and q are missing",
                "That is the likelihood alone. w = p(x|z) p(z) / q(z|x).",
                lambda *args: _log_weights(*args, prior=0.0, posterior=0.0)),
        Mistake("the same draw k times", "k draws must be k different ones.",
                lambda *args: _log_weights(*args, shared=True)),
        Mistake("the mean in place of draws", "z is drawn from q, k times for each image.",
                lambda *args: _log_weights(*args, mean=True)),
    ],
)  # fmt: skip
