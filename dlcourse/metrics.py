"""How good a classifier is, and whether it knows how good it is. Students write these on the first afternoon."""

import torch


def accuracy(logits, y):
    """Share of the examples whose largest score is that of the true class.

    logits: (N, C) scores (probabilities do as well). y: (N,) class numbers. Returns a 0-d float tensor.
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
    """Expected calibration error (Guo et al. 2017, "On calibration of modern neural networks", equation 5).

    The examples are sorted by confidence, their largest probability, into bins (a, b] of equal width; the gap between
    the share that is right and the mean confidence is weighed by the share of the examples in the bin.
    logits: (N, C) scores, not probabilities. y: (N,) class numbers. Returns a 0-d float tensor between 0 and 1.
    """
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    gap = (predicted == y).to(confidence.dtype) - confidence
    which = (confidence * bins).ceil().long().clamp(1, bins) - 1
    gaps = confidence.new_zeros(bins).index_add(0, which, gap)  # within a bin gaps add up with their signs
    return gaps.abs().sum() / len(y)


def dice(logits, mask):
    """Dice score of segmentations, 2|A∩B| / (|A| + |B|) for each image, mean over the batch. Dice (1945).

    logits: (B, 1, H, W); what is above 0 (p > ½) is found. mask: same shape, bool or 0 and 1: what is there.
    Where nothing is there and nothing is found the score is 1. Returns a 0-d float tensor between 0 and 1.
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
