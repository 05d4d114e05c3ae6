"""The formulas of the theory lecture (Day 06), held against sums over
tables, integrals, torch or scipy.

`shows` names the formulas of the source that a test is about; a displayed one without a test fails,
and so does a test whose formula has changed.
"""

import math
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
import torch
from densities import LINE, covariance, entropy, gauss, integral, kl, kl_grid, rows, table
from prose import Shows, parts
from scipy import optimize, stats
from torch.distributions import Bernoulli, Categorical, MultivariateNormal, Normal, kl_divergence
from torch.nn import functional as F

SOURCE = Path(__file__).parents[2] / "Day06-VAEs" / "Day06-VAEs_theory_lecture.typ"
TEXT = parts(SOURCE)[1]
FORMULAS = shows = Shows()
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(30)  # means over N(0, 1), exact for polynomials
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@shows(
    "p(bx) = integral p(bx|bz) p(bz) dif bz .",
    "$bx = bW bz + bb + sigma_x beps$",
    "p(bx) = Normal(bx; bb, bW bW^top + sigma_x^2 bI), quad p(bz|bx) = Normal(bz; bM^(-1) bW^top "
    "(bx - bb), sigma_x^2 bM^(-1)), quad bM = bW^top bW + sigma_x^2 bI .",
)
def test_1_probabilistic_pca_in_three_pixels(rng):
    w, b, x, sigma = rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=3), 0.7
    line = np.linspace(-7, 7, 561)
    z = np.stack(np.meshgrid(line, line, indexing="ij"), -1)  # (561, 561, 2)
    joint = stats.norm.pdf(z).prod(-1) * stats.norm(z @ w.T + b, sigma).pdf(x).prod(-1)
    evidence = joint.sum() * (line[1] - line[0]) ** 2
    assert np.isclose(evidence, stats.multivariate_normal(b, w @ w.T + sigma**2 * np.eye(3)).pdf(x))
    weight = joint / joint.sum()
    mean = np.einsum("ij,ijk->k", weight, z)
    spread = np.einsum("ij,ijk,ijl->kl", weight, z - mean, z - mean)
    inverse = np.linalg.inv(w.T @ w + sigma**2 * np.eye(2))
    assert np.allclose(mean, inverse @ w.T @ (x - b)) and np.allclose(spread, sigma**2 * inverse)


@shows(
    "$1/k sum_(i=1)^k p(bx|bz_i)$",
    "1 / k ((EE_(p(bz)) [p(bx|bz)^2]) / p(bx)^2 - 1) .",
)
def test_2_relative_variance_of_the_naive_estimate(rng):
    prior, likelihood = table(rng, 4), rng.uniform(0.1, 1, 4)
    p = prior @ likelihood
    for k in (1, 2, 3):  # all outcomes of k draws
        outcomes = np.array([np.mean(one) for one in product(likelihood, repeat=k)])
        chance = np.array([np.prod(one) for one in product(prior, repeat=k)])
        assert np.isclose(chance @ outcomes, p)
        assert np.isclose(
            (chance @ outcomes**2 - p**2) / p**2, (prior @ likelihood**2 / p**2 - 1) / k
        )


@shows("EE_(p(z)) [p(x|z)^2] = 1 / (2 sigma_x sqrt(pi)) Normal(x; 0, w^2 + sigma_x^2 / 2) .")
@pytest.mark.parametrize("w, sigma, x", [(2.0, 1.0, 3.0), (0.7, 0.4, -1.2), (3.0, 2.0, 0.5)])
def test_2_mean_square_of_the_likelihood(w, sigma, x):
    square = integral(gauss(LINE, 0, 1) * gauss(x, w * LINE, sigma) ** 2)
    assert np.isclose(
        square, gauss(x, 0, math.sqrt(w**2 + sigma**2 / 2)) / (2 * sigma * math.sqrt(math.pi))
    )


@shows("$q(bz) = p(bz|bx)$ every weight is $p(bx)$ itself")
def test_2_weights_of_the_posterior(rng):
    prior, likelihood = table(rng, 5), rng.uniform(0.1, 1, 5)
    p = prior @ likelihood
    assert np.allclose(prior * likelihood / (prior * likelihood / p), p)


