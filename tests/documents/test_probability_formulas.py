"""Every displayed formula of the probability primer (Day 05), held against
sums, integrals, torch or scipy.

`shows` names the formulas of the source that a test is about; a displayed one without a test fails,
and so does a test whose formula has changed.
"""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from densities import covariance, entropy, kl, table
from prose import Shows, parts
from scipy import stats
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

SOURCE = Path(__file__).parents[2] / "Day05-CNNs_part2" / "Day05-CNNs_part2_Probability.typ"
TEXT = parts(SOURCE)[1]
X = np.linspace(-20, 20, 80001)
FORMULAS = shows = Shows()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def integral(values):
    return float(np.trapezoid(values, X))


@shows(
    "p(x) = sum_y p(x, y), quad p(x|y) = p(x, y) / p(y) .",
    "$p(x, y) = p(x|y) p(y)$",
)
def test_1_sum_and_product_rule(rng):
    joint = table(rng, 3, 4)
    p_x, p_y = joint.sum(1), joint.sum(0)
    conditional = joint / p_y
    assert (
        np.isclose(p_x.sum(), 1)
        and np.allclose(conditional.sum(0), 1)
        and np.allclose(conditional * p_y, joint)
    )


@shows(
    "p(y|x) = (p(x|y) p(y)) / p(x), quad p(x) = sum_(y') p(x|y') p(y'), quad quad (p(y=1|x)) / "
    "(p(y=0|x)) = (p(x|y=1)) / (p(x|y=0)) dot (p(y=1)) / (p(y=0)) .",
    "in both orders, $p(x|y) p(y) = p(y|x) p(x)$",
)
def test_2_bayes_and_odds(rng):
    joint = table(rng, 2, 5)  # y, x
    prior, likelihood = joint.sum(1), joint / joint.sum(1, keepdims=True)
    evidence = (likelihood * prior[:, None]).sum(0)
    posterior = likelihood * prior[:, None] / evidence
    assert np.allclose(posterior, joint / joint.sum(0))
    assert np.allclose(
        posterior[1] / posterior[0], likelihood[1] / likelihood[0] * prior[1] / prior[0]
    )


@shows(
    "EE_(p(x)) [f(x)] = sum_x p(x) f(x), quad Var[x] = EE[(x - EE[x])^2] = EE[x^2] - EE[x]^2 .",
    "$EE[a x + b y] = a EE[x] + b EE[y]$",
    "Var[a x + b] = a^2 Var[x], quad Var[x + y] = Var[x] + Var[y] + 2 Cov[x, y], quad Cov[x, y] = "
    "EE[x y] - EE[x] EE[y] .",
    "$EE[f(x)] >= f(EE[x])$",
)
def test_3_expectation_variance_jensen(rng):
    joint, x, y, a, b = table(rng, 4, 5), rng.normal(size=4), rng.normal(size=5), 1.7, -0.6

    def mean(values):
        return float((joint * values).sum())

    def var(values):
        return mean((values - mean(values)) ** 2)

    u, v = np.broadcast_arrays(x[:, None], y)
    cov = mean(u * v) - mean(u) * mean(v)
    assert np.isclose(var(u), mean(u**2) - mean(u) ** 2)
    assert np.isclose(mean(a * u + b * v), a * mean(u) + b * mean(v))
    assert np.isclose(var(a * u + b), a**2 * var(u)) and np.isclose(
        var(u + v), var(u) + var(v) + 2 * cov
    )
    for convex in (np.square, np.exp, np.abs, lambda t: np.maximum(t, 0)):
        assert mean(convex(u)) >= convex(mean(u))
    assert mean(np.log(np.exp(u))) <= np.log(mean(np.exp(u)))


