"""Checks of the area under the ROC curve,
and of mutual information and the gap that judges disentanglement."""

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, case


def _auroc(normal, anomalous):
    from sklearn.metrics import roc_auc_score

    truth = np.r_[np.zeros(len(normal)), np.ones(len(anomalous))]
    return float(roc_auc_score(truth, np.r_[normal.numpy(), anomalous.numpy()]))


def _pairs(normal, anomalous, tie=0.5):
    gap = anomalous[:, None] - normal[None, :]
    return float(((gap > 0).float() + tie * (gap == 0).float()).mean())


def _scores(n, shift, seed):
    return torch.randn(n, generator=torch.Generator().manual_seed(seed)) + shift


auroc = Check(
    "auroc",
    reference=_auroc,
    cases=lambda: [
        case("one of each, the anomaly scores higher", torch.tensor([1.0]), torch.tensor([2.0])),
        case("two normal, one anomalous in between", torch.tensor([1.0, 3.0]), torch.tensor([2.0])),
        case("a tie", torch.tensor([1.0, 2.0]), torch.tensor([2.0, 3.0])),
        case("all the same: nothing is known", torch.ones(3), torch.ones(5)),
        case("several ties, as of whole numbers", torch.tensor([1.0, 2.0, 2.0, 0.0, 3.0]),
             torch.tensor([2.0, 2.0, 4.0])),
        case("nearly a tie is none", torch.tensor([200.0, 150.0]), torch.tensor([200.1, 149.9])),
        case("70 and 30 scores", _scores(70, 0.0, 0), _scores(30, 1.0, 1)),
        case("the anomalies score lower", _scores(20, 0.0, 2), _scores(50, -1.0, 3)),
    ],
    atol=1e-6,
    mistakes=[
        Mistake("opposite sign",
                "A high score means anomalous: count the pairs in which the *anomaly* is higher.",
                lambda normal, anomalous: 1 - _auroc(normal, anomalous)),
        Mistake("always above ½",
                "An AUROC below ½ is a finding: the score is the wrong way round.",
                lambda normal, anomalous: max(_auroc(normal, anomalous),
                                              1 - _auroc(normal, anomalous))),
        Mistake("ties count as lost", "A tie is worth ½.",
                lambda normal, anomalous: _pairs(normal, anomalous, 0.0)),
        Mistake("ties count as won", "A tie is worth ½.",
                lambda normal, anomalous: _pairs(normal, anomalous, 1.0)),
        Mistake("pairs by position",
                "Every anomaly against every normal one: "
                "a table (anomalous, normal), not pairs in order.",
                lambda normal, anomalous: float((anomalous[: len(normal)]
                                  > normal[: len(anomalous)]).float().mean())),
        Mistake("accuracy at one threshold", "The area looks at all thresholds at once.",
                lambda normal, anomalous: float(torch.cat([normal <= normal.median(),
                                                           anomalous > normal.median()])
                                                .float().mean())),
    ],
)  # fmt: skip


def _bins(values, bins, what="", of=None):
    """Of each value its bin; of: whose quantiles are the edges, by default the values' own."""
    shares = torch.linspace(0, 1, bins + 1, dtype=values.dtype)
    edges = torch.quantile(values if of is None else of, shares)
    if what == "width":
        edges = values.min() + shares * (values.max() - values.min())
    edges = edges if what == "ends" else edges[1:-1]
    return torch.bucketize(values.contiguous(), edges).clamp(max=bins - 1)


def _information(a, b, bins=20):
    from sklearn.metrics import mutual_info_score

    return float(mutual_info_score(_bins(a, bins).numpy(), _bins(b, bins).numpy()))


def _table(a, b, bins, what=""):
    of = a if what == "first" else None
    pairs = bins * _bins(a, bins, what) + _bins(b, bins, what, of)
    return torch.bincount(pairs, minlength=bins * bins).view(bins, bins).double() / len(a)


def _entropy(p):
    return -torch.special.xlogy(p, p).sum()


def _wrong_information(a, b, bins=20, what=""):
    p = _table(a, b, bins, what)
    if what in ("width", "ends", "first"):
        return float(_entropy(p.sum(0)) + _entropy(p.sum(1)) - _entropy(p))
    if what == "joint":
        return float(_entropy(p))
    if what == "bits":
        return _information(a, b, bins) / float(np.log(2))
    if what == "sum":
        return float(_entropy(p.sum(0)) + _entropy(p.sum(1)))
    return float((p - p.sum(1, keepdim=True) * p.sum(0)).abs().sum())