@shows(
    "ln p(bx) = ln EE_(q(bz|bx)) [p(bx, bz) / q(bz|bx)] >= EE_(q(bz|bx)) [ln p(bx, bz) / q(bz|bx)] "
    "= ELBO .",
    "ln p(bx) = EE_(q(bz|bx)) [ln p(bx, bz) / p(bz|bx)] = underbrace(EE_(q(bz|bx)) [ln p(bx, bz) / "
    "q(bz|bx)], ELBO) + underbrace(EE_(q(bz|bx)) [ln q(bz|bx) / p(bz|bx)], KL(q(bz|bx) || "
    "p(bz|bx)) >= 0) .",
    "ELBO = EE_(q(bz|bx)) [ln p(bx|bz)] - KL(q(bz|bx) || p(bz)) .",
    r"$p(bx) = p(bx, bz) \/ p(bz|bx)$",
    "$p(bx, bz) = p(bx|bz) p(bz)$",
)
def test_3_two_derivations_of_the_elbo(rng):
    for _ in range(10):
        prior, likelihood, q = table(rng, 6), rng.uniform(0.05, 1, 6), table(rng, 6)
        joint = prior * likelihood
        evidence, posterior = joint.sum(), joint / joint.sum()
        elbo = q @ np.log(joint / q)
        assert np.isclose(q @ (joint / q), evidence) and np.allclose(joint / posterior, evidence)
        assert elbo < math.log(evidence) and np.isclose(
            elbo + q @ np.log(q / posterior), math.log(evidence)
        )
        assert np.isclose(elbo, q @ np.log(likelihood) - kl(q, prior)) and kl(q, posterior) > 0
        assert np.isclose(posterior @ np.log(joint / posterior), math.log(evidence))


@shows(
    "EE_q [ln p(x|z)] = -1/2 ln(2 pi sigma_x^2) - ((x - w m)^2 + w^2 s^2) / (2 sigma_x^2) .",
    "$EE_q [(x - w z)^2] = (x - w m)^2 + w^2 s^2$",
    r"The noise of $q$ costs $w^2 s^2 \/ 2 sigma_x^2$",
)
@pytest.mark.parametrize(
    "w, sigma, x, m, s", [(2.0, 1.0, 3.0, 1.2, 0.5), (-0.7, 0.4, -1.2, 0.3, 1.4)]
)
def test_3_first_term_in_the_oracle(w, sigma, x, m, s):
    q = gauss(LINE, m, s)
    square, log_sum = (
        integral(q * (x - w * LINE) ** 2),
        integral(q * stats.norm(w * LINE, sigma).logpdf(x)),
    )
    assert np.isclose(square, (x - w * m) ** 2 + w**2 * s**2)
    assert np.isclose(log_sum, -0.5 * math.log(2 * math.pi * sigma**2) - square / (2 * sigma**2))
    cost = stats.norm(w * m, sigma).logpdf(x) - log_sum  # against a q without noise
    assert np.isclose(cost, w**2 * s**2 / (2 * sigma**2))


@shows(
    r"EE_q [ln q(z)] &= -1/2 ln(2 pi) - 1/2 ln sigma^2 - 1/2 EE_q [(z - mu)^2 / sigma^2] = -1/2 "
    r"ln(2 pi) - 1/2 ln "
    r"sigma^2 - 1/2, \ EE_q [ln p(z)] &= -1/2 ln(2 pi) - 1/2 EE_q [z^2] = -1/2 ln(2 pi) - 1/2 mu^2 "
    r"- 1/2 sigma^2, "
    r"\ KL(q || p) &= 1/2 (mu^2 + sigma^2 - ln sigma^2 - 1) .",
    "$EE_q [(z - mu)^2] = sigma^2$ and $EE_q [z^2] = mu^2 + sigma^2$",
    "mu^2 + sigma^2 - 1/2 ln sigma^2 - 1/2 "
    "= KL(Normal(mu, sigma^2) || Normal(0, 1/2)) + 1/2 ln 2 .",
    "$f = mu^2 + sigma^2 - 1/2 ln sigma^2 - 1/2$",
    "$KL(Normal(mu, sigma^2) || Normal(0, 1/2)) = 1/2 ln(1/2) - 1/2 ln sigma^2 + sigma^2 + mu^2 - "
    "1/2$",
    "$2 sigma_2^2 = 1$",
)
@pytest.mark.parametrize("mu, sigma", [(0.0, 1.0), (1.0, 0.5), (-0.7, 1.8)])
def test_4_gaussian_kl_line_by_line_and_without_its_half(mu, sigma):
    q, log_2pi, log_var = gauss(LINE, mu, sigma), math.log(2 * math.pi), math.log(sigma**2)
    assert np.isclose(integral(q * (LINE - mu) ** 2), sigma**2)
    assert np.isclose(integral(q * LINE**2), mu**2 + sigma**2)
    log_q = integral(q * stats.norm(mu, sigma).logpdf(LINE))
    log_p = integral(q * stats.norm.logpdf(LINE))
    assert np.isclose(log_q, -0.5 * log_2pi - 0.5 * log_var - 0.5)
    assert np.isclose(log_p, -0.5 * log_2pi - 0.5 * mu**2 - 0.5 * sigma**2)
    assert np.isclose(log_q - log_p, 0.5 * (mu**2 + sigma**2 - log_var - 1))
    other = kl_grid(q, gauss(LINE, 0, math.sqrt(0.5)))
    assert np.isclose(other, 0.5 * math.log(0.5) - 0.5 * log_var + sigma**2 + mu**2 - 0.5)
    assert np.isclose(mu**2 + sigma**2 - 0.5 * log_var - 0.5, other + 0.5 * math.log(2))


