"""Checks of a step of a Wasserstein GAN and of a critic of images.

A step is judged by the weights it leaves in both networks,
and by how often a gradient came to the generator.
"""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _middle(critic, real, fake):
    """A penalty without chance: how far the slope half-way between is from 1."""
    x = ((real + fake) / 2).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def _watch(function, generator, critic, make, x, z, weight):
    optimisers = make(generator.parameters()), make(critic.parameters())
    seen = []
    next(generator.parameters()).register_hook(lambda gradient: seen.append(1))
    row = function(generator, critic, *optimisers, x, z, _middle, weight)
    if row is None:
        return None
    return {
        "returned": {name: float(value) for name, value in row.items()},
        "the critic's weights": [p.detach().clone() for p in critic.parameters()],
        "the generator's weights": [p.detach().clone() for p in generator.parameters()],
        "gradients that reached the generator": len(seen),
    }


def _apply(loss, weights, optimiser, keep=False):
    for one, gradient in zip(weights, torch.autograd.grad(loss, weights, retain_graph=keep,
                                                          allow_unused=True),
                             strict=True):  # fmt: skip
        one.grad = gradient
    optimiser.step()


def _step(generator, critic, optimiser_g, optimiser_c, x, z, penalty, weight, fault=None):
    """n_critic steps of the critic, one of the generator;
    `fault` names what is wrong, None is right."""
    ours, theirs = list(generator.parameters()), list(critic.parameters())
    weight = {"unweighted": 1.0, "rewarded": -weight, "unpunished": 0.0}.get(fault, weight)
    sign = -1.0 if fault == "sign" else 1.0
    for number in range(1 if fault == "once" else len(x)):
        latents = z[-1] if fault == "last" else z[0] if fault == "first" else z[number]
        fake = generator(latents)
        distance = sign * (
            critic(x[number]).mean() - critic(fake if fault == "through" else fake.detach()).mean()
        )
        loss = weight * penalty(critic, x[number], fake.detach()) - distance
        _apply(loss, [*theirs, *(ours if fault == "through" else [])], optimiser_c)
        if fault == "each":
            _apply(-critic(generator(latents)).mean(), ours, optimiser_g)
    value = critic(generator(z[0] if fault == "old latents" else z[-1])).mean()
    loss_g = {"away": value, "morning": F.softplus(-value)}.get(fault, -value)
    if fault not in ("each", "idle"):
        _apply(loss_g, ours, optimiser_g)
    return {"distance": -distance if fault == "negative" else distance, "G": loss_g}


def _broken(fault):
    return lambda *args: _step(*args, fault=fault)


def _sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def _adam(parameters):
    return torch.optim.Adam(parameters, lr=0.01, betas=(0.0, 0.9))


def _players(latents, hidden, size, seed, dtype=torch.float32):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = nn.Sequential(nn.Linear(latents, hidden), nn.Tanh(), nn.Linear(hidden, size))
        critic = nn.Sequential(nn.Linear(size, hidden), nn.Tanh(), nn.Linear(hidden, 1))
    return generator.to(dtype), critic.to(dtype)


def _batches(n, rows, size, latents, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, rows, size, generator=generator, dtype=dtype) + 1
    return x, torch.randn(n + 1, rows, latents, generator=generator, dtype=dtype)


wgan_step = Check(
    "wgan_step",
    reference=_step,
    probe=_watch,
    rtol=1e-4,
    atol=1e-6,
    fallback="dlcourse.methods.wgan:wgan_step",
    cases=lambda: [
        case("one step each, batch of 2, λ = 1", *_players(1, 3, 1, 0), _sgd,
             *_batches(1, 2, 1, 1, 0), 1.0),
        case("three steps of the critic, batch of 5, λ = 10", *_players(2, 4, 3, 1), _adam,
             *_batches(3, 5, 3, 2, 1), 10.0),
        case("two steps, λ = 0.1, plain descent", *_players(2, 5, 2, 2), _sgd,
             *_batches(2, 4, 2, 2, 2), 0.1),
        case("five steps in float64", *_players(3, 4, 2, 3, torch.float64), _adam,
             *_batches(5, 6, 2, 3, 3, torch.float64), 10.0),
    ],
    mistakes=[
        Mistake("the critic's sign",
                "The critic wants mean f(real) − mean f(fake) large: descend on "
                "critic_loss(critic(real), critic(fake)), in this order.", _broken("sign")),
        Mistake("the generator runs away",
                "It wants high values for its fakes: descend on −mean f(G(z)).", _broken("away")),
        Mistake("a single step of the critic",
                "Loop over the batches of x, with the latents z[0], z[1], ….", _broken("once")),
        Mistake("the generator moves with each step of the critic",
                "Its step comes once, after the loop.", _broken("each")),
        Mistake("the critic's loss is differentiated through the generator",
                "Make its fakes inside `with torch.no_grad():`, or detach them: that backward is "
                "for nothing, and it is the dearest part.", _broken("through")),
        Mistake("λ is left out", "The penalty counts `weight` times.", _broken("unweighted")),
        Mistake("the penalty is rewarded", "Both terms are minimised: loss + weight · penalty.",
                _broken("rewarded")),
        Mistake("no penalty", "Without it nothing bounds the critic's slope: "
                              "add weight · penalty(critic, real, fake).",
                _broken("unpunished")),
        Mistake("always the same latents",
                "Each step of the critic has latents of its own: zip(x, z).", _broken("first")),
        Mistake("the critic practises on the generator's latents",
                "z[-1] is for the generator's step only.", _broken("last")),
        Mistake("the generator gets latents that the critic has seen",
                "Its step has latents of its own: z[-1].", _broken("old latents")),
        Mistake("the generator never steps", "After the loop: descend(loss_g, optimiser_g).",
                _broken("idle")),
        Mistake("this morning's loss for the generator", "A critic gives no logits: −mean f(G(z)).",
                _broken("morning")),
        Mistake("the negative distance is returned",
                "The estimate is mean f(real) − mean f(fake): minus critic_loss.",
                _broken("negative")),
    ],
)  # fmt: skip


