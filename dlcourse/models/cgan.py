"""Conditional GANs: a generator and two discriminators that are told a condition.
What draws and what looks is given.

A condition y (B,) is turned into vectors by `embed`,
y → (B, size): for class numbers nn.Embedding(classes, size), for a number any small network.
With the Generator of dlcourse.models.gan:

    embed = nn.Embedding(10, 10)
    generator = ConditionalGenerator(Generator(latents=64 + 10, width=16), embed)
"""

import torch
from torch import nn


class ConditionalGenerator(nn.Module):
    """Latents z (B, d) and conditions y (B,) → what `draw` makes of both. Mirza & Osindero (2014).

    draw: a generator of latents (B, d + size).
    embed: y (B,) → (B, size). They are joined as (z, embed(y)).
    """

    def __init__(self, draw, embed):
        super().__init__()
        self.draw, self.embed = draw, embed

    def forward(self, z, y):
        return self.draw(torch.cat([z, self.embed(y)], dim=1))  # (B, d + size)


class ConcatDiscriminator(nn.Module):
    """Images x (B, C, H, W) and conditions y (B,) → logits (B,):
    the condition is one more channel of the image.

    layers: (B, C + 1, H, W) → one number for each image, of any shape. embed: y (B,) → (B, H·W),
    one value for each pixel. The channel of the condition comes last.
    """

    def __init__(self, layers, embed):
        super().__init__()
        self.layers, self.embed = layers, embed

    def forward(self, x, y):
        plane = self.embed(y).unflatten(1, (1, *x.shape[2:]))  # (B, H·W) → (B, 1, H, W)
        return self.layers(torch.cat([x, plane], dim=1)).flatten()


class ProjectionDiscriminator(nn.Module):
    """Images x and conditions y (B,) → logits (B,): ψ(φ(x)) + e(y)·φ(x).
    Miyato & Koyama (2018), section 3.

    features: φ, x → (B, size). embed: e, y (B,) → (B, size). ψ is a linear layer of its own.
    """

    def __init__(self, features, size, embed):
        super().__init__()
        self.features, self.embed = features, embed
        self.head = nn.Linear(size, 1)

    def forward(self, x, y):
        phi = self.features(x)  # (B, size)
        return self.head(phi).flatten() + (self.embed(y) * phi).sum(dim=1)  # (B,) + (B,)
