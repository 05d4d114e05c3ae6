"""Check of a step of a Wasserstein GAN.

A step is judged by the weights it leaves in both networks,
and by how often a gradient came to the generator.
"""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.gan.watching import observe


def _middle(critic, real, fake):
    """A penalty without chance: how far the slope half-way between is from 1."""
    x = ((real + fake) / 2).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def _lopsided(critic, real, fake):
    """Another penalty, in which real and fake examples have different parts."""
    x = (0.9 * real + 0.1 * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return slope.flatten(1).norm(dim=1).square().mean()


def _watch(function, generator, critic, optimiser, x, z, penalty, weight):
    """weight None: left out."""
    rates = (weight,) if weight is not None else ()
    found, _ = observe(
        lambda *optimisers: function(generator, critic, *optimisers, x, z, penalty, *rates),
        generator, critic, optimiser, 1,
    )  # fmt: skip
    found["losses"] = found["losses"][0]
    order = "optimisers that stepped, in this order"
    found[order] = found[order].replace("discriminator", "critic")
    return {
        key.replace("discriminator", "critic").replace("losses", "returned"): value
        for key, value in found.items()
    }


def _apply(loss, weights, optimiser, keep=False):
    for one, gradient in zip(weights, torch.autograd.grad(loss, weights, retain_graph=keep,
                                                          allow_unused=True),
                             strict=True):  # fmt: skip
        one.grad = gradient
    optimiser.step()


def _step(generator, critic, optimiser_g, optimiser_c, x, z, penalty, weight=10.0, fault=None):
    """n_critic steps of the critic, one of the generator;
    `fault` names what is wrong, None is right."""
    ours, theirs = list(generator.parameters()), list(critic.parameters())
    weight = {"unweighted": 1.0, "rewarded": -weight, "unpunished": 0.0}.get(fault, weight)
    sign = -1.0 if fault == "sign" else 1.0
    for number in range(1 if fault == "once" else len(x)):
        latents = z[{"last": -1, "first": 0, "ahead": number + 1}.get(fault, number)]
        fake = generator(latents)
        distance = sign * (
            critic(x[number]).mean() - critic(fake if fault == "through" else fake.detach()).mean()
        )
        pair = (x[number], fake.detach())[:: -1 if fault == "places" else 1]
        loss = weight * penalty(critic, *pair) - distance
        _apply(loss, [*theirs, *(ours if fault == "through" else [])], optimiser_c)
        if fault == "each":
            _apply(-critic(generator(latents)).mean(), ours, optimiser_g)
    value = critic(generator(z[0] if fault in ("old latents", "ahead") else z[-1])).mean()
    loss_g = {"away": value, "morning": F.softplus(-value)}.get(fault, -value)
    if fault not in ("each", "idle"):
        _apply(loss_g, ours, optimiser_g)
    told = {"negative": -distance, "whole": -loss}.get(fault, distance)
    return {"distance": told, "G": loss_g}


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
        case("two steps of the critic, one of the generator, λ = 1", *_players(1, 3, 1, 0), _sgd,
             *_batches(2, 3, 1, 1, 0), _middle, 1.0),
        case("one step each", *_players(1, 3, 1, 5), _sgd, *_batches(1, 2, 1, 1, 5), _middle, 1.0),
        case("three steps of the critic, batch of 5, λ = 10", *_players(2, 4, 3, 1), _adam,
             *_batches(3, 5, 3, 2, 1), _middle, 10.0),
        case("two steps, λ = 0.1, plain descent", *_players(2, 5, 2, 2), _sgd,
             *_batches(2, 4, 2, 2, 2), _middle, 0.1),
        case("five steps in float64", *_players(3, 4, 2, 3, torch.float64), _adam,
             *_batches(5, 6, 2, 3, 3, torch.float64), _middle, 10.0),
        case("two steps, another penalty, λ = 10 by default", *_players(2, 3, 2, 4), _sgd,
             *_batches(2, 3, 2, 2, 4), _lopsided, None),
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
        Mistake("real and fake change places in the penalty",
                "It is called as penalty(critic, real, fake).", _broken("places")),
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
        Mistake("the generator gets the first latents",
                "The last ones, z[-1], are the generator's; the critic's are z[0], z[1], ….",
                _broken("ahead")),
        Mistake("the generator never steps", "After the loop: descend(loss_g, optimiser_g).",
                _broken("idle")),
        Mistake("this morning's loss for the generator", "A critic gives no logits: −mean f(G(z)).",
                _broken("morning")),
        Mistake("the penalty is in the distance",
                "The estimate is mean f(real) − mean f(fake) alone, without weight · penalty.",
                _broken("whole")),
        Mistake("the negative distance is returned",
                "The estimate is mean f(real) − mean f(fake): minus critic_loss.",
                _broken("negative")),
    ],
)  # fmt: skip
