"""The theory lecture of Day 06: numbers of its text computed anew, its formulas asserted."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from densities import LINE as Z
from densities import gauss, integral, kl_grid
from scipy import optimize, stats
from torch.distributions import Normal, kl_divergence

ROOT = Path(__file__).parents[1]
WHOLE = (ROOT / "Day06-VAEs" / "Day06-VAEs_theory_lecture.typ").read_text(encoding="utf-8")
DRAWN, TEXT = (re.sub(r"\s+", " ", part) for part in WHOLE.split("--- The text begins here"))

# --- values, each from first principles: sums over grids, quadrature, simulation-free ---------------------------------

PRIOR = gauss(Z, 0, 1)


class Oracle:
    """z ~ N(0, 1), x|z ~ N(w z, σ_x²), one observed x: everything by integrals over a grid of z."""

    def __init__(self, w=2.0, sigma=1.0, x=3.0):
        self.likelihood = gauss(x, w * Z, sigma)
        self.log_likelihood = stats.norm(w * Z, sigma).logpdf(x)
        self.p = integral(PRIOR * self.likelihood)
        self.log_p = math.log(self.p)
        self.posterior = PRIOR * self.likelihood / self.p
        self.mean = integral(self.posterior * Z)
        self.var = integral(self.posterior * (Z - self.mean) ** 2)

    def terms(self, mean, deviation):
        """First term, KL to the prior, ELBO and gap of q = N(mean, deviation²)."""
        q = gauss(Z, mean, deviation)
        first, rate = integral(q * self.log_likelihood), kl_grid(q, PRIOR)
        return first, rate, first - rate, kl_grid(q, self.posterior)

    def spread(self, mean, deviation):
        """Relative variance of the weight p(x, z)/q(z) under q."""
        q = gauss(Z, mean, deviation)
        inside = np.abs(Z - mean) < 9 * deviation
        return integral((self.posterior[inside] ** 2 / q[inside]), Z[inside]) - 1

    def bound(self, k, mean, deviation):
        """IWAE bound L_k without sampling: E ln S = ∫ (e^−t − E e^−tS)/t dt, where E e^−tS is a k-th power."""
        q = gauss(Z, mean, deviation)
        keep = q > 1e-16
        weight, chance = (self.posterior / np.maximum(q, 1e-300))[keep][::20], q[keep][::20]
        chance = chance / chance.sum()
        u = np.linspace(-40, 160, 4001)  # t = e^u
        t = np.exp(u)
        laplace = np.array([float(chance @ np.exp(-one * weight / k)) for one in t])
        return self.log_p + integral(np.exp(-t) - laplace**k, u)


ORACLE = Oracle()
LAZY, GOOD = (0.0, 1.0), (1.0, 0.5)
TABLE = {q: ORACLE.terms(*q) for q in ((1.2, math.sqrt(0.2)), GOOD, (1.2, 1.0), LAZY)}
SPREAD, SPREAD_GOOD = ORACLE.spread(*LAZY), ORACLE.spread(*GOOD)
BOUNDS = {k: ORACLE.bound(k, *LAZY) for k in (1, 2, 5, 10, 100, 1000)}
BOUNDS_GOOD = {k: ORACLE.bound(k, *GOOD) for k in (1, 10, 100)}

# probabilistic PCA with two pixels and one latent: W = (2, 1), σ_x = 0.5, x = (3, 1)
W2 = np.array([[2.0], [1.0]])
C2 = W2 @ W2.T + 0.25 * np.eye(2)
PLANE = PRIOR * gauss(3, 2 * Z, 0.5) * gauss(1, Z, 0.5)
PLANE_P = integral(PLANE)
PLANE_MEAN = integral(PLANE * Z) / PLANE_P
PLANE_DEV = math.sqrt(integral(PLANE * (Z - PLANE_MEAN) ** 2) / PLANE_P)

SIGMA = np.linspace(0.2, 2, 180001)
LOST_HALF = SIGMA**2 - 0.5 * (1 + np.log(SIGMA**2))  # the ½ of σ² forgotten, μ = 0


def gradients(mu, sigma):
    """Variances of the two estimators of d/dμ E z²: (by path, by score, by score with the best constant's baseline)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    weights = weights / weights.sum()
    z = mu + sigma * nodes
    score = nodes / sigma
    estimators = 2 * z, z**2 * score, (z**2 - weights @ z**2) * score
    assert all(np.isclose(weights @ one, 2 * mu) for one in estimators)
    return [float(weights @ one**2 - (2 * mu) ** 2) for one in estimators]


GRADIENTS = gradients(1, 1)
NARROW = gradients(1, 0.1)
SCORE_20 = stats.chi2(20).moment(3) / 20  # E (Σε²)² ε_1² by symmetry

PIXELS = 784


def gaussian_nll(mse, sigma, pixels=PIXELS):
    return pixels * (mse / (2 * sigma**2) + 0.5 * math.log(2 * math.pi * sigma**2))


def best_rate_distortion(beta, v=5.0, sigma=1.0):
    """Minimise distortion + β rate over decoder w and encoder N(a x, s²) for data N(0, v): (rate, distortion, mse)."""

    def parts(values):
        w, a, log_s = values
        s2 = math.exp(2 * log_s)
        mse = (1 - w * a) ** 2 * v + w**2 * s2
        rate = 0.5 * (a**2 * v + s2 - 1 - 2 * log_s)
        return rate, mse / (2 * sigma**2) + 0.5 * math.log(2 * math.pi * sigma**2), mse

    def cost(values):
        rate, distortion, _ = parts(values)
        return distortion + beta * rate

    starts = [(1.5, 0.3, -0.5), (0.1, 0.1, 0.0)]
    fits = [optimize.minimize(cost, s, method="BFGS", options={"gtol": 1e-9}) for s in starts]
    return parts(min(fits, key=lambda fit: fit.fun).x)


RD = {beta: best_rate_distortion(beta) for beta in (0.25, 1, 2, 5, 6)}
ENTROPY = float(stats.norm(0, math.sqrt(5)).entropy())


def rates(eigenvalues, noise):
    return [max(0.0, 0.5 * math.log(one / noise)) for one in eigenvalues]


EIGEN = (8, 4, 2, 0.8, 0.4)
RATES_1, RATES_3 = rates(EIGEN, 1), rates(EIGEN, 3)


def mean_field_gap(w, sigma=1.0):
    """Best diagonal Gaussian against the posterior of z given x = w·z + noise: found by minimising."""
    precision = np.eye(len(w)) + np.outer(w, w) / sigma**2
    covariance = np.linalg.inv(precision)

    def gap(logs):
        s2 = np.exp(2 * logs)
        return 0.5 * (np.diag(precision) @ s2 - len(w) - np.log(s2).sum() + np.log(np.linalg.det(covariance)))

    return float(optimize.minimize(gap, np.zeros(len(w))).fun), covariance


FIELD, FIELD_COV = mean_field_gap(np.array([1.0, 2]))
FIELD_RHO = FIELD_COV[0, 1] / math.sqrt(FIELD_COV[0, 0] * FIELD_COV[1, 1])
HARD, HARD_COV = mean_field_gap(np.array([3.0, 3]))
TURNED, _ = mean_field_gap(np.array([math.sqrt(18), 0]))
WEAK = {x: Oracle(x=x).terms(math.tanh(0.4 * x), math.sqrt(0.2))[3] for x in (1.0, 3.0)}

# two classes with means ±3, the oracle around each
X = np.linspace(-25, 25, 100001)
EACH = gauss(X, 3, math.sqrt(5)), gauss(X, -3, math.sqrt(5))
BOTH = 0.5 * (EACH[0] + EACH[1])
TOLD = -integral(BOTH * np.log(BOTH), X) + integral(EACH[0] * np.log(EACH[0]), X)


def noised(steps, x0=2.0, beta=0.05):
    """Mean and variance of x_t given x0, one step after the other."""
    mean, var = x0, 0.0
    for _ in range(steps):
        mean, var = math.sqrt(1 - beta) * mean, (1 - beta) * var + beta
    return mean, var


def end_kl(steps):
    mean, var = noised(steps)
    return kl_grid(gauss(Z, mean, math.sqrt(var)), PRIOR)


ENOUGH = next(t for t in range(100, 200) if end_kl(t) < 0.001)


def encoder_of(beta, w=2.0, sigma=1.0):
    """Slope a and variance s² of the encoder that minimises distortion + β rate for data N(0, w² + σ²): by search."""
    v = w**2 + sigma**2

    def cost(values):
        a, log_s = values
        s2 = math.exp(2 * log_s)
        return ((1 - w * a) ** 2 * v + w**2 * s2) / (2 * sigma**2) + beta * 0.5 * (a**2 * v + s2 - 1 - 2 * log_s)

    a, log_s = optimize.minimize(cost, [0.3, -0.5], method="BFGS", options={"gtol": 1e-9}).x
    return float(a), math.exp(2 * log_s)


SHARP_A, SHARP_S2 = encoder_of(0.25)
ALL_CODES = 5 * SHARP_A**2 + SHARP_S2  # the variance of q(z)
SHARP_MISMATCH = kl_grid(gauss(Z, 0, math.sqrt(ALL_CODES)), PRIOR)
SHARP_RATE = integral(  # mean over x of the KL to the prior
    gauss(Z, 0, math.sqrt(5)) * 0.5 * ((SHARP_A * Z) ** 2 + SHARP_S2 - 1 - math.log(SHARP_S2))
)
SHARP_INFORMATION = 0.5 * math.log(ALL_CODES / SHARP_S2)


ANOTHER, SHARP = Oracle(w=3, x=5), Oracle(sigma=0.1)
POSTERIOR = (1.2, math.sqrt(0.2))


def lost_half(mu, sigma):
    """The wrong KL of the lecture: the ½ forgotten before μ² + σ²."""
    return mu**2 + sigma**2 - 0.5 * math.log(sigma**2) - 0.5


def row(q):
    return tuple(round(v, 3) + 0.0 for v in TABLE[q]) + (TABLE[q][2] + TABLE[q][3],)


# (fragment of the source, what is put in its braces); a minus in a table is "−"
CLAIMS = [
    ("$z = {:.3f} plus.minus {:.3f}$, and $ln p(bx) = {:.3f}$", PLANE_MEAN, PLANE_DEV, math.log(PLANE_P)),
    ("$ln p(x) = {:.3f}$, and the posterior is $Normal({:.1f}, {:.1f})$", ORACLE.log_p, ORACLE.mean, ORACLE.var),
    (
        "$p(x)^2 = {:.5f}$, the mean square is {:.4f}, the relative variance {:.3f}.",
        ORACLE.p**2,
        integral(PRIOR * ORACLE.likelihood**2),
        SPREAD,
    ),
    ("So {:.0f} samples give 10~%", 100 * SPREAD),
    ("ratio {:.3f} is raised", SPREAD + 1),
    ("10~% takes ${:.1f} dot 10^13$ samples", 100 * ((1 + SPREAD) ** 20 - 1) / 1e13),
    ("variance is {:.3f}, and 20 latents take {:.0f} samples", SPREAD_GOOD, 100 * ((1 + SPREAD_GOOD) ** 20 - 1)),
    ("[the posterior, $Normal(1.2, 0.2)$], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}]", *row(POSTERIOR)),
    ("[close, $Normal(1, 0.25)$], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}]", *row(GOOD)),
    ("[too wide, $Normal(1.2, 1)$], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}]", *row((1.2, 1.0))),
    ("[the prior, $Normal(0, 1)$], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}]", *row(LAZY)),
    ("= 1 \\/ sqrt(2) = {:.3f}$, and $f = 1/2 ln 2 = {:.3f}$ there", SIGMA[LOST_HALF.argmin()], LOST_HALF.min()),
    ("a latent too low, {:.2f}~nats for 20 latents", 20 * LOST_HALF.min()),
    (
        "right {:.3f}, with the ½ lost {:.3f}, and $KL(q || Normal(0, 1/2)) = {:.3f}$",
        TABLE[GOOD][1],
        lost_half(1, 0.5),
        kl_grid(gauss(Z, 1, 0.5), gauss(Z, 0, math.sqrt(0.5))),
    ),
    ("At $sigma = 1$: {1:.0f} (score), {2:.0f} (with baseline), {0:.0f} (path).", *GRADIENTS),
    ("At $sigma = 0.1$: {1:.2f}, {2:.1f}, {0:.2f}, so", *NARROW),
    ("takes {:.0f} times as many draws", NARROW[1] / NARROW[0]),
    ("{:.1f} for $sigma_x = 1$, {:.4f} for $sigma_x = 0.1$", ORACLE.var, SHARP.var),
    ("${:.1f}$~nats with $sigma_x = 0.1$, but {:.1f} with", gaussian_nll(0.01, 0.1), gaussian_nll(0.01, 1)),
    ("never falls below {:.1f} and", min(gradients(1, one)[1] for one in SIGMA[::500])),
    ("for 784 pixels $sigma_x = {:.1f}$", math.sqrt(784 / 2)),
    ("$beta = 1$: $R = {:.3f}$, $D = {:.3f}$, sum {:.3f}", *RD[1][:2], sum(RD[1][:2])),
    ("ln(2 pi e dot 5) = {:.3f}$", ENTROPY),
    ("$beta = 2$: $R = {:.3f}$, $D = {:.3f}$, sum {:.3f}", *RD[2][:2], sum(RD[2][:2])),
    (
        "$q(z) = Normal(0, {:.3f})$: of $R = {:.3f}$~nats $I = {:.3f}$ and {:.3f} are",
        ALL_CODES,
        SHARP_RATE,
        SHARP_INFORMATION,
        SHARP_MISMATCH,
    ),
    ("rates {:.3f}, {:.3f}, {:.3f}, {:.0f}, {:.0f}, three", *RATES_1),
    ("$beta = 3$: {:.3f}, {:.3f} and nothing", *RATES_3[:2]),
    (
        "$Bound_1 = {:.3f}$, $Bound_2 = {:.3f}$, $Bound_10 = {:.3f}$, $Bound_100 = {:.3f}$; the limit",
        *(BOUNDS[k] for k in (1, 2, 10, 100)),
    ),
    ("$2.709 \\/ 200 = {:.4f}$ at $k = 100$; it is {:.4f}.", SPREAD / 200, ORACLE.log_p - BOUNDS[100]),
    ("$Bound_1 = {:.3f}$, $Bound_10 = {:.3f}$. ]", BOUNDS_GOOD[1], BOUNDS_GOOD[10]),
    ("correlation ${:.3f}$, and the gap is {:.3f}~nats", FIELD_RHO, FIELD),
    ("{:.3f} at $x = 1$, {:.3f} at $x = 3$", WEAK[1.0], WEAK[3.0]),
    ("the label brings {:.3f}~nats; its entropy is $ln 2 = {:.3f}$", TOLD, math.log(2)),
    ("$49 ln 512 = {:.1f}$~nats, {:.0f}~bits", 49 * math.log(512), 49 * math.log2(512)),
    ("= Normal({:.3f}, {:.3f})$, at a KL of {:.4f} from", *noised(60), end_kl(60)),
    ("${:.1f} dot 10^(-5)$", end_kl(200) * 1e5),
    ("- 25 \\/ 20 = {:.3f}$", ANOTHER.log_p),
    ("+ 1) = {:.1f}$ and variance {:.1f}.", ANOTHER.mean, ANOTHER.var),
    ("p(x)^2 - 1 = {:.2f}$ with", SHARP.spread(*LAZY)),
    ("So {:.0f} samples for 10~%", 100 * SHARP.spread(*LAZY)),
    ("$d = 20$: {:.0f}, for $d = 1$: {:.0f}.", SCORE_20, stats.chi2(1).moment(3)),
    ("$sigma_x = {:.1f}$. At $sigma_x = 0.1$", math.sqrt(2048)),
    ("4096 = {:.1f} dot 10^(-6)$", 2 * 0.01 / 4096 * 1e6),
    ("$R = 1/2 ln 10 = {:.3f}$~nats", best_rate_distortion(4, 10.0, 0.5)[0]),
    ("rates {:.3f}, {:.3f}, {:.3f}, sum {:.3f}~nats", *rates((6, 3, 1.5), 0.5), sum(rates((6, 3, 1.5), 0.5))),
    ("rates {:.3f} and {:.3f}, sum {:.3f}.", *rates((6, 3), 2), sum(rates((6, 3), 2))),
    ("falls from {:.3f} to {:.3f}.", 1 - 0.5 / 6, 1 - 2 / 6),
    (
        "$Bound_2 = 1/2 ln 2 + 1/4 ln 3 = {:.3f}$. Gaps {:.3f} and {:.3f}",
        0.5 * math.log(2) + 0.25 * math.log(3),
        math.log(2) - 0.5 * math.log(3),
        0.5 * math.log(2) - 0.25 * math.log(3),
    ),
    ("$1/2 ln(100 \\/ 19) = {:.3f}$~nats, correlation ${:.1f}$", HARD, HARD_COV[0, 1] / HARD_COV[0, 0]),
    ("0.95 = {:.1f}$. From $T = {}$ on.", math.log(0.0005) / math.log(0.95), ENOUGH),
    ("ln 10 = {:.3f}$~nats, out of", math.log(10)),
]


@pytest.mark.parametrize("fragment, values", [(one[0], one[1:]) for one in CLAIMS], ids=[one[0] for one in CLAIMS])
def test_number_in_the_text(fragment, values):
    wanted = fragment.format(*values)
    if fragment.startswith("["):
        wanted = wanted.replace("[-", "[−")
    assert TEXT.count(wanted) == 1, f"the text should say, once: {wanted}"


def test_numbers_that_are_drawn():
    shown = ", ".join(f"({k}, {BOUNDS[k]:.3f})" for k in (1, 2, 5, 10, 100, 1000))
    assert f"#let bounds = ({shown})" in DRAWN
    assert f"({SPREAD:.3f}, {SPREAD_GOOD:.3f})" in DRAWN
    assert ", ".join(f"({k}, {BOUNDS_GOOD[k]:.3f})" for k in (1, 10, 100)) in DRAWN
    assert np.allclose(C2, [[4.25, 2], [2, 1.25]]) and f"{ORACLE.log_p:.4f}" in DRAWN


def test_oracle_and_probabilistic_pca():
    assert (
        np.isclose(ORACLE.p, stats.norm(0, math.sqrt(5)).pdf(3))
        and np.isclose(ORACLE.mean, 1.2)
        and np.isclose(ORACLE.var, 0.2)
    )
    assert np.isclose(math.log(PLANE_P), stats.multivariate_normal([0, 0], C2).logpdf([3, 1]))
    m = float((W2.T @ W2)[0, 0]) + 0.25
    assert np.isclose(PLANE_MEAN, float((W2.T @ [3, 1])[0]) / m) and np.isclose(PLANE_DEV**2, 0.25 / m)


def test_relative_variance_of_the_prior():
    closed = stats.norm(0, math.sqrt(4.5)).pdf(3) / (2 * math.sqrt(math.pi))
    assert np.isclose(closed, integral(PRIOR * ORACLE.likelihood**2)) and abs(ORACLE.spread(*POSTERIOR)) < 1e-6


@pytest.mark.parametrize("q", list(TABLE))
def test_elbo_and_its_gap(q):
    m, s = q
    first, _, elbo, gap = TABLE[q]
    assert np.isclose(elbo + gap, ORACLE.log_p) and gap > -1e-9
    assert np.isclose(first, -0.5 * math.log(2 * math.pi) - ((3 - 2 * m) ** 2 + 4 * s**2) / 2)


@pytest.mark.parametrize("mu, sigma", [(0.0, 1.0), (1.0, 0.5), (-0.7, 1.8)])
def test_gaussian_kl_line_by_line_and_without_its_half(mu, sigma):
    q, log_2pi = gauss(Z, mu, sigma), math.log(2 * math.pi)
    log_q, log_p = integral(q * stats.norm(mu, sigma).logpdf(Z)), integral(q * stats.norm.logpdf(Z))
    assert np.isclose(log_q, -0.5 * log_2pi - 0.5 * math.log(sigma**2) - 0.5)
    assert np.isclose(log_p, -0.5 * log_2pi - 0.5 * mu**2 - 0.5 * sigma**2)
    closed = 0.5 * (mu**2 + sigma**2 - math.log(sigma**2) - 1)
    assert np.isclose(log_q - log_p, closed)
    assert np.isclose(closed, kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).item(), atol=1e-6)
    assert np.isclose(lost_half(mu, sigma), kl_grid(q, gauss(Z, 0, math.sqrt(0.5))) + 0.5 * math.log(2))