@shows(
    "Normal(bx; bmu, bSigma) = 1 / sqrt((2 pi)^D det bSigma) exp(-1/2 (bx - bmu)^top bSigma^(-1) "
    "(bx - bmu)) .",
    "bA bx + bb ~ Normal(bA bmu + bb, bA bSigma bA^top) .",
)
def test_4_gaussian_density_and_affine_map(rng):
    mu, sigma, x = rng.normal(size=3), covariance(rng, 3), rng.normal(size=3)
    d = x - mu
    density = math.exp(-0.5 * d @ np.linalg.inv(sigma) @ d) / math.sqrt(
        (2 * math.pi) ** 3 * np.linalg.det(sigma)
    )
    assert np.isclose(density, stats.multivariate_normal(mu, sigma).pdf(x))
    a, b = rng.normal(size=(3, 3)), rng.normal(size=3)
    mapped = stats.multivariate_normal(a @ mu + b, a @ sigma @ a.T).logpdf(a @ x + b)
    assert np.isclose(mapped, math.log(density) - math.log(abs(np.linalg.det(a))))


@shows(
    r"bmu_(a|b) &= bmu_a + bSigma_(a b) bSigma_(b b)^(-1) (bx_b - bmu_b), \ bSigma_(a|b) &= "
    r"bSigma_(a a) - "
    "bSigma_(a b) bSigma_(b b)^(-1) bSigma_(b a) .",
)
def test_4_gaussian_conditional_and_marginal(rng):
    mu, sigma, x = rng.normal(size=5), covariance(rng, 5), rng.normal(size=5)
    a, b = slice(0, 2), slice(2, 5)
    weight = sigma[a, b] @ np.linalg.inv(sigma[b, b])
    conditional = stats.multivariate_normal(
        mu[a] + weight @ (x[b] - mu[b]), sigma[a, a] - weight @ sigma[b, a]
    )
    joint, marginal = (
        stats.multivariate_normal(mu, sigma),
        stats.multivariate_normal(mu[b], sigma[b, b]),
    )
    assert np.isclose(conditional.logpdf(x[a]), joint.logpdf(x) - marginal.logpdf(x[b]))


@shows(
    "Normal(bx; ba, bA) Normal(bx; bb, bB) prop Normal(bx; bc, bC),",
    "bC^(-1) = bA^(-1) + bB^(-1), quad bc = bC (bA^(-1) ba + bB^(-1) bb) .",
    "$EE norm(bx)^2 = D$",
)
def test_4_gaussian_product_and_length(rng):
    a, b, big_a, big_b = (
        rng.normal(size=3),
        rng.normal(size=3),
        covariance(rng, 3),
        covariance(rng, 3),
    )
    inv = np.linalg.inv
    big_c = inv(inv(big_a) + inv(big_b))
    c = big_c @ (inv(big_a) @ a + inv(big_b) @ b)
    points = rng.normal(size=(6, 3))
    both = stats.multivariate_normal(a, big_a).logpdf(points) + stats.multivariate_normal(
        b, big_b
    ).logpdf(points)
    # equal up to a constant
    assert np.ptp(both - stats.multivariate_normal(c, big_c).logpdf(points)) < 1e-9
    assert np.isclose(stats.chi2(784).mean(), 784)  # E‖x‖² = D


@shows(
    "p(y = 1) = sigma(z) = 1 / (1 + e^(-z)), quad p_k = e^(z_k) / (sum_j e^(z_j)) .",
    "$z = ln pi / (1 - pi)$",
    "variance $pi (1 - pi)$",
    "softmax of the logits $z$ and $0$",
)
def test_5_sigmoid_and_softmax():
    z = torch.linspace(-4, 4, 9, dtype=torch.float64)
    p = 1 / (1 + torch.exp(-z))
    assert torch.allclose(p, torch.sigmoid(z)) and torch.allclose(torch.log(p / (1 - p)), z)
    assert torch.allclose(torch.softmax(torch.stack([z, torch.zeros_like(z)]), 0)[0], p)
    logits = torch.randn(4, dtype=torch.float64)
    assert torch.allclose(logits.exp() / logits.exp().sum(), torch.softmax(logits, 0))
    assert np.isclose(stats.bernoulli(0.3).var(), 0.3 * 0.7)


