"""The theory lecture of Day 06: every number of its text computed anew, or listed as given."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from densities import LINE as Z
from densities import gauss, integral, kl_grid
from prose import filled, loose_numbers, loose_relations, parts, sums
from scipy import optimize, stats
from test_vae_formulas import FORMULAS

SOURCE = Path(__file__).parents[2] / "Day06-VAEs" / "Day06-VAEs_theory_lecture.typ"
PRIMER = Path(__file__).parents[2] / "Day05-CNNs_part2" / "Day05-CNNs_part2_Probability.typ"
DRAWN, TEXT = parts(SOURCE)

# --- values, each from first principles: sums over grids, quadrature, simulation-free
# ---------------------------------

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
        """IWAE bound L_k without sampling: E ln S = ∫ (e^−t − E e^−tS)/t dt,
        where E e^−tS is a k-th power."""
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
    """Variances of the two estimators of d/dμ E z²: (by path, by score, by score with
    the best constant's baseline)."""
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
    """Minimise distortion + β rate over decoder w and encoder N(a x, s²) for data
    N(0, v): (rate, distortion, mse)."""

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
    """Best diagonal Gaussian against the posterior of z given x = w·z
    + noise: found by minimising."""
    precision = np.eye(len(w)) + np.outer(w, w) / sigma**2
    covariance = np.linalg.inv(precision)

    def gap(logs):
        s2 = np.exp(2 * logs)
        return 0.5 * (
            np.diag(precision) @ s2 - len(w) - np.log(s2).sum() + np.log(np.linalg.det(covariance))
        )

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
    """Slope a and variance s² of the encoder that minimises distortion + β rate for
    data N(0, w² + σ²): by search."""
    v = w**2 + sigma**2

    def cost(values):
        a, log_s = values
        s2 = math.exp(2 * log_s)
        return ((1 - w * a) ** 2 * v + w**2 * s2) / (2 * sigma**2) + beta * 0.5 * (
            a**2 * v + s2 - 1 - 2 * log_s
        )

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
    (
        "$z = {:.3f} plus.minus {:.3f}$, and $ln p(bx) = {:.3f}$",
        PLANE_MEAN,
        PLANE_DEV,
        math.log(PLANE_P),
    ),
    (
        "$ln p(x) = {:.3f}$, and the posterior is $Normal({:.1f}, {:.1f})$",
        ORACLE.log_p,
        ORACLE.mean,
        ORACLE.var,
    ),
    (
        "$p(x)^2 = {:.5f}$, the mean square is {:.4f}, the relative variance {:.3f}.",
        ORACLE.p**2,
        integral(PRIOR * ORACLE.likelihood**2),
        SPREAD,
    ),
    ("So {:.0f} samples give 10~%", 100 * SPREAD),
    ("ratio {:.3f} is raised", SPREAD + 1),
    ("10~% takes ${:.1f} dot 10^13$ samples", 100 * ((1 + SPREAD) ** 20 - 1) / 1e13),
    (
        "variance is {:.3f}, and 20 latents take {:.0f} samples",
        SPREAD_GOOD,
        100 * ((1 + SPREAD_GOOD) ** 20 - 1),
    ),
    (
        "[the posterior, $Normal(1.2, 0.2)$], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}]",
        *row(POSTERIOR),
    ),
    ("[close, $Normal(1, 0.25)$], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}]", *row(GOOD)),
    (
        "[too wide, $Normal(1.2, 1)$], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}]",
        *row((1.2, 1.0)),
    ),
    ("[the prior, $Normal(0, 1)$], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}], [{:.3f}]", *row(LAZY)),
    (
        "= 1 \\/ sqrt(2) = {:.3f}$, and $f = 1/2 ln 2 = {:.3f}$ there",
        SIGMA[LOST_HALF.argmin()],
        LOST_HALF.min(),
    ),
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
    (
        "${:.1f}$~nats with $sigma_x = 0.1$, but {:.1f} with",
        gaussian_nll(0.01, 0.1),
        gaussian_nll(0.01, 1),
    ),
    ("never falls below {:.1f} and", min(gradients(1, one)[1] for one in SIGMA[::500])),
    ("for 784 pixels $sigma_x = {:.1f}$", math.sqrt(784 / 2)),
    ("$beta = 1$: $R = {:.3f}$, $D = {:.3f}$, sum {:.3f}", *RD[1][:2], sum(RD[1][:2])),
    ("ln(2 pi e dot 5) = {:.3f}$", ENTROPY),
    ("$beta = 2$: $R = {:.3f}$, $D = {:.3f}$, sum {:.3f}", *RD[2][:2], sum(RD[2][:2])),
    (
        "$q(z) = Normal(0, {:.3f})$: of $R = {:.3f}$~nats {:.3f} are",
        ALL_CODES,
        SHARP_RATE,
        SHARP_MISMATCH,
    ),
    ("rates {:.3f}, {:.3f}, {:.3f}, {:.0f}, {:.0f}, three", *RATES_1),
    ("$beta = 3$: {:.3f}, {:.3f} and nothing", *RATES_3[:2]),
    (
        "$Bound_1 = {:.3f}$, $Bound_2 = {:.3f}$, $Bound_10 = {:.3f}$, $Bound_100 = {:.3f}$; the "
        "limit",
        *(BOUNDS[k] for k in (1, 2, 10, 100)),
    ),
    (
        "$2.709 \\/ 200 = {:.4f}$ at $k = 100$; it is {:.4f}.",
        SPREAD / 200,
        ORACLE.log_p - BOUNDS[100],
    ),
    ("$Bound_1 = {:.3f}$, $Bound_10 = {:.3f}$. ]", BOUNDS_GOOD[1], BOUNDS_GOOD[10]),
    ("correlation ${:.3f}$, and the gap is {:.3f}~nats", FIELD_RHO, FIELD),
    ("{:.3f} at $x = 1$, {:.3f} at $x = 3$", WEAK[1.0], WEAK[3.0]),
    ("the label brings {:.3f}~nats; its entropy is $ln 2 = {:.3f}$", TOLD, math.log(2)),
    ("$49 ln 512 = {:.1f}$~nats, {:.0f}~bits", 49 * math.log(512), 49 * math.log2(512)),
    ("= Normal({:.3f}, {:.3f})$, at a KL of {:.4f} from", *noised(60), end_kl(60)),
    ("${:.1f} dot 10^(-5)$", end_kl(200) * 1e5),
    ("$x ~ Normal(0, 3^2 + 1) = Normal(0, {})$", 3**2 + 1),
    ("- 25 \\/ 20 = {:.3f}$", ANOTHER.log_p),
    (
        "with $q = Normal({:.1f}, {:.1f})$ is ${:.3f}$ as",
        ANOTHER.mean,
        ANOTHER.var,
        ANOTHER.terms(1.5, 0.1**0.5)[2],
    ),
    ("the gap is {:.0f}. ])", abs(ANOTHER.terms(1.5, 0.1**0.5)[3])),
    ("+ 1) = {:.1f}$ and variance {:.1f}.", ANOTHER.mean, ANOTHER.var),
    ("p(x)^2 - 1 = {:.2f}$ with", SHARP.spread(*LAZY)),
    ("$Normal(3; 0, {:.3f}) \\/ ({:.1f} sqrt(pi))$ over", 2**2 + 0.1**2 / 2, 2 * 0.1),
    ("over $Normal(3; 0, {:.2f})^2$", 2**2 + 0.1**2),
    ("instead of {:.0f}: the likelihood", 100 * SPREAD),
    ("plus $1/2 d ln 2$: {:.3f}~nats for $d = 2$", 2 * LOST_HALF.min()),
    ("So {:.0f} samples for 10~%", 100 * SHARP.spread(*LAZY)),
    ("$d = 20$: {:.0f}, for $d = 1$: {:.0f}.", SCORE_20, stats.chi2(1).moment(3)),
    ("$sigma_x = {:.1f}$. At $sigma_x = 0.1$", math.sqrt(2048)),
    ("$norm(bx - hat(bx))^2 \\/ {}$, so $2 sigma_x^2 = {}$", 64 * 64, 64 * 64),
    ("$1 \\/ {:.2f} = {:.0f}$ on the *sum*", 2 * 0.1**2, 1 / (2 * 0.1**2)),
    ("$beta = 2 dot 0.01 \\/ {} = {:.1f} dot 10^(-6)$", 64 * 64, 2 * 0.01 / 64**2 * 1e6),
    ("$beta sigma_x^2 = {:.0f}$, so $beta = 4$", best_rate_distortion(4, 10.0, 0.5)[2]),
    ("$R = 1/2 ln 10 = {:.3f}$~nats", best_rate_distortion(4, 10.0, 0.5)[0]),
    ("$beta = v \\/ sigma_x^2 = {:.0f}$", 10 / 0.5**2),
    (
        "error costs $1/2 ln 2 = {:.3f}$~nats",
        np.diff([best_rate_distortion(b, 10.0, 0.5)[0] for b in (4, 2)])[0],
    ),
    (
        "$beta sigma_x^2 = {:.1f}$: eigenvalues {}, {} and {} are",
        0.5,
        *[one for one in (6, 3, 1.5, 0.3) if one > 0.5],
    ),
    ("$beta sigma_x^2 = {}$: {} and {}, rates", 2, *[one for one in (6, 3, 1.5, 0.3) if one > 2]),
    (
        "rates {:.3f}, {:.3f}, {:.3f}, sum {:.3f}~nats",
        *rates((6, 3, 1.5), 0.5),
        sum(rates((6, 3, 1.5), 0.5)),
    ),
    ("rates {:.3f} and {:.3f}, sum {:.3f}.", *rates((6, 3), 2), sum(rates((6, 3), 2))),
    ("falls from {:.3f} to {:.3f}.", 1 - 0.5 / 6, 1 - 2 / 6),
    (
        "$ln p = ln 2 = {:.3f}$. $Bound_1 = 1/2 ln 3 = {:.3f}$.",
        math.log((1 + 3) / 2),
        (math.log(1) + math.log(3)) / 2,
    ),
    ("that is {:.3f} and {:.4f}. ]", 0.25 / 2, 0.25 / 4),
    (
        "$Bound_2 = 1/2 ln 2 + 1/4 ln 3 = {:.3f}$. Gaps {:.3f} and {:.3f}",
        0.5 * math.log(2) + 0.25 * math.log(3),
        math.log(2) - 0.5 * math.log(3),
        0.5 * math.log(2) - 0.25 * math.log(3),
    ),
    (
        "$1/2 ln(100 \\/ 19) = {:.3f}$~nats, correlation ${:.1f}$",
        HARD,
        HARD_COV[0, 1] / HARD_COV[0, 0],
    ),
    (
        "< {:.4f}$, so $T > ln {:.4f} \\/ ln 0.95 = {:.1f}$.",
        0.001 / 2,
        0.001 / 2,
        math.log(0.0005) / math.log(0.95),
    ),
    ("From $T = {}$ on.", ENOUGH),
    (
        "with {:.0f} on the diagonal and determinant {:.0f}: gap",
        1 + 3 * 3,
        1 / np.linalg.det(HARD_COV),
    ),
    ("Turn the latents by {:.0f}°: $x = sqrt({}) z_1", math.degrees(math.atan2(3, 3)), 3**2 + 3**2),
    ("gap {:.0f}. So the ELBO", abs(TURNED)),
    ("ln 10 = {:.3f}$~nats, out of", math.log(10)),
    # alternative texts and captions
    ("climbs straight from {:.0f} at one", 100 * SPREAD),
    ("minus {:.2f}. The parabola for variance {:.1f} touches it at m", -ORACLE.log_p, ORACLE.var),
    ("touches it at m equals {:.1f}.", ORACLE.mean),
    ("at the same m but stays {:.3f} below", TABLE[1.2, 1.0][3]),
    ("$m = {:.1f}$ and $s^2 = {:.1f}$, touches", ORACLE.mean, ORACLE.var),
    ("has its minimum {:.3f} at {:.3f}. Right", LOST_HALF.min(), SIGMA[LOST_HALF.argmin()]),
    ("pulls the codes to $sigma = {:.3f}$", SIGMA[LOST_HALF.argmin()]),
    ("it flattens out at {:.0f}.", gradients(1, 1e-4)[2]),
    ("the root of the error: {:.1f} and {:.1f}.", math.sqrt(0.01), math.sqrt(0.04)),
    ("is $sigma_x = {:.3f}$. A mean", math.sqrt(1 / 2)),
    ("grey 0.5 still costs $ln 2 = {:.3f}$", stats.bernoulli(0.5).entropy()),
    ("convex curve from {:.2f} nats of distortion at rate 0", RD[6][1]),
    ("from minus {:.2f} at k = 1 through minus {:.2f} at 10", -BOUNDS[1], -BOUNDS[10]),
    ("at 10 to minus {:.3f} at 1000", -BOUNDS[1000]),
    ("the limit is ${:.3f}$", ORACLE.log_p),
    ("a straight line of slope {:.1f}.", ORACLE.mean / 3),
]