@pytest.mark.parametrize("mu, sigma", [(1, 1), (1, 0.1), (-0.6, 1.4)])
def test_variances_of_the_gradient_estimators(mu, sigma):
    score = mu**4 / sigma**2 + 14 * mu**2 + 15 * sigma**2
    assert np.allclose(gradients(mu, sigma), [4 * sigma**2, score, 8 * mu**2 + 10 * sigma**2])


def test_two_likelihoods():
    x, logits, guess, s = torch.tensor([0.0, 1, 1]), *torch.randn(2, 3), torch.tensor(0.7)
    ours = (torch.log1p(logits.exp()) - x * logits).sum()
    assert torch.allclose(ours, -torch.distributions.Bernoulli(logits=logits).log_prob(x).sum(), atol=1e-5)
    ours = ((x - guess) ** 2).sum() / (2 * s**2) + 1.5 * torch.log(2 * math.pi * s**2)
    assert torch.allclose(ours, -Normal(guess, s).log_prob(x).sum(), atol=1e-5)
    best = optimize.minimize_scalar(lambda t: gaussian_nll(0.04, t), bounds=(0.01, 1), method="bounded")
    assert np.isclose(best.x, 0.2, atol=1e-4) and np.isclose(best.fun, 392 * (1 + math.log(2 * math.pi * 0.04)))