@shows(
    'hat(theta) = "argmin"_theta -1/N sum_(n=1)^N ln p(y_n|bx_n; theta) .',
    r"$(y - hat(y))^2 \/ 2 sigma^2 + 1/2 ln(2 pi sigma^2)$",
    r"`F.mse_loss`, times $1 \/ 2 sigma^2$",
    r"$abs(y - hat(y)) \/ b + ln 2 b$",
    r"`F.l1_loss`, times $1 \/ b$",
    "$ln(1 + e^z) - y z$",
    "$ln sum_j e^(z_j) - z_y$",
    "$-ln p = -7 ln theta - 3 ln(1 - theta)$",
)
def test_6_the_table_of_losses():
    torch.manual_seed(0)
    y, guess, sigma, b, n = *torch.randn(2, 7).double(), 0.7, 1.3, 7
    constant = 0.5 * math.log(2 * math.pi * sigma**2)
    nll = -Normal(guess, sigma).log_prob(y)
    assert torch.allclose(nll, (y - guess) ** 2 / (2 * sigma**2) + constant)
    assert torch.allclose(nll.mean(), F.mse_loss(guess, y) / (2 * sigma**2) + constant)
    spread = torch.rand(n).double() + 0.5
    predicted = F.gaussian_nll_loss(guess, y, spread**2, full=True)
    assert torch.allclose(predicted, -Normal(guess, spread).log_prob(y).mean())
    laplace = -torch.distributions.Laplace(guess, b).log_prob(y)
    assert torch.allclose(laplace, (y - guess).abs() / b + math.log(2 * b))
    assert torch.allclose(laplace.mean(), F.l1_loss(guess, y) / b + math.log(2 * b))
    z, target = torch.randn(n).double(), torch.randint(2, (n,)).double()
    bernoulli = torch.log1p(z.exp()) - target * z
    assert torch.allclose(bernoulli, -torch.distributions.Bernoulli(logits=z).log_prob(target))
    assert torch.allclose(bernoulli.mean(), F.binary_cross_entropy_with_logits(z, target))
    logits, label = torch.randn(n, 5).double(), torch.randint(5, (n,))
    categorical = logits.exp().sum(1).log() - logits[range(n), label]
    assert torch.allclose(categorical.mean(), F.cross_entropy(logits, label))
    text = SOURCE.read_text(encoding="utf-8")
    names = (
        "mse_loss",
        "gaussian_nll_loss",
        "l1_loss",
        "binary_cross_entropy_with_logits",
        "cross_entropy",
    )
    assert all(f"`F.{name}" in text and hasattr(F, name) for name in names)


@shows(
    r"$w ~ Normal(0, tau^2)$ it is $w^2 \/ 2 tau^2$",
    r"$lambda = 1 \/ (N tau^2)$",
)
def test_6_a_gaussian_prior_is_weight_decay():
    """One step of SGD on the mean loss and the prior's −ln p(w)/N, against
    torch's weight_decay = 1/(Nτ²)."""
    n, tau = 20, 0.8
    torch.manual_seed(0)
    x, y, start = torch.randn(n, 3).double(), torch.randn(n).double(), torch.randn(3).double()
    results = []
    for decay in (0.0, 1 / (n * tau**2)):
        w = start.clone().requires_grad_()
        prior = 0 if decay else -Normal(0, tau).log_prob(w).sum() / n
        (F.mse_loss(x @ w, y) + prior).backward()
        torch.optim.SGD([w], lr=0.1, weight_decay=decay).step()
        results.append(w.detach())
    assert torch.allclose(*results)


@shows(
    'EE_(p(x)) [f(x)] approx 1/N sum_(n=1)^N f(x_n), quad "standard error" = sigma_f / sqrt(N) .',
    r"$sigma_f^2 \/ N$",
    "The slope is $-1/2$",
)
def test_7_variance_of_a_mean():
    values, p = np.array([0.0, 5, 20]), np.array([0.6, 0.3, 0.1])
    var = p @ values**2 - (p @ values) ** 2
    for n in (2, 3, 4):  # all outcomes of n draws
        outcomes = np.stack(np.meshgrid(*[values] * n)).reshape(n, -1).mean(0)
        chance = np.prod(np.stack(np.meshgrid(*[p] * n)).reshape(n, -1), axis=0)
        assert np.isclose(chance @ outcomes, p @ values)
        assert np.isclose(chance @ outcomes**2 - (chance @ outcomes) ** 2, var / n)