@shows(
    "KL(q(bz|bx) || p(bz)) = 1/2 sum_(i=1)^d (mu_i^2 + sigma_i^2 - ln sigma_i^2 - 1) .",
    r"$sigma - 1 \/ sigma$, which vanishes at $sigma = 1$; the second derivative $1 + 1 \/ "
    r"sigma^2$ is",
    r"Now $2 sigma - 1 \/ sigma = 0$",
)
def test_4_kl_of_an_image_and_its_slopes(rng):
    mu, sigma = (
        torch.from_numpy(rng.normal(size=4)),
        torch.from_numpy(rng.uniform(0.3, 2, 4)).requires_grad_(),
    )
    ours = 0.5 * (mu**2 + sigma**2 - torch.log(sigma**2) - 1).sum()
    zero, one = torch.zeros(4).double(), torch.eye(4).double()
    prior = MultivariateNormal(zero, one)
    assert torch.allclose(ours, kl_divergence(MultivariateNormal(mu, torch.diag(sigma**2)), prior))
    slope = torch.autograd.grad(ours, sigma, create_graph=True)[0]
    bend = torch.autograd.grad(slope.sum(), sigma)[0]
    assert torch.allclose(slope, sigma - 1 / sigma) and torch.allclose(bend, 1 + 1 / sigma**2)
    lost = (mu**2 + sigma**2 - 0.5 * torch.log(sigma**2) - 0.5).sum()
    assert torch.allclose(torch.autograd.grad(lost, sigma)[0], 2 * sigma - 1 / sigma)


@shows(
    "nabla_phi.alt EE_(q_phi.alt (z)) [f(z)] = EE_(q_phi.alt (z)) [f(z) nabla_phi.alt ln q_phi.alt "
    "(z)] = EE_(Normal(epsilon; 0, 1)) [nabla_phi.alt f(mu + sigma epsilon)] .",
    "$nabla q = q nabla ln q$",
    "$z = mu + sigma epsilon$",
    "$EE_q [nabla ln q] = 0$",
)
def test_5_gradient_by_score_and_by_path():
    phi = torch.tensor([0.6, 0.8], dtype=torch.float64, requires_grad=True)  # μ and σ
    eps, weights = torch.from_numpy(NODES), torch.from_numpy(WEIGHTS)

    def f(z):
        return torch.sin(z) + z**3

    path = torch.autograd.grad(weights @ f(phi[0] + phi[1] * eps), phi)[0]
    z = (phi[0] + phi[1] * eps).detach()
    # (30, 2)
    score = torch.stack([torch.autograd.grad(Normal(*phi).log_prob(one), phi)[0] for one in z])
    assert torch.allclose((weights * f(z)) @ score, path) and (weights @ score).abs().max() < 1e-12
    for i in range(2):  # the derivative of an integral over densities
        step = np.zeros(2)
        step[i] = 1e-5
        up, down = (
            integral(gauss(LINE, *(phi.detach().numpy() + s)) * f(torch.from_numpy(LINE)).numpy())
            for s in (step, -step)
        )
        assert np.isclose((up - down) / 2e-5, path[i].item(), atol=1e-6)
    density = Normal(*phi).log_prob(z[14]).exp()
    assert torch.allclose(torch.autograd.grad(density, phi)[0], density.detach() * score[14])


@shows(
    '"score:" quad z^2 (z - mu) / sigma^2, quad quad "path:" quad 2 z',
    "mu^4 / sigma^2 + 14 mu^2 + 15 sigma^2, quad quad 4 sigma^2 .",
    "$f(z) = z^2$, whose mean $mu^2 + sigma^2$ has slope $2 mu$",
    "$8 mu^2 + 10 sigma^2$",
    r"the score estimator is $mu^2 epsilon \/ sigma + 2 mu epsilon^2 + sigma epsilon^3$",
    r"$mu^4 \/ sigma^2 + 18 mu^2 + 15 sigma^2$",
    "even moments of $epsilon$ are 1, 3 and 15",
)
@pytest.mark.parametrize("mu, sigma", [(1.0, 1.0), (1.0, 0.1), (-0.6, 1.4)])
def test_5_variances_of_the_gradient_estimators(mu, sigma):
    z = mu + sigma * NODES
    score, path = z**2 * (z - mu) / sigma**2, 2 * z
    baseline = (z**2 - mu**2 - sigma**2) * (z - mu) / sigma**2
    assert np.allclose([WEIGHTS @ one for one in (score, path, baseline)], 2 * mu)
    assert np.allclose([WEIGHTS @ NODES**n for n in range(1, 7)], [0, 1, 0, 3, 0, 15])
    assert np.allclose(score, mu**2 * NODES / sigma + 2 * mu * NODES**2 + sigma * NODES**3)
    assert np.isclose(WEIGHTS @ score**2, mu**4 / sigma**2 + 18 * mu**2 + 15 * sigma**2)
    variances = [WEIGHTS @ one**2 - 4 * mu**2 for one in (score, path, baseline)]
    closed = [
        mu**4 / sigma**2 + 14 * mu**2 + 15 * sigma**2,
        4 * sigma**2,
        8 * mu**2 + 10 * sigma**2,
    ]
    assert np.allclose(variances, closed)


