"""Checks of the losses of a GAN,
of the best discriminator and of what is then left for the generator."""

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.probes import with_gradient


def _against(logits, label, reduction="mean"):
    """Cross-entropy of logits for one and the same label, 0 or 1."""
    return F.binary_cross_entropy_with_logits(
        logits, torch.full_like(logits, label), reduction=reduction
    )


def _logits(shape, seed, dtype=torch.float32, scale=2.0):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


d_loss = Check(
    "d_loss",
    reference=lambda real, fake: _against(real, 1.0) + _against(fake, 0.0),
    probe=with_gradient(0, 1),
    cases=[
        case("one of each, both guessed", torch.zeros(1), torch.zeros(1)),
        case("a real and a fake, both seen through", torch.tensor([2.0]), torch.tensor([-1.0])),
        case("3 real, 5 fake", _logits((3,), 0), _logits((5,), 1)),
        case("logits (4, 1) and (2, 1) in float64", _logits((4, 1), 2, torch.float64),
             _logits((2, 1), 3, torch.float64)),
        case("every second logit of a longer row", _logits((8,), 4)[::2], _logits((6,), 5)),
        case("tables of 2 × 3 and 1 × 4", _logits((2, 3), 6), _logits((1, 4), 7)),
        case("sure and wrong: ±120", torch.tensor([-120.0, 3.0]),
             torch.tensor([120.0, -3.0, 1.0])),
    ],
    mistakes=[
        Mistake("the labels are swapped",
                "Real examples get the label 1, fakes 0: −ln D(x) − ln(1 − D(G(z))).",
                lambda real, fake: _against(real, 0.0) + _against(fake, 1.0)),
        Mistake("a sigmoid and a loss that takes logits",
                "binary_cross_entropy_with_logits does the sigmoid itself: "
                "hand it the logits as they are.",
                lambda real, fake: _against(real.sigmoid(), 1.0) + _against(fake.sigmoid(), 0.0)),
        Mistake("the logarithm of a sigmoid",
                "At a logit of −120 the sigmoid is 0 and its logarithm −∞: use softplus, "
                "logsigmoid or the loss on logits.",
                lambda real, fake:
                    -(real.sigmoid().log().mean() + (1 - fake.sigmoid()).log().mean())),
        Mistake("the value of the game instead of a loss",
                "The discriminator maximises the value; "
                "an optimiser minimises, so the loss is its negative.",
                lambda real, fake: -_against(real, 1.0) - _against(fake, 0.0)),
        Mistake("one mean over real and fake together",
                "Each expectation is a mean of its own, and the two are added: "
                "guessing costs 2 ln 2.",
                lambda real, fake: (_against(real, 1.0, "sum") + _against(fake, 0.0, "sum"))
                / (real.numel() + fake.numel())),
        Mistake("sums over the batch", "The expectations are means over the batch.",
                lambda real, fake: _against(real, 1.0, "sum") + _against(fake, 0.0, "sum")),
        Mistake("the real half only", "Both count: the discriminator must also call fakes fake.",
                lambda real, fake: _against(real, 1.0)),
    ],
)  # fmt: skip

g_loss = Check(
    "g_loss",
    reference=lambda fake: _against(fake, 1.0),
    probe=with_gradient(0),
    cases=[
        case("one fake, guessed", torch.zeros(1)),
        case("one fake, seen through", torch.tensor([-2.0])),
        case("five fakes", _logits((5,), 0)),
        case("logits (3, 1) in float64", _logits((3, 1), 1, torch.float64)),
        case("every second of a longer row", _logits((10,), 2)[::2]),
        case("a table of 2 × 3", _logits((2, 3), 3)),
        case("seen through for sure: −120", torch.tensor([-120.0, 1.0])),
    ],
    mistakes=[
        Mistake("the saturating loss",
                "mean ln(1 − D) has next to no gradient where D sees through the fakes, as it does "
                "at the start. Asked for is −mean ln D.",
                lambda fake: -_against(fake, 0.0)),
        Mistake("the labels are swapped",
                "That rewards fakes that look fake. The generator wants to hear 'real', 1.",
                lambda fake: _against(fake, 0.0)),
        Mistake("a sigmoid and a loss that takes logits",
                "binary_cross_entropy_with_logits does the sigmoid itself.",
                lambda fake: _against(fake.sigmoid(), 1.0)),
        Mistake("the logarithm of a sigmoid",
                "At a logit of −120 that is −∞: use softplus or logsigmoid.",
                lambda fake: -fake.sigmoid().log().mean()),
        Mistake("the logit itself",
                "−mean of the logits has the right direction and no bound: "
                "another game, that of the WGAN notebook.",
                lambda fake: -fake.mean()),
        Mistake("a sum over the batch", "The expectation is a mean over the batch.",
                lambda fake: _against(fake, 1.0, "sum")),
    ],
)  # fmt: skip