@shows(
    "p_y (y) = p_x (x) abs((dif x) / (dif y)), quad quad ln p_y (by) = ln p_x (bx) - ln abs(det "
    "(partial by) / (partial bx)), quad bx = g^(-1) (by) .",
    "$z = Phi^(-1) (u)$",
    "$p_y (y) abs(dif y) = p_x (x) abs(dif x)$",
    r"$p_k (k) = Normal(ln k; ln 100, 1) \/ k$",
)
def test_8_change_of_variables(rng):
    k = np.array([20.0, 100, 300])
    assert np.allclose(
        stats.norm(math.log(100), 1).pdf(np.log(k)) / k, stats.lognorm(s=1, scale=100).pdf(k)
    )
    assert np.allclose(
        np.log(stats.lognorm(s=1, scale=0.1).pdf(k / 1000)) - math.log(1000),
        np.log(stats.lognorm(s=1, scale=100).pdf(k)),
    )
    # y = exp(A x): the log-density by the formula, with torch's Jacobian, against
    # torch.distributions
    a, x = torch.from_numpy(rng.normal(size=(3, 3))), torch.from_numpy(rng.normal(size=3))
    jacobian = torch.autograd.functional.jacobian(lambda v: torch.exp(a @ v), x)
    ours = Normal(0, 1).log_prob(x).sum() - torch.linalg.det(jacobian).abs().log()
    base = torch.distributions.MultivariateNormal(torch.zeros(3).double(), a @ a.T)
    theirs = torch.distributions.TransformedDistribution(base, [torch.distributions.ExpTransform()])
    assert torch.allclose(ours, theirs.log_prob(torch.exp(a @ x)))
    assert np.isclose(stats.norm.cdf(stats.norm.ppf(0.3)), 0.3)


@shows(
    "H(p) = EE_(p(x)) [-ln p(x)], quad H(p, q) = EE_(p(x)) [-ln q(x)], quad KL(p || q) = EE_(p(x)) "
    "[ln p(x) / q(x)] = H(p, q) - H(p) .",
    "-KL(p || q) = EE_(p(x)) [ln q(x) / p(x)] <= ln EE_(p(x)) [q(x) / p(x)] = ln sum_(x : p(x) > "
    "0) q(x) <= ln 1 = 0,",
    "gives $KL >= 0$",
)
def test_9_entropy_cross_entropy_kl(rng):
    p, q = table(rng, 6), table(rng, 6)
    cross = float(-(p * np.log(q)).sum())
    assert np.isclose(kl(p, q), cross - entropy(p)) and kl(p, q) > 0 and np.isclose(kl(p, p), 0)
    assert not np.isclose(kl(p, q), kl(q, p))
    some = np.array([0.4, 0.6, 0, 0, 0, 0])  # p need not be positive everywhere
    there = some > 0
    ratio = q[there] / some[there]
    assert some[there] @ np.log(ratio) <= np.log(some[there] @ ratio)
    assert np.isclose(some[there] @ ratio, q[there].sum()) and np.log(q[there].sum()) <= 0


@shows(
    r"EE_q [ln q(x)] &= -1/2 ln(2 pi) - 1/2 (1 + ln sigma^2), \ EE_q [ln p(x)] &= -1/2 ln(2 pi) - "
    r"1/2 (mu^2 + "
    r"sigma^2), \ KL(q || p) &= 1/2 (mu^2 + sigma^2 - 1 - ln sigma^2) .",
    "$EE_q [x^2] = mu^2 + sigma^2$",
)
@pytest.mark.parametrize("mu, sigma", [(0.0, 1.0), (1.0, 0.5), (-0.7, 1.8)])
def test_9_gaussian_kl_line_by_line(mu, sigma):
    q, p = stats.norm(mu, sigma), stats.norm(0, 1)
    log_q, log_p = integral(q.pdf(X) * q.logpdf(X)), integral(q.pdf(X) * p.logpdf(X))
    assert np.isclose(log_q, -0.5 * math.log(2 * math.pi) - 0.5 * (1 + math.log(sigma**2)))
    assert np.isclose(log_p, -0.5 * math.log(2 * math.pi) - 0.5 * (mu**2 + sigma**2))
    closed = 0.5 * (mu**2 + sigma**2 - 1 - math.log(sigma**2))
    assert np.isclose(log_q - log_p, closed) and np.isclose(-log_q, q.entropy())
    assert np.isclose(closed, kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).item(), atol=1e-6)