def _two(n, seed, how):
    a, noise = torch.randn(
        2, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).unbind()
    return a, {"same": a, "square": a**2 + 0.1 * noise, "noisy": a + noise, "independent": noise}[
        how
    ]


def _skewed():
    return torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 70.0, 100.0])


mutual_information = Check(
    "mutual_information",
    reference=_information,
    cases=lambda: [
        case("two bins of four numbers each, the same values: ln 2", _skewed(), _skewed(), 2),
        case("b = −a: two of the four cells are empty, the last one too", _skewed(), -_skewed(), 2),
        case("b = a + 1000, two bins of four numbers each", _skewed(), 1000 + _skewed(), 2),
        case("100 numbers, two bins, the same values: ln 2", *_two(100, 0, "same"), 2),
        case("four bins, independent", *_two(400, 1, "independent"), 4),
        case("b = a² and noise: no correlation, much information", *_two(1000, 2, "square"), 5),
        case("three bins, noisy", *_two(300, 3, "noisy"), 3),
        case("the number of bins left out: 20", *_two(2000, 4, "noisy")),
        case("float32, every second number", *(one.float()[::2] for one in _two(800, 5, "noisy")),
             5),
    ],
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("the joint entropy", "I = H(a) + H(b) − H(a, b) = Σ p ln (p / (p_a p_b)).",
                lambda *args: _wrong_information(*args, what="joint")),
        Mistake("bins of equal width",
                "Bins of equal *count*: inner edges are the quantiles 1/bins, 2/bins, ….",
                lambda *args: _wrong_information(*args, what="width")),
        Mistake("the ends are edges too",
                "The quantiles 0 and 1 are no inner edges: with them the least value has a bin of "
                "its own. torch.linspace(0, 1, bins + 1)[1:-1].",
                lambda *args: _wrong_information(*args, what="ends")),
        Mistake("both are cut at a's quantiles", "Each has quantiles of its own.",
                lambda *args: _wrong_information(*args, what="first")),
        Mistake("bits", "Natural logarithms: nats.",
                lambda *args: _wrong_information(*args, what="bits")),
        Mistake("the joint entropy is not subtracted", "I = H(a) + H(b) − H(a, b).",
                lambda *args: _wrong_information(*args, what="sum")),
        Mistake("differences of probabilities",
                "The *ratio* p / (p_a p_b) goes into the logarithm, weighted by p.",
                lambda *args: _wrong_information(*args, what="differences")),
        Mistake("correlation",
                "Correlation sees straight lines only: b = a² has none and is determined by a.",
                lambda a, b, bins=20: float(torch.corrcoef(torch.stack([a, b]))[0, 1])),
    ],
)  # fmt: skip


def _gap(information, entropy, absolute=False, pool="mean", axis=0):
    best, second = information.topk(2, dim=axis).values.unbind(axis)
    gaps = (best - second) if absolute else (best - second) / entropy
    return float(gaps.mean() if pool == "mean" else gaps.sum())


def _informations(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


mig = Check(
    "mig",
    reference=_gap,
    cases=lambda: [
        case("three latents, one factor", torch.tensor([[1.0], [0.25], [0.1]]),
             torch.tensor([2.0])),
        case("one latent for each of two factors",
             torch.tensor([[2.0, 0.0], [0.0, 3.0], [0.1, 0.1]]), torch.tensor([2.0, 3.0])),
        case("two latents share a factor equally",
             torch.tensor([[1.5, 0.2], [1.5, 0.9], [0.3, 0.4]]), torch.tensor([2.0, 1.0])),
        case("four latents, three factors", _informations(4, 3), 1 + _informations(3, seed=1)),
        case("six latents, five factors", _informations(6, 5, seed=2),
             2 + _informations(5, seed=3)),
    ],
    mistakes=[
        Mistake("the best without the second best",
                "A factor that two latents share equally is not separated: best − second best.",
                lambda information, entropy: float((information.amax(0) / entropy).mean())),
        Mistake("the worst in place of the second best", "The gap is to the *second* best latent.",
                lambda information, entropy:
                    float(((information.amax(0) - information.amin(0)) / entropy).mean())),
        Mistake("not divided by the entropy",
                "A factor of ln 20 nats cannot be compared with one of ln 2: "
                "divide each gap by the factor's entropy.",
                lambda *args: _gap(*args, absolute=True)),
        Mistake("sum over the factors", "The mean over the factors lies between 0 and 1.",
                lambda *args: _gap(*args, pool="sum")),
        Mistake("one entropy for all",
                "Each factor's gap is divided by its own entropy, then comes the mean.",
                lambda information, entropy: _gap(information, entropy,
                                                  absolute=True) / float(entropy.mean())),
    ],
)  # fmt: skip