# What is given, so not computed: the data of the examples, years, settings. One fragment of the
# text a line.
GIVEN = r"""
An image of a river has 784 pixels
the observation (3, 1)
Tipping & Bishop 1999
$bW = (2, 1)^top$, $bb = bf("0")$ and $sigma_x = 0.5$: $M = 5.25$. At $bx = (3, 1)$
$z ~ Normal(0, 1)$ and $x|z ~ Normal(w z, sigma_x^2)$ with $w = 2$, $sigma_x = 1$.
Then $x ~ Normal(0, 5)$. At $x = 3$
Samples needed for a 10 percent error
title: [20 latents]
At $x = 3$: $p(x)^2
with 20 latents 10~%
With $q = Normal(1, 0.5^2)$ instead
dashed parabola for variance 1
[$q$, at $x = 3$]
With $mu = 0$ the value there is 0, as it must be
touches zero at sigma equals 1
drawing from $sigma = 1$
a bound that is $1/2 ln 2$ a latent
too wide by $sqrt(2)$
that is $beta = 2$
still at $sigma = 1$
$mu = 1$, $sigma = 0.5$: right
which is $1/2 ln 2$ less
the odd ones 0
subtract the square of $2 mu$
title: [$mu = 1$]
mean squared error of 0.01 and of 0.04
title: [784 pixels]
Errors of 0.1 (grey levels from 0 to 1)
but 724.4 with $sigma_x = 1$
in images between 0 and 1
A mean over 784 binary pixels is $beta = 784$ by accident
it does not integrate to 1, and a perfect grey 0.5
drives it to 0
Higgins et al. 2017
data $Normal(0, v)$
of distortion at rate 0
mark beta equal to 5, at rate zero, then 2, 1 and one quarter
touches the curve at beta equals 1
only at 1.
Alemi et al. 2018
title: [$v = 5$, $sigma_x = 1$]
$H = 1/2 ln(2 pi e dot 5)
Hoffman & Johnson 2016
In the oracle the second is 0 once
With the decoder held at $w = 2$ and $beta = 1/4$
Kingma et al. 2016
The KL of a latent is 0
Five bars for the variances 8, 4, 2, 0.8 and 0.4
A dashed line at 1 is crossed
a dotted line at 3
Burda et al. 2016
$lambda = (8, 4, 2, 0.8, 0.4)$, $sigma_x = 1$. $beta = 1$: rates
warm $beta$ up from 0
the best rate is 0
Lucas et al. (2019)
title: [oracle, $x = 3$]
With $q = Normal(1, 0.25)$
$1 \/ sqrt(k)$ (Rainforth et al. 2018)
$k = 1$, 10 and 100 on test images
Cremer et al. 2018
an arrow at x = 3
$x = z_1 + 2 z_2 + epsilon$
$mu(x) = tanh(0.4 x)$
Sohn et al. 2015
$x|z, y ~ Normal(y + 2 z, 1)$ with $y = plus.minus 3$
van den Oord et al. 2017
$7 times 7$ places and 512 entries
(1 - alpha_t) bI
for $t >= 2$ a factor
Ho et al. 2020
$alpha_t = 0.95$ at each step and a pixel $x_0 = 2$
after 60 steps
after 200,
so $ln p(5) = -1/2 ln(20 pi) - 25 \/ 20
$w x \/ (w^2 + 1)
$w = 3$, $sigma_x = 1$, observed $x = 5$
Take $sigma_x = 0.1$ in the oracle, $w = 2$, $x = 3$
samples for 10~%
give $p(x)$ to 10~%?
Add $1/2 ln 2$ and
$bz = beps \/ sqrt(2)$
$Normal(bf("0"), 1/2 bI)$
given back for $d = 2$?
$partial \/ partial mu_1$ for $d = 20$?
At $sigma_x = 0.1$ the factor
$64 times 64$ pixels
would make it 0.1?
so $beta = 4$ and
Data $Normal(0, 10)$, $sigma_x = 0.5$
a mean square error of 1, at
Eigenvalues $(6, 3, 1.5, 0.3)$, $sigma_x^2 = 0.5$
for $beta = 1$ and for $beta = 4$
the mean 1, 2 or 3 with probability 1/4, 1/2, 1/4
the rule gives $0.25 \/ 2 k$
is 1 or 3, each with probability 1/2
$bf("Λ") = bI + 9 mat(1, 1; 1, 1)$
$abar_T = 0.95^T
Rolínek et al. 2019
$x = 3 z_1 + 3 z_2 + epsilon$
With $alpha_t = 0.95$ at each step and $x_0 = 2$, how
$KL(q(x_T|x_0) || Normal(0, 1)) < 0.001$?
variational Bayes (2014), and
Wierstra* (2014)
Variational Autoencoders (2019)
component analysis (1999)
broken ELBO (2018)
Deep Learning (2023)
""".strip().split("\n")
# Numbers that say where something stands, or an index
PLACES = re.compile(
    r"Days? \d+|Sections? \d+|Chapter \d+|eq\. \d|exercise \d+|columns: "
    r"(\d|\([^)]*fr\))|column-gutter: \d+pt"
    r"|share: \d+%|bf\(\"0\"\)|_\(?[a-z]?-?\d+|t ?- ?1|[a-z)]\^2|\b[xze]\d\b"
)