@shows(
    "KL(Normal(mu_1, sigma_1^2) || Normal(mu_2, sigma_2^2)) = ln sigma_2 / sigma_1 + (sigma_1^2 + "
    "(mu_1 - mu_2)^2) / (2 sigma_2^2) - 1/2 .",
)
def test_9_two_gaussians_and_independent_dimensions():
    (m1, s1), (m2, s2) = (0.3, 0.8), (-1.1, 1.7)
    closed = math.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5
    assert np.isclose(closed, kl_divergence(Normal(m1, s1), Normal(m2, s2)).item(), atol=1e-6)
    mean, spread = torch.tensor([0.3, -0.5, 1.0]).double(), torch.tensor([0.8, 1.2, 0.4]).double()
    whole = kl_divergence(
        torch.distributions.MultivariateNormal(mean, torch.diag(spread**2)),
        torch.distributions.MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double()),
    )
    assert torch.allclose(whole, kl_divergence(Normal(mean, spread), Normal(0.0, 1.0)).sum())


@shows(
    "I(x; y) = KL(p(x, y) || p(x) p(y)) = H(x) - H(x|y) .",
    "$I = -1/2 ln(1 - rho^2)$",
)
def test_10_mutual_information(rng):
    joint = table(rng, 3, 4)
    p_x, p_y = joint.sum(1), joint.sum(0)
    left = sum(p_y[j] * entropy(joint[:, j] / p_y[j]) for j in range(4))
    information = kl(joint, np.outer(p_x, p_y))
    assert np.isclose(information, entropy(p_x) - left) and information > 0
    assert np.isclose(kl(np.outer(p_x, p_y), np.outer(p_x, p_y)), 0)
    assert abs(integral(stats.norm.pdf(X) * X * (X**2 - 1))) < 1e-9  # x and x² do not correlate
    for rho in (-0.6, 0.8):
        both = stats.multivariate_normal(cov=[[1, rho], [rho, 1]]).entropy()
        assert np.isclose(2 * stats.norm.entropy() - both, -0.5 * math.log(1 - rho**2))


@shows(
    "is $I(bx; bz)$ under $q$ plus $KL(q(bz) || p(bz))$",
)
def test_10_mean_kl_of_an_encoder(rng):
    """E_x KL(q(z|x) ‖ p(z)) = I(x; z) + KL(q(z) ‖ p(z))."""
    p_x, prior = table(rng, 5), table(rng, 4)
    encoder = np.stack([table(rng, 4) for _ in range(5)])
    q_z = p_x @ encoder
    information = kl(p_x[:, None] * encoder, np.outer(p_x, q_z))
    assert np.isclose(
        sum(p * kl(q, prior) for p, q in zip(p_x, encoder, strict=True)),
        information + kl(q_z, prior),
    )


@shows(
    "$p(bx, bz) = p(bx|bz) p(bz)$",
    r"$p(bx) = p(bx|bz) p(bz) \/ p(bz|bx)$",
    "ln p(bx) = EE_(q(bz|bx)) [ln (p(bx|bz) p(bz)) / p(bz|bx)] = EE_(q(bz|bx)) [ln p(bx|bz)] - "
    "EE_(q(bz|bx)) [ln q(bz|bx) / p(bz)] + EE_(q(bz|bx)) [ln q(bz|bx) / p(bz|bx)] .",
    "ln p(bx) = underbrace(EE_(q(bz|bx)) [ln p(bx|bz)] - KL(q(bz|bx) || p(bz)), ELBO) + "
    "underbrace(KL(q(bz|bx) || p(bz|bx)), >= 0) .",
)
def test_11_evidence_lower_bound(rng):
    for _ in range(10):
        prior, likelihood, q = table(rng, 6), rng.uniform(0.05, 1, 6), table(rng, 6)
        evidence = prior @ likelihood
        posterior = prior * likelihood / evidence
        inside = q @ np.log(likelihood * prior / posterior)
        elbo = q @ np.log(likelihood) - kl(q, prior)
        assert np.isclose(inside, math.log(evidence)) and elbo <= math.log(evidence)
        assert np.isclose(elbo + kl(q, posterior), math.log(evidence))