@shows(
    "-ln p(bx|bz) = sum_(j=1)^P (ln(1 + e^(ell_j)) - x_j ell_j), quad quad -ln p(bx|bz) = norm(bx "
    "- hat(bx))^2 / (2 sigma_x^2) + P / 2 ln(2 pi sigma_x^2) .",
    "sigma_x^2 = 1 / P norm(bx - hat(bx))^2, quad -ln p = P / 2 (1 + ln(2 pi sigma_x^2)) .",
    "$2 sigma_x^2 = P$",
)
def test_6_two_likelihoods():
    torch.manual_seed(0)
    pixels, binary = 7, torch.tensor([0.0, 1, 1, 0, 1, 0, 0]).double()
    logits, x, guess = torch.randn(3, pixels).double()
    ours = (torch.log1p(logits.exp()) - binary * logits).sum()
    assert torch.allclose(ours, -Bernoulli(logits=logits).log_prob(binary).sum())

    def nll(variance, mean):
        return ((x - mean) ** 2).sum() / (2 * variance) + pixels / 2 * math.log(
            2 * math.pi * variance
        )

    assert torch.allclose(nll(0.49, guess), -Normal(guess, 0.7).log_prob(x).sum())
    best = optimize.minimize_scalar(
        lambda v: nll(v, guess).item(), bounds=(0.01, 20), method="bounded"
    )
    variance = F.mse_loss(guess, x).item()
    assert np.isclose(best.x, variance, rtol=1e-4)
    assert np.isclose(best.fun, pixels / 2 * (1 + math.log(2 * math.pi * variance)))
    others = [torch.zeros_like(x), guess]  # the losses differ by as many nats as the likelihoods
    gap = F.mse_loss(others[0], x) - F.mse_loss(others[1], x)
    assert torch.allclose(gap, nll(pixels / 2, others[0]) - nll(pixels / 2, others[1]))
    gap = F.mse_loss(others[0], x, reduction="sum") - F.mse_loss(others[1], x, reduction="sum")
    assert torch.allclose(gap, nll(0.5, others[0]) - nll(0.5, others[1]))


@shows(r"In the oracle the posterior has the variance $sigma_x^2 \/ (w^2 + sigma_x^2)$")
@pytest.mark.parametrize("w, sigma", [(2.0, 1.0), (0.6, 1.3)])
def test_6_posterior_variance_of_the_oracle(w, sigma):
    density = gauss(LINE, 0, 1) * gauss(0.8, w * LINE, sigma)
    density /= integral(density)
    mean = integral(density * LINE)
    assert np.isclose(integral(density * (LINE - mean) ** 2), sigma**2 / (w**2 + sigma**2))


V, NOISE2 = 5.3, 0.8


def rate_and_distortion(w, a, s2):
    """Of the linear family with data N(0, V), from means over data and noise of
    log-densities: (R, D, square error)."""
    x, eps = math.sqrt(V) * torch.from_numpy(NODES)[:, None], torch.from_numpy(NODES)
    weights = torch.from_numpy(WEIGHTS)
    residual = x - w * (a * x + s2.sqrt() * eps)
    noise = torch.tensor(NOISE2).double().sqrt()
    distortion = weights @ (-Normal(0.0, noise).log_prob(residual)) @ weights
    rate = weights @ kl_divergence(Normal(a * x[:, 0], s2.sqrt()), Normal(0.0, 1.0))
    return rate, distortion, weights @ residual**2 @ weights


