"""Checks of the importance-weighted bound and of a Gaussian likelihood with its own noise."""

import math

import torch
from torch.distributions import Normal
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn
from dlcourse.checks.probes import with_gradient


def _gaussian_nll(mean, x, log_sigma, lowest=-4.0, bounded=True):
    sigma = (log_sigma.clamp(min=lowest) if bounded else log_sigma).exp()
    return -Normal(mean, sigma, validate_args=False).log_prob(x).flatten(1).sum(1)


def _squares(mean, x, log_sigma, lowest=-4.0):
    return (0.5 * ((x - mean) / log_sigma.clamp(min=lowest).exp()) ** 2).flatten(1).sum(1)


def _least(mean, x, log_sigma, lowest=-4.0):
    variance = (2 * log_sigma.clamp(min=lowest)).exp().expand_as(x)
    each = F.gaussian_nll_loss(mean, x, variance, full=True, reduction="none")
    return each.flatten(1).sum(1)


def _f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def _constant(x):
    return 0.5 * math.log(2 * math.pi) * x[0].numel()


gaussian_nll = Check(
    "gaussian_nll",
    reference=_gaussian_nll,
    probe=with_gradient(0, 2),
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
        case("σ for each pixel of two channels, for all images", drawn(3, 2, 4, 2),
             drawn(3, 2, 4, 2, seed=5), drawn(2, 4, 2, seed=6), -4.0),
        case("lowest left out", drawn(2, 3, seed=7), drawn(2, 3, seed=8),
             torch.tensor([-9.0, -1.0, 2.0])),
        case("a pixel that is always right: ln σ = −∞", drawn(2, 3, seed=9),
             drawn(2, 3, seed=10), torch.tensor([-math.inf, -1.0, 0.5]), -2.0),
        case("a log_sigma far below the lowest", drawn(2, 3), drawn(2, 3, seed=4),
             torch.tensor(-50.0), -3.0),
        case("lowest −12: σ may be as small as 6e-6", 1e-4 * drawn(2, 3, dtype=torch.float64),
             1e-4 * drawn(2, 3, seed=4, dtype=torch.float64), _f64(-8.0, -11.0, -14.0), -12.0),
        case("a large σ", 1e3 * drawn(3, 2), 1e3 * drawn(3, 2, seed=4), torch.tensor(7.5)),
    ],
    mistakes=[
        Mistake("σ unbounded",
                "Where a pixel is always the same, σ → 0 and the likelihood grows without end: "
                "use log_sigma.clamp(min=lowest).",
                lambda mean, x, log_sigma, lowest=-4.0: _gaussian_nll(mean, x, log_sigma,
                                                                 bounded=False)),
        Mistake("a least variance of 1e-6",
                "F.gaussian_nll_loss raises every variance to its eps, whatever `lowest` says: "
                "write the formula, or use Normal(…).log_prob(x).", _least),
        Mistake("ln σ is missing",
                "Without + ln σ a larger σ is always better: the squares shrink and nothing grows.",
                lambda mean, x, log_sigma, lowest=-4.0: _squares(mean, x, log_sigma,
                                                            lowest) + _constant(x)),
        Mistake("½ ln 2π is missing",
                "A density integrates to 1: ½ ln 2π for each pixel. "
                "Without it nats cannot be compared.",
                lambda mean, x, log_sigma, lowest=-4.0: _gaussian_nll(mean, x, log_sigma,
                                                                 lowest) - _constant(x)),
        Mistake("the ½ of the square is missing", "½ ((x − mean) / σ)².",
                lambda mean, x, log_sigma, lowest=-4.0: _gaussian_nll(mean, x, log_sigma, lowest)
                + _squares(mean, x, log_sigma, lowest)),
        Mistake("log_sigma taken for ln σ²", "log_sigma is ln σ: σ = exp(log_sigma).",
                lambda mean, x, log_sigma, lowest=-4.0:
                    _gaussian_nll(mean, x, log_sigma / 2, lowest)),
        Mistake("mean over the pixels", "Pixels are independent given z: their −ln p add up.",
                lambda mean, x, log_sigma, lowest=-4.0: _gaussian_nll(mean, x, log_sigma,
                                                                 lowest) / x[0].numel()),
        Mistake("one number for the batch",
                "One value for each image: flatten(1), then sum over axis 1.",
                lambda mean, x, log_sigma, lowest=-4.0:
                    _gaussian_nll(mean, x, log_sigma, lowest).sum()),
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
        case("one image far less likely than the other",
             torch.tensor([[-2.0, -3000.0], [-5.0, -3001.0], [-1.0, -3003.0]])),
        case("one draw far more likely than the others",
             torch.tensor([[-900.0, -1.0, 3.0], [-2.0, -500.0, 2.0]])),
        case("a transposed view, float64", drawn(2, 5, seed=2, dtype=torch.float64).T),
        case("a draw of weight 0", torch.tensor([[-2.0, -1.0], [-math.inf, -4.0], [-3.0, 0.5]])),
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
        Mistake("the largest weight of all images is taken out",
                "Beside another image's weights all of an unlikely one's are exp(−1000): take out "
                "the largest of each image, amax(0), as torch.logsumexp(log_w, 0) does.",
                lambda log_w: (log_w - log_w.max()).exp().mean(0).log() + log_w.max()),
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