# Equalities that only name or describe something. One a line.
NAMED = r"""
[$p(bz) = Normal(bf("0"), bI)$], [], [the prior]
$q_phi.alt (bz|bx) = Normal(bmu, "diag" bsigma^2)$
$bz = bmu + bsigma dot.o beps$
For $q = Normal(m, s^2)$ the first
as it must be when $q = p$
$q(z_i|bx) = p(z_i)$ for every image
all subsets $S$ of $m < k$ of them
$q(bx_t|bx_(t-1)) = Normal(bx_t; sqrt(alpha_t) bx_(t-1), (1 - alpha_t) bI)$
$f(bz) = sum_i z_i^2$, $q = Normal(bf("0"), bI)$
""".strip().split("\n")


@pytest.mark.parametrize(
    "fragment, values", [(one[0], one[1:]) for one in CLAIMS], ids=[one[0] for one in CLAIMS]
)
def test_number_in_the_text(fragment, values):
    wanted = filled(fragment, *values)
    assert TEXT.count(wanted) == 1, f"the text should say, once: {wanted}"


def test_every_number_in_the_text_is_computed_or_given():
    known = [filled(*claim) for claim in CLAIMS] + GIVEN + FORMULAS
    assert loose_numbers(TEXT, known, PLACES) == [], (
        "put these into CLAIMS with how they are computed, or into GIVEN"
    )


