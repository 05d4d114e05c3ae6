"""Check of the reparameterised draw, by properties of the draws."""

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case


def _reparameterise(mu, log_var, generator=None, scale=None, uniform=False, shared=""):
    shape = {"batch": (1, mu.shape[1]), "latents": (len(mu), 1)}.get(shared, mu.shape)
    draw = torch.rand if uniform else torch.randn
    eps = draw(shape, generator=generator, dtype=mu.dtype)
    return mu + ((0.5 * log_var).exp() if scale is None else scale(log_var)) * eps


def _slope(gradient, size):
    """In words, how a gradient compares with the one that ought to come."""
    if gradient is None:
        return "no gradient"
    return f"{(gradient / size).median():.2f} times the right one"


def _about_draws(function, rows, mu, log_var):
    """What can be said of draws without knowing how they were made; mu and log_var are repeated
    for so many rows."""
    means, logs = mu.repeat(rows, 1).requires_grad_(), log_var.repeat(rows, 1).requires_grad_()
    generator = torch.Generator().manual_seed(0)
    z = function(means, logs, generator)
    if z is None:
        raise Untouched("None: is `return` missing?")
    more = function(means, logs, generator)
    again = function(means, logs, torch.Generator().manual_seed(0))
    other = function(means, logs, torch.Generator().manual_seed(1))
    free = [function(means, logs) for _ in range(2)]
    by_mean, by_log = (
        torch.autograd.grad(z.sum(), (means, logs), allow_unused=True)
        if z.requires_grad
        else (None,) * 2
    )
    eps = ((z - means) / (0.5 * logs).exp()).detach()
    return {
        "shape": tuple(z.shape),
        "shape of the draw for a single example": tuple(function(mu, log_var).shape),
        "mean of (z − μ)/σ": eps.mean(0),
        "spread of (z − μ)/σ": eps.std(0),
        "share of (z − μ)/σ between −1 and 1": (eps.abs() < 1).double().mean(),
        "correlation of (z − μ)/σ between one latent and the next": _correlation(eps),
        "same generator, same draws": torch.equal(z, again),
        "another seed, other draws": not torch.equal(z, other),
        "the generator's next draws are others": not torch.equal(z, more),
        "without a generator: two calls, two draws": not torch.equal(*free),
        "share of examples with the ε of the one before": (eps.diff(dim=0).abs().amax(1) < 1e-6)
        .double()
        .mean(),
        "∂z/∂μ": _slope(by_mean, torch.ones_like(means)),
        "∂z/∂ln σ²": _slope(by_log, 0.5 * (z - means).detach()),
    }


def _correlation(eps):
    spread = eps.std(0).clamp(min=1e-9)
    each = ((eps - eps.mean(0)) / spread).double()
    return (each * each.roll(1, dims=1)).mean(0)


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
                lambda *args: _reparameterise(*args, shared="batch")),
        Mistake("ε shared by the latents",
                "Every latent of every example has its own ε: of shape (B, d), not (B, 1).",
                lambda *args: _reparameterise(*args, shared="latents")),
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
