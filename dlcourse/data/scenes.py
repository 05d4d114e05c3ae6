"""Coloured textures in the format of CIFAR-10: what stands in for it without a network.

The class is the kind of pattern. Its colour gives a hint, as in photographs (ships are often on
blue); direction, size, position, contrast, light and noise are chance.
"""

import math

import torch
from torch.nn import functional as F

from dlcourse.data.cache import cached
from dlcourse.data.glyphs import BLOCK, check_count, in_blocks, one_thread

VERSION = 2  # part of the name in the cache: raise it with any change that changes an image
SIDE = 32


def textures(n=50_000, seed=0):
    """n textures in ten classes, PATTERNS. The same seed gives the same images;
    take another one for the test set.

    Returns x (n, 3, 32, 32) uint8 and y (n,) int64, cached from 5,000 images
    on. Raises ValueError for n < 1.
    """

    def make():
        with one_thread():
            return in_blocks(_draw, n, seed)

    check_count(n, seed)
    drawn = cached(f"textures-{n}-{seed}-v{VERSION}", make) if n >= 5000 else make()
    return drawn["x"], drawn["y"]


def _draw(generator):
    """One block: x (BLOCK, 3, 32, 32) uint8 and y (BLOCK,)."""
    y = (torch.arange(BLOCK) % len(PATTERNS))[torch.randperm(BLOCK, generator=generator)]
    u, v = _plane(BLOCK, generator)
    pattern = torch.empty(BLOCK, SIDE, SIDE)  # 0 … 1
    for label, draw in enumerate(PATTERNS.values()):
        pattern[y == label] = draw(u[y == label], v[y == label], generator)
    contrast = 0.15 + 0.85 * torch.rand(BLOCK, 1, 1, generator=generator)
    pattern = (0.5 + contrast * (pattern - 0.5))[:, None]
    hue = 2 * math.pi * (y[:, None] / len(PATTERNS) + torch.arange(3) / 3)
    tint = (0.5 + 0.5 * hue.cos())[
        :, :, None, None
    ]  # (B, 3, 1, 1): each kind has a colour that it prefers
    dark, step = torch.rand(2, BLOCK, 3, 1, 1, generator=generator)
    dark = 0.55 * dark.lerp(tint, 0.45)
    x = dark.lerp(dark + 0.2 + 0.25 * step, pattern)  # (B, 3, 32, 32)
    x = x * (0.75 + 0.5 * _clouds(u, v, generator)[:, None])  # uneven light
    x += 0.08 * torch.randn(x.shape, generator=generator)
    return {"x": (255 * x.clamp(0, 1)).round().to(torch.uint8), "y": y}


def _plane(n, generator):
    """Coordinates (n, 32, 32) in pattern lengths, turned, scaled and shifted at random."""
    side = torch.arange(SIDE) - (SIDE - 1) / 2
    y, x = torch.meshgrid(side, side, indexing="ij")
    turn, size, right, down = torch.rand(4, n, 1, 1, generator=generator)
    turn, size = 1.4 * (turn - 0.5), 7 + 4 * size  # radians, pixels
    u, v = turn.cos() * x - turn.sin() * y, turn.sin() * x + turn.cos() * y
    return u / size + right - 0.5, v / size + down - 0.5


def _wave(phase):
    return 0.5 + 0.5 * torch.sin(2 * math.pi * phase)


def _edge(distance):
    """Soft step from 0 (distance < 0) to 1."""
    return torch.sigmoid(16 * distance)


def _cell(u):
    return (u % 1) - 0.5  # -0.5 … 0.5 within a cell


def _stripes(u, v, generator):
    return _wave(u)


def _checks(u, v, generator):
    return _edge(torch.sin(2 * math.pi * u) * torch.sin(2 * math.pi * v) / 3)


def _dots(u, v, generator):
    return _edge(0.3 - torch.hypot(_cell(u), _cell(v)))


def _rings(u, v, generator):
    return _wave(1.3 * torch.hypot(u, v))


def _waves(u, v, generator):
    return _wave(u + 0.35 * torch.sin(math.pi * v))


def _bricks(u, v, generator):
    row = v.floor()
    joint = torch.minimum(0.5 - _cell(u / 1.6 + 0.5 * row).abs(), 0.5 - _cell(v).abs())
    return _edge(joint - 0.1)


def _rays(u, v, generator):
    spokes = torch.randint(4, 8, (len(u), 1, 1), generator=generator)
    return _wave(spokes * torch.atan2(v, u) / (2 * math.pi))


def _crosses(u, v, generator):
    u, v = _cell(u).abs(), _cell(v).abs()
    return _edge(torch.minimum(0.13 - torch.minimum(u, v), 0.4 - torch.maximum(u, v)))


def _clouds(u, v, generator):
    coarse = torch.rand(len(u), 1, 5, 5, generator=generator)
    return F.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic", align_corners=True)[:, 0].clamp(
        0, 1
    )


def _cracks(u, v, generator):
    seeds = 2.6 * torch.rand(2, len(u), 14, 1, 1, generator=generator) - 1.3
    u, v = (x / x.abs().amax((1, 2), keepdim=True) for x in (u, v))
    distance = torch.hypot(u[:, None] - seeds[0], v[:, None] - seeds[1])  # (B, 14, 32, 32)
    nearest = distance.topk(2, dim=1, largest=False).values
    return _edge(nearest[:, 1] - nearest[:, 0] - 0.08)  # dark where two seeds are equally near


PATTERNS = {
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "rings": _rings,
    "waves": _waves,
    "bricks": _bricks,
    "rays": _rays,
    "crosses": _crosses,
    "clouds": _clouds,
    "cracks": _cracks,
}
