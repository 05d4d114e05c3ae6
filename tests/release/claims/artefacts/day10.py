"""Day 10: two steps, of which the second did nothing."""

import math

import torch

from dlcourse.data import toy
from dlcourse.methods.ddim import ddim
from dlcourse.methods.diffusion import cosine_betas, cumulative, diffusion_loss
from dlcourse.methods.flow import euler, flow_loss
from dlcourse.metrics import energy_distance
from dlcourse.models.denoiser import PointDenoiser
from dlcourse.release.claims.registry import claim

T = 250


def train(net, loss_of, steps=120):
    data = toy.ring(5000, modes=8, radius=1.5, noise=0.15, seed=0)[0]
    optimiser = torch.optim.Adam(net.parameters(), 3e-3, fused=True)
    for _ in range(steps):
        optimiser.zero_grad()
        loss_of(data[torch.randint(len(data), (128,))]).backward()
        optimiser.step()


@claim(
    "Day10-Diffusion_models_afternoon",
    "With two steps flow matching is far ahead; with many both are near, and here the order even "
    "turns round: one family, with other weights for other amounts of noise.",
    by=math.log(2),  # far: at most half the distance
    trivial="noise as it is",
)
def flow_far_ahead(nb, seed):
    abar = cumulative(cosine_betas(T))
    net, other = PointDenoiser(), PointDenoiser()

    def flow(x, u):
        return net(x, T * u)

    train(net, lambda x: flow_loss(flow, x, torch.randn_like(x), torch.rand(len(x))))
    train(other, lambda x: diffusion_loss(other, x, abar, "v"))
    real, noise = toy.ring(1000, modes=8, radius=1.5, noise=0.15, seed=9)[0], torch.randn(1000, 2)
    with torch.no_grad():
        ends = {
            "flow matching": euler(flow, noise, 2),
            "diffusion, trailing times": ddim(other, noise, abar, 2, limit=2.5),
            "noise as it is": noise,
        }
    return {name: energy_distance(x, real).log() for name, x in ends.items()}
