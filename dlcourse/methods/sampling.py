"""From noise to data with a model or an exact score:
ancestral steps, Langevin dynamics, reverse SDE and its ODE.

    x = sample(model, torch.randn(64, 1, 28, 28), abar, kind="v", limit=1.0)

t is 0 … T − 1 and abar (T,) as in dlcourse.methods.diffusion. Steps of one time take t as an int.
The score is ∇ ln q_t(x), the same shape as x.
"""

import torch

from dlcourse.methods.diffusion import posterior, spread, to_x0_eps


def ancestral_step(model, xt, t, noise, abar, kind="eps", limit=None):
    """One step back, from t to t − 1: a draw from the posterior with the model's x0.
    Ho et al. (2020), algorithm 2.

    model: model(xt, t (B,)) → (B, …), of the kind that to_x0_eps knows.
    xt, noise: (B, …). t: an int. abar: (T,).
    limit: where the data end, ±limit; the model's x0 is clipped there, as images are;
    None: not at all. Returns (B, …); at t = 0 the model's x0 itself, without noise.
    The variance is the posterior's, not β.
    """
    times = torch.full((len(xt),), t, device=xt.device)
    x0, _ = to_x0_eps(model(xt, times), xt, times, abar, kind)
    if limit is not None:
        x0 = x0.clamp(-limit, limit)
    mean, variance = posterior(x0, xt, times, abar)
    return mean + variance.sqrt() * noise


def sample(model, x, abar, kind="eps", limit=None, watch=()):
    """All T steps back from noise x (B, …) ~ N(0, I).
    Returns (B, …), or (K + 1, B, …) where `watch` is given.

    watch: K times; first come the x before the steps of these times, the last entry is the result.
    The noise is drawn from the global generator. Other arguments: as in ancestral_step.
    """
    seen = []
    with torch.no_grad():
        for t in reversed(range(len(abar))):
            if t in watch:
                seen.append(x)
            x = ancestral_step(model, x, t, torch.randn_like(x), abar, kind, limit)
    return torch.stack([*seen, x]) if seen else x


def langevin_step(x, score, size, noise):
    """x + size · score + √(2 size) · noise: has the density of the score at rest, for a small size.

    x, score, noise: (B, …).
    size: a float. Song & Ermon (2019), equation 4, with size = their ε / 2.
    """
    return x + size * score + (2 * size) ** 0.5 * noise


def beta_at(abar, t):
    """β of step t, an int, from abar (T,): 1 − abar[t] / abar[t − 1],
    with 1 before the first. A 0-d tensor."""
    return 1 - abar[t] / (abar[t - 1] if t > 0 else 1.0)


def sde_step(xt, score, t, noise, abar):
    """Euler–Maruyama, one step back along the reverse SDE: xt + β (½ xt + score) + √β noise.

    xt, score, noise: (B, …). t: an int; at t = 0 without noise. Song et al. (2021), equation 6 with
    the drift of their equation 11.
    """
    beta = beta_at(abar, t).to(xt.dtype)
    return xt + beta * (xt / 2 + score) + (beta.sqrt() * noise if t > 0 else 0.0)


def ode_step(xt, score, t, abar):
    """Euler, one step back along the probability-flow ODE:
    xt + ½ β (xt + score), no noise at any time.

    xt, score: (B, …). t: an int. Song et al. (2021), equation 13.
    """
    return xt + beta_at(abar, t).to(xt.dtype) / 2 * (xt + score)


def mixture_score(x, t, means, std, abar):
    """∇ ln q_t(x) where the data are a mixture of equally frequent Gaussians N(means_k, std² I).

    At time t they are Gaussians N(√abar means_k, (abar std² + 1 − abar) I).
    x: (B, d). t: (B,) int64. means: (K, d). std: a float. abar: (T,). Returns (B, d).
    """
    level = spread(abar, t, x)  # (B, 1)
    variance = level * std**2 + 1 - level  # (B, 1)
    away = level.sqrt()[..., None] * means - x[:, None]  # (B, K, d)
    share = (-away.square().sum(2) / (2 * variance)).softmax(1)  # (B, K): whose point is it
    return (share[..., None] * away).sum(1) / variance
