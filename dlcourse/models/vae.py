"""A variational autoencoder (VAE) of dense layers."""

from torch import nn


class VAE(nn.Module):
    """Encoder and decoder with one hidden layer each,
    for images (B, 1, size, size) and `latents` latents.

    encode(x) → mu, log_var, each (B, latents), where log_var is ln σ².
    decode(z) → logits (B, 1, size, size).
    Kingma & Welling (2014), "Auto-encoding variational Bayes", section 3 and appendix C.
    """

    def __init__(self, latents=20, hidden=400, size=28):
        super().__init__()
        self.size, pixels = size, size**2
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latents)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latents, hidden), nn.ReLU(), nn.Linear(hidden, pixels)
        )

    def encode(self, x):
        mu, log_var = self.encoder(x).chunk(2, dim=1)  # (B, 2 d) → (B, d), (B, d)
        return mu, log_var

    def decode(self, z):
        # (B, pixels) → (B, 1, size, size)
        return self.decoder(z).unflatten(1, (1, self.size, self.size))
