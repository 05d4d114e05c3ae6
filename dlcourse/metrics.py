"""How good a classifier is, whether it knows how good it is, and how near
generated samples come to real ones."""

import torch

from dlcourse.device import for_linalg


def accuracy(logits, y):
    """Share of the examples whose largest score is that of the true class.

    logits: (N, C) scores (probabilities do as well). y: (N,) class
        numbers. Returns a 0-d float tensor.
    """
    return (logits.argmax(dim=1) == y).float().mean()


def confusion_matrix(logits, y, classes):
    """How often each true class was taken for each other one.

    logits: (N, C) scores. y: (N,) class numbers. classes: C.
    Returns counts (C, C), int64: rows are the true classes, columns the predicted ones.
    """
    pairs = y * classes + logits.argmax(dim=1)  # one number for each (true, predicted)
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def calibration_error(logits, y, bins=10):
    """Expected calibration error (Guo et al. 2017, "On calibration of
    modern neural networks", equation 3).

    The examples are sorted by confidence, their largest probability, into bins (a, b] of equal
    width; the gap between the share that is right and the mean confidence is weighed by the
    share of the examples in the bin.
    logits: (N, C) scores, not probabilities. y: (N,) class numbers. Returns a
        0-d float tensor between 0 and 1.
    """
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    gap = (predicted == y).to(confidence.dtype) - confidence
    which = (confidence * bins).ceil().long().clamp(1, bins) - 1
    # within a bin gaps add up with their signs
    gaps = confidence.new_zeros(bins).index_add(0, which, gap)
    return gaps.abs().sum() / len(y)


def dice(logits, mask):
    """Dice score of segmentations, 2|A∩B| / (|A| + |B|) for each image,
    mean over the batch. Dice (1945).

    logits: (B, 1, H, W); what is above 0 (p > ½) is found. mask: same shape, bool or 0 and
    1: what is there. Where nothing is there and nothing is found the score is 1. Returns a
    0-d float tensor between 0 and 1.
    """
    found, there = (logits > 0).flatten(1), mask.bool().flatten(1)  # (B, H·W)
    both, total = (found & there).sum(1), found.sum(1) + there.sum(1)  # (B,)
    return torch.where(total > 0, 2 * both / total.clamp(min=1), 1.0).mean()


def iou(logits, mask):
    """Intersection over union, |A∩B| / |A∪B| for each image, mean over the batch. Jaccard (1912).

    Arguments, empty masks and result as in `dice`.
    """
    found, there = (logits > 0).flatten(1), mask.bool().flatten(1)  # (B, H·W)
    both, either = (found & there).sum(1), (found | there).sum(1)  # (B,)
    return torch.where(either > 0, both / either.clamp(min=1), 1.0).mean()


def frechet_distance(mean_a, covariance_a, mean_b, covariance_b):
    """Squared Fréchet distance of two Gaussians: ‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2 (Σ_a
    Σ_b)^½). Dowson & Landau (1982).

    Means (D,), covariances (D, D), on any device. Returns a 0-d float64 tensor on the CPU. Raises
    ValueError where a number is NaN or infinite, or where the root is not real, beyond
    rounding: then one of the matrices is no covariance.
    """
    mean_a, a = for_linalg(mean_a, "mean_a"), for_linalg(covariance_a, "covariance_a")
    mean_b, b = for_linalg(mean_b, "mean_b"), for_linalg(covariance_b, "covariance_b")
    # complex numbers; of two covariances they are real and ≥ 0
    roots = torch.linalg.eigvals(for_linalg(a @ b, "the product of the covariances")).sqrt()
    if roots.imag.abs().max() > 1e-3 * roots.abs().max():
        raise ValueError("the root of the product is not real: are both matrices covariances?")
    return (mean_a - mean_b).square().sum() + a.trace() + b.trace() - 2 * roots.real.sum()


