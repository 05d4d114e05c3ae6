"""Checks of the backward passes of batch norm and layer norm, in NumPy."""

import numpy as np
import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.experiments.tensor_engine import as_tuple


def _by_torch(normalise, grad, x, gamma):
    x, gamma = (torch.tensor(one, requires_grad=True) for one in (x, gamma))
    beta = torch.zeros_like(gamma, requires_grad=True)
    found = torch.autograd.grad(normalise(x, gamma, beta), (x, gamma, beta), torch.tensor(grad))
    return tuple(one.numpy() for one in found)


def _batch_norm(grad, x, gamma, eps=1e-5):
    def normalise(x, gamma, beta):
        return F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)

    return _by_torch(normalise, grad, x, gamma)


def _layer_norm(grad, x, gamma, eps=1e-5):
    return _by_torch(
        lambda x, gamma, beta: F.layer_norm(x, gamma.shape, gamma, beta, eps), grad, x, gamma
    )


def _hat(x, axis, eps, ddof=0):
    """The normalised x, and the standard deviation it was divided by."""
    sigma = np.sqrt(x.var(axis=axis, keepdims=True, ddof=ddof) + eps)
    return (x - x.mean(axis=axis, keepdims=True)) / sigma, sigma


def _input(right, axis, rule):
    """A wrong backward: rule(grad·gamma, x̂, σ, axis) in place of the right gradient of x."""

    def wrong(grad, x, gamma, eps=1e-5):
        x_hat, sigma = _hat(x, axis, eps)
        return (rule(grad * gamma, x_hat, sigma, axis), *right(grad, x, gamma, eps)[1:])

    return wrong


def _full(g, x_hat, sigma, axis):
    inner = g - g.mean(axis, keepdims=True) - x_hat * (g * x_hat).mean(axis, keepdims=True)
    return inner / sigma


def _summed(g, x_hat, sigma, axis):
    return (g - g.sum(axis, keepdims=True) - x_hat * (g * x_hat).sum(axis, keepdims=True)) / sigma


def _rules(right, axis, along, statistics):
    """The misconceptions that both normalisations share."""
    return [
        Mistake("mean and variance taken for constants",
                "They were computed from x, so x acts through them too: "
                "two more terms, one for the mean and one for the variance. "
                f"Without them grad·γ/σ is left, as if the {statistics} were given.",
                _input(right, axis, lambda g, x_hat, sigma, axis: g / sigma)),
        Mistake("the way through the variance is missing",
                f"Subtract x̂ · mean(g·x̂) along {along} as well.",
                _input(right, axis, lambda g, x_hat, sigma, axis:
                    (g - g.mean(axis, keepdims=True)) / sigma)),
        Mistake("the way through the mean is missing",
                f"Subtract mean(g) along {along} as well.",
                _input(right, axis, lambda g, x_hat, sigma, axis: _full(g, x_hat, sigma, axis)
                       + g.mean(axis, keepdims=True) / sigma)),
        Mistake("sums instead of means",
                f"Mean and variance carry a 1/n, and it stays: take means along {along}.",
                _input(right, axis, _summed)),
        Mistake("divided by the variance", "x̂ = (x − μ)/σ: one division by σ = √(variance + ε).",
                _input(right, axis, lambda g, x_hat, sigma, axis:
                    _full(g, x_hat, sigma, axis) / sigma)),
        Mistake("eps is taken for 1e-5", "1e-5 is its default only: σ = √(variance + eps).",
                lambda grad, x, gamma, eps=1e-5: right(grad, x, gamma)),
        Mistake("eps is left out", "σ = √(variance + eps), as on the way forward.",
                lambda grad, x, gamma, eps=1e-5: right(grad, x, gamma, 0.0)),
    ]  # fmt: skip


def _unbiased(grad, x, gamma, eps=1e-5):
    x_hat, sigma = _hat(x, 0, eps, ddof=1)
    return _full(grad * gamma, x_hat, sigma, 0), (grad * x_hat).sum(0), grad.sum(0)


def _without_gamma(grad, x, gamma, eps=1e-5):
    return (
        _batch_norm(grad, x, np.ones_like(gamma), eps)[0],
        *_batch_norm(grad, x, gamma, eps)[1:],
    )


def _other_means(statistics=0, means=0, below=lambda variance, eps: np.sqrt(variance + eps)):
    """Batch norm's backward with other axes (None: the whole array) for the statistics of x or for
    the means of the gradient, or with another σ."""

    def wrong(grad, x, gamma, eps=1e-5):
        sigma, g = below(x.var(axis=statistics), eps), grad * gamma
        x_hat = (x - x.mean(axis=statistics)) / sigma
        return _full(g, x_hat, sigma, means), (grad * x_hat).sum(0), grad.sum(0)

    return wrong


def _gamma_twice(grad, x, gamma, eps=1e-5):
    grad_x, grad_gamma, grad_beta = _batch_norm(grad, x, gamma, eps)
    return grad_x, gamma * grad_gamma, grad_beta


