"""The checks of the morning on diffusion: wrong answers no table foresees,
right ones written differently."""

import math

import torch
from answers import WARNINGS_ARE_ERRORS, assert_caught, assert_passes

from dlcourse.checks.diffusion import clinic as broken_samplers
from dlcourse.checks.diffusion import conversions, distance
from dlcourse.checks.diffusion import forward as diffusion_forward
from dlcourse.checks.diffusion import reverse as diffusion_reverse
from dlcourse.checks.diffusion import training as diffusion_training
from dlcourse.methods import diffusion, sampling
from dlcourse.models.denoiser import time_embedding

pytestmark = WARNINGS_ARE_ERRORS


def by_logs(betas):
    return torch.log1p(-betas).cumsum(0).exp()


def by_published_mean(model, xt, t, noise, abar, kind="eps", limit=None):
    """Algorithm 2 as printed, with a mean in terms of ε; the clipping goes through x0 and back."""
    times = torch.full((len(xt),), t)
    x0, eps = diffusion.to_x0_eps(model(xt, times), xt, times, abar, kind)
    if limit is not None:
        eps = (xt - abar[t].sqrt() * x0.clamp(-limit, limit)) / (1 - abar[t]).sqrt()
    before = abar[t - 1] if t > 0 else torch.tensor(1.0, dtype=abar.dtype)
    alpha = abar[t] / before
    mean = (xt - (1 - alpha) / (1 - abar[t]).sqrt() * eps) / alpha.sqrt()
    if t > 0:
        mean = mean + ((1 - alpha) * (1 - before) / (1 - abar[t])).sqrt() * noise
    return mean.to(xt.dtype)


def by_autograd(x, t, means, std, abar):
    x = x.detach().requires_grad_()
    level = abar[t].to(x.dtype)[:, None]
    away = (x[:, None] - level.sqrt()[..., None] * means).square().sum(2)
    density = torch.logsumexp(-away / (2 * (level * std**2 + 1 - level)), 1)
    return torch.autograd.grad(density.sum(), x)[0]


def by_underflowing_densities(x, t, means, std, abar):
    level = abar[t].to(x.dtype)[:, None]
    variance = level * std**2 + 1 - level
    away = level.sqrt()[..., None] * means - x[:, None]
    weight = (-away.square().sum(2) / (2 * variance)).exp()
    return ((weight / weight.sum(1, keepdim=True))[..., None] * away).sum(1) / variance


def eps_first(model, x0, abar, kind="eps"):
    eps, t = torch.randn(x0.shape), torch.randint(0, len(abar), (x0.shape[0],))
    return torch.nn.functional.mse_loss(
        model(diffusion.q_sample(x0, t, eps, abar), t), diffusion.target(x0, eps, t, abar, kind)
    )


def always_eps(model, x0, abar, kind="eps"):
    return diffusion.diffusion_loss(model, x0, abar, "eps")