def test_every_equality_in_the_text_is_held_or_only_a_name():
    known = [filled(*claim) for claim in CLAIMS] + GIVEN + FORMULAS + NAMED
    assert loose_relations(TEXT, known) == [], "`shows` it above a test, or put it into NAMED"


def test_every_sum_comes_out():
    """What is written as numbers on both sides of an equals sign, the figures
    being as exact as they are shown."""
    found = list(sums(TEXT))
    wrong = [equation for equation, left, right, off in found if abs(left - right) > off]
    assert len(found) > 15 and wrong == []


def test_numbers_that_are_drawn():
    shown = ", ".join(f"({k}, {BOUNDS[k]:.3f})" for k in (1, 2, 5, 10, 100, 1000))
    assert f"#let bounds = ({shown})" in DRAWN
    assert f"({SPREAD:.3f}, {SPREAD_GOOD:.3f})" in DRAWN
    assert ", ".join(f"({k}, {BOUNDS_GOOD[k]:.3f})" for k in (1, 10, 100)) in DRAWN
    assert np.allclose(C2, [[4.25, 2], [2, 1.25]]) and DRAWN.count(f"{ORACLE.log_p:.4f}") == 4
    assert "radius: r" in DRAWN and "((4.25, 2), (2, 1.25))" in DRAWN
    lowest = SIGMA[LOST_HALF.argmin()]
    assert (
        f"fig.dots((({lowest:.4f}, {LOST_HALF.min():.4f}),)" in DRAWN
        and f"fig.normal(0, {lowest:.4f})" in DRAWN
    )
    assert f"#let eigenvalues = {EIGEN}" in DRAWN