def frechet_from_features(a, b):
    """Squared Fréchet distance of two sets of features (N, D) and
    (M, D), each taken for a Gaussian.

    With the features of the Inception network this is the FID (Heusel et al. 2017, equation 6);
    with any others it has a scale of its own, so say whose features, how many samples, and the
    `noise_floor`. Returns a 0-d float64 tensor on the CPU. Raises ValueError where a feature is
    NaN or infinite, as those of a diverged generator are, or where a set has fewer than 2 samples.
    """
    for name, one in (("a", a), ("b", b)):
        if len(one) < 2:
            raise ValueError(f"{name} has {len(one)} of the 2 samples that a covariance needs")
    a, b = for_linalg(a, "features a"), for_linalg(b, "features b")
    # of one feature torch.cov makes a number instead of a matrix
    covariances = [torch.cov(one.T).reshape(one.shape[1], one.shape[1]) for one in (a, b)]
    return frechet_distance(a.mean(0), covariances[0], b.mean(0), covariances[1])


def noise_floor(features, generator=None):
    """Squared Fréchet distance of two random halves of one set of features (N,
    D): what no sampler can be below.

    It shrinks with N: compare it with distances of about as many samples as a half has. generator:
    of the halves, on the CPU; default: the global one. Returns a 0-d float64 tensor on the CPU.
    Raises ValueError for fewer than 4 samples.
    """
    if len(features) < 4:
        raise ValueError(f"{len(features)} samples cannot be halved: each half needs at least 2")
    order = torch.randperm(len(features), generator=generator).to(features.device)
    half = len(features) // 2
    return frechet_from_features(features[order[:half]], features[order[half:]])


def mode_coverage(points, centres, radius, least=0.01):
    """Of a mixture with known centres: how many modes have samples, and which
    share of the samples is on a mode.

    points: (N, D) samples. centres: (K, D). A sample is on its nearest mode if it is less than
    radius away (three standard deviations, say); a mode is covered if at least the share `least`
    of all samples is on it. Returns (covered, on_a_mode): an int and a float. After Srivastava et
    al. (2017), "VEEGAN", section 5.
    """
    distance, nearest = torch.cdist(points, centres).min(dim=1)  # (N,), (N,)
    on_a_mode = distance < radius
    counts = torch.bincount(nearest[on_a_mode], minlength=len(centres))  # (K,)
    return int((counts >= least * len(points)).sum()), on_a_mode.float().mean().item()


def energy_distance(a, b):
    """2 E|a − b| − E|a − a'| − E|b − b'|: 0 only for equal distributions.
    Székely & Rizzo (2013), equation 6.1.

    a: (N, D), b: (M, D) samples. Every pair counts, those of a point with itself as well:
    never negative, and for samples of one distribution about (1/N + 1/M) E|a − a'| (its
    noise floor). Returns a 0-d tensor.
    """
    return 2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()


def nearest(x, bank):
    """For each image of x (N, …) the Euclidean distance to its nearest one of bank
    (M, …), and which: (N,), (N,). A copy has the distance 0.

    Which one is nearest is asked of a matrix product, which is fast and rounds; its distance is
    then computed from the differences.
    """
    x, bank = x.flatten(1), bank.flatten(1)
    row = torch.cdist(x, bank).argmin(dim=1)
    return (x - bank[row]).norm(dim=1), row


def class_histogram(y, classes=10):
    """Share of each class among class numbers y (N,), e.g. those that a classifier
    gives to samples → (classes,)."""
    return torch.bincount(y, minlength=classes) / len(y)


def class_coverage(y, classes=10, least=0.01):
    """How many of the classes have at least the share `least` of the class
    numbers y (N,). Returns an int."""
    return int((class_histogram(y, classes) >= least).sum())


def conditional_accuracy(y, wanted):
    """Share of the samples that a classifier takes for the class they were to
    show. y, wanted: (N,) class numbers.

    y is the classifier's answer to samples made for the classes
    `wanted`. Returns a 0-d float tensor.
    """
    return (y == wanted).float().mean()
