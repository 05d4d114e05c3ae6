"""Day 6's afternoon checks: wrong answers that no table of mistakes foresees, and
right ones written in another way."""

import math

import pytest
import torch
from answers import message
from torch import nn
from torch.distributions import Normal
from torch.nn import functional as F

from dlcourse.checks.vae_bounds import anomalies, bounds, convolutional, rates, weights
from dlcourse.checks.vae_bounds import clinic as broken_bounds
from dlcourse.checks.vae_bounds import conditional as conditional_vae


class Upsampled(nn.Module):
    """The way up by doubling pixels and convolving, and two last layers in the encoder."""

    def __init__(self, latents=10):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 16, 4, 2, 1), nn.Conv2d(16, 32, 4, 2, 1)
        self.mu, self.log_var = nn.Linear(1568, latents), nn.Linear(1568, latents)
        self.back = nn.Linear(latents, 1568)
        self.twice = nn.ModuleList([nn.Upsample(scale_factor=2) for _ in range(2)])
        self.three, self.four = nn.Conv2d(32, 16, 3, padding=1), nn.Conv2d(16, 1, 3, padding=1)

    def encode(self, x):
        h = F.relu(self.two(F.relu(self.one(x)))).flatten(1)
        return self.mu(h), self.log_var(h)

    def decode(self, z):
        h = self.twice[0](F.relu(self.back(z)).view(-1, 32, 7, 7))
        return self.four(self.twice[1](F.relu(self.three(h))))


class Embedded(nn.Module):
    """The class by an embedding in place of ten inputs."""

    def __init__(self, latents=10, hidden=128):
        super().__init__()
        self.names = nn.ModuleList([nn.Embedding(10, 10), nn.Embedding(10, 10)])
        self.encoder = nn.Sequential(
            nn.LazyLinear(hidden), nn.ReLU(), nn.Linear(hidden, 2 * latents)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latents + 10, hidden), nn.ReLU(), nn.Linear(hidden, 196)
        )

    def encode(self, x, y):
        both = self.encoder(torch.cat([self.names[0](y), x.flatten(1)], 1))
        return tuple(both.tensor_split(2, dim=1))

    def decode(self, z, y):
        return self.decoder(torch.cat([self.names[1](y), z], 1)).view(-1, 1, 14, 14)


class Huge(Upsampled):
    def __init__(self, latents=10):
        super().__init__(latents)
        self.spare = nn.Linear(400, 400)


class Mixed(conditional_vae.ConditionalVAE.reference):
    """Takes the mean of the batch off."""

    def encode(self, x, y):
        return super().encode(x - x.mean(0), y)


class Straight(Upsampled):
    """No activation on the way up."""

    def decode(self, z):
        h = self.twice[0](self.back(z).view(-1, 32, 7, 7))
        return self.four(self.twice[1](self.three(h)))


def by_formula(mean, x, log_sigma, lowest=-4.0):
    log_sigma = torch.where(log_sigma < lowest, torch.full_like(log_sigma, lowest), log_sigma)
    each = (x - mean) ** 2 / (2 * torch.exp(2 * log_sigma)) + log_sigma + math.log(2 * math.pi) / 2
    return each.reshape(len(x), -1).sum(-1)


def largest_out(log_w):
    top = log_w.max(dim=0).values
    return top + (log_w - top).exp().mean(0).log()


def draw_by_draw(model, x, k, generator=None):
    mu, log_var = model.encode(x)
    q, prior = (
        Normal(mu, log_var.exp().sqrt(), validate_args=False),
        Normal(0.0, 1.0, validate_args=False),
    )
    rows = []
    for _ in range(k):
        z = mu + (log_var / 2).exp() * torch.randn(mu.shape, generator=generator)
        likelihood = (
            -F.binary_cross_entropy_with_logits(model.decode(z), x, reduction="none")
            .flatten(1)
            .sum(-1)
        )
        rows.append(likelihood + (prior.log_prob(z) - q.log_prob(z)).sum(-1))
    return torch.stack(rows)


def by_maximum(mu, log_var, floor):
    each = -0.5 * (1 + log_var - mu.square() - log_var.exp())
    return sum(one if one > floor else torch.full_like(one, floor) for one in each.mean(0))


