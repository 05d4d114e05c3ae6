"""The diffusion model of Day 10's afternoon after a night: labels, predicts v, guided.

python tests/bench/overnight_diffusion.py --minutes 480
"""

import overnight
import torch

from dlcourse.data.cache import cached
from dlcourse.methods.ddim import ddim, drop_labels, guide
from dlcourse.methods.diffusion import cosine_betas, cumulative, diffusion_loss
from dlcourse.methods.judge import train_judge
from dlcourse.models.cnn import CNN
from dlcourse.models.denoiser import Denoiser
from dlcourse.train import evaluating

SIZE = 32  # images of a batch
SAMPLES, SCALE, STEPS = 1000, 2.0, 10  # what the notebook judges its main run by


def drawn(model, abar, n=SAMPLES):
    """n digits in [0, 1], asked for in turn 0 … 9, as the notebook draws them."""
    torch.manual_seed(1)
    noise, y = torch.randn(n, 1, 28, 28), torch.arange(n) % 10
    with evaluating(model):
        return (ddim(lambda xt, t: guide(model, xt, t, y, SCALE), noise, abar, STEPS) + 1) / 2


def night(data, judge=None):
    judge = judge or train_judge(CNN((1, 8, 16, 32)), data, keep=cached)
    abar = cumulative(cosine_betas(250)).float()
    model = Denoiser(width=16).to(memory_format=torch.channels_last)  # a fifth faster

    def loss():
        rows = torch.randint(len(data.x), (SIZE,))
        x0, y = data.x[rows].float() / 127.5 - 1, drop_labels(data.y[rows], model.none)
        return diffusion_loss(lambda xt, t: model(xt, t, y), x0, abar, "v")

    return overnight.Night(
        name="diffusion",
        network="Denoiser(width=16)",
        model=model,
        loss=loss,
        peak=4e-3,
        clip=1.0,
        data=data.name,
        measure=f"squared Fréchet distance in the judge's features of {SAMPLES} samples, "
        f"{STEPS} DDIM steps, scale {SCALE:g}",
        value=lambda trained: judge.distance(drawn(trained, abar)).item(),
    )


if __name__ == "__main__":
    overnight.main(night, __file__)
