"""Checks of dropout: a random function is judged by its properties, which hold for every mask."""

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _properties(function, x, p, training):
    """What must hold of dropout's output, whatever the mask was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        first, second = function(x, p, training), function(x, p, training)
    if first is None:
        raise TypeError("None came back: is `return` missing?")
    if not isinstance(first, torch.Tensor) or first.shape != x.shape:
        raise TypeError(f"return a tensor of x's shape, {tuple(x.shape)}")
    kept = first != 0
    factors = (first / x)[kept]
    share = 1 - kept.double().mean().item()
    expected = p if training else 0.0
    # one mask for all along an axis: every slice is as the first one
    copied = any((kept == kept.narrow(axis, 0, 1)).all() for axis in range(x.ndim))
    slack = 5 * (p * (1 - p) / x.numel()) ** 0.5  # five standard deviations
    return {
        "the output's numbers": first.new_zeros(0),  # of this dtype
        "the mask repeats along an axis": bool(copied) and training and p > 0,
        "smallest factor of what is kept": factors.min().item() if kept.any() else 0.0,
        "largest factor of what is kept": factors.max().item() if kept.any() else 0.0,
        "share of zeros": expected if abs(share - expected) <= slack else share,
        "another mask at the next call": bool((first != second).any()),
    }


def _mask(x, p):
    return (torch.rand(x.shape) >= p).to(x.dtype)


def _fixed(x, p, training):
    generator = torch.Generator().manual_seed(0)
    mask = (torch.rand(x.shape, generator=generator) >= p).to(x.dtype)
    return x * mask / (1 - p) if training else x


def _row(x, p, training):
    return x * _mask(x[0], p) / (1 - p) if training else x


def _batch(*shape, dtype=torch.float32):
    """Numbers of both signs, none of them near 0."""
    draw = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return draw + 0.5 * draw.sign()


dropout = Check(
    "dropout",
    reference=lambda x, p, training: F.dropout(x, p, training),
    probe=_properties,
    cases=lambda: [
        case("training, p = ½", torch.ones(40, 50), 0.5, True),
        case("training, p = 0.2", _batch(60, 80), 0.2, True),
        case("evaluation: nothing changes", _batch(4, 5), 0.5, False),
        case("training, p = 0: nothing changes", _batch(4, 5), 0.0, True),
        case("training, p = 0.9, float64", _batch(50, 60, dtype=torch.float64), 0.9, True),
        case("training, a vector", _batch(2000), 0.3, True),
        case("training, images: 20 × 3 × 8 × 9", _batch(20, 3, 8, 9), 0.4, True),
    ],
    mistakes=[
        Mistake("dropout is not scaled",
                "With a share p gone the next layer gets less. "
                "Divide what is kept by 1 − p, so that its mean stays.",
                lambda x, p, training: x * _mask(x, p) if training else x),
        Mistake("dropout is active in evaluation", "In evaluation give back x as it is.",
                lambda x, p, training: F.dropout(x, p, True)),
        Mistake("divided by p", "A share 1 − p is kept: divide by that.",
                lambda x, p, training: x * _mask(x, p) / max(p, 0.01) if training else x),
        Mistake("p is taken for the share that is kept",
                "p is the share that is dropped: keep where rand ≥ p.",
                lambda x, p, training: x * (1 - _mask(x, p)) / max(p, 0.01) if training else x),
        Mistake("p and 1 − p are mixed up in the mask",
                "Keep where rand ≥ p: a share 1 − p of the values.",
                lambda x, p, training: x * (1 - _mask(x, p)) / (1 - p) if training else x),
        Mistake("scaled in evaluation instead",
                "That is dropout as first published. The inverted form scales in training, so "
                "evaluation needs no change at all.",
                lambda x, p, training: x * _mask(x, p) if training else x * (1 - p)),
        Mistake("the same mask each time",
                "Draw a new mask at every call, without a seed of its own.", _fixed),
        Mistake("one mask for the whole batch",
                "Every example gets a mask of its own: torch.rand(x.shape).", _row),
    ],
)  # fmt: skip
