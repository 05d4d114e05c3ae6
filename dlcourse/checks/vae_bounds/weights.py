"""Check of the weights of the importance-weighted bound, by the moments of their logarithms."""

import torch
from torch import nn
from torch.distributions import Bernoulli, Normal

from dlcourse.checks.core import Check, Mistake, Untouched, case


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
        if z.dim() != 2:  # as a network of layers does
            raise ValueError(f"decode takes latents (N, d), it got {tuple(z.shape)}")
        return (1.5 * z).unflatten(1, (1, -1, 2))


OWN = "its own image's weights"


def _log_weights(model, x, k, generator=None, prior=1.0, posterior=-1.0, shared="", mean=False):
    mu, log_var = model.encode(x)
    q = Normal(mu, (0.5 * log_var).exp())
    shape = {"draws": (1, *mu.shape), "images": (k, 1, mu.shape[1]),
             "latents": (k, len(mu), 1)}.get(shared, (k, *mu.shape))  # fmt: skip
    generator = None if shared == "generator" else generator
    eps = torch.randn(shape, generator=generator, dtype=mu.dtype).expand(k, *mu.shape)
    z = mu + 0 * eps if mean else mu + q.scale * eps  # (k, B, d)
    # (k B, 1, H, W) → (k, B, 1, H, W)
    logits = model.decode(z.flatten(0, 1)).unflatten(0, (k, len(x)))
    told = x
    if shared == "order":  # (k B, …), image by image, against latents draw by draw
        told = x.repeat_interleave(k, 0).unflatten(0, (k, len(x)))
    log_likelihood = Bernoulli(logits=logits, validate_args=False).log_prob(told).flatten(2).sum(2)
    if shared == "widths":
        log_likelihood = log_likelihood - 0.5 * log_var.sum(1)
    log_w = (
        log_likelihood
        + prior * Normal(0.0, 1.0).log_prob(z).sum(2)
        + posterior * q.log_prob(z).sum(2)
    )
    return log_w.flatten().view(len(x), k).T if shared == "columns" else log_w


def _about_columns(log_w, model, x, k):
    """In words, what the columns hold: whether draws and images have kept together."""
    if len(x) == 1:
        return OWN
    own, mixed = (
        _log_weights(model, x, k, torch.Generator().manual_seed(1), shared=how).mean(0)
        for how in ("", "order")
    )

    if torch.allclose(log_w.mean(0), own, rtol=0.03, atol=0.08):
        return OWN
    whole, right, wrong = (float(one.mean()) for one in (log_w, own, mixed))
    if abs(right - wrong) < 0.3:  # the images are too much alike to tell
        return OWN
    if abs(whole - right) < 0.1:
        return "weights of several images: the (k·B,) values are taken apart in another order"
    if abs(whole - wrong) < 0.1:
        return "latents of one image with the pixels of another"
    return OWN  # another fault: the moments show it


def _moments(function, log_var, x, k):
    """Mean and spread of the weights over many draws, for each image: what can be said whatever
    order is drawn in. log_var: ln σ² of the model's q."""
    model = _Model(log_var)
    log_w = function(model, x, k, torch.Generator().manual_seed(0))
    if log_w is None:
        raise Untouched("None: is `return` missing?")
    if log_w.shape != (k, len(x)):
        raise ValueError(f"the shape should be {(k, len(x))}, yours is {tuple(log_w.shape)}")
    few = [function(model, x, 3, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    free = [function(model, x, 3) for _ in range(2)]
    generator = torch.Generator().manual_seed(0)
    pair = [function(model, x, 3, generator) for _ in range(2)]
    each = ((log_w - log_w.mean(0)) / log_w.std(0).clamp(min=1e-9)).double()
    together = (each * each.roll(1, dims=1)).mean(0).abs().max() if len(x) > 1 else each.mean()
    return {
        "what a column holds": _about_columns(log_w, model, x, k),
        "mean": log_w.mean(0),
        # not ln mean w: of a q narrower than the posterior w has no variance, and two right answers
        # would disagree
        "standard deviation over the draws": log_w.std(0),
        "images have draws of their own": bool(together < 0.2),
        "same generator, same draws": torch.equal(few[0], few[1]),
        "another seed, other draws": not torch.equal(few[1], few[2]),
        "the generator's next draws are others": not torch.equal(*pair),
        "without a generator: two calls, two draws": not torch.equal(*free),
    }


def _coins(*shape, seed=0):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.4).float()


def _black_and_white():
    return torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])


log_weights = Check(
    "log_weights",
    reference=_log_weights,
    probe=_moments,
    rtol=0.03,
    atol=0.08,
    cases=lambda: [
        case("q as wide as the prior, one image, 3,000 draws", 0.0, _coins(1, 1, 1, 2), 3_000),
        case("two unlike images, all 0 and all 1", -2.0, _black_and_white(), 2_000),
        case("a narrow q, three images", -1.0, _coins(3, 1, 2, 2, seed=1), 3_000),
        case("a wide q, two images, 4,000 draws", 0.5, _coins(2, 1, 1, 2, seed=2), 4_000),
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
                lambda *args: _log_weights(*args, shared="draws")),
        Mistake("all images share their draws",
                "Each image has draws of its own: ε of shape (k, B, d).",
                lambda *args: _log_weights(*args, shared="images")),
        Mistake("all latents share their ε",
                "Each latent has draws of its own: ε of shape (k, B, d).",
                lambda *args: _log_weights(*args, shared="latents")),
        Mistake("draws and images in different orders",
                "z.flatten(0, 1) goes draw by draw, through all images each time: x.repeat(k, …) "
                "does so too, x.repeat_interleave(k, 0) goes image by image.",
                lambda *args: _log_weights(*args, shared="order")),
        Mistake("draws and images are taken apart in another order",
                "What flatten(0, 1) made of (k, B) goes back with unflatten(0, (k, B)); rows that "
                "go image by image are (B, k), to be transposed.",
                lambda *args: _log_weights(*args, shared="columns")),
        Mistake("ln σ is missing in ln q",
                "ln q = −½ ε² − ln σ − ½ ln 2π for each latent, and ln σ is not 0.",
                lambda *args: _log_weights(*args, shared="widths")),
        Mistake("the generator is not used",
                "With the same generator the same draws must come: torch.randn(…, generator=…).",
                lambda *args: _log_weights(*args, shared="generator")),
        Mistake("the mean in place of draws", "z is drawn from q, k times for each image.",
                lambda *args: _log_weights(*args, mean=True)),
    ],
)  # fmt: skip
