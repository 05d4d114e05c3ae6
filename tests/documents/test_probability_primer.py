"""The probability primer of Day 05: every number in its text computed anew,
every displayed formula asserted."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import typst
from densities import LINE as X
from densities import entropy, gauss, integral, kl, kl_grid
from prose import filled, loose_numbers, loose_relations, parts, sums
from scipy import optimize, stats
from test_probability_formulas import FORMULAS
from torch.nn import functional as F

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "Day05-CNNs_part2" / "Day05-CNNs_part2_Probability.typ"
DRAWN, TEXT = parts(SOURCE)

# --- values, each from first principles
# ------------------------------------------------------------------------------


JOINT = np.array([[0.27, 0.03], [0.05, 0.45], [0.16, 0.04]])  # sand, shale, carbonate × low, high
ROCKS, READINGS = JOINT.sum(1), JOINT.sum(0)
SHALE_GIVEN_HIGH = JOINT[1, 1] / READINGS[1]
LEFT = [entropy(JOINT[:, j] / READINGS[j]) for j in range(2)]
INFORMATION = kl(JOINT, np.outer(ROCKS, READINGS))
WELLS_TELL = (
    2 * stats.norm.entropy() - stats.multivariate_normal(cov=[[1, 0.8], [0.8, 1]]).entropy()
)


def posterior(prior, sensitivity, false_alarm, flags):
    hit, alarm = prior * sensitivity**flags, (1 - prior) * false_alarm**flags
    return hit / (hit + alarm)


SLIDE = [posterior(0.002, 0.95, 0.05, n) for n in range(4)]
GOLD = [posterior(0.01, 0.9, 0.1, n) for n in range(4)]

RAIN, RAIN_P = np.array([0.0, 5, 20]), np.array([0.6, 0.3, 0.1])
MEAN = float(RAIN @ RAIN_P)
SQUARE = float(RAIN**2 @ RAIN_P)
VAR = float((RAIN - MEAN) ** 2 @ RAIN_P)


def condition(mean, covariance, value):
    """Mean and deviation of the second of two Gaussian variables, given the
    first: by a sum over a slice."""
    density = stats.multivariate_normal(mean, covariance)
    y = mean[1] + math.sqrt(covariance[1][1]) * np.linspace(-8, 8, 20001)
    weight = density.pdf(np.stack([np.full_like(y, value), y], 1))
    weight /= weight.sum()
    centre = float(weight @ y)
    return centre, math.sqrt(float(weight @ (y - centre) ** 2))


WELL = condition([2000, 2000], [[2500, 2000], [2000, 2500]], 2060)
STATION = condition([10, 12], [[4, 3.6], [3.6, 9]], 13)


def product_of(*pairs):
    """Mean and deviation of the normalised product of Gaussian densities
    (mean, deviation), on a grid."""
    centre, width = pairs[0]
    x = centre + 10 * width * np.linspace(-1, 1, 200001)
    weight = np.exp(sum(stats.norm(m, s).logpdf(x) for m, s in pairs))
    weight /= weight.sum()
    mean = float(weight @ x)
    return mean, math.sqrt(float(weight @ (x - mean) ** 2))


FUSED = product_of((18, 2), (20, 1))
SURVEY = product_of((1500, 30), (1540, 40), (1510, 60))

SOFTMAX = torch.softmax(torch.tensor([2.0, 1, 0], dtype=torch.float64), 0).tolist()
THERMOMETERS = np.array([14.0, 15, 15, 16, 40])


def wells_nll(theta):
    return float(-stats.bernoulli(theta).logpmf([1] * 7 + [0] * 3).sum())


K = np.exp(np.linspace(math.log(100) - 9, math.log(100) + 9, 400001))
PERMEABILITY = stats.lognorm(s=1, scale=100).pdf(K)

HUMPS = 0.5 * gauss(X, -2, 0.7) + 0.5 * gauss(X, 2, 0.7)


def best_gaussian(cost):
    fit = optimize.minimize(
        lambda v: cost(gauss(X, v[0], math.exp(v[1]))),
        [1.5, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-7},
    )
    return abs(float(fit.x[0])), math.exp(fit.x[1]), float(fit.fun)


COVER = best_gaussian(lambda q: kl_grid(HUMPS, q))
PICK = best_gaussian(lambda q: kl_grid(q, HUMPS))
COVER_BACK = kl_grid(gauss(X, *COVER[:2]), HUMPS)
PICK_BACK = kl_grid(HUMPS, gauss(X, *PICK[:2]))

SIGMA = np.linspace(0.2, 2, 180001)
LOST_HALF = SIGMA**2 - 0.5 * (1 + np.log(SIGMA**2))  # the ½ of σ² forgotten, μ = 0

# The solvable latent-variable model: z ~ N(0, 1), x|z ~ N(2z, 1), x = 3, q = N(1, 0.5²)
Q = gauss(X, 1, 0.5)
EVIDENCE = math.log(integral(gauss(X, 0, 1) * gauss(3, 2 * X, 1)))
FIRST = integral(Q * np.log(gauss(3, 2 * X, 1) + 1e-300))
TO_PRIOR = kl_grid(Q, gauss(X, 0, 1))
EXACT = gauss(X, 0, 1) * gauss(3, 2 * X, 1) / math.exp(EVIDENCE)
GAP = kl_grid(Q, EXACT)

LAZY_EVIDENCE = math.log(integral(gauss(X, 0, 1) * gauss(1, X, 1)))
LAZY_FIRST = integral(gauss(X, 0, 1) * np.log(gauss(1, X, 1) + 1e-300))
LAZY_GAP = kl_grid(gauss(X, 0, 1), gauss(X, 0, 1) * gauss(1, X, 1) / math.exp(LAZY_EVIDENCE))


def noised(steps, x0=2.0, beta=0.05):
    """Mean and variance of x_t given x0, one step after the other."""
    mean, var = x0, 0.0
    for _ in range(steps):
        mean, var = math.sqrt(1 - beta) * mean, (1 - beta) * var + beta
    return mean, var


NOISED = noised(20)
SNR = [(1 - noised(t)[1]) / noised(t)[1] for t in (1, 20)]


def step_back(x0, xt, t=20, beta=0.05):
    """Mean and deviation of x_{t-1} given x_t and x_0, as a product of two densities on a grid."""
    mean, var = noised(t - 1, x0, beta)
    return product_of(
        (mean, math.sqrt(var)), (xt / math.sqrt(1 - beta), math.sqrt(beta / (1 - beta)))
    )


BACK = step_back(1, 0)[0], step_back(0, 1)[0], step_back(0, 0)[1] ** 2

DRY = np.linalg.matrix_power(np.array([[0.8, 0.2], [0.4, 0.6]]), 3)[0, 0]
IN_THE_LONG_RUN = np.linalg.matrix_power(np.array([[0.8, 0.2], [0.4, 0.6]]), 60)[0, 0]
PAIR_VAR = 0.98 * 0.02 + 0.984 * 0.016
QUAKES = np.array([4.0, 10, 1, 5])
RATE = optimize.minimize_scalar(
    lambda rate: -stats.expon(scale=1 / rate).logpdf(QUAKES).sum(),
    bounds=(0.01, 2),
    options={"xatol": 1e-10},
).x
MEAN_OF_TEN = np.full((10, 10), 0.25 * 4) + np.diag(np.full(10, 0.75 * 4))

# (fragment of the source, what is put in its braces). A fragment stands exactly once in the text; ~
# is a hard space.
CLAIMS = [
    # before the sections, and 1
    ("1 nat = {:.3f}~bits", 1 / math.log(2)),
    ("sand {:.1f}, shale {:.1f}, carbonate {:.1f}.", *ROCKS),
    ('$p("high") = 0.03 + 0.45 + 0.04 = {:.2f}$', READINGS[1]),
    ('$p("shale" | "high") = 0.45 \\/ 0.52 = {:.3f}$', SHALE_GIVEN_HIGH),
    ('$p("high" | "shale") = 0.45 \\/ {:.2f} = {:.3f}$', ROCKS[1], JOINT[1, 1] / ROCKS[1]),
    ('$p("shale") p("high") = {:.2f}$, not {:.2f}.', ROCKS[1] * READINGS[1], JOINT[1, 1]),
    ("$Normal(x; 0, 0.1^2)$ is {:.2f} at its peak", gauss(0, 0, 0.1)),
    # 2
    ("of 10,000 slopes {:.0f} failed and {:.0f} are stable", 10000 * 0.002, 10000 * 0.998),
    ("{:.0f} of the failed and {:.0f} of the stable ones are flagged", 20 * 0.95, 9980 * 0.05),
    ("rises from {:.3f} through {:.3f} and {:.3f} to {:.3f} after", *SLIDE),
    ("among {:.0f} flagged slopes only {:.0f} have", 20 * 0.95 + 9980 * 0.05, 20 * 0.95),
    ('$p("failed" | "flag") = 19 \\/ 518 = {:.3f}$', SLIDE[1]),
    (
        "$1 : {:.0f}$ before, times the likelihood ratio $0.95 \\/ 0.05 = {:.0f}$",
        0.998 / 0.002,
        0.95 / 0.05,
    ),
    ("$361 : 499$, that is {:.3f}, a third {:.3f}.", SLIDE[2], SLIDE[3]),
    ("gives ${:.0f} : 499$, that is", (0.95 / 0.05) ** 2),
    # 3
    ("with the mean marked at {:.1f} mm", MEAN),
    ("$EE[x] = 0.3 dot 5 + 0.1 dot 20 = {:.1f}$~mm", MEAN),
    ("$EE[x^2] = {:.1f}$~mm²", SQUARE),
    ("$Var[x] = {:.2f}$~mm² and $sigma = {:.2f}$~mm", VAR, math.sqrt(VAR)),
    ("its mean is {:.1f}, not $3.5^2 = {:.2f}$", SQUARE, MEAN**2),
    ("underestimates the runoff by a factor {:.2f}", SQUARE / MEAN**2),
    # 4
    ("{:.1f}~% lies within $1 sigma$", 100 * (2 * stats.norm.cdf(1) - 1)),
    ("{:.1f}~% within $2 sigma$", 100 * (2 * stats.norm.cdf(2) - 1)),
    ("centred at {:.0f} m for well 2", WELL[0]),
    ("$2000 + 0.8 dot 60 = {:.0f}$~m and $sigma = 50 sqrt(1 - 0.8^2) = {:.0f}$~m", *WELL),
    (
        "variance $2 dot 2500 - 2 dot 2000 = {:.0f}$~m²",
        np.array([1, -1]) @ [[2500, 2000], [2000, 2500]] @ [1, -1],
    ),
    ("$sigma = {:.1f}$~m; independent wells would give {:.1f}~m", math.sqrt(1000), math.sqrt(5000)),
    ("at {:.1f} °C.", FUSED[0]),
    ("variance $1 \\/ 1.25 = {:.1f}$", FUSED[1] ** 2),
    ("$0.8 (18\\/4 + 20) = {:.1f}$~°C, $sigma = {:.3f}$~°C", *FUSED),
    (
        "has length $sqrt(784) = {:.0f}$, give or take {:.1f}",
        stats.chi(784).mean(),
        stats.chi(784).std(),
    ),
    # 5
    ("the logits themselves {:.3f}, {:.3f} and {:.3f}, tripled", *SOFTMAX),
    ("$(2, 1, 0)$ gives {:.3f}, {:.3f}, {:.3f};", *SOFTMAX),
    ("$sigma(2) = {:.3f}$", torch.sigmoid(torch.tensor(2.0, dtype=torch.float64)).item()),
    ("$ln(1 \\/ 499) = {:.3f}$", math.log(0.002 / 0.998)),
    ("a flag adds $ln 19 = {:.3f}$", math.log(0.95 / 0.05)),
    ("$sigma({:.3f}) = {:.3f}$, as before", math.log(SLIDE[1] / (1 - SLIDE[1])), SLIDE[1]),
    # 6
    ("lowest point at {:.1f}; at 0.5", optimize.minimize_scalar(wells_nll, bounds=(0.01, 0.99)).x),
    ("it is higher by {:.2f} nats", wells_nll(0.5) - wells_nll(0.7)),
    ("is {:.3f}~nats at 0.7 and {:.3f} at 0.5", wells_nll(0.7), wells_nll(0.5)),
    ("read {:.0f}, {:.0f}, {:.0f}, {:.0f} and {:.0f}~°C", *THERMOMETERS),
    ("their mean, {:.0f}~°C, with $sigma = {:.1f}$~°C", THERMOMETERS.mean(), THERMOMETERS.std()),
    ("is the median, {:.0f}~°C", np.median(THERMOMETERS)),
    (
        "pays $ln 10 = {:.3f}$~nats",
        F.cross_entropy(torch.zeros(1, 10).double(), torch.tensor([3])).item(),
    ),
    # 7
    (
        "from about {:.0f} mm for one draw to about {:.1f} mm for 1024",
        math.sqrt(VAR),
        math.sqrt(VAR / 1024),
    ),
    (
        "With $sigma = {:.2f}$~mm, 100 draws give the mean to {:.3f}~mm",
        math.sqrt(VAR),
        math.sqrt(VAR / 100),
    ),
    ("0.1~mm takes {:.0f} draws and 0.01~mm takes {:,.0f}", VAR / 0.1**2, VAR / 0.01**2),
    ("$sqrt(0.98 dot 0.02 \\/ 10000) = {:.4f}$", stats.binom(10000, 0.98).std() / 10000),
    (
        "or {:.2f} points; on 100 images it is {:.1f} points",
        100 * 0.0014,
        100 * stats.binom(100, 0.98).std() / 100,
    ),
    # 8
    (
        "mode, median and mean stand at {:.0f}, {:.0f} and {:.0f} millidarcy",
        K[PERMEABILITY.argmax()],
        100,
        164.87,
    ),
    ("median {:.0f}~mD", stats.lognorm(s=1, scale=100).median()),
    ("$100 e^(1\\/2) = {:.1f}$~mD", integral(PERMEABILITY * K, K)),
    ("$100 e^(-1) = {:.1f}$~mD", K[PERMEABILITY.argmax()]),
    (
        "left strips (blue) hold {:.3f} each, the right ones (orange) {:.3f}",
        stats.lognorm(s=1, scale=100).cdf(100)
        - stats.lognorm(s=1, scale=100).cdf(100 * math.exp(-0.5)),
        stats.norm.cdf(1) - stats.norm.cdf(0.5),
    ),
    ("$ln 1000 = {:.3f}$", math.log(1000)),
    # 9
    ("For $p = (0.3, 0.5, 0.2)$, $H(p) = {:.3f}$~nats", entropy(ROCKS)),
    (
        "$H(p, q) = ln 3 = {:.3f}$; the difference is $KL(p || q) = {:.3f}$",
        math.log(3),
        kl(ROCKS, [1 / 3] * 3),
    ),
    ("mean {:.0f} and $sigma = {:.3f}$ of $p$ itself, at {:.3f}~nats;", *COVER),
    ("in the other sense it would cost {:.3f}", COVER_BACK),
    ("sits at {:.2f} with $sigma = {:.3f}$, at {:.3f}~nats, about $ln 2$", *PICK),
    ("it would cost {:.2f}, since", PICK_BACK),
    ("is lowest at {:.3f}, where it is {:.3f}", SIGMA[LOST_HALF.argmin()], LOST_HALF.min()),
    ("would be squeezed to $sigma = {:.3f}$", SIGMA[LOST_HALF.argmin()]),
    ("minus the entropy, {:.3f}~nats for $sigma = 1$", stats.norm(0, 1).entropy()),
    ("moves to $sigma = 1 \\/ sqrt(2) = {:.3f}$", SIGMA[LOST_HALF.argmin()]),
    ("$1/2 (1 + 0.25 - 1 + {:.3f}) = {:.3f}$~nats", -math.log(0.25), TO_PRIOR),
    (
        "$KL(Normal(0, 1) || Normal(0, 4)) = {:.3f}$, and the other way round {:.3f}",
        kl_grid(gauss(X, 0, 1), gauss(X, 0, 2)),
        kl_grid(gauss(X, 0, 2), gauss(X, 0, 1)),
    ),
    # 10
    ("are marked at {:.3f} nats", WELLS_TELL),
    ("Rocks have $H(x) = {:.3f}$~nats", entropy(ROCKS)),
    ("After a low reading {:.3f} are left, after a high one {:.3f}", *LEFT),
    ("${:.2f} dot {:.3f} + {:.2f} dot {:.3f} =", READINGS[0], LEFT[0], READINGS[1], LEFT[1]),
    ("dot 0.487 = {:.3f}$", READINGS @ LEFT),
    ("$I = {:.3f}$~nats ({:.3f}~bits)", INFORMATION, INFORMATION / math.log(2)),
    ("Two wells with $rho = 0.8$: {:.3f}~nats", WELLS_TELL),
    # 11
    ("the narrow posterior at {:.1f}, and", integral(EXACT * X)),
    ("$ln p(x) = {:.3f}$. Take", EVIDENCE),
    (
        "$-1/2 ln(2 pi) - 1/2 dot {:.0f} = {:.3f}$, $KL(q || p(z)) = {:.3f}$",
        integral(Q * (3 - 2 * X) ** 2),
        FIRST,
        TO_PRIOR,
    ),
    ("so ELBO $= {:.3f}$", FIRST - TO_PRIOR),
    (
        "$Normal({:.1f}, {:.1f})$, $KL = {:.3f}$",
        integral(EXACT * X),
        integral(EXACT * (X - 1.2) ** 2),
        GAP,
    ),
    ("And ${:.3f} + {:.3f} = {:.3f}$", FIRST - TO_PRIOR, GAP, EVIDENCE),
    # 12
    (
        "$2/3 dot 0.8 + 1/3 dot 0.4 = {}$",
        "2/3" if np.isclose(IN_THE_LONG_RUN, 2 / 3) else IN_THE_LONG_RUN,
    ),
    ("by $0.8 - 0.4 = {:.1f}$", sorted(np.linalg.eigvals([[0.8, 0.2], [0.4, 0.6]]))[0]),
    ("$2/3 + 1/3 dot 0.4^3 = {:.3f}$", DRY),
    ("$abar_20 = 0.95^20 = {:.3f}$", 1 - NOISED[1]),
    ("$x_20 ~ Normal({:.3f}, {:.3f})$", *NOISED),
    ("that is ${:.3f} plus.minus {:.3f}$", NOISED[0], math.sqrt(NOISED[1])),
    ("is {:.3f}, down from {:.0f} after the first step", SNR[1], SNR[0]),
    ("after 60 steps $abar = {:.3f}$ is left", 1 - noised(60)[1]),
    # the answers
    ("= 0.009 \\/ {:.3f} = {:.3f}$. In odds", 0.01 * 0.9 + 0.99 * 0.1, GOLD[1]),
    ("Two: $81 : 99$, that is {:.3f}. Three: $729 : 99$, {:.3f}.", GOLD[2], GOLD[3]),
    ("$0.9 \\/ 0.1 = {:.0f}$, so ${:.0f} : 99$ after", 0.9 / 0.1, 99 * GOLD[1] / (1 - GOLD[1])),
    ("= 4 dot (0.25 + 0.075) = {:.1f} .", MEAN_OF_TEN.sum() / 100),
    (
        "$sigma = {:.2f}$~°C, against {:.3f}~°C for",
        math.sqrt(MEAN_OF_TEN.sum()) / 10,
        2 / math.sqrt(10),
    ),
    ("$sigma sqrt(rho) = {:.0f}$~°C", math.sqrt(4 * 0.25)),
    ("$0.6 dot 2 dot 3 = {:.1f}$, the first variance", 0.6 * 2 * 3),
    ("$mu = 12 + 3.6 / 4 (13 - 10) = {:.1f}$~°C", STATION[0]),
    ("$9 - 3.6^2 \\/ 4 = {:.2f}$, so $sigma = {:.1f}$~°C", STATION[1] ** 2, STATION[1]),
    ("\\/ 29 = {:.1f}$~m. The variance is $14400 \\/ 29 = {:.1f}$~m²", SURVEY[0], SURVEY[1] ** 2),
    ("$sigma = {:.1f}$~m: below the best", SURVEY[1]),
    ("it is ${:.0f} lambda - {} ln lambda$", QUAKES.sum(), len(QUAKES)),
    ("at $lambda = {:.1f}$ a year", RATE),
    ("$p(t > 10) = e^(-0.2 dot 10) = {:.3f}$", stats.expon(scale=5).sf(10)),
    ("$(0.98 dot 0.02 + 0.984 dot 0.016) \\/ N = {:.4f} \\/ N$", PAIR_VAR),
    ("$N = 4 dot {:.6f} \\/ 0.004^2 = {:.0f}$", PAIR_VAR, 4 * PAIR_VAR / 0.004**2),
    ("difference of {:.3f} for", 0.984 - 0.98),
    ("probability {:.1f}, energy times {:.1f}.", 10 ** (-1.0), 10**1.5),
    (
        "= {:.4f} - {:.4f} = {:.4f}$ and $KL(q || p)",
        0.7 * math.log(1.4),
        -0.3 * math.log(0.6),
        kl([0.7, 0.3], [0.5, 0.5]),
    ),
    ("0.5 ln(0.5 \\/ 0.7) + 0.5 ln(0.5 \\/ 0.3) = {:.3f}$", kl([0.5, 0.5], [0.7, 0.3])),
    ("$1/2 (0.25 + 4 - 1 - ln 4) = {:.3f}$ nats", kl_grid(gauss(X, 0.5, 2), gauss(X, 0, 1))),
    (
        "$1/2 mu^2 = {:.3f}$ and $1/2 (sigma^2 - 1 - ln sigma^2) = {:.3f}$ say",
        0.125,
        kl_grid(gauss(X, 0, 2), gauss(X, 0, 1)),
    ),
    ("$ln p(1) = -1/2 ln(4 pi) - 1/4 = {:.3f}$", LAZY_EVIDENCE),
    ("$-1/2 ln(2 pi) - 1/2 dot 2 = {:.3f}$. Posterior", LAZY_FIRST),
    (
        "1 - ln(1 \\/ 0.5)) = {:.3f}$, and ${:.3f} + {:.3f} = {:.3f}$",
        LAZY_GAP,
        LAZY_FIRST,
        LAZY_GAP,
        LAZY_EVIDENCE,
    ),
    (
        "$tilde(beta) = {:.4f}$ and $tilde(mu) = {:.4f} x_0 + {:.4f} x_20$",
        BACK[2],
        BACK[0],
        BACK[1],
    ),
]

# What is given, so not computed: the data of the examples, years, settings. One fragment of the
# text a line.
GIVEN = r"""
all of them sum to 1
0.03 + 0.45 + 0.04
0.45 \/ 0.52
Normal(x; 0, 0.1^2)
are at most 1
of 10,000 slopes
among 518
makes it sum to 1
Let 0.2~% of slopes fail, 95~% of these be flagged, and 5~% of the stable ones
19 \/ 518
$1 : 499$
0.95 \/ 0.05
$361 : 499$
probability 0.6, 5~mm of rain with 0.3, 20~mm with 0.1
probability 0.6, 0.3 and 0.1 at 0, 5 and 20 mm
0.3 dot 5 + 0.1 dot 20
3.5^2
lies at 2060~m
centred at 2000 m each. A vertical line at 2060 m for well 1
mean 2000~m and $sigma = 50$~m, with correlation 0.8. Given 2060~m in well 1, well 2 has
$2000 + 0.8 dot 60
50 sqrt(1 - 0.8^2)
$bA = (1, -1)$
2 dot 2500 - 2 dot 2000
forecast at 18 °C, a narrower thermometer reading at 20 °C
$18 plus.minus 2$~°C and $20 plus.minus 1$~°C: precisions $1\/4$ and $1$
1 \/ 1.25
$0.8 (18\/4 + 20)
a 28 × 28 image has length $sqrt(784)
logits 2, 1 and 0 for shale, sand and carbonate
$(2, 1, 0)$ gives
variable is 1 with probability $pi$, else 0;
$sigma(2)
ln(1 \/ 499)
ln 19
at 0.5, a fair coin
observed share, 7/10
nats at 0.7 and
at 0.5. The
ln 10
one draw to about 0.2 mm for 1024
over 40 repeats
x_1, ..., x_N
, 100 draws
0.1~mm takes
0.01~mm takes
in 1 dimension as in 784
accuracy of 98~% on 10,000 test images
0.98 dot 0.02 \/ 10000
on 100 images
mean $ln 100$ and $sigma = 1$
Normal(ln k; ln 100, 1)
100 e^(1\/2)
100 e^(-1)
ln 1000
0 if it was certain
and 0 only if $q = p$
is $H(p)$, not 0.
$p = (0.3, 0.5, 0.2)$
$q = (1/3, 1/3, 1/3)$
ln 3 =
two humps at minus 2 and 2. Left
centred at 0, and covers
on the hump at 2 alone
$q approx 0$ where $p > 0$
$q > 0$ where $p approx 0$
about $ln 2$
Gaussian of mean 0 and deviation
zero at sigma equals 1
and $p = Normal(0, 1)$ use
at $mu = 0$ the minimum is 0, at $sigma = 1$
nats for $sigma = 1$
$sigma = 1 \/ sqrt(2)
For $mu = 1$, $sigma = 0.5$: $1/2 (1 + 0.25 - 1
0 at correlation 0, growing without bound towards plus and minus 1.
correlation 0.8 are
0 *only* for
for $x ~ Normal(0, 1)$ and $y = x^2$ it is 0
$rho = 0.8$
a term near 0 means
prior centred at 0, the
the approximation q at 1,
posterior after $x = 3$
$z ~ Normal(0, 1)$ and $x|z ~ Normal(2 z, 1)$
For $x = 3$:
$q = Normal(1, 0.5^2)$
Kingma & Welling 2014
dry with probability 0.8, after a wet one with 0.4.
$2/3$ of the days
2/3 dot 0.8 + 1/3 dot 0.4
0.8 - 0.4
2/3 + 1/3 dot 0.4^3
from x0, shaded, through x1 and x2 to xT
at t = 0, 5, 20 and 60: two narrow humps at minus 1 and 1
$beta = 0.05$ a step. Whatever they were, after 60 steps
a little below 1:
Ho et al. 2020 state
Ho et al. 2020, eq. 7
$beta = 0.05$ throughout: $abar_20 = 0.95^20
A pixel $x_0 = 2$ becomes
after 60 steps $abar
One drill core in 100 holds gold. A test finds 90~% of these
gives a false alarm for 10~% of the others.
0.01 dot 0.9 \/ (0.01 dot 0.9 + 0.99 dot 0.1) = 0.009
$1 : 99$ before, likelihood ratio $0.9 \/ 0.1
Two: $81 : 99$, that is
Three: $729 : 99$
$N = 10$ sensors have $sigma = 2$~°C each, and every pair the correlation $rho = 0.25$
means 10 and 12~°C, deviations 2 and 3~°C, correlation 0.6. The first reads 13~°C.
$0.6 dot 2 dot 3
the first variance 4, the second 9.
$mu = 12 + 3.6 / 4 (13 - 10)
9 - 3.6^2 \/ 4
$1500 plus.minus 30$, $1540 plus.minus 40$ and $1510 plus.minus 60$
$1 \/ 900$, $1 \/ 1600$ and $1 \/ 3600$ are as $16 : 9 : 4$
(16 dot 1500 + 9 dot 1540 + 4 dot 1510) \/ 29
14400 \/ 29
best survey's 30~m
four of them were 4, 10, 1 and 5 years
e^(-0.2 dot 10)
98.0~% and 98.4~%
(0.98 dot 0.02 + 0.984 dot 0.016)
$N = 4 dot 0.035344 \/ 0.004^2
$p = (0.7, 0.3)$, $q = (0.5, 0.5)$, and $KL(Normal(0.5, 2^2) || Normal(0, 1))$
0.7 ln(0.7 \/ 0.5) + 0.3 ln(0.3 \/ 0.5)
0.5 ln(0.5 \/ 0.7) + 0.5 ln(0.5 \/ 0.3)
1/2 (0.25 + 4 - 1 - ln 4)
$z ~ Normal(0, 1)$ and $x|z ~ Normal(z, 1)$; observed is $x = 1$
has variance 2: $ln p(1) = -1/2 ln(4 pi) - 1/4
KL to the prior is 0, and $EE_q [(1 - z)^2] = 1 + 1 = 2$
$Normal(z; 0, 1) Normal(z; 1, 1) prop Normal(z; 0.5, 0.5)$
1/2 (1 \/ 0.5 + 0.5^2 \/ 0.5 - 1 - ln(1 \/ 0.5))
For $t = 20$:
for $beta = 0.05$ and $t = 20$
Learning (2006)
Introduction (2022)
Algorithms (2003)
Learning (2023)
""".strip().split("\n")
# Numbers that say where something stands, or an index
PLACES = re.compile(
    r"Days? [\d–]+( and \d+)?|Sections? \d+( (to|and) \d+)?|Read 7 to 11|and 12 before|Chapters? "
    r"\d([–\d]| and \d)*"
    r"|eq\. \d|exercise 10|columns: (\d|\([^)]*fr\))|column-gutter: \d+pt|share: "
    r"\d+%|v\(2pt\)|bf\(\"0\"\)|`x0,"
    r"|_\(?[a-z]?-?\d|t ?- ?1|[a-z]\^2"
)


# Equalities that only name or describe something. One a line.
NAMED = r"""
If $p(x, y) = p(x) p(y)$ for all
$bz = bmu + bsigma dot.o beps$
Where $k = e^x$ stretches
$by = g(bx)$
For $q = Normal(mu, sigma^2)$ and
wants $p(bx) = integral p(bx|bz) p(bz) dif bz$
$p("gold"|"positive") = 0.01
For $N -> infinity$ it stays
With $lambda = e^z$ the loss
predicts $z = ln lambda$ from
$r > s$ means
$KL(p || q) = 0.7 ln(
$KL(q || p) = 0.5 ln(
$x = z + epsilon$
$KL(q || p(z|x)) = 1/2 (1 \/ 0.5
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
    assert len(found) > 45 and wrong == []


def test_numbers_that_are_drawn():
    """The pictures hold a few results as numbers; they are those of the text."""
    for fragment, *values in [
        ("fig.normal({:.0f}, {:.3f}), [$KL(p || q)$ smallest", *COVER[:2]),
        ("fig.normal({:.3f}, {:.3f}), [$KL(q || p)$ smallest", *PICK[:2]),
        ("fig.area(fig.normal({:.1f}, {:.3f}), colour: fig.orange)", *FUSED),
        ("fig.normal({:.0f}, {:.0f})(y)", *WELL),
        ('("{:.3f}", "{:.3f}", "{:.3f}", "{:.3f}").at(n)', *SLIDE),
        ("..mark({:.1f}, 0.0085, [mode]), ..mark(100, 0.0062, [median])", K[PERMEABILITY.argmax()]),
        ("..mark({:.1f}, 0.0046, [mean])", integral(PERMEABILITY * K, K)),
        ("fig.dots(((0.8, {:.4f}),)", WELLS_TELL),
        ("fig.dots((({:.4f}, {:.4f}),)", math.sqrt(0.5), LOST_HALF.min()),
        (
            "fig.normal({:.1f}, calc.sqrt({:.1f}))",
            integral(EXACT * X),
            integral(EXACT * (X - 1.2) ** 2),
        ),
        ("#let rain = ((0, {}), (5, {}), (20, {}))", *RAIN_P),
        ("#let joint = (({}, {}), ({}, {}), ({}, {}))", *JOINT.ravel()),
    ]:
        assert fragment.format(*values) in DRAWN, fragment.format(*values)


def lcg_errors():
    """What the source of the Monte Carlo picture computes: a linear congruential
    generator, 40 repeats a size."""
    state, found = 2023, []
    for size in (1, 4, 16, 64, 256, 1024):
        squares = 0.0
        for _ in range(40):
            total = 0
            for _ in range(size):
                state = (1664525 * state + 1013904223) % 2**32
                u = state / 2**32
                total += 0 if u < 0.6 else 5 if u < 0.9 else 20
            squares += (total / size - 3.5) ** 2
        found.append(math.sqrt(squares / 40))
    return found


def test_monte_carlo_picture():
    drawn = json.loads(
        typst.query(str(SOURCE), "<monte-carlo>", field="value", one=True, root=str(ROOT))
    )
    ours = lcg_errors()
    assert np.allclose(drawn, ours, rtol=1e-12)
    ratio = np.array(ours) / np.sqrt(VAR / np.array([1, 4, 16, 64, 256, 1024]))
    # 40 repeats: the relative error of such an error is about 1/√80, 11 %
    assert (abs(ratio - 1) < 0.35).all()
    slope = np.polyfit(np.log([1, 4, 16, 64, 256, 1024]), np.log(ours), 1)[0]
    assert abs(slope + 0.5) < 0.04


def test_what_the_text_says_in_words():
    assert 18 < 1 / (0.002 * 0.95 + 0.998 * 0.05) < 21  # "about one slope in twenty"
    assert GOLD[2] < 0.5 < GOLD[3]  # "three tests"
    assert abs(PICK[2] - math.log(2)) < 0.01  # "about ln 2"
    assert PICK_BACK / COVER[2] > 10  # "half the data are all but impossible"
    # the width costs more
    assert kl_grid(gauss(X, 0.5, 1), gauss(X, 0, 1)) < kl_grid(gauss(X, 0, 2), gauss(X, 0, 1))


def test_ten_exercises_and_every_picture_says_what_it_shows():
    assert len(re.findall(r"#exercise\(", TEXT)) == 10 and TEXT.count("answer: [") == 10
    alts = re.findall(r'alt: "([^"]*)"', TEXT)
    assert len(alts) == len(re.findall(r"[#(]picture\(", TEXT)) >= 10
    assert all(len(alt) > 80 for alt in alts)


def test_sections_and_days_named_in_the_text():
    titles = re.findall(r"(?m)^= (.+)$", SOURCE.read_text(encoding="utf-8"))
    assert len(titles) == 12 and titles[8].startswith("Entropy") and titles[10].startswith("Latent")
    assert titles[2].startswith("Expectation") and titles[5].startswith("Maximum")
