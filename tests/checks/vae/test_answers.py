"""Day 6's morning checks: wrong answers that no table of mistakes foresees, and
right ones written in another way."""

import pytest
import torch
from answers import message
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.nn import functional as F

from dlcourse.checks.vae import autoencoders, elbo, latents, objective, reparameterisation
from dlcourse.checks.vae import clinic as broken_vaes
from dlcourse.methods.elbo import bernoulli_nll, gaussian_kl, reparameterise
from dlcourse.models.vae import VAE


class TwoHeads(nn.Module):
    """The same network, with two last layers, functions and a lazy layer."""

    def __init__(self, latents=20, hidden=400, size=28):
        super().__init__()
        self.one, self.mu, self.log_var = (
            nn.Linear(size**2, hidden),
            nn.Linear(hidden, latents),
            nn.Linear(hidden, latents),
        )
        self.decoder = nn.Sequential(
            nn.LazyLinear(hidden), nn.ReLU(inplace=True), nn.Linear(hidden, size**2)
        )

    def encode(self, x):
        h = F.relu(self.one(x.reshape(len(x), -1)))
        return self.mu(h), self.log_var(h)

    def decode(self, z):
        x = self.decoder(z)
        side = round(x.shape[1] ** 0.5)
        return x.view(-1, 1, side, side)


class Averaging(VAE):
    """Mixes the images of a batch."""

    def encode(self, x):
        return super().encode(x - x.mean(0))


class Clipped(VAE):
    def decode(self, z):
        return super().decode(z).clamp(min=0)


class Shared(nn.Module):
    """An autoencoder whose decoder has no hidden layer."""

    def __init__(self, latents, hidden=400):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, latents)
        )
        self.decoder = nn.Linear(latents, 784)

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        return self.decoder(z).unflatten(1, (1, 28, 28))

    def forward(self, x):
        return self.decode(self.encode(x))


class OtherNames(VAE):
    """Later cells need decoder[-1]."""

    def __init__(self, *args):
        super().__init__(*args)
        self.back = self.decoder
        del self.decoder

    def decode(self, z):
        return self.back(z).unflatten(1, (1, self.size, self.size))


class Bent(VAE):
    def __init__(self, *args):
        super().__init__(*args)
        self.encoder[2] = nn.Tanh()


def by_distributions(model, x, generator=None, beta=1.0):
    mu, log_var = model.encode(x)
    q = Independent(Normal(mu, log_var.exp().sqrt()), 1)
    z = mu + q.base_dist.scale * torch.randn(mu.shape, generator=generator)
    p = Independent(Bernoulli(logits=model.decode(z)), 3, validate_args=False)
    prior = Independent(Normal(torch.zeros_like(mu), 1.0), 1)
    kl, nll = kl_divergence(q, prior).mean(), -p.log_prob(x).mean()
    return {"kl": kl, "reconstruction": nll, "loss": beta * kl + nll}


def two_draws(model, x, generator=None, beta=1.0):
    """More than one draw is more than was asked for, and no less right."""
    mu, log_var = model.encode(x)
    draws = [reparameterise(mu, log_var, generator) for _ in range(2)]
    nll = sum(bernoulli_nll(model.decode(z), x).mean() for z in draws) / 2
    kl = gaussian_kl(mu, log_var).mean()
    return {"loss": nll + beta * kl, "reconstruction": nll, "kl": kl}


def other_reparameterise(mu, log_var, generator=None):
    return torch.empty_like(mu).normal_(generator=generator).mul(log_var.div(2).exp()).add(mu)


RIGHT = [
    (autoencoders.VAE, TwoHeads),
    (
        elbo.gaussian_kl,
        lambda mu, log_var: -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=-1),
    ),
    (elbo.bernoulli_nll, lambda z, x: (F.softplus(z) - x * z).flatten(1).sum(1)),
    (reparameterisation.reparameterise, other_reparameterise),
    (objective.negative_elbo, by_distributions),
    (objective.negative_elbo, two_draws),
    (
        latents.interpolate,
        lambda a, b, steps: torch.stack([torch.lerp(a, b, i / (steps - 1)) for i in range(steps)]),
    ),
    (
        latents.latent_grid,
        lambda n: (
            torch.cartesian_prod(*[torch.special.ndtri((torch.arange(n) + 0.5) / n)] * 2)
            .flip(1)
            .reshape(-1, 2)
        ),
    ),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_written_in_another_way(check, answer):
    assert check(answer) is answer


def seeded_by_hand(mu, log_var, generator=None):
    """Without a generator always the same draw."""
    generator = torch.Generator() if generator is None else generator
    return reparameterise(mu, log_var, generator)


def switched_off(model, x, size=500):
    """Switches gradients off and never on again."""
    torch.set_grad_enabled(False)
    modes = [one.training for one in model.modules()]
    model.eval()
    found = torch.cat([model.encode(rows)[0] for rows in x.split(size)])
    for one, mode in zip(model.modules(), modes, strict=True):
        one.training = mode
    return found


def floats(model, x, generator=None, beta=1.0):
    terms = by_distributions(model, x, generator, beta)
    return {name: value.item() for name, value in terms.items()}


def reported_without_graph(model, x, generator=None, beta=1.0):
    terms = by_distributions(model, x, generator, beta)
    return terms | {"reconstruction": terms["reconstruction"].detach()}


def loop_without_mode(model, x, size=500):
    with torch.no_grad():
        return torch.cat([model.encode(rows)[0] for rows in x.split(size)])


class Squeezed(autoencoders.Autoencoder.reference):
    def encode(self, x):
        return super().encode(x).squeeze()


