"""Diffusion: noise goes in step by step, a network learns to take it out. Ho et al. (2020), "DDPM".

    abar = cumulative(linear_betas(250))
    xt = q_sample(x0, t, eps, abar)
    loss = diffusion_loss(model, x0, abar, kind="v")

t is a whole number, 0 … T − 1: t = 0 has one step of noise, clean data have none. (In the papers t
is 1 … T: theirs is ours plus one.) abar (T,): abar[t] = Π (1 − β_s), s = 0 … t. A model is called
as model(xt, t) with t (B,) int64 and returns the shape of xt; `kind` says what: "eps", "x0", "v" or
"score". Images are in [−1, 1].
"""

import math

import torch


def linear_betas(steps):
    """β of each step, evenly spaced
    (Ho et al. 2020, section 4: 1e-4 … 0.02 for 1000) → (steps,), float64.

    For another number of steps β is scaled so that as much noise arrives in all.
    """
    scale = 1000 / steps
    return torch.linspace(1e-4 * scale, 0.02 * scale, steps, dtype=torch.float64).clamp(max=0.999)


def cosine_betas(steps, offset=0.008):
    """β of each step such that abar falls like cos²
    (Nichol & Dhariwal 2021, equation 17) → (steps,), float64.

    offset: keeps the first steps from being too small. β is at most 0.999, as there.
    """
    time = torch.arange(steps + 1, dtype=torch.float64) / steps
    level = torch.cos((time + offset) / (1 + offset) * math.pi / 2) ** 2
    return (1 - level[1:] / level[:-1]).clamp(max=0.999)


def cumulative(betas):
    """What is left of the clean data's variance: abar[t] = Π (1 − β_s), s = 0 … t. (T,) → (T,)."""
    return (1 - betas).cumprod(0)


def spread(values, t, x):
    """values[t] (B,) as (B, 1, …, 1), to be multiplied with x (B, …); in the type of x."""
    return values[t].to(x.dtype).reshape(-1, *[1] * (x.dim() - 1))


def q_sample(x0, t, eps, abar):
    """xt = √abar x0 + √(1 − abar) ε, abar at each example's own t. Ho et al. (2020), equation 4.

    x0, eps: (B, …). t: (B,) int64. abar: (T,). Returns (B, …).
    """
    level = spread(abar, t, x0)
    return level.sqrt() * x0 + (1 - level).sqrt() * eps


def abar_before(abar):
    """abar one step nearer to the data at each t: 1 for t = 0, else abar[t − 1]. (T,) → (T,)."""
    return torch.cat([abar.new_ones(1), abar[:-1]])


def posterior(x0, xt, t, abar):
    """Mean (B, …) and variance (B, 1, …, 1) of q(x of step t − 1 | xt, x0).
    Ho et al. (2020), equations 6 and 7.

    x0, xt: (B, …). t: (B,) int64. abar: (T,). For t = 0 the mean is x0 and the variance 0.
    """
    level, before = spread(abar, t, xt), spread(abar_before(abar), t, xt)
    alpha = level / before
    mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * xt) / (1 - level)
    return mean, (1 - alpha) * (1 - before) / (1 - level)


def target(x0, eps, t, abar, kind):
    """What a model of this kind should return.
    v = √abar ε − √(1 − abar) x0: Salimans & Ho (2022), section 4.

    x0, eps: (B, …). t: (B,). abar: (T,).
    kind: "eps", "x0", "v" or "score" (of q(xt|x0)). Returns (B, …).
    """
    level = spread(abar, t, x0)
    if kind == "v":
        return level.sqrt() * eps - (1 - level).sqrt() * x0
    return {"eps": eps, "x0": x0, "score": -eps / (1 - level).sqrt()}[kind]


def to_x0_eps(output, xt, t, abar, kind):
    """The clean data and the noise that an output of this kind amounts to, (x0, eps), each (B, …).

    output, xt: (B, …). t: (B,) int64. abar: (T,). kind: "eps", "x0", "v" or "score". Always
    √abar x0 + √(1 − abar) eps = xt.
    """
    signal, noise = spread(abar, t, xt).sqrt(), (1 - spread(abar, t, xt)).sqrt()
    if kind == "x0":
        return output, (xt - signal * output) / noise
    if kind == "v":
        return signal * xt - noise * output, noise * xt + signal * output
    eps = {"eps": output, "score": -noise * output}[kind]
    return (xt - noise * eps) / signal, eps


def diffusion_loss(model, x0, abar, kind="eps"):
    """Mean squared error of the model at a random time for each example.
    Ho et al. (2020), algorithm 1, equation 14.

    model: model(xt, t) → (B, …). x0: (B, …). abar: (T,).
    kind: see `target`. The mean goes over all numbers, so that a guess of 0
    costs about 1 for "eps" whatever the number of pixels. Returns a 0-d tensor.
    """
    t = torch.randint(len(abar), (len(x0),), device=x0.device)
    eps = torch.randn_like(x0)
    output = model(q_sample(x0, t, eps, abar), t)
    return (output - target(x0, eps, t, abar, kind)).square().mean()
