"""Day 06's VAE after a night: 20 latents, binarised MNIST.

python tests/bench/overnight_vae.py --minutes 480
"""

import overnight
import torch

from dlcourse.methods.elbo import bernoulli_nll, gaussian_kl, reparameterise
from dlcourse.models.vae import VAE
from dlcourse.train import evaluating

SIZE = 256  # images of a batch


def bound(model, x):
    """−ELBO in nats, the mean over images x (B, 1, 28, 28) of zeros and ones: a 0-d tensor."""
    mu, log_var = model.encode(x)
    nll = bernoulli_nll(model.decode(reparameterise(mu, log_var)), x)
    return (nll + gaussian_kl(mu, log_var)).mean()


def coins(images, generator=None):
    """Images of zeros and ones, as the notebook draws them: a pixel is 1 with the probability of
    its grey level. (N, 1, 28, 28) uint8 → float32."""
    grey = images.float() / 255
    return (torch.rand(grey.shape, generator=generator) < grey).float()


def night(data):
    model = VAE(latents=20)
    share = (data.x.float().mean(0) / 255).clamp(1e-3, 1 - 1e-3)
    with torch.no_grad():
        model.decoder[-1].bias.copy_(share.logit().flatten())  # start from the baseline

    def loss():
        return bound(model, coins(data.x[torch.randint(len(data.x), (SIZE,))]))

    def value(trained):
        x = coins(data.x_test, torch.Generator().manual_seed(0))  # those of the notebook
        torch.manual_seed(0)
        with evaluating(trained):
            return bound(trained, x).item()

    return overnight.Night(
        name="vae",
        network="VAE(latents=20)",
        model=model,
        loss=loss,
        peak=4e-3,
        clip=None,
        data=f"{data.name}, binarised",
        measure=f"−ELBO of the {len(data.x_test):,} test images, nats per image",
        value=value,
    )


if __name__ == "__main__":
    overnight.main(night, __file__)
