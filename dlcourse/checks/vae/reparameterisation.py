"""Check of the reparameterised draw, by properties of the draws."""

import torch

from dlcourse.checks.core import Check, Mistake, case


def _reparameterise(mu, log_var, generator=None, scale=None, uniform=False, shared=False):
    shape = (1, mu.shape[1]) if shared else mu.shape
    draw = torch.rand if uniform else torch.randn
    eps = draw(shape, generator=generator, dtype=mu.dtype)
    return mu + ((0.5 * log_var).exp() if scale is None else scale(log_var)) * eps


def _about_draws(function, rows, mu, log_var):
    """What can be said of draws without knowing how they were made;
    every entry is 0 or 1 or of that order."""
    means, logs = mu.repeat(rows, 1).requires_grad_(), log_var.repeat(rows, 1).requires_grad_()
    z = function(means, logs, torch.Generator().manual_seed(0))
    if z is None:
        return None
    again = function(means, logs, torch.Generator().manual_seed(0))
    other = function(means, logs, torch.Generator().manual_seed(1))
    by_mean, by_log = (
        torch.autograd.grad(z.sum(), (means, logs), allow_unused=True)
        if z.requires_grad
        else (None,) * 2
    )
    eps = (z - means).detach() / (0.5 * logs.detach()).exp()
    return {
        "shape": tuple(z.shape),
        "mean of (z − μ)/σ": eps.mean(0),
        "spread of (z − μ)/σ": eps.std(0),
        "same generator, same draws": torch.equal(z, again),
        "another seed, other draws": not torch.equal(z, other),
        "examples that share their ε with the one before": (eps.diff(dim=0).abs().amax(1) < 1e-6)
        .float()
        .mean(),
        "∂z/∂μ": None if by_mean is None else by_mean.mean(),
        "∂z/∂ln σ² ÷ ½ (z − μ)": None
        if by_log is None
        else (by_log / (0.5 * (z - means).detach())).median(),
    }


reparameterise = Check(
    "reparameterise",
    reference=_reparameterise,
    probe=_about_draws,
    fallback="dlcourse.methods.elbo:reparameterise",
    atol=0.06,
    rtol=0.0,
    cases=lambda: [
        case("σ = 1", 20_000, torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2)),
        case("σ = 2 and ½", 20_000, torch.tensor([[3.0, -1.0]]), torch.tensor([[1.3863, -1.3863]])),
        case("float64, three latents", 20_000,
             torch.tensor([[0.0, 5.0, -5.0]], dtype=torch.float64),
             torch.tensor([[-4.0, 1.0, 2.0]], dtype=torch.float64)),
    ],
    mistakes=[
        Mistake("σ² instead of σ", "exp(log_var) is the variance. σ is its root: exp(½ log_var).",
                lambda *args: _reparameterise(*args, scale=torch.exp)),
        Mistake("log_var taken for σ", "log_var is ln σ², and may be negative: σ = exp(½ log_var).",
                lambda *args: _reparameterise(*args, scale=torch.clone)),
        Mistake("exp(−½ log_var)", "σ grows with log_var: exp(+½ log_var).",
                lambda *args: _reparameterise(*args, scale=lambda log_var: (-0.5 * log_var).exp())),
        Mistake("ε shared over the batch",
                "Every example needs its own ε: draw one of the shape of mu.",
                lambda *args: _reparameterise(*args, shared=True)),
        Mistake("uniform ε", "torch.rand is uniform between 0 and 1. torch.randn is N(0, 1).",
                lambda *args: _reparameterise(*args, uniform=True)),
        Mistake("no gradient to the encoder",
                "torch.normal and .sample() cut the graph: the encoder would never learn "
                "what its noise does. μ + σ ε keeps it.",
                lambda *args: _reparameterise(*args).detach()),
        Mistake("nothing is drawn", "Without ε it is an autoencoder again: z = μ + σ ε.",
                lambda mu, log_var, generator=None: mu + 0 * log_var),
        Mistake("the generator is not used",
                "With the same generator the same draws must come: pass it on, "
                "torch.randn(mu.shape, generator=generator); randn_like takes none.",
                lambda mu, log_var, generator=None: _reparameterise(mu, log_var)),
        Mistake("always the same ε", "Seeding inside the function gives every call the same noise.",
                lambda mu, log_var, generator=None: _reparameterise(mu, log_var,
                                                                    torch.Generator().manual_seed(0))),
    ],
)  # fmt: skip