@shows(
    r"$x ~ Normal(0, 5)$, and $z|x ~ Normal(2 x \/ 5, 1 \/ 5)$",
)
def test_11_the_model_that_can_be_solved():
    z, x = stats.norm(0, 1), 3
    density = integral(z.pdf(X) * stats.norm(2 * X, 1).pdf(x))
    assert np.isclose(density, stats.norm(0, math.sqrt(5)).pdf(x))
    assert np.allclose(
        z.pdf(X) * stats.norm(2 * X, 1).pdf(x) / density, stats.norm(2 * x / 5, 0.2**0.5).pdf(X)
    )


@shows("$p(x_(0:T)) = p(x_0) product_(t=1)^T p(x_t|x_(t-1))$")
def test_12_markov_chain(rng):
    start, move = (
        table(rng, 3),
        np.stack([table(rng, 3) for _ in range(3)]),
    )  # move[i, j]: from i to j
    paths = np.einsum("a,ab,bc->abc", start, move, move)  # the product, for T = 2
    assert np.isclose(paths.sum(), 1) and np.allclose(paths.sum((0, 1)), start @ move @ move)
    # the past before the present adds nothing
    assert np.allclose(paths / paths.sum(2, keepdims=True), move)


@shows(
    "q(bx_t|bx_(t-1)) = Normal(bx_t; sqrt(alpha_t) bx_(t-1), (1 - alpha_t) bI) quad ==> quad "
    "q(bx_t|bx_0) = Normal(bx_t; sqrt(abar_t) bx_0, (1 - abar_t) bI), quad abar_t = "
    "product_(s=1)^t alpha_s .",
    "bx_t = sqrt(alpha_t alpha_(t-1)) bx_(t-2) + sqrt(alpha_t (1 - alpha_(t-1))) beps_(t-1) + "
    "sqrt(1 - alpha_t) beps_t, quad alpha_t (1 - alpha_(t-1)) + (1 - alpha_t) = 1 - alpha_t "
    "alpha_(t-1) .",
    "$bx_t = sqrt(abar_t) bx_0 + sqrt(1 - abar_t) beps$",
    "$alpha_t = 1 - beta_t$",
    r"$abar \/ (1 - abar)$",
)
def test_12_noise_in_one_step(rng):
    alphas = 1 - rng.uniform(0.01, 0.2, 12)
    mean, var = 1.0, 0.0
    for t, alpha in enumerate(alphas, start=1):
        mean, var = math.sqrt(alpha) * mean, alpha * var + 1 - alpha
        abar = np.prod(alphas[:t])
        assert np.isclose(mean, math.sqrt(abar)) and np.isclose(var, 1 - abar)
        assert np.isclose(abar * 1.0 + var, 1)  # a unit variance stays one
    now, before = alphas[1], alphas[0]
    assert np.isclose(now * (1 - before) + (1 - now), 1 - now * before)


@shows(
    "Var = 1 / N^2 (N sigma^2 + N (N - 1) rho sigma^2) = sigma^2 (rho + (1 - rho) / N) = 4 dot "
    "(0.25 + 0.075) = 1.3 .",
    "$N$ variances $sigma^2$ and $N (N - 1)$ covariances $rho sigma^2$",
)
def test_exercise_2_correlated_sensors():
    n, sigma, rho = 7, 1.3, 0.4
    matrix = sigma**2 * (rho + (1 - rho) * np.eye(n))
    wanted = sigma**2 * (rho + (1 - rho) / n)
    assert np.isclose(matrix.sum() / n**2, wanted)
    assert np.isclose((n * sigma**2 + n * (n - 1) * rho * sigma**2) / n**2, wanted)
    assert np.isclose(2**2 * (0.25 + (1 - 0.25) / 10), 1.3)


