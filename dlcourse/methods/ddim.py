"""Images from noise in few steps (DDIM), guided by labels,
or around pixels that are known; averages of weights.

abar (T,), t = 0 … T − 1 and `kind` as in dlcourse.methods.diffusion; images are in [−1, 1].
"""

import torch

from dlcourse.methods.diffusion import to_x0_eps


def ema_decay(k, longest=0.999, gamma=16.0):
    """How much of an average of weights is kept at its k-th update,
    k = 1, 2, …: min((1 − 1/k)^(γ + 1), longest).

    The first update copies the weights. While the first of the two holds, the weights of update i
    count in proportion to i^γ, about: the random start not at all. Karras et al. (2024), "Analyzing
    and improving the training dynamics of diffusion models", section 3.1. Returns a float.
    """
    return min((1 - 1 / k) ** (gamma + 1), longest)


def ema_update(average, model, decay):
    """Moves a copy of the model towards it, in place:
    average ← decay · average + (1 − decay) · model.

    average, model: modules of the same layers, parameters and buffers alike; whole numbers
    (counters) are copied. Polyak & Juditsky (1992). Returns nothing.
    """
    with torch.no_grad():
        for own, new in zip(
            average.state_dict().values(), model.state_dict().values(), strict=True
        ):
            if own.is_floating_point():
                own.lerp_(new, 1 - decay)
            else:
                own.copy_(new)


def drop_labels(y, none, share=0.1):
    """Labels y (B,) with about `share` of them replaced by `none`, at random;
    a new tensor. Ho & Salimans (2022)."""
    return torch.where(torch.rand(y.shape, device=y.device) < share, none, y)


def ddim_times(steps, T):
    """`steps` times down from T − 1, as evenly as whole numbers allow, the last about T/steps − 1:
    a list of int. 1 ≤ steps ≤ T.

    It starts where all is noise, and the last call still has noise to remove: from t = 0, where
    hardly any is left, a call would be wasted. "Trailing" times: Lin et al. (2024), "Common
    diffusion noise schedules and sample steps are flawed", section 3.3.
    """
    return [T - 1 - number * T // steps for number in range(steps)]


def ddim_step(x0, eps, now, later, eta, noise):
    """From time t to an earlier one, s: √ᾱ_s x0 + √(1 − ᾱ_s − σ²) eps + σ noise.
    Song, Meng & Ermon (2021), eq. 12, 16.

    x0, eps: the clean data and the noise that a model sees in x_t, (B, …).
    now, later: ᾱ_t < ᾱ_s, 0-d; later = 1 is the end.
    eta: 0 leaves nothing to chance, 1 has the variance of DDPM. noise: (B, …). Returns (B, …).
    """
    sigma = eta * ((1 - later) / (1 - now) * (1 - now / later)).sqrt()
    return later.sqrt() * x0 + (1 - later - sigma**2).clamp(min=0).sqrt() * eps + sigma * noise


def ddim(model, x, abar, steps, kind="v", limit=1.0, eta=0.0, after=None):
    """From noise x (B, …) ~ N(0, I) to data in `steps` steps;
    the step is dlcourse.methods.ddim.ddim_step.

    model: model(xt, t (B,)) → (B, …), of the kind that to_x0_eps knows.
    limit: the model's x0 is clipped at ±limit.
    after: after(x, later), what is done to x after each step (`later` is ᾱ of the time reached,
    0-d); default nothing. Noise for eta > 0 is drawn from the global generator.
    """
    times = ddim_times(steps, len(abar))
    ends = torch.cat([abar[times[1:]], abar.new_ones(1)])  # ᾱ after each step
    with torch.no_grad():
        for t, later in zip(times, ends, strict=True):
            now, at = abar[t], torch.full((len(x),), t, device=x.device)
            x0 = to_x0_eps(model(x, at), x, at, abar, kind)[0].clamp(-limit, limit)
            # The noise that goes with the clipped x0
            eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
            x = ddim_step(
                x0, eps, now, later, eta, torch.randn_like(x) if eta else torch.zeros_like(x)
            )
            x = after(x, later) if after else x
    return x


def guide(model, xt, t, y, scale):
    """u + scale · (c − u), with c = model(xt, t, y),
    and u = model(xt, t), the same without a label.

    scale 0 ignores the labels, 1 follows them, more exaggerates. Ho & Salimans (2022), equation 6;
    their w is scale − 1. Returns the shape of xt.
    """
    told, untold = model(xt, t, y), model(xt, t)
    return untold + scale * (told - untold)


def paste_known(x, known, mask, later, noise):
    """x where the mask is 0; where it is 1 the known pixels, as noisy as x at ᾱ = later.
    Lugmayr et al. (2022), eq. 8.

    x, known, noise: (B, C, H, W). mask: 0 or 1, broadcasts to it.
    later: 0-d; 1 for no noise. Returns (B, C, H, W).
    """
    return mask * (later.sqrt() * known + (1 - later).sqrt() * noise) + (1 - mask) * x