class SqueezedLatent(autoencoders.Autoencoder.reference):
    def encode(self, x):
        return super().encode(x).squeeze(1)


WRONG = [
    (autoencoders.Autoencoder, Squeezed, "shape of each code of a single image"),
    (autoencoders.Autoencoder, SqueezedLatent, "a single latent"),
    (autoencoders.VAE, Averaging, "the code depends on its own image alone"),
    (autoencoders.VAE, Clipped, "negative, positive logits"),
    (autoencoders.Autoencoder, Shared, "a hidden layer that bends, in the decoder"),
    (
        elbo.gaussian_kl,
        lambda mu, log_var: 0.5 * (mu + log_var.exp() - log_var - 1).sum(1),
        "gradient by mu",
    ),
    (
        elbo.gaussian_kl,
        lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - log_var - 1).sum(0),
        "shape",
    ),
    (elbo.bernoulli_nll, lambda logits, x: bernoulli_nll(x, logits), "case"),
    (
        reparameterisation.reparameterise,
        lambda mu, log_var, generator=None: reparameterise(mu, log_var, generator).clamp(-2, 2),
        "(z − μ)/σ",
    ),
    (
        reparameterisation.reparameterise,
        lambda mu, log_var, generator=None: reparameterise(mu, log_var.detach(), generator),
        "∂z/∂",
    ),
    (
        objective.negative_elbo,
        lambda m, x, generator=None, beta=1.0: by_distributions(m, 1 - x, generator, beta),
        "case 1",
    ),
    (autoencoders.VAE, OtherNames, "decoder[-1].bias"),
    (autoencoders.VAE, Bent, "a ReLU after the hidden layer, in the encoder"),
    (elbo.gaussian_kl, lambda mu, log_var: gaussian_kl(mu, log_var).detach(), "cut off"),
    (elbo.bernoulli_nll, lambda logits, x: bernoulli_nll(logits, x).tolist(), "loss"),
    (reparameterisation.reparameterise, seeded_by_hand, "without a generator"),
    (objective.negative_elbo, floats, "should be a tensor, yours is a float"),
    (objective.negative_elbo, reported_without_graph, "reconstruction"),
    (latents.codes, switched_off, "gradients are recorded afterwards"),
    (latents.latent_grid, lambda side: latents.latent_grid.reference(side).double(), "float32"),
    (latents.codes, loop_without_mode, "in training mode"),
    (
        latents.kl_per_latent,
        lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - log_var - 1).amax(0),
        "differ",
    ),
]


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_wrong_answers_that_nobody_foresaw(check, answer, hint):
    assert hint.lower() in message(check, answer).lower()


def test_the_library_gives_what_the_formulas_say():
    mu, log_var = torch.randn(4, 3), torch.randn(4, 3)
    expected = kl_divergence(Normal(mu, (log_var / 2).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(gaussian_kl(mu, log_var), expected)
    assert gaussian_kl(torch.zeros(2, 5), torch.zeros(2, 5)).tolist() == [0, 0]
    logits, x = torch.randn(2, 1, 3, 5), torch.ones(2, 1, 3, 5)
    torch.testing.assert_close(bernoulli_nll(logits, x), -logits.sigmoid().log().sum((1, 2, 3)))
    assert bernoulli_nll(torch.full((1, 1), 500.0), torch.zeros(1, 1)).item() == 500


def test_a_draw_can_be_repeated_and_is_differentiable():
    mu, log_var = torch.randn(3, 2, requires_grad=True), torch.randn(3, 2, requires_grad=True)
    one, two = (reparameterise(mu, log_var, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one, two)
    by_mean, by_log = torch.autograd.grad(one.sum(), (mu, log_var))
    torch.testing.assert_close(by_mean, torch.ones(3, 2))
    torch.testing.assert_close(by_log, (one - mu) / 2)


@pytest.mark.parametrize("batch", [1, 5])
def test_shapes_and_gradients_of_the_vae(batch):
    model, x = VAE(latents=3, hidden=7), torch.rand(batch, 1, 28, 28)
    mu, log_var = model.encode(x)
    assert mu.shape == log_var.shape == (batch, 3)
    logits = model.decode(reparameterise(mu, log_var))
    assert logits.shape == x.shape
    (bernoulli_nll(logits, x.round()) + gaussian_kl(mu, log_var)).mean().backward()
    assert all(one.grad is not None and one.grad.isfinite().all() for one in model.parameters())


@pytest.fixture(scope="module")
def patients():
    x = torch.zeros(400, 28, 28)
    for number in range(400):  # bars at one of twenty heights, in a frame
        x[number, 4 + number % 20, 6:22] = 1
    return {
        name: broken_vaes.broken_run(name, x, seed=0) for name in ("healthy", *broken_vaes.FAULTS)
    }


@pytest.mark.slow
def test_every_patient_shows_its_sign(patients):
    last = {
        name: {curve: values[-3:].mean().item() for curve, values in run.items()}
        for name, run in patients.items()
    }
    assert last["C"]["kl"] < 0.1 < last["healthy"]["kl"] < last["D"]["kl"] / 5
    assert last["A"]["from a draw"] > 2 * last["healthy"]["from a draw"]
    assert last["B"]["from a draw"] > 1.2 * last["B"]["from the mean"]


@pytest.mark.slow
def test_a_run_can_be_repeated_and_refuses_strangers(patients):
    x = torch.zeros(200, 784)
    one, two = (broken_vaes.broken_run("B", x, seed=3, steps=20)["kl"] for _ in range(2))
    assert torch.equal(one, two) and len(one) == 2
    with pytest.raises(KeyError, match="no patient 'E'"):
        broken_vaes.broken_run("E", x, seed=0)