@shows(
    "D + beta R = ((1 - w a)^2 v + w^2 s^2) / (2 sigma_x^2) + 1/2 ln(2 pi sigma_x^2) + beta / 2 "
    "(a^2 v + s^2 - ln s^2 - 1) .",
    "a = w / (w^2 + beta sigma_x^2), quad s^2 = (beta sigma_x^2) / (w^2 + beta sigma_x^2), quad "
    "w^2 = v - beta sigma_x^2 .",
    'EE_"data" EE_q [(x - hat(x))^2] = beta sigma_x^2, quad R = 1/2 ln v / (beta sigma_x^2), quad '
    "(dif D) / (dif R) = "
    "-beta .",
    "$v > beta sigma_x^2$",
    r"Above, $w^2 = v - beta sigma_x^2$ was 0 from $beta = v \/ sigma_x^2$ on",
)
@pytest.mark.parametrize("beta", [0.25, 1.0, 3.0])
def test_7_best_linear_vae(beta):
    beta = torch.tensor(beta).double().requires_grad_()
    w = (V - beta * NOISE2).sqrt()
    s2 = beta * NOISE2 / (w**2 + beta * NOISE2)
    free = torch.stack([w, w / (w**2 + beta * NOISE2), s2])

    def cost(values):
        rate, distortion, _ = rate_and_distortion(*values)
        return distortion + beta.detach() * rate

    for scale in (1.0, 0.7):  # the written cost, at the optimum and elsewhere
        one, other, s = scale * free
        written = ((1 - one * other) ** 2 * V + one**2 * s) / (2 * NOISE2) + 0.5 * math.log(
            2 * math.pi * NOISE2
        )
        assert torch.allclose(
            cost(scale * free), written + beta / 2 * (other**2 * V + s - torch.log(s) - 1)
        )
    slope = torch.autograd.functional.jacobian(cost, free.detach())
    bend = torch.autograd.functional.hessian(cost, free.detach())
    assert slope.abs().max() < 1e-6 and (torch.linalg.eigvalsh(bend) > 0).all()
    collapsed = cost(torch.tensor([0.0, 0.0, 1.0]).double())
    assert cost(free) < collapsed
    rate, distortion, square = rate_and_distortion(*free)
    assert torch.allclose(square, beta * NOISE2) and torch.allclose(
        rate, 0.5 * torch.log(V / (beta * NOISE2))
    )
    d_rate, d_distortion = (
        torch.autograd.grad(one, beta, retain_graph=True)[0] for one in (rate, distortion)
    )
    assert torch.allclose(d_distortion / d_rate, -beta)
    # the codes of all data fill the prior
    assert torch.allclose(free[1] ** 2 * V + s2, torch.ones(()).double())


@shows(
    'D + R = EE_"data" [-ELBO] >= EE_"data" [-ln p(bx)] >= H .',
    "$-ELBO = D + R$",
    "R = I_q (bx; bz) + KL(q(bz) || p(bz)) .",
)
def test_7_entropy_of_the_data_below_and_what_the_rate_buys(rng):
    data, prior, decoder, encoder = table(rng, 5), table(rng, 4), rows(rng, 4, 5), rows(rng, 5, 4)
    rate = data @ (encoder * np.log(encoder / prior)).sum(1)
    distortion = -data @ (encoder * np.log(decoder.T)).sum(1)
    evidence = prior @ decoder
    exact = prior * decoder.T / evidence[:, None]
    gap = rate + distortion + data @ np.log(evidence)
    assert np.isclose(gap, data @ (encoder * np.log(encoder / exact)).sum(1)) and gap > 0
    assert (
        np.isclose(-data @ np.log(evidence) - entropy(data), kl(data, evidence))
        and kl(data, evidence) > 0
    )
    # with the posterior the first is an equality, on the model's own data both
    rate, distortion = (
        evidence @ one.sum(1) for one in (exact * np.log(exact / prior), -exact * np.log(decoder.T))
    )
    assert np.isclose(rate + distortion, entropy(evidence))
    q_z = data @ encoder
    information = kl(data[:, None] * encoder, np.outer(data, q_z))
    assert np.isclose(
        data @ (encoder * np.log(encoder / prior)).sum(1), information + kl(q_z, prior)
    )


@shows(
    r"R_i &= max(0, 1/2 ln lambda_i / (beta sigma_x^2)), \ Var[mu_i] &= max(0, 1 - (beta "
    r"sigma_x^2) / lambda_i) .",
)
def test_8_water_filling_is_what_training_finds(rng):
    """A linear VAE with three latents and a diagonal q, trained from a random start
    on data with known covariance."""
    beta, noise2, eigenvalues = 1.5, 0.9, np.array([8.0, 3.0, 0.6])
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    data = torch.from_numpy(turn @ np.diag(eigenvalues) @ turn.T)

    def parts_of(values):
        w, a, log_s2 = values[:9].view(3, 3), values[9:18].view(3, 3), values[18:]
        left = torch.eye(3).double() - w @ a
        square = torch.trace(left @ data @ left.T) + (w**2 * log_s2.exp()).sum()
        spread = torch.diagonal(a @ data @ a.T)  # of the encoder's means
        return square / (2 * noise2), 0.5 * (spread + log_s2.exp() - 1 - log_s2), spread

    def cost(values):
        values = torch.from_numpy(values).requires_grad_()
        distortion, rates, _ = parts_of(values)
        total = distortion + beta * rates.sum()
        return total.item(), torch.autograd.grad(total, values)[0].numpy()

    found = optimize.minimize(
        cost, 0.3 * rng.normal(size=21), jac=True, method="BFGS", options={"gtol": 1e-8}
    ).x
    _, rates, spread = parts_of(torch.from_numpy(found))
    level = eigenvalues / (beta * noise2)
    assert np.allclose(
        sorted(rates.tolist(), reverse=True), np.maximum(0, 0.5 * np.log(level)), atol=1e-4
    )
    assert np.allclose(
        sorted(spread.tolist(), reverse=True), np.maximum(0, 1 - 1 / level), atol=1e-4
    )


