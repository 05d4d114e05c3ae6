"""The game of a generative adversarial network (GAN):
both losses, one step of both players, a path between latents.

Goodfellow et al. (2014), "Generative adversarial nets".
Losses are in nats, means over the batch, and take logits:
the discriminator's probability that an example is real is the sigmoid of its logit.
"""

import torch
from torch.nn import functional as F

from dlcourse.train import descend


def d_loss(real, fake):
    """The discriminator's loss: −mean ln D(x) − mean ln(1 − D(G(z))).
    Goodfellow et al. (2014), equation 1, negated.

    real, fake: its logits for real and for generated examples, any shapes.
    Returns a 0-d tensor; 2 ln 2 for guessing.
    """
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def g_loss(fake):
    """The generator's non-saturating loss: −mean ln D(G(z)). Goodfellow et al. (2014), section 3.

    fake: the discriminator's logits for generated examples, any shape. Returns a 0-d tensor.
    """
    return F.softplus(-fake).mean()


def gan_step(generator, discriminator, optimiser_g, optimiser_d, x, z):
    """One step of the discriminator, then one of the generator against the new discriminator.

    x: a batch of real examples. z: latents for as many fakes. Returns {"D": …, "G": …}, both
    losses. Real and fake go through the discriminator in batches of their own.
    """
    fake = generator(z)
    loss_d = d_loss(discriminator(x), discriminator(fake.detach()))
    descend(loss_d, optimiser_d)
    loss_g = g_loss(discriminator(fake))
    descend(loss_g, optimiser_g)
    return {"D": loss_d, "G": loss_g}


def slerp(a, b, steps):
    """Points on the arc from a to b (spherical linear interpolation),
    both included: each (d,) → (steps, d).

    With ω the angle between a and b:
    (sin((1 − t) ω) a + sin(t ω) b) / sin ω; the straight line where ω is 0.
    Shoemake (1985), "Animating rotation with quaternion curves"; for latents: White (2016).
    """
    t = torch.linspace(0, 1, steps, dtype=a.dtype, device=a.device)[:, None]
    omega = torch.acos((a @ b / (a.norm() * b.norm())).clamp(-1, 1))
    if omega.sin() < 1e-4:
        return (1 - t) * a + t * b
    return (torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / omega.sin()
