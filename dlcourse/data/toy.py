"""Points in the plane with class labels: small problems whose answer can be seen.

Every function returns x (n, 2) float32 and y (n,) int64, shuffled, its classes of equal size
(to within one point). `seed` feeds a generator of its own: the global one is left alone.
`noise` is a standard deviation in units of x. Errors: ValueError for fewer points than
classes, or for a negative noise.
"""

import math

import torch


def _start(n, classes, noise, seed):
    """A seeded generator, and shuffled labels (n,) in 0 … classes - 1 of equal frequency."""
    if not isinstance(classes, int) or classes < 1:
        raise ValueError(f"the number of classes is a whole number of at least 1, not {classes!r}")
    if not isinstance(n, int) or n < classes:
        raise ValueError(
            f"n is a whole number of at least {classes} (one point a class), not {n!r}"
        )
    if noise < 0:
        raise ValueError(f"noise is a standard deviation and cannot be negative; it is {noise}")
    generator = torch.Generator().manual_seed(seed)
    return generator, (torch.arange(n) % classes)[torch.randperm(n, generator=generator)]


def _points(x1, x2, noise, generator):
    x = torch.stack([x1, x2], dim=1)  # (n, 2)
    return x + noise * torch.randn(x.shape, generator=generator)


def moons(n=500, noise=0.1, seed=0):
    """Two interleaved half circles of radius 1, centred on the origin together."""
    generator, y = _start(n, 2, noise, seed)
    angle = math.pi * torch.rand(n, generator=generator)
    side = 1.0 - 2.0 * y  # +1: the upper moon, -1: the lower one
    return _points(side * (angle.cos() - 0.5), side * (angle.sin() - 0.25), noise, generator), y


def spirals(n=500, turns=1.0, noise=0.05, arms=2, seed=0):
    """Spiral arms that wind `turns` times around the origin between the radii
    0.15 and 1; the label is the arm."""
    generator, y = _start(n, arms, noise, seed)
    radius = 0.15 + 0.85 * torch.rand(n, generator=generator)
    angle = 2 * math.pi * (turns * radius + y / arms)
    return _points(radius * angle.cos(), radius * angle.sin(), noise, generator), y


def ring(n=500, modes=8, radius=1.0, noise=0.05, seed=0):
    """Gaussians of standard deviation `noise` evenly spaced on a circle; the label is the mode."""
    generator, y = _start(n, modes, noise, seed)
    angle = 2 * math.pi * y / modes
    return _points(radius * angle.cos(), radius * angle.sin(), noise, generator), y


def swiss_roll(n=500, noise=0.05, classes=4, seed=0):
    """A spiral of one and a half turns, about unit variance; the label is the stretch
    of it, from inside to outside."""
    generator, y = _start(n, classes, noise, seed)
    along = (y + torch.rand(n, generator=generator)) / classes  # 0 inside … 1 outside
    angle = math.pi * (1.5 + 3 * along)
    return _points(angle * angle.cos() / 7, angle * angle.sin() / 7, noise, generator), y


def xor(n=500, noise=0.3, seed=0):
    """Four Gaussians on the corners (±1, ±1); the label is 1 where the two signs differ."""
    generator, corner = _start(n, 4, noise, seed)
    angle = math.pi * (0.25 + 0.5 * corner)
    return _points(2**0.5 * angle.cos(), 2**0.5 * angle.sin(), noise, generator), corner % 2
