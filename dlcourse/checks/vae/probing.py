"""What any encoder and decoder can be asked, whatever layers they are made of."""

import torch
from torch import nn

from dlcourse.checks.core import Untouched

LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def given(value, what):
    """The value; Untouched where a method forgot its `return`."""
    if value is None:
        raise Untouched(f"{what} gives None: is `return` missing?")
    return value


def wake(model):
    """Weights of which every output depends strongly on every input, so that a cut-off shows; the
    same for each run."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for one in model.parameters():
            fan = one[0].numel() if one.dim() > 1 else 4
            one.copy_(torch.randn(one.shape, generator=generator) * (4 / fan) ** 0.5)


def signs(values):
    """Whether some are negative, and some positive."""
    return bool((values < 0).any()), bool((values > 0).any())


def bends(function, rows):
    """Whether a function is not an affine map: the middle of two arguments does not give the middle
    of the results."""
    a, b = rows, rows.flip(0)
    return not torch.allclose(
        function((a + b) / 2), (function(a) + function(b)) / 2, rtol=1e-3, atol=1e-4
    )


def each_alone(function, rows):
    """Whether the first row's results are the same without the other rows."""
    pairs = zip(function(rows), function(rows[:1]), strict=True)
    return all(
        a[:1].shape == b.shape and torch.allclose(a[:1], b, rtol=1e-3, atol=1e-3) for a, b in pairs
    )


def passed_on(model, call):
    """[(what a layer gave, what the next layer got)] during call(), in the order of the calls."""
    seen, kinds = [], LAYERS
    hooks = [
        one.register_forward_hook(lambda _, args, out: seen.append((args[0].clone(), out.clone())))
        for one in model.modules()
        if isinstance(one, kinds)
    ]
    call()
    for hook in hooks:
        hook.remove()
    return [(out, got) for (_, out), (got, _) in zip(seen, seen[1:], strict=False)]


def bare_joints(pairs):
    """How often a layer's output goes straight into the next layer."""
    return sum(
        out.numel() == got.numel() and torch.equal(out.flatten(), got.flatten())
        for out, got in pairs
    )


def through_relu(pairs):
    """Whether all layers but the first get what a ReLU gives: zeros and positive numbers."""
    return all(bool((got >= 0).all() and (got == 0).any()) for _, got in pairs)