def bound(k, weights, chance):
    """E ln of the mean of k draws, over all outcomes."""
    outcomes = zip(product(weights, repeat=k), product(chance, repeat=k), strict=True)
    return sum(math.log(np.mean(drawn)) * np.prod(odds) for drawn, odds in outcomes)


@shows(
    "Bound_k = EE_(bz_1, ..., bz_k ~ q) [ln 1 / k sum_(i=1)^k w_i], quad w_i = p(bx, bz_i) / "
    "q(bz_i|bx), quad ELBO = Bound_1 <= Bound_2 <= ... <= ln p(bx) .",
    "Bound_k = EE [ln EE_S [1/m sum_(i in S) w_i]] >= EE [EE_S [ln 1/m sum_(i in S) w_i]] = "
    "Bound_m .",
)
def test_9_iwae_is_monotone(rng):
    for _ in range(5):
        prior, likelihood, q = table(rng, 3), rng.uniform(0.02, 1, 3), table(rng, 3)
        weights = prior * likelihood / q
        values = [bound(k, weights, q) for k in range(1, 7)]
        assert np.isclose(values[0], q @ np.log(likelihood) - kl(q, prior))
        assert values == sorted(values) and values[-1] < math.log(prior @ likelihood)
        draws = rng.choice(weights, 5)
        for m in (1, 2, 4):
            means = np.array([np.mean(one) for one in combinations(draws, m)])
            assert (
                np.isclose(means.mean(), draws.mean())
                and np.log(means.mean()) >= np.log(means).mean()
            )


@shows(
    "ln p(bx) - Bound_k approx 1 / (2 k) (Var_q [w]) / p(bx)^2 .",
    "The mean of $k$ weights is $p(bx) (1 + delta)$, where $EE[delta] = 0$",
    r"$EE[delta^2] = Var_q [w] \/ (k p(bx)^2)$",
    "$ln(1 + delta) approx delta - 1/2 delta^2$",
)
def test_9_limit_of_the_bound():
    low, high, chance = 1.0, 3.0, 0.3
    p, variance = low + (high - low) * chance, (high - low) ** 2 * chance * (1 - chance)
    for k in (100, 1000):
        hits = np.arange(k + 1)
        mean, weight = low + (high - low) * hits / k, stats.binom(k, chance).pmf(hits)
        delta = mean / p - 1
        assert abs(weight @ delta) < 1e-9 and np.isclose(weight @ delta**2, variance / (k * p**2))
        gap = math.log(p) - weight @ np.log(mean)
        assert np.isclose(gap, variance / (2 * k * p**2), rtol=1 / k)
    small = np.array([-0.01, 0.01])
    assert np.abs(np.log1p(small) - small + 0.5 * small**2).max() < 4e-7  # a cube


@shows(
    'ln p(bx) - ELBO(q_phi.alt) = underbrace(ln p(bx) - ELBO(q^star), "approximation gap") + '
    "underbrace(ELBO(q^star) - "
    'ELBO(q_phi.alt), "amortisation gap") .',
    'KL(q || p(bz|bx)) = 1/2 (sum_i Lambda_(i i) sigma_i^2 - sum_i ln sigma_i^2 - ln det bf("Λ") - '
    "d) .",
    r"The best $q$ has $sigma_i^2 = 1 \/ Lambda_(i i)$",
    '$KL(q^star || p(bz|bx)) = 1/2 (sum_i ln Lambda_(i i) - ln det bf("Λ"))$',
)
def test_10_gap_of_a_diagonal_q(rng):
    precision = torch.from_numpy(covariance(rng, 4))
    mean = torch.from_numpy(rng.normal(size=4))
    posterior = MultivariateNormal(mean, precision_matrix=precision)

    def gap(variances):
        return kl_divergence(MultivariateNormal(mean, torch.diag(variances)), posterior)

    diagonal, log_det = torch.diagonal(precision), torch.logdet(precision)
    lazy = torch.from_numpy(rng.uniform(0.1, 2, 4))
    assert torch.allclose(
        gap(lazy), 0.5 * ((diagonal * lazy).sum() - lazy.log().sum() - log_det - 4)
    )
    best = 1 / diagonal
    assert torch.allclose(gap(best), 0.5 * (diagonal.log().sum() - log_det))
    assert torch.autograd.functional.jacobian(gap, best).abs().max() < 1e-9
    assert all(
        gap(best * torch.from_numpy(rng.uniform(0.7, 1.3, 4))) > gap(best) for _ in range(20)
    )
    approximation, amortisation = (
        gap(best),
        gap(lazy) - gap(best),
    )  # ln p − ELBO is the KL to the posterior
    assert (
        approximation > 0
        and amortisation > 0
        and torch.allclose(approximation + amortisation, gap(lazy))
    )