def half_batch(model, x0, abar, kind="eps"):
    t = torch.randint(len(abar), (len(x0) // 2,))
    t = torch.cat([t, t, t[: len(x0) % 2]]) * 0 + 1
    eps = torch.randn_like(x0)
    return (
        (model(diffusion.q_sample(x0, t, eps, abar), t) - diffusion.target(x0, eps, t, abar, kind))
        .square()
        .mean()
    )


def by_scaling_and_shaking(x0, t, eps, abar):
    """Another way to the same: each example for itself."""
    levels = abar[t].tolist()
    return torch.stack(
        [
            level**0.5 * x + (1 - level) ** 0.5 * e
            for level, x, e in zip(levels, x0, eps, strict=True)
        ]
    )


def by_noise(x0, xt, t, abar):
    """The posterior's mean as Ho et al. print it in equation 11, from ε."""
    shape = (-1, *[1] * (xt.dim() - 1))
    level = abar[t].to(xt.dtype).reshape(shape)
    before = (
        torch.where(t == 0, torch.ones_like(abar[t]), abar[(t - 1).clamp(min=0)])
        .to(xt.dtype)
        .reshape(shape)
    )
    eps = (xt - level.sqrt() * x0) / (1 - level).sqrt()
    alpha = level / before
    mean = (xt - (1 - alpha) / (1 - level).sqrt() * eps) / alpha.sqrt()
    return mean, (1 - alpha) * (1 - before) / (1 - level)


def by_rotation(output, xt, t, abar, kind):
    """Everything through the angle of cos² = abar."""
    angle = torch.arccos(abar[t].sqrt()).to(xt.dtype).reshape(-1, *[1] * (xt.dim() - 1))
    c, s = angle.cos(), angle.sin()
    v = {
        "v": lambda: output,
        "eps": lambda: (output - s * xt) / c,
        "x0": lambda: (c * xt - output) / s,
        "score": lambda: (-s * output - s * xt) / c,
    }[kind]()
    return c * xt - s * v, s * xt + c * v


def fresh_noise(x0, t, eps, abar):
    return diffusion.q_sample(x0, t, torch.ones_like(eps), abar)


def no_noise_at_t_1(model, xt, t, noise, abar, kind="eps", limit=None):
    return sampling.ancestral_step(model, xt, t, noise if t > 1 else 0 * noise, abar, kind, limit)


def squashed(model, xt, t, noise, abar, kind="eps", limit=None):
    def soft(x, times):
        x0, _ = diffusion.to_x0_eps(model(x, times), x, times, abar, kind)
        return x0 if limit is None else limit * torch.tanh(x0 / limit)

    return sampling.ancestral_step(soft, xt, t, noise, abar, "x0")


def log_variance(x0, xt, t, abar):
    mean, variance = diffusion.posterior(x0, xt, t, abar)
    return mean, variance.clamp(min=1e-20).log()


def own_target_noise(model, x0, abar, kind="eps"):
    """x_t and target with two draws of noise, the second by accident."""
    t = torch.randint(len(abar), (len(x0),))
    output = model(diffusion.q_sample(x0, t, torch.randn_like(x0), abar), t)
    return (output - diffusion.target(x0, torch.randn_like(x0), t, abar, kind)).square().mean()


def drawn_wrongly(fault):
    """Algorithm 1 with one fault in what is drawn or handed on."""

    def loss(model, x0, abar, kind="eps"):
        t, eps = torch.randint(len(abar), (len(x0),)), torch.randn_like(x0)
        if fault == "one noise for all numbers":
            eps = torch.randn(len(x0), *[1] * (x0.dim() - 1)).expand_as(x0)
        if fault == "one noise for all examples":
            eps = torch.randn_like(x0[:1]).expand_as(x0)
        if fault == "early times":
            t = (torch.rand(len(x0)) ** 2 * len(abar)).long()
        if fault == "its own seed":
            eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
            t = torch.arange(len(x0)) % len(abar)
        xt = diffusion.q_sample(x0, t, eps, abar)
        output = model(xt.double() if fault == "double" else xt, t)
        output = output.detach() if fault == "detached" else output
        return (output - diffusion.target(x0, eps, t, abar, kind)).square().mean()

    return loss


def test_the_library_passes(capfd):
    assert_passes(diffusion_forward.cumulative, lambda *args: diffusion.cumulative(*args), capfd)
    assert_passes(diffusion_forward.q_sample, lambda *args: diffusion.q_sample(*args), capfd)
    assert_passes(diffusion_forward.posterior, lambda *args: diffusion.posterior(*args), capfd)
    assert_passes(
        diffusion_reverse.mixture_score, lambda *args: sampling.mixture_score(*args), capfd
    )
    assert_passes(diffusion_training.time_embedding, lambda *args: time_embedding(*args), capfd)


def test_right_answers_written_differently_pass(capfd):
    assert_passes(diffusion_forward.cumulative, by_logs, capfd)
    assert_passes(diffusion_reverse.ancestral_step, by_published_mean, capfd)
    assert_passes(diffusion_reverse.mixture_score, by_autograd, capfd)
    assert_passes(diffusion_training.diffusion_loss, eps_first, capfd)
    assert_passes(diffusion_forward.q_sample, by_scaling_and_shaking, capfd)
    assert_passes(diffusion_forward.posterior, by_noise, capfd)
    assert_passes(conversions.to_x0_eps, by_rotation, capfd)


def test_wrong_answers_are_caught():
    assert_caught(
        diffusion_reverse.mixture_score, by_underflowing_densities, "far away", "inf or NaN"
    )
    assert_caught(
        diffusion_training.diffusion_loss, always_eps, "a model of v", "whatever the kind"
    )
    assert_caught(diffusion_training.diffusion_loss, half_batch, "4000 points", "time")
    assert_caught(
        diffusion_training.diffusion_loss, own_target_noise, "4000 points", "draw it once"
    )
    for fault, says in {
        "one noise for all numbers": "each number of an example",
        "one noise for all examples": "mean of the noise",
        "early times": "equally often",
        "its own seed": "next call",
        "double": "dtype of xt",
        "detached": "cut off",
    }.items():
        assert_caught(diffusion_training.diffusion_loss, drawn_wrongly(fault), "4000 points", says)
    assert_caught(
        diffusion_training.diffusion_loss,
        lambda *args: diffusion.diffusion_loss(*args).item(),
        "4000 points",
        "a float",
    )
    assert_caught(
        diffusion_forward.q_sample,
        lambda x0, t, eps, abar: diffusion.q_sample(x0.double(), t, eps, abar),
        "one number",
        "float64",
    )
    assert_caught(
        conversions.to_x0_eps,
        lambda output, xt, t, abar, kind: diffusion.to_x0_eps(
            output, xt, t, abar, "eps" if kind == "score" else kind
        ),
        "kind score, three points",
        "Item 1 of 2",
    )
    assert_caught(
        distance.energy_distance,
        lambda a, b: 2 * torch.cdist(a, b).mean() - torch.pdist(a).mean() - torch.pdist(b).mean(),
        "two points against three",
        "a point's distance from itself is left out",
    )
    assert_caught(diffusion_forward.q_sample, fresh_noise, "one number", "largest difference")
    assert_caught(diffusion_forward.posterior, log_variance, "one number", "Item 2 of 2")
    assert_caught(
        diffusion_reverse.ancestral_step, no_noise_at_t_1, "float64", "largest difference"
    )
    assert_caught(diffusion_reverse.ancestral_step, squashed, "clipped", "largest difference")


def test_each_broken_sampler_is_told_from_the_healthy_one():
    angle = torch.arange(8) * math.pi / 4
    means = 1.5 * torch.stack([angle.cos(), angle.sin()], 1)
    abar = diffusion.cumulative(diffusion.linear_betas(100))
    healthy = broken_samplers.broken_sampler("healthy", means, 0.15, abar)
    assert (torch.cdist(healthy, means).min(1).values < 0.6).float().mean() > 0.95
    for patient in broken_samplers.FAULTS:
        assert not torch.allclose(
            broken_samplers.broken_sampler(patient, means, 0.15, abar), healthy, atol=0.05
        )
