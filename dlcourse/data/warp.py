"""Bending of images: straight maps and a smooth random field, as sampling points for `grid_sample`.

Coordinates are pixels from the centre of a 28×28 image, x to the right, y downwards.
"""

import functools
import math

import torch

SIDE = 28
CENTRES = torch.arange(SIDE) - (SIDE - 1) / 2
WAVE = 6.0  # pixels: how smooth the random field is


def straight(slant, rotation, scale, aspect):
    """The matrices (B, 2, 2) that take a printed character to a written one.

    slant: pixels to the right per pixel upwards. rotation: degrees,
        anticlockwise. scale: of the height.
    aspect: width over height, relative to what is printed. Each (B,).
    """
    angle = rotation * math.pi / 180
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    size = torch.stack([scale * aspect, zero, zero, scale], dim=1).view(-1, 2, 2)
    shear = torch.stack([one, -slant, zero, one], dim=1).view(-1, 2, 2)  # minus: y points downwards
    turn = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], dim=1).view(-1, 2, 2)
    return turn @ shear @ size


def sources(matrices, shift, displacement):
    """Where in the printed character each pixel of the written one comes from: (B, 28, 28, 2).

    matrices: (B, 2, 2) from `straight`. shift: (B, 2) pixels. displacement: (B, 28, 28, 2) pixels.
    """
    y, x = torch.meshgrid(CENTRES, CENTRES, indexing="ij")
    points = torch.stack([x, y], dim=-1) - shift[:, None, None] + displacement  # (B, 28, 28, 2)
    return (points.flatten(1, 2) @ torch.linalg.inv(matrices).mT).view(points.shape)


def smooth_field(n, channels, generator):
    """n smooth random fields (n, 28, 28, channels); the root mean square of
    a channel is 1 about the centre.

    They hold no shift, rotation, scaling or shear: those are factors of
    their own, and stay what they say.
    """
    waves = _waves()
    weights = torch.randn(n * channels, len(waves), generator=generator)
    return (weights @ waves).view(n, channels, SIDE, SIDE).movedim(1, -1)


@functools.cache
def _waves():
    """The shapes that smooth fields are sums of: (36, 784)."""
    y, x = (grid.flatten() for grid in torch.meshgrid(CENTRES, CENTRES, indexing="ij"))
    knots = torch.linspace(-16, 16, 6)
    bumps = torch.stack(
        [torch.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * WAVE**2)) for a in knots for b in knots]
    )
    # less towards the edge, where ink would leave the image
    calm = 1 / (1 + ((x**2 + y**2) / 13.0**2) ** 2)
    maps = torch.stack([torch.ones_like(x), x, y])  # (3, 784): what a straight map can do
    disc = x**2 + y**2 < 11.0**2  # where there is ink
    overlap = (calm * maps)[:, disc] @ maps[:, disc].T  # (3, 3)
    # (36, 3)
    part = torch.linalg.solve(overlap, (calm * bumps)[:, disc] @ maps[:, disc].T, left=False)
    waves = calm * (bumps - part @ maps)
    return waves / waves[:, disc].square().sum(0).mean().sqrt()