@shows(r"the gap is $(0.4 x - mu(x))^2 \/ (2 dot 0.2)$")
def test_10_gap_of_a_late_mean():
    x = 2.0
    posterior = stats.norm(0, 1).pdf(LINE) * stats.norm(2 * LINE, 1).pdf(x)
    q = gauss(LINE, math.tanh(0.4 * x), math.sqrt(0.2))
    assert np.isclose(
        kl_grid(q, posterior / integral(posterior)), (0.4 * x - math.tanh(0.4 * x)) ** 2 / 0.4
    )


@shows(
    "ln p(bx|y) >= EE_(q(bz|bx, y)) [ln p(bx|bz, y)] - KL(q(bz|bx, y) || p(bz)) .",
    "$EE_(p(bx, y)) [ln p(bx|y) - ln p(bx)] = I(bx; y) <= H(y)$",
)
def test_11_conditional_elbo(rng):
    prior, decoder, encoder = (
        table(rng, 4),
        rows(rng, 3, 4, 5),
        rows(rng, 3, 5, 4),
    )  # y, z, x and y, x, z
    evidence = np.einsum("z,yzx->yx", prior, decoder)
    likelihood = decoder.transpose(0, 2, 1)
    for q, tight in ((encoder, False), (prior * likelihood / evidence[..., None], True)):
        elbo = (q * np.log(likelihood)).sum(-1) - (q * np.log(q / prior)).sum(-1)
        assert np.allclose(elbo, np.log(evidence)) if tight else (elbo < np.log(evidence)).all()
    classes = table(rng, 3)
    joint = classes[:, None] * evidence
    information = kl(joint, np.outer(classes, joint.sum(0)))
    assert np.isclose((joint * (np.log(evidence) - np.log(joint.sum(0)))).sum(), information)
    assert information <= entropy(classes)


@shows(
    'j^star = "argmin"_j norm(bz_e - be_j)^2 .',
    "-ln p(bx|be_(j^star)) + norm(sg(bz_e) - be_(j^star))^2 + gamma norm(bz_e - sg(be_(j^star)))^2 "
    ",",
    "$q$ is then certain, the KL to a uniform prior is the constant $G ln K$",
)
def test_11_vector_quantisation():
    torch.manual_seed(0)
    book, out = (
        torch.randn(6, 3).double().requires_grad_(),
        torch.randn(4, 3).double().requires_grad_(),
    )
    index = ((out[:, None] - book) ** 2).sum(-1).argmin(1)
    assert torch.equal(index, torch.cdist(out, book).argmin(1))
    certain, uniform = (
        Categorical(one) for one in (F.one_hot(index, 6).double(), torch.ones(4, 6).double())
    )
    assert np.isclose(kl_divergence(certain, uniform).sum().item(), 4 * math.log(6))
    near = book[index]
    terms = ((out.detach() - near) ** 2).sum(), ((out - near.detach()) ** 2).sum()
    to_out, to_book = torch.autograd.grad(
        terms[0], (out, book), retain_graph=True, allow_unused=True
    )
    assert to_out is None and torch.allclose(
        to_book[index[0]], 2 * (near - out)[index == index[0]].sum(0)
    )
    to_out, to_book = torch.autograd.grad(
        terms[1], (out, book), retain_graph=True, allow_unused=True
    )
    assert to_book is None and torch.allclose(to_out, 2 * (out - near))
    straight = out + (near - out).detach()  # forwards the entry, backwards the output's
    weight = torch.randn(4, 3).double()
    assert torch.allclose(straight, near)
    assert torch.allclose(torch.autograd.grad((weight * straight).sum(), out)[0], weight)


@shows(
    "ELBO = EE_(q(bz_1|bx) q(bz_2|bz_1)) [ln (p(bx|bz_1) p(bz_1|bz_2) p(bz_2)) / (q(bz_1|bx) "
    "q(bz_2|bz_1))] .",
    "$p(bz_1|bz_2) p(bz_2)$",
)
def test_12_elbo_of_two_layers(rng):
    top, middle, likelihood = (
        table(rng, 3),
        rows(rng, 3, 4),
        rng.uniform(0.05, 1, 4),
    )  # z2; z2, z1; p(x|z1)
    first, second = table(rng, 4), rows(rng, 4, 3)  # q(z1|x); q(z2|z1)
    joint = (top[:, None] * middle).T * likelihood[:, None]  # z1, z2
    q = first[:, None] * second
    elbo = (q * np.log(joint / q)).sum()
    assert np.isclose(elbo + kl(q, joint / joint.sum()), math.log(joint.sum())) and elbo < math.log(
        joint.sum()
    )
    # reached by an encoder of this form: first z1 from x, then z2 from z1
    posterior = joint / joint.sum()
    assert np.isclose((posterior * np.log(joint / posterior)).sum(), math.log(joint.sum()))


