"""Check of the negative ELBO, on a model whose every part is known."""

import torch
from torch import nn
from torch.distributions import Normal
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.probes import judge
from dlcourse.checks.vae.elbo import _coins, _kl, _nll
from dlcourse.checks.vae.reparameterisation import _reparameterise


class _Model(nn.Module):
    """A tiny VAE whose parts are known:
    q's mean is a·x, its ln σ² fixed; the decoder's logits are c·z."""

    def __init__(self, log_var):
        super().__init__()
        self.a, self.c = nn.Parameter(torch.tensor(0.7)), nn.Parameter(torch.tensor(1.5))
        self.log_var = log_var

    def encode(self, x):
        mu = self.a * x.flatten(1)
        return mu, torch.full_like(mu, self.log_var) + 0 * mu

    def decode(self, z):
        return (self.c * z).unflatten(1, (1, -1, 2))


def _negative_elbo(model, x, generator=None, beta=1.0, fault=""):
    mu, log_var = model.encode(x)
    generator = None if fault == "no generator" else generator
    scale = torch.exp if fault == "variance" else None
    z = mu if fault == "mean" else _reparameterise(mu, log_var, generator, scale)
    nll, kl = _nll(model.decode(z.detach() if fault == "detached" else z), x), _kl(mu, log_var)
    if fault == "pixels":
        nll = nll / x[0].numel()
    pool = torch.sum if fault == "sum" else torch.mean
    nll, kl = pool(nll), pool(kl)
    loss = {"minus": nll - beta * kl, "no beta": nll + kl, "kl alone": beta * kl}.get(
        fault, nll + beta * kl
    )
    return {"loss": loss, "reconstruction": nll, "kl": beta * kl if fault == "beta twice" else kl}


def _terms(function, log_var, x, beta):
    """Values and gradients of the three terms; beta None: left out. Where the posterior is wide,
    ln σ² > −20, the reconstruction is a draw, of which only its mean and spread can be judged."""
    model, rest = _Model(log_var).eval(), () if beta is None else (beta,)

    def call(seed):
        return function(model, x, torch.Generator().manual_seed(seed), *rest)

    terms = call(0)
    if terms is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(terms, dict):
        return terms
    leaves = {"the encoder's weight": model.a, "the decoder's weight": model.c}
    if log_var > -20:
        pairs = [[call(seed)["reconstruction"].item() for seed in two] for two in ((0, 0), (0, 1))]
        free = [function(model, x)["reconstruction"].item() for _ in range(2)]
        gap = terms["reconstruction"] - _expected(model, x)
        return {
            "reconstruction, minus its expectation": 0.0 if gap.abs() < 0.3 else gap.item(),
            "loss, minus the reconstruction": terms["loss"] - terms["reconstruction"],
            "kl": judge(terms["kl"], leaves),
            "same generator, same reconstruction": pairs[0][0] == pairs[0][1],
            "another seed, another reconstruction": pairs[1][0] != pairs[1][1],
            "without a generator: another one each time": free[0] != free[1],
        }
    # a graph is differentiated once only: each term from a call of its own
    found = {name: judge(call(0)[name], leaves) for name in terms}
    return found | {"the model stays in eval mode": not model.training}


def _expected(model, x, points=81):
    """The mean over z ~ q of −ln p(x|z), by integration over each latent."""
    mu, log_var = (one.detach() for one in model.encode(x))
    u = torch.linspace(-8, 8, points)
    weights = Normal(0.0, 1.0).log_prob(u).exp() * (u[1] - u[0])
    logits = model.c.detach() * (mu[..., None] + (0.5 * log_var[..., None]).exp() * u)
    each = F.softplus(logits) - x.flatten(1)[..., None] * logits
    return (each @ weights).sum(1).mean()


negative_elbo = Check(
    "negative_elbo",
    reference=_negative_elbo,
    probe=_terms,
    rtol=1e-4,
    atol=1e-5,
    cases=lambda: [
        case("σ almost 0, one example of four pixels", -40.0, _coins((1, 1, 2, 2), 8), 1.0),
        case("σ almost 0, three examples", -40.0, _coins((3, 1, 2, 2), 9), 1.0),
        case("σ = 1.6, 2000 examples", 1.0, _coins((2000, 1, 2, 2), 10), 1.0),
        case("β = 4", -40.0, _coins((3, 1, 3, 2), 11), 4.0),
        case("β left out", -40.0, _coins((2, 1, 3, 2), 12), None),
    ],
    mistakes=[
        Mistake("the KL is subtracted",
                "ELBO = E ln p − KL, and the loss is −ELBO = nll + β·KL: the KL is a price.",
                lambda *args: _negative_elbo(*args, fault="minus")),
        Mistake("the mean is decoded",
                "z is a draw from q: z = reparameterise(mu, log_var). Decoding μ is an "
                "autoencoder, which never learns to live with its noise.",
                lambda *args: _negative_elbo(*args, fault="mean")),
        Mistake("sum over the batch",
                "The mean over the batch: the loss must not depend on the batch size.",
                lambda *args: _negative_elbo(*args, fault="sum")),
        Mistake("mean over the pixels",
                "bernoulli_nll sums over pixels; a further division makes the KL dominate.",
                lambda *args: _negative_elbo(*args, fault="pixels")),
        Mistake("no gradient to the encoder",
                "Something is detached between z and the decoder: "
                "the encoder learns only from the KL.",
                lambda *args: _negative_elbo(*args, fault="detached")),
        Mistake("the generator is not passed on",
                "reparameterise(mu, log_var, generator): with the same generator the same draw.",
                lambda *args: _negative_elbo(*args, fault="no generator")),
        Mistake("σ² instead of σ in the draw", "z = reparameterise(mu, log_var), from above.",
                lambda *args: _negative_elbo(*args, fault="variance")),
        Mistake("β is not used", "loss = reconstruction + β·kl.",
                lambda *args: _negative_elbo(*args, fault="no beta")),
        Mistake("β in the reported KL",
                "Report the KL itself in nats; β belongs into the loss alone.",
                lambda *args: _negative_elbo(*args, fault="beta twice")),
        Mistake("the reconstruction is missing", "loss = reconstruction + β·kl.",
                lambda *args: _negative_elbo(*args, fault="kl alone")),
    ],
)  # fmt: skip