def _raw_gamma(grad, x, gamma, eps=1e-5):
    grad_x, _, grad_beta = _batch_norm(grad, x, gamma, eps)
    return grad_x, (grad * x).sum(0), grad_beta


def _mean_of_shares(grad, x, gamma, eps=1e-5):
    grad_x, grad_gamma, grad_beta = _batch_norm(grad, x, gamma, eps)
    return grad_x, grad_gamma / len(x), grad_beta / len(x)


def _drawn(seed, n, features):
    """grad and x of shape (n, features),
    x neither centred nor of unit variance, and gamma (features,)."""
    rng = np.random.default_rng(seed)
    grad, x = rng.normal(size=(2, n, features))
    return grad, 3 * x + 2, rng.uniform(0.5, 2.0, size=features)


def _for_the_engine(function, grad, x, gamma, eps):
    return as_tuple(function(grad, x, gamma, eps))


batch_norm_backward = Check(
    "batch_norm_backward",
    reference=_batch_norm,
    probe=_for_the_engine,
    atol=1e-8,
    cases=lambda: [
        case("2 examples, 1 feature", np.array([[1.0], [3.0]]), np.array([[0.0], [4.0]]),
             np.array([2.0]), 0.5),
        case("3 examples, 3 features", *_drawn(0, 3, 3), 1e-5),
        case("6 examples, 2 features", *_drawn(1, 6, 2), 1e-5),
        case("5 examples, 4 features, eps 0.1", *_drawn(2, 5, 4), 0.1),
        case("a feature that is the same everywhere", _drawn(3, 4, 2)[0],
             np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0], [0.0, 5.0]]), np.array([2.0, 0.5]),
             0.01),
    ],
    mistakes=[
        *_rules(_batch_norm, 0, "the batch, axis 0", "batch's statistics"),
        Mistake("gamma is missing", "On its way to x̂ the gradient passes γ first: g = grad·γ.",
                _without_gamma),
        Mistake("the unbiased variance",
                "The batch is normalised with the biased variance: divide by n, not n − 1.",
                _unbiased),
        Mistake("eps outside the root",
                "eps is added to the variance: σ = √(variance + eps), not √variance + eps.",
                _other_means(below=lambda variance, eps: np.sqrt(variance) + eps)),
        Mistake("one mean and one variance for the whole array",
                "Each feature is normalised for itself: x.mean(axis=0) and x.var(axis=0).",
                _other_means(statistics=None)),
        Mistake("the means of the gradient over the whole array",
                "Each feature has its own: g.mean(axis=0) and (g * x̂).mean(axis=0).",
                _other_means(means=None)),
        Mistake("all means over the whole array",
                "Features have units and gradients of their own: each mean, and the variance, "
                "along axis 0.",
                _other_means(statistics=None, means=None)),
        Mistake("gamma inside gamma's own gradient",
                "The output is γ·x̂ + β, and its slope with respect to γ is x̂: "
                "Σ grad·x̂, with grad and not g.",
                _gamma_twice),
        Mistake("gamma's gradient with x instead of x̂",
                "γ multiplies x̂, so its gradient is Σ grad·x̂.", _raw_gamma),
        Mistake("gamma and beta get a mean",
                "All examples use the same γ and β, and their shares add up: sum.",
                _mean_of_shares),
    ],
)  # fmt: skip


def _over_the_batch(grad, x, gamma, eps=1e-5):
    return _batch_norm(grad, x, gamma, eps)


def _gamma_late(grad, x, gamma, eps=1e-5):
    """gamma multiplied after the means instead of before."""
    x_hat, sigma = _hat(x, -1, eps)
    return (gamma * _full(grad, x_hat, sigma, -1), *_layer_norm(grad, x, gamma, eps)[1:])


def _gamma_over_features(grad, x, gamma, eps=1e-5):
    x_hat, _ = _hat(x, -1, eps)
    return _layer_norm(grad, x, gamma, eps)[0], (grad * x_hat).sum(-1), grad.sum(-1)


layer_norm_backward = Check(
    "layer_norm_backward",
    reference=_layer_norm,
    atol=1e-8,
    cases=lambda: [
        case("1 example, 2 features", np.array([[1.0, 3.0]]), np.array([[0.0, 4.0]]),
             np.array([2.0, 1.0]), 0.5),
        case("3 examples, 3 features", *_drawn(3, 3, 3), 1e-5),
        case("6 examples, 4 features", *_drawn(4, 6, 4), 1e-5),
        case("2 examples, 5 features, eps 0.1", *_drawn(5, 2, 5), 0.1),
    ],
    mistakes=[
        *_rules(_layer_norm, -1, "the features, axis -1", "example's statistics"),
        Mistake("gamma enters after the means",
                "Features have different γ, so it does not come out of the mean over them: g = "
                "grad·γ first, then the means of g.",
                _gamma_late),
        Mistake("normalised over the batch",
                "Layer norm takes mean and variance of each example: axis -1.", _over_the_batch),
        Mistake("gamma and beta summed over the features",
                "There is one γ and one β for each feature, shared by the examples: "
                "sum over axis 0.",
                _gamma_over_features),
    ],
)  # fmt: skip