@shows(
    "product_(t=1)^T q(bx_t|bx_(t-1)) = q(bx_T|bx_0) product_(t=2)^T q(bx_(t-1)|bx_t, bx_0) ,",
    r"$q(bx_t|bx_(t-1), bx_0) = q(bx_(t-1)|bx_t, bx_0) q(bx_t|bx_0) \/ q(bx_(t-1)|bx_0)$",
    "ELBO = EE_q [ln p(bx_0|bx_1)] - KL(q(bx_T|bx_0) || p(bx_T)) - sum_(t=2)^T EE_q "
    "[KL(q(bx_(t-1)|bx_t, bx_0) || p(bx_(t-1)|bx_t))] .",
)
def test_12_elbo_of_a_chain_falls_apart(rng):
    """Three states, T = 3, x0 = 0, sums over all paths."""
    q1, q2, q3 = rows(rng, 3), rows(rng, 3, 3), rows(rng, 3, 3)
    end, p1, p2, p3 = table(rng, 3), rows(rng, 3, 3), rows(rng, 3, 3), rows(rng, 3, 3)
    path = np.einsum("a,ab,bc->abc", q1, q2, q3)  # q(x1, x2, x3 | x0)
    model = np.einsum("c,cb,ba,a->abc", end, p3, p2, p1[:, 0])  # p(x0, x1, x2, x3)
    at2, at3, pair12, pair23 = path.sum((0, 2)), path.sum((0, 1)), path.sum(2), path.sum(0)
    back1, back2 = pair12 / at2, pair23 / at3  # q(x1|x2, x0), q(x2|x3, x0)
    assert np.allclose(path, np.einsum("c,ab,bc->abc", at3, back1, back2))
    assert np.allclose(q2, back1 * at2 / q1[:, None])
    parts_of = q1 @ np.log(p1[:, 0]) - kl(at3, end)
    parts_of -= (pair12 * np.log(back1 / p2.T)).sum() + (pair23 * np.log(back2 / p3.T)).sum()
    assert np.isclose((path * np.log(model / path)).sum(), parts_of)


@shows(
    "KL(q(bx_(t-1)|bx_t, bx_0) || p(bx_(t-1)|bx_t)) = 1 / (2 tilde(beta)_t) norm(tilde(bmu)_t - "
    "bmu_theta)^2 .",
)
def test_12_kl_of_equal_variances_is_a_squared_error():
    ours, theirs, variance = (
        torch.tensor([0.3, -1, 2.0]).double(),
        torch.tensor([0.1, 0.4, 1.5]).double(),
        0.37,
    )
    spread = variance * torch.eye(3).double()
    divergence = kl_divergence(MultivariateNormal(ours, spread), MultivariateNormal(theirs, spread))
    assert torch.allclose(divergence, ((ours - theirs) ** 2).sum() / (2 * variance))


@shows(
    r"$EE[S^2 epsilon_1^2] = EE[S^3] \/ d = (d + 2)(d + 4)$",
    "$d (d + 2) (d + 4)$",
    "Path: $2 z_1$, variance 4. Score: $S epsilon_1$ with $S = sum_i epsilon_i^2$, mean 0",
)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_exercise_4_score_in_many_dimensions(d):
    nodes, weights = np.polynomial.hermite_e.hermegauss(6)
    eps = np.stack(np.meshgrid(*[nodes] * d)).reshape(d, -1)
    weight = np.prod(np.stack(np.meshgrid(*[weights / weights.sum()] * d)).reshape(d, -1), axis=0)
    total = (eps**2).sum(0)
    assert (
        np.isclose(weight @ (total * eps[0]) ** 2, (d + 2) * (d + 4))
        and abs(weight @ (total * eps[0])) < 1e-9
    )
    assert np.isclose(weight @ total**3, d * (d + 2) * (d + 4)) and np.isclose(
        weight @ (2 * eps[0]) ** 2, 4
    )
    assert np.isclose(stats.chi2(20).moment(3), 20 * 22 * 24)


@shows(
    "$KL = 1/2 (abar_T x_0^2 + (1 - abar_T) - ln(1 - abar_T) - 1)$",
    "the last three terms are of second order",
    "which leaves $1/2 abar_T x_0^2 = 2 abar_T < 0.001$",
)
def test_exercise_10_kl_at_the_end():
    for abar in (0.4, 0.01):
        q = gauss(LINE, 2 * math.sqrt(abar), math.sqrt(1 - abar))
        rest = (1 - abar) - math.log(1 - abar) - 1
        assert np.isclose(kl_grid(q, gauss(LINE, 0, 1)), 0.5 * (abar * 4 + rest)) and rest < abar**2


@pytest.mark.parametrize("formula", FORMULAS)
def test_formula_still_stands_in_the_text(formula):
    assert TEXT.count(formula) >= 1


def test_every_displayed_formula_is_held_by_a_test():
    assert FORMULAS.lacks(TEXT) == []