class _Critic(nn.Module):
    """Three convolutions with leaky ReLUs between; `fault` names what is wrong."""

    def __init__(self, width, fault=None):
        super().__init__()
        norm = {"norm": nn.BatchNorm2d, "groups": lambda c: nn.GroupNorm(1, c)}.get(
            fault, lambda c: nn.Identity()
        )
        slope = {"plain": 0.0, "default": 0.01}.get(fault, 0.2)
        second = nn.Identity() if fault == "linear" else nn.LeakyReLU(slope)
        self.layers = nn.Sequential(
            nn.Conv2d(1, width, 4, stride=2, padding=1), nn.LeakyReLU(slope),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), norm(2 * width), second,
            nn.Conv2d(2 * width, 1, 7),
        )  # fmt: skip
        self.fault = fault

    def forward(self, x):
        value = self.layers(x)
        value = value if self.fault == "column" else value.flatten()  # (B, 1, 1, 1) → (B,)
        return value.sigmoid() if self.fault == "sigmoid" else value


def _inspect(function, width):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        critic = function(width).train()
    x = torch.randn(5, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        value = critic(x)
        if value is None:
            return None
        company = critic(torch.cat([x[:2], 3 * x[2:] + 1]))
    alone = value.shape == (5,) and torch.allclose(value[:2], company[:2], atol=1e-5)
    shapes = sorted(tuple(p.shape) for p in critic.parameters() if p.dim() > 1)
    found = {
        "shape of the output": list(value.shape),
        "a value depends on its own example only": bool(alone),
    }
    found["shapes of the convolutions' weights"] = shapes
    if shapes == sorted(
        [(width, 1, 4, 4), (2 * width, width, 4, 4), (1, 2 * width, 7, 7)]
    ) and value.shape == (5,):
        gap = (value - _own(x, critic, width)).abs().max().item()
        found["output, compared with what its weights give"] = gap if gap > 1e-4 else 0.0
    return found


def _own(x, critic, width):
    by_shape = {tuple(p.shape): p for p in critic.parameters()}
    bias = [by_shape.get((c,)) for c in (width, 2 * width, 1)]
    with torch.no_grad():
        x = F.leaky_relu(F.conv2d(x, by_shape[width, 1, 4, 4], bias[0], 2, 1), 0.2)
        x = F.leaky_relu(F.conv2d(x, by_shape[2 * width, width, 4, 4], bias[1], 2, 1), 0.2)
        return F.conv2d(x, by_shape[1, 2 * width, 7, 7], bias[2]).flatten()


def _faulty(fault):
    return lambda width: _Critic(width, fault)


Critic = Check(
    "Critic",
    reference=_Critic,
    probe=_inspect,
    cases=[case("width 2", 2), case("width 5", 5)],
    mistakes=[
        Mistake("batch norm in the critic",
                "Then an example's value depends on its neighbours, and 'the slope at "
                "this example' means nothing: the penalty is for each example by itself. "
                "Leave the norm out.", _faulty("norm")),
        Mistake("a sigmoid at the end", "A critic gives values of any size, no probabilities.",
                _faulty("sigmoid")),
        Mistake("the output has axes left over",
                "One number an example: flatten() makes (B,) of (B, 1, 1, 1).", _faulty("column")),
        Mistake("a plain ReLU",
                "LeakyReLU(0.2): a silent unit has slope 0 and tells the generator nothing.",
                _faulty("plain")),
        Mistake("the default slope",
                "nn.LeakyReLU has a slope of 0.01 unless told otherwise: LeakyReLU(0.2).",
                _faulty("default")),
        Mistake("no non-linearity after the second convolution",
                "Two convolutions in a row are one: "
                "LeakyReLU(0.2) between them.", _faulty("linear")),
    ],
)  # fmt: skip
