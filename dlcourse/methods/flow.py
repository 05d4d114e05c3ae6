"""Flow matching on straight paths: learn the velocity from noise to data, then follow it.

Lipman et al. (2023), "Flow matching for generative modeling"; Liu, Gong & Liu (2023), "Flow
straight and fast". Time u runs from 0, noise, to 1, data.
"""

import torch


def flow_loss(model, x, noise, u):
    """Mean squared error of a velocity: at (1 − u) noise + u x it should be x − noise.
    Liu et al. (2023), equation 1.

    model: model(xu, u) → the shape of xu. x: data (B, …), noise: as many normal numbers. u: (B,) in
    [0, 1]. The mean goes over all numbers. Returns a 0-d tensor.
    """
    share = u.reshape(-1, *[1] * (x.dim() - 1))  # (B,) → (B, 1, …, 1)
    velocity = model((1 - share) * noise + share * x, u)
    return (velocity - (x - noise)).square().mean()


def euler(model, noise, steps):
    """From noise at u = 0 to data at u = 1 in Euler steps of equal length.
    noise: (B, …) → (B, …)."""
    x = noise
    with torch.no_grad():
        for number in range(steps):
            u = torch.full((len(x),), number / steps, dtype=x.dtype, device=x.device)
            x = x + model(x, u) / steps
    return x