def _shares(*numbers):
    values = torch.tensor(numbers)
    return values / values.sum()


def _drawn(k, seed):
    return torch.rand(
        k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).softmax(0)


optimal_discriminator = Check(
    "optimal_discriminator",
    reference=lambda p, q: torch.sigmoid(p.log() - q.log()),  # logit = ln p/q
    cases=[
        case("as many real as fake", torch.tensor([0.5]), torch.tensor([0.5])),
        case("three times as many real", torch.tensor([0.3]), torch.tensor([0.1])),
        case("densities at four places", torch.tensor([0.2, 1.5, 3.0, 0.01]),
             torch.tensor([0.4, 0.5, 0.02, 0.03])),
        case("only real, only fake", torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])),
        case("far from both: tiny densities", torch.tensor([1e-12, 2e-20]),
             torch.tensor([3e-12, 2e-20])),
        case("a table of 3 × 2 in float64",
             torch.rand(3, 2, generator=torch.Generator().manual_seed(0)).double(),
             torch.rand(3, 2, generator=torch.Generator().manual_seed(1)).double()),
    ],
    mistakes=[
        Mistake("the share of the fakes",
                "D is the probability of *real*: p stands in the numerator.",
                lambda p, q: q / (p + q)),
        Mistake("the ratio p/q",
                "A probability is at most 1: divide by p + q. The ratio is D/(1 − D).",
                lambda p, q: p / q),
        Mistake("a small number in the denominator",
                "Beside a density of 1e-12 even 1e-8 is large: p / (p + q) needs no such number.",
                lambda p, q: p / (p + q + 1e-8)),
        Mistake("the logit",
                "ln(p/q) is the best logit; asked for is the probability, its sigmoid.",
                lambda p, q: p.log() - q.log()),
        Mistake("a verdict of 0 or 1",
                "Where both occur no one can be sure: "
                "maximising p ln D + q ln(1 − D) gives a value in between.",
                lambda p, q: (p > q).to(p.dtype)),
    ],
)  # fmt: skip


def _entropy(p):
    return -torch.xlogy(p, p).sum()


def _kl(p, q):
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum()


def _root(p, q):
    middle = (p + q) / 2
    return ((_kl(p, middle) + _kl(q, middle)) / 2).clamp(min=0).sqrt()


js_divergence = Check(
    "js_divergence",
    reference=lambda p, q: _entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2,
    atol=1e-6,
    cases=[
        case("the same twice", _shares(1.0, 3.0), _shares(1.0, 3.0)),
        case("two different coins", _shares(1.0, 3.0), _shares(1.0, 1.0)),
        case("nothing in common: ln 2", _shares(1.0, 1.0, 0.0, 0.0), _shares(0.0, 0.0, 1.0, 2.0)),
        case("six outcomes in float64", _drawn(6, 0), _drawn(6, 1)),
        case("outcomes that one of them never has", _shares(1.0, 2.0, 0.0), _shares(0.0, 1.0, 1.0)),
        case("an outcome that neither has", _shares(1.0, 2.0, 0.0), _shares(3.0, 1.0, 0.0)),
    ],
    mistakes=[
        Mistake("0 · ln 0 is NaN",
                "It stands for 0: torch.xlogy(p, p) knows that, p * p.log() does not.",
                lambda p, q:
                    ((p * (2 * p / (p + q)).log()).sum() + (q * (2 * q / (p + q)).log()).sum())
                    / 2),
        Mistake("the middle is p + q", "Halve it, or the middle is no distribution: m = (p + q)/2.",
                lambda p, q: (_kl(p, p + q) + _kl(q, p + q)) / 2),
        Mistake("a sum instead of a mean of the two KLs",
                "JS = ½ KL(p‖m) + ½ KL(q‖m), at most ln 2.",
                lambda p, q: _kl(p, (p + q) / 2) + _kl(q, (p + q) / 2)),
        Mistake("a root of it",
                "√JS is the Jensen–Shannon *distance*, which SciPy's jensenshannon gives: asked "
                "for is the divergence itself.", _root),
        Mistake("p against q without the middle",
                "KL(p‖q) is infinite where q never gets; compare both with their mean, m.",
                lambda p, q: (_kl(p, q) + _kl(q, p)) / 2),
        Mistake("KL the wrong way round", "KL(p‖m) weighs by p, not by m.",
                lambda p, q: (_kl((p + q) / 2, p) + _kl((p + q) / 2, q)) / 2),
        Mistake("in bits", "Natural logarithms in this course: nats.",
                lambda p, q: js_divergence.reference(p, q) / torch.tensor(2.0).log()),
    ],
)  # fmt: skip