def test_rate_and_distortion():
    for beta in (0.25, 1, 2):
        assert np.isclose(RD[beta][0], 0.5 * math.log(5 / beta), atol=1e-4) and np.isclose(RD[beta][2], beta, atol=1e-4)
        left, right = best_rate_distortion(beta * 0.99), best_rate_distortion(beta * 1.01)
        assert np.isclose((left[1] - right[1]) / (left[0] - right[0]), -beta, rtol=1e-2)
    assert RD[5][0] < 1e-4 and RD[6][0] < 1e-4 and np.isclose(sum(RD[1][:2]), ENTROPY)
    assert np.isclose(SHARP_A, 2 / 4.25, atol=1e-5) and np.isclose(SHARP_S2, 0.25 / 4.25, atol=1e-5)
    assert np.isclose(SHARP_RATE, SHARP_INFORMATION + SHARP_MISMATCH, atol=1e-5)


def test_iwae_rises_to_the_evidence():
    values = list(BOUNDS.values())
    assert values == sorted(values) and values[-1] < ORACLE.log_p and np.isclose(values[0], TABLE[LAZY][2], atol=1e-3)
    assert np.isclose(ORACLE.log_p - BOUNDS[1000], SPREAD / 2000, rtol=0.02)


def test_gap_of_a_diagonal_q():
    assert np.isclose(FIELD, 0.5 * math.log(10 / 6)) and np.isclose(FIELD, -0.5 * math.log(1 - FIELD_RHO**2))
    assert np.isclose(HARD, 0.5 * math.log(100 / 19)) and abs(TURNED) < 1e-6


