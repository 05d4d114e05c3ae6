"""A deep convolutional GAN (DCGAN) for images of 28 × 28 pixels with values in [−1, 1].

Radford, Metz & Chintala (2016),
"Unsupervised representation learning with deep convolutional generative adversarial networks".
Unlike there: 28 × 28 pixels, one channel, two doublings instead of four, narrower.
"""

from torch import nn


def up_block(c_in, c_out):
    """Twice as high and wide: transposed convolution, batch norm, ReLU.
    (B, c_in, H, W) → (B, c_out, 2 H, 2 W)."""
    return nn.Sequential(
        nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


def down_block(c_in, c_out):
    """Half as high and wide: convolution 4 × 4, batch norm, leaky ReLU.
    (B, c_in, H, W) → (B, c_out, H / 2, W / 2)."""
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.LeakyReLU(0.2),
    )


class Generator(nn.Module):
    """Latents (B, latents) → images (B, 1, 28, 28) in (−1, 1).
    width: channels at 14 × 14 pixels."""

    def __init__(self, latents=64, width=32):
        super().__init__()
        self.latents = latents
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(latents, 2 * width, 7, bias=False), nn.BatchNorm2d(2 * width),
            nn.ReLU(), up_block(2 * width, width),  # (B, 2 w, 7, 7) → (B, w, 14, 14)
            nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1), nn.Tanh(),  # (B, 1, 28, 28)
        )  # fmt: skip

    def forward(self, z):
        # (B, latents) → (B, latents, 1, 1) → (B, 1, 28, 28)
        return self.layers(z[:, :, None, None])


class Discriminator(nn.Module):
    """Images (B, 1, 28, 28) → logits (B,), positive for "real".
    width: channels at 14 × 14 pixels."""

    def __init__(self, width=32):
        super().__init__()
        self.layers = nn.Sequential(
            # no batch norm next to the data
            nn.Conv2d(1, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
            down_block(width, 2 * width),  # (B, w, 14, 14) → (B, 2 w, 7, 7)
            nn.Conv2d(2 * width, 1, 7),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x).flatten()  # (B, 1, 1, 1) → (B,)


def initialise_dcgan(model):
    """Draws every weight of convolutions from N(0, 0.02²) and
    of batch norms from N(1, 0.02²), in place; biases are 0.

    Radford et al. (2016), section 4, for the convolutions;
    the batch norms as in their published code.
    """
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