def by_ranks(normal, anomalous):
    """Mann and Whitney's U."""
    order = torch.searchsorted(normal.sort().values, anomalous)
    upto = torch.searchsorted(normal.sort().values, anomalous, right=True)
    return ((order + upto).double() / 2).mean().item() / len(normal)


def by_entropies(a, b, bins=20):
    cut = [
        torch.bucketize(one, torch.quantile(one, torch.arange(1, bins).to(one) / bins))
        for one in (a, b)
    ]

    def entropy(counts):
        p = counts[counts > 0].double() / len(a)
        return -(p * p.log()).sum()

    joint = entropy(torch.bincount(cut[0] * bins + cut[1]))
    return float(entropy(cut[0].bincount()) + entropy(cut[1].bincount()) - joint)


RIGHT = [
    (convolutional.ConvVAE, Upsampled),
    (conditional_vae.ConditionalVAE, Embedded),
    (bounds.gaussian_nll, by_formula),
    (bounds.iwae_bound, largest_out),
    (bounds.iwae_bound, lambda log_w: torch.logsumexp(log_w - math.log(log_w.shape[0]), dim=0)),
    (weights.log_weights, draw_by_draw),
    (rates.free_bits, by_maximum),
    (
        rates.active_units,
        lambda mu, threshold=0.01: (mu - mu.mean(0)).square().sum(0) / (len(mu) - 1) > threshold,
    ),
    (
        rates.active_units,
        lambda mu, threshold=0.01: torch.cov(mu.T).reshape(mu.shape[1], -1).diagonal() > threshold,
    ),
    (anomalies.auroc, by_ranks),
    (
        anomalies.auroc,
        lambda a, b: torch.mean(torch.heaviside(b[:, None] - a, torch.tensor(0.5))).item(),
    ),
    (anomalies.mutual_information, by_entropies),
    (
        anomalies.mig,
        lambda table, entropy: float((table.sort(0).values[-2:].diff(dim=0) / entropy).mean()),
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_written_in_another_way(check, answer):
    assert check(answer) is answer


def one_draw_too_few(model, x, k, generator=None):
    return draw_by_draw(model, x, k - 1, generator)


def images_first(model, x, k, generator=None):
    return draw_by_draw(model, x, k, generator).T


def all_at_once(model, x, k, generator=None):
    """Latents (k, B, d) straight into the decoder, which takes (N, d)."""
    mu, log_var = model.encode(x)
    z = mu + (log_var / 2).exp() * torch.randn(k, *mu.shape, generator=generator)
    return -model.decode(z).flatten(2).sum(2)


def pixels_image_by_image(model, x, k, generator=None):
    """Latents draw by draw, pixels image by image, taken apart as neither of them."""
    mu, log_var = model.encode(x)
    q = Normal(mu, (log_var / 2).exp())
    z = mu + q.scale * torch.randn(k, *mu.shape, generator=generator)
    logits, told = model.decode(z.flatten(0, 1)), x.repeat_interleave(k, 0)
    nll = F.binary_cross_entropy_with_logits(logits, told, reduction="none").flatten(1).sum(1)
    rest = Normal(0.0, 1.0).log_prob(z).sum(2) - q.log_prob(z).sum(2)
    return rest - nll.view(len(x), k).T


def detached(mu, log_var, floor):
    return rates.free_bits.reference(mu.detach(), log_var, floor)


def equal_width(a, b, bins=20):
    cut = [
        ((one - one.min()) / (one.max() - one.min()) * bins).long().clamp(max=bins - 1)
        for one in (a, b)
    ]
    p = torch.bincount(cut[0] * bins + cut[1], minlength=bins**2).view(bins, bins).double() / len(a)
    ratio = torch.where(p > 0, p / (p.sum(1, keepdim=True) * p.sum(0)), 1.0)
    return float((p * ratio.log()).sum())


def with_a_least_variance(mean, x, log_sigma, lowest=-4.0):
    variance = (2 * log_sigma.clamp(min=lowest)).exp().expand_as(x)
    return F.gaussian_nll_loss(mean, x, variance, full=True, reduction="none").flatten(1).sum(1)


def largest_of_all_out(log_w):
    return (log_w - log_w.max()).exp().mean(0).log() + log_w.max()


WRONG = [
    (convolutional.ConvVAE, Huge, "at most 150,000 parameters"),
    (conditional_vae.ConditionalVAE, Mixed, "the code depends on its own image alone"),
    (bounds.gaussian_nll, lambda mean, x, s, lowest=-4.0: by_formula(mean, x, -s, lowest), "case"),
    (
        bounds.gaussian_nll,
        lambda mean, x, s, lowest=-4.0: by_formula(mean, x, s.clamp(max=0), lowest),
        "case",
    ),
    (
        bounds.gaussian_nll,
        lambda mean, x, s, lowest=-4.0: by_formula(mean, x, s.detach(), lowest),
        "case 1",
    ),
    (bounds.gaussian_nll, with_a_least_variance, "lowest −12"),
    (bounds.iwae_bound, largest_of_all_out, "one image far less likely"),
    (bounds.iwae_bound, lambda log_w: log_w.median(0).values, "two draws"),
    (bounds.iwae_bound, lambda log_w: largest_out(log_w) + 1, "one draw"),
    (weights.log_weights, one_draw_too_few, "shape"),
    (weights.log_weights, images_first, "shape"),
    (weights.log_weights, pixels_image_by_image, "latents of one image with the pixels of another"),
    (convolutional.ConvVAE, Straight, "something that bends, in the decoder"),
    (weights.log_weights, all_at_once, "decode takes latents (N, d)"),
    (
        rates.free_bits,
        lambda mu, log_var, floor: rates.free_bits.reference(mu, log_var.detach(), floor),
        "gradient by log_var",
    ),
    (
        anomalies.mutual_information,
        lambda a, b, bins=10: by_entropies(a, b, bins),
        "left out: 20",
    ),
    (rates.free_bits, detached, "gradient"),
    (rates.active_units, lambda mu, threshold=0.01: mu.abs().amax(0) > threshold, "case"),
    (anomalies.auroc, lambda a, b: float(b.mean() > a.mean()), "in between"),
    (anomalies.auroc, lambda a, b: float((b[:, None] > a).sum()), "2 times"),
    (anomalies.mutual_information, equal_width, "bins of equal width"),
    (anomalies.mig, lambda table, entropy: anomalies._gap(table, entropy, axis=1), "case 1"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_wrong_answers_that_nobody_foresaw(check, answer, hint):
    assert hint.lower() in message(check, answer).lower()


def test_the_patients_show_their_signs():
    log_w = -60 + 3 * torch.randn(100, 50, generator=torch.Generator().manual_seed(0))
    log_w[:, ::2] -= 80  # below the smallest float32
    runs = {
        name: broken_bounds.broken_bounds(name, log_w)
        for name in ("healthy", *broken_bounds.FAULTS)
    }
    assert all(values.shape == (5, 5) for values in runs.values())
    mean = {name: values.mean(1) for name, values in runs.items()}
    assert mean["healthy"][0] < mean["healthy"][2] < mean["healthy"][4]
    forgotten = mean["A"] - mean["healthy"]
    torch.testing.assert_close(
        forgotten, torch.tensor([1.0, 3, 10, 30, 100]).log(), atol=1e-3, rtol=0
    )
    assert (mean["B"][4] - mean["B"][2]).abs() < 1 < mean["healthy"][4] - mean["B"][4]
    assert mean["C"].unique().numel() == 1
    assert mean["D"].isneginf().all()


def test_a_clinic_refuses_strangers():
    with pytest.raises(KeyError, match="no patient 'E'"):
        broken_bounds.broken_bounds("E", torch.zeros(100, 10))


def test_diagnoses():
    right = dict(broken_bounds.FAULTS)
    assert broken_bounds.diagnose_bounds(lambda: dict(right))() == right
    assert "Likely cause" in message(
        broken_bounds.diagnose_bounds, lambda: right | {"B": right["C"], "C": right["B"]}
    )
    assert "not on the list" in message(
        broken_bounds.diagnose_bounds, lambda: right | {"A": "bad luck"}
    )