def test_elbo_of_a_chain_falls_apart():
    """Three states, T = 3, sums over all paths: the bound of diffusion is its sum of KL divergences."""
    rng = np.random.default_rng(0)

    def rows(*shape):
        p = rng.uniform(0.1, 1, shape)
        return p / p.sum(-1, keepdims=True)

    q1, q2, q3, end, p1, p2, p3 = rows(3), rows(3, 3), rows(3, 3), rows(3), rows(3, 3), rows(3, 3), rows(3, 3)
    path = np.einsum("a,ab,bc->abc", q1, q2, q3)  # q(x1, x2, x3 | x0)
    model = np.einsum("c,cb,ba,a->abc", end, p3, p2, p1[:, 0])  # p(x0 = 0, x1, x2, x3)
    whole = (path * np.log(model / path)).sum()
    at2, at3, pair12, pair23 = path.sum((0, 2)), path.sum((0, 1)), path.sum(2), path.sum(0)
    parts = q1 @ np.log(p1[:, 0]) - at3 @ np.log(at3 / end)
    parts -= (pair12 * np.log(pair12 / at2 / p2.T)).sum() + (pair23 * np.log(pair23 / at3 / p3.T)).sum()
    assert np.isclose(whole, parts)


def test_ten_exercises_and_every_picture_says_what_it_shows():
    assert len(re.findall(r"#exercise\(", TEXT)) == 10 and TEXT.count("answer: [") == 10
    alts = re.findall(r'alt: "([^"]*)"', TEXT)
    assert len(alts) == len(re.findall(r"[#(]picture\(", TEXT)) >= 10 and all(len(alt) > 80 for alt in alts)
    assert len(re.findall(r"(?m)^= [A-Z$]", WHOLE)) == 12