def test_oracle_and_probabilistic_pca():
    assert (
        np.isclose(ORACLE.p, stats.norm(0, math.sqrt(5)).pdf(3))
        and np.isclose(ORACLE.mean, 1.2)
        and np.isclose(ORACLE.var, 0.2)
    )
    assert np.isclose(math.log(PLANE_P), stats.multivariate_normal([0, 0], C2).logpdf([3, 1]))
    m = float((W2.T @ W2)[0, 0]) + 0.25
    assert np.isclose(PLANE_MEAN, float((W2.T @ [3, 1])[0]) / m) and np.isclose(
        PLANE_DEV**2, 0.25 / m
    )


def test_relative_variance_of_the_prior():
    closed = stats.norm(0, math.sqrt(4.5)).pdf(3) / (2 * math.sqrt(math.pi))
    assert (
        np.isclose(closed, integral(PRIOR * ORACLE.likelihood**2))
        and abs(ORACLE.spread(*POSTERIOR)) < 1e-6
    )


@pytest.mark.parametrize("q", list(TABLE))
def test_elbo_and_its_gap(q):
    m, s = q
    first, _, elbo, gap = TABLE[q]
    assert np.isclose(elbo + gap, ORACLE.log_p) and gap > -1e-9
    assert np.isclose(first, -0.5 * math.log(2 * math.pi) - ((3 - 2 * m) ** 2 + 4 * s**2) / 2)


