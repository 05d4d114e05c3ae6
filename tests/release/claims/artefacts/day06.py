"""Day 06: the strongest opponent was in the figure and not in the sentence; and a cause that was
never taken away."""

import torch

from dlcourse.data import images
from dlcourse.methods.elbo import bernoulli_nll, gaussian_kl, reparameterise
from dlcourse.metrics import frechet_from_features
from dlcourse.models.vae import VAE
from dlcourse.release.claims.registry import claim

MORNING = "Day06-VAEs_morning"


def train(model, x, steps, price=1.0, rate=3e-3):
    """Trains a VAE on images of zeros and ones in place; price 0 makes it an autoencoder that
    draws no codes. Returns −ELBO in nats, the mean of the last fifty steps."""
    optimiser, seen = torch.optim.Adam(model.parameters(), rate, fused=True), []
    for _ in range(steps):
        batch = x if len(x) < 64 else x[torch.randint(len(x), (64,))]
        mu, log_var = model.encode(batch)
        z = reparameterise(mu, log_var) if price else mu
        total = (bernoulli_nll(model.decode(z), batch) + price * gaussian_kl(mu, log_var)).mean()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        seen.append(total.item())
    return sum(seen[-50:]) / 50


@claim(MORNING, "From the prior only the VAE draws; the autoencoder's codes lie elsewhere.")
@torch.no_grad()
def only_the_vae_draws(nb, seed):
    data = images.digits8()
    x = (data.x > 0.5).float()
    plain, variational = VAE(8, 64, size=8), VAE(8, 64, size=8)
    with torch.enable_grad():
        train(plain, x, 250, price=0.0)
        train(variational, x, 250)
    z = torch.randn(1000, 8)
    codes = plain.encode(x)[0]
    fitted = z @ torch.linalg.cholesky(codes.T.cov()).T + codes.mean(0)
    drawn = {
        "VAE": variational.decode(z),
        "autoencoder, N(0, I)": plain.decode(z),
        "autoencoder, Gaussian fitted": plain.decode(fitted),
    }
    real = data.x_test.flatten(1)
    return {
        name: frechet_from_features(logits.sigmoid().flatten(1), real)
        for name, logits in drawn.items()
    }


@claim(
    MORNING,
    "Nearly perfect drawings, for several nats more than ln 8: the eight regions must not overlap, "
    "and Gaussians do not tile.",
    by=-0.5,  # if the cause is geometry, longer training gains half a nat at most
)
def gaussians_do_not_tile(nb, seed):
    x = (images.digits8().x[:8] > 0.5).float()
    model = VAE(4, 32, size=8)
    return {"as trained": train(model, x, 200), "four times as long": train(model, x, 600)}