@shows(
    "$-ln p(t) = lambda t - ln lambda$",
    "$e^z t - z$",
    r"$20 - 4 \/ lambda = 0$",
)
def test_exercise_5_loss_of_waiting_times():
    t, z = torch.tensor([4.0, 10, 1, 5]).double(), torch.tensor([0.3, -1, -2, 0]).double()
    assert torch.allclose(-torch.distributions.Exponential(z.exp()).log_prob(t), z.exp() * t - z)


@shows(
    r"$M - m_0 > ln s \/ (1.5 ln 10)$, so $p(r > s) = s^(-2\/3)$",
    r"$2/3 r^(-5\/3)$ for $r >= 1$",
    r"$p_r (r) = p_M (m) abs((dif m) / (dif r)) = ln 10 dot r^(-2\/3) \/ (1.5 r ln 10)$",
    r"$integral_1^infinity r dot 2/3 r^(-5\/3) dif r$",
    "$p(M > m) = 10^(-(m - m_0))$, and the energy is $E = E_0 dot 10^(1.5 (M - m_0))$",
    r"$r = E \/ E_0$",
)
def test_exercise_7_earthquake_energy():
    r = np.geomspace(1, 1e4, 400001)
    density = 2 / 3 * r ** (-5 / 3)
    tail = 1 - np.trapezoid(density[r <= 100], r[r <= 100])
    assert np.isclose(tail, 100 ** (-2 / 3), atol=1e-4)
    magnitude = np.log10(r) / 1.5
    assert np.allclose(density, math.log(10) * 10 ** (-magnitude) / (1.5 * r * math.log(10)))
    means = [np.trapezoid((r * density)[r <= top], r[r <= top]) for top in (10, 100, 1000, 10000)]
    # it does not settle
    assert all(later > 1.9 * sooner for sooner, later in zip(means, means[1:], strict=False))


@shows(
    "$q(x_(t-1)|x_t, x_0) prop q(x_t|x_(t-1)) q(x_(t-1)|x_0)$",
    r"$Normal(x_(t-1); x_t \/ sqrt(alpha_t), beta_t \/ alpha_t)$",
    "$Normal(x_(t-1); sqrt(abar_(t-1)) x_0, 1 - abar_(t-1))$",
    r"$alpha_t \/ beta_t + 1 \/ (1 - abar_(t-1)) = (1 - abar_t) \/ (beta_t (1 - abar_(t-1)))$",
    "tilde(beta)_t = (1 - abar_(t-1)) / (1 - abar_t) beta_t, quad tilde(mu)_t = (sqrt(abar_(t-1)) "
    "beta_t) / (1 - abar_t) x_0 + (sqrt(alpha_t) (1 - abar_(t-1))) / (1 - abar_t) x_t .",
)
def test_exercise_10_one_step_back(rng):
    alphas = 1 - rng.uniform(0.01, 0.2, 9)
    abar = np.cumprod(alphas)
    t, x0, xt = 8, 0.7, -0.4
    beta, now, before = 1 - alphas[t], abar[t], abar[t - 1]
    logs = stats.norm(math.sqrt(alphas[t]) * X, math.sqrt(beta)).logpdf(xt)
    logs += stats.norm(math.sqrt(before) * x0, math.sqrt(1 - before)).logpdf(X)
    density = np.exp(logs - logs.max())
    density /= integral(density)
    mean = integral(density * X)
    wanted = (
        math.sqrt(before) * beta / (1 - now) * x0
        + math.sqrt(alphas[t]) * (1 - before) / (1 - now) * xt
    )
    assert np.isclose(mean, wanted)
    assert np.isclose(integral(density * (X - mean) ** 2), (1 - before) / (1 - now) * beta)
    assert np.isclose(alphas[t] / beta + 1 / (1 - before), (1 - now) / (beta * (1 - before)))


@pytest.mark.parametrize("formula", FORMULAS)
def test_formula_still_stands_in_the_text(formula):
    assert TEXT.count(formula) >= 1


def test_every_displayed_formula_is_held_by_a_test():
    assert FORMULAS.lacks(TEXT) == []