def test_rate_and_distortion():
    for beta in (0.25, 1, 2):
        assert np.isclose(RD[beta][0], 0.5 * math.log(5 / beta), atol=1e-4) and np.isclose(
            RD[beta][2], beta, atol=1e-4
        )
        left, right = best_rate_distortion(beta * 0.99), best_rate_distortion(beta * 1.01)
        assert np.isclose((left[1] - right[1]) / (left[0] - right[0]), -beta, rtol=1e-2)
    assert RD[5][0] < 1e-4 and RD[6][0] < 1e-4 and np.isclose(sum(RD[1][:2]), ENTROPY)
    assert np.isclose(SHARP_A, 2 / 4.25, atol=1e-5) and np.isclose(SHARP_S2, 0.25 / 4.25, atol=1e-5)
    assert np.isclose(SHARP_RATE, SHARP_INFORMATION + SHARP_MISMATCH, atol=1e-5)


def test_iwae_rises_to_the_evidence():
    values = list(BOUNDS.values())
    assert (
        values == sorted(values)
        and values[-1] < ORACLE.log_p
        and np.isclose(values[0], TABLE[LAZY][2], atol=1e-3)
    )
    assert np.isclose(ORACLE.log_p - BOUNDS[1000], SPREAD / 2000, rtol=0.02)


def test_gap_of_a_diagonal_q():
    assert np.isclose(FIELD, 0.5 * math.log(10 / 6)) and np.isclose(
        FIELD, -0.5 * math.log(1 - FIELD_RHO**2)
    )
    assert np.isclose(HARD, 0.5 * math.log(100 / 19)) and abs(TURNED) < 1e-6


def test_what_the_text_says_in_words():
    assert 1500 < 100 * ((1 + SPREAD_GOOD) ** 20 - 1) < 2500  # "near two thousand at twenty"
    assert 100 * ((1 + SPREAD) ** 20 - 1) > 1e13  # "more than ten to the thirteenth at twenty"
    # the posterior; its likelihood is 10 times as narrow
    assert np.isclose(SHARP.var / ORACLE.var, 1 / 80, rtol=0.01)
    assert abs(BOUNDS_GOOD[1] - ORACLE.log_p) < 0.12  # "close to the line already"
    assert sum(one > 0 for one in RATES_1) == 3 and sum(one > 0 for one in RATES_3) == 2


def test_sections_named_in_the_text():
    """'Section 9', 'primer, Section 10', 'exercise 10 of the primer' are
    what the sentence says they are."""

    def titles(source, pattern):
        return re.findall(pattern, source.read_text(encoding="utf-8"))

    heading = r"(?m)^= ([A-Z$].+)$"
    ours, primer = titles(SOURCE, heading), titles(PRIMER, heading)
    assert len(ours) == len(primer) == 12
    named = {2: "Why not", 3: "The ELBO", 7: "$beta$", 9: "More samples"}
    assert all(ours[number - 1].startswith(title) for number, title in named.items())
    named = {
        4: "The Gaussian",
        6: "Maximum likelihood",
        10: "Mutual information",
        12: "Markov chains",
    }
    assert all(primer[number - 1].startswith(title) for number, title in named.items())
    referred = set(re.findall(r"primer, Section (\d+)", TEXT))
    assert referred == {str(number) for number in named}
    assert titles(PRIMER, r'#exercise\("([^"]+)"')[9] == "One step back"


def test_ten_exercises_and_every_picture_says_what_it_shows():
    assert len(re.findall(r"#exercise\(", TEXT)) == 10 and TEXT.count("answer: [") == 10
    alts = re.findall(r'alt: "([^"]*)"', TEXT)
    assert len(alts) == len(re.findall(r"[#(]picture\(", TEXT)) >= 10 and all(
        len(alt) > 80 for alt in alts
    )
