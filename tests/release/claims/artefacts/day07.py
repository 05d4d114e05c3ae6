"""Day 07: a measure that a circle without any modes passes."""

import math

import torch
from small_networks import dense
from torch import nn

from dlcourse.methods.gan import gan_step
from dlcourse.metrics import mode_coverage
from dlcourse.release.claims.registry import claim


def gan(points, rate_g, rate_d, beta, noise, steps=500):
    """2000 samples of a GAN on the points (N, 2), D seeing noise that fades."""
    generator, judge = dense(8, 32, 32, 2), dense(2, 32, 32, 1, activation=nn.LeakyReLU)
    optimisers = [
        torch.optim.Adam(net.parameters(), rate, betas=(beta, 0.999), fused=True)
        for net, rate in ((generator, rate_g), (judge, rate_d))
    ]
    for number in range(steps):
        level = noise * (1 - number / steps)
        x, z = points[torch.randint(len(points), (128,))], torch.randn(128, 8)
        gan_step(
            generator,
            lambda x, level=level: judge(x + level * torch.randn_like(x)),
            *optimisers,
            x,
            z,
        )
    with torch.no_grad():
        return generator(torch.randn(2000, 8))


@claim(
    "Day07-GANs_morning",
    "Same networks, same number of steps, all eight modes in every seed; what lies between the "
    "modes are the seams of a continuous map from one cloud to eight.",
    better="higher",
    trivial="a circle without modes",
)
def all_eight_modes(nb, seed):
    angle = torch.arange(8) * math.pi / 4
    centres = 2.0 * torch.stack([angle.cos(), angle.sin()], dim=1)
    points = centres[torch.randint(8, (4000,))] + 0.1 * torch.randn(4000, 2)
    turn = 2 * math.pi * torch.rand(2000)
    clouds = {
        "improved": gan(points, 3e-3, 9e-3, beta=0.5, noise=0.5),
        "a circle without modes": 2.0 * torch.stack([turn.cos(), turn.sin()], dim=1),
    }
    found = {name: mode_coverage(x, centres, 0.3, least=0.02) for name, x in clouds.items()}
    return {name: modes for name, (modes, _) in found.items()}
