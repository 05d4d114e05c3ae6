"""Check of one step of a GAN.

A step is judged by the weights and running statistics it leaves in both networks, by who stepped
when, by how often the generator was called and how often a gradient came to it.
"""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.gan.watching import observe


def _against(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def _watch(function, generator, discriminator, optimiser, steps, as_functions, x, z):
    """as_functions: the players come as plain functions, without parameters()."""
    players = generator, discriminator
    if as_functions:
        players = [lambda batch, model=model: model(batch) for model in players]
    found, calls = observe(
        lambda *optimisers: function(*players, *optimisers, x, z),
        generator, discriminator, optimiser, steps,
    )  # fmt: skip
    return {"batches made by the generator": calls} | found


def _weights(optimiser):
    return [weight for group in optimiser.param_groups for weight in group["params"]]


def _apply(gradients, weights, optimiser):
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    optimiser.step()


def _loss_d(discriminator, x, fake, fault=None):
    real, made = (0.0, 1.0) if fault == "labels" else (1.0, 0.0)
    if fault == "one batch":
        logits, logits_fake = discriminator(torch.cat([x, fake])).split(len(x))
    else:
        logits, logits_fake = discriminator(x), discriminator(fake)
    return _against(logits, real) + _against(logits_fake, made)


def _step(generator, discriminator, optimiser_g, optimiser_d, x, z, fault=None):
    """One step of each player; `fault` names what is wrong, None is right."""
    ours, theirs = _weights(optimiser_g), _weights(optimiser_d)
    fake = generator(z)
    # The discriminator's loss is differentiated as far as the generator
    through = fault in (
        "through",
        "piled",
    )
    loss_d = _loss_d(discriminator, x, fake if through else fake.detach(), fault)
    found = torch.autograd.grad(loss_d, theirs + (ours if through else []), retain_graph=True)
    old = (
        torch.autograd.grad(_against(discriminator(fake), 1.0), ours, retain_graph=True)
        if fault == "old"
        else None
    )
    _apply(found[: len(theirs)], theirs, optimiser_d)
    logits = discriminator(generator(z) if fault == "twice" else fake)
    loss_g = -_against(logits, 0.0) if fault == "saturating" else _against(logits, 1.0)
    if fault == "detached":
        optimiser_g.step()  # without a gradient
        return {"D": loss_d, "G": loss_g}
    if fault == "wrong optimiser":
        _apply(torch.autograd.grad(loss_g, theirs), theirs, optimiser_d)
    else:
        gradients = old or torch.autograd.grad(loss_g, ours)
        if fault == "piled":
            gradients = [a + b for a, b in zip(gradients, found[len(theirs) :], strict=True)]
        _apply(gradients, ours, optimiser_g)
    return {"D": loss_d, "G": loss_g}


def _generator_first(generator, discriminator, optimiser_g, optimiser_d, x, z):
    ours, theirs = _weights(optimiser_g), _weights(optimiser_d)
    fake = generator(z)
    loss_g = _against(discriminator(fake), 1.0)
    _apply(torch.autograd.grad(loss_g, ours), ours, optimiser_g)
    loss_d = _loss_d(discriminator, x, fake.detach())
    _apply(torch.autograd.grad(loss_d, theirs), theirs, optimiser_d)
    return {"D": loss_d, "G": loss_g}


def _unswept(generator, discriminator, optimiser_g, optimiser_d, x, z):
    fake = generator(z)
    loss_d = _loss_d(discriminator, x, fake.detach())
    loss_d.backward()
    optimiser_d.step()
    loss_g = _against(discriminator(fake), 1.0)
    loss_g.backward()
    optimiser_g.step()
    return {"D": loss_d, "G": loss_g}


def _too_early(generator, discriminator, optimiser_g, optimiser_d, x, z):
    fake = generator(z)
    loss_d = _loss_d(discriminator, x, fake.detach())
    loss_g = _against(discriminator(fake), 1.0)
    loss_d.backward()
    optimiser_d.step()
    loss_g.backward()  # through weights that are no longer there: RuntimeError


def _undetached(generator, discriminator, optimiser_g, optimiser_d, x, z):
    fake = generator(z)
    (_against(discriminator(x), 1.0) + _against(discriminator(fake), 0.0)).backward()
    _against(discriminator(fake), 1.0).backward()  # the generator's graph is gone: RuntimeError


def _broken(fault):
    return lambda *args: _step(*args, fault=fault)


def _sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def _adam(parameters):
    return torch.optim.Adam(parameters, lr=0.01, betas=(0.5, 0.999))


def _players(latents, hidden, size, seed, norm=False, dtype=torch.float32):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = nn.Sequential(nn.Linear(latents, hidden), nn.Tanh(), nn.Linear(hidden, size))
        middle = [nn.BatchNorm1d(hidden)] if norm else []
        if norm:
            generator.insert(1, nn.BatchNorm1d(hidden))
        discriminator = nn.Sequential(
            nn.Linear(size, hidden), *middle, nn.Tanh(), nn.Linear(hidden, 1)
        )
    return generator.to(dtype), discriminator.to(dtype)


def _batch(rows, size, latents, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    x, z = (torch.randn(rows, d, generator=generator, dtype=dtype) for d in (size, latents))
    return x + 1, z


gan_step = Check(
    "gan_step",
    reference=_step,
    probe=_watch,
    fallback="dlcourse.methods.gan:gan_step",
    rtol=1e-4,
    atol=1e-6,
    cases=lambda: [
        case("one step, batch of 2, plain descent", *_players(1, 3, 1, 0), _sgd, 1,
             False, *_batch(2, 1, 1, 0)),
        case("two steps, batch of 5", *_players(2, 4, 3, 1), _sgd, 2, False,
             *_batch(5, 3, 2, 1)),
        case("batch norm in both", *_players(2, 5, 3, 2, norm=True), _sgd, 1, False,
             *_batch(4, 3, 2, 2)),
        case("three steps with Adam, float64", *_players(3, 4, 2, 3, dtype=torch.float64), _adam, 3,
             False, *_batch(6, 2, 3, 3, torch.float64)),
        case("players that are plain functions", *_players(2, 3, 2, 4), _sgd, 1, True,
             *_batch(3, 2, 2, 4)),
    ],
    mistakes=[
        Mistake("nothing is detached",
                "The discriminator's backward went through the generator and freed its graph. It "
                "needs no gradient there: discriminator(fake.detach()).", _undetached),
        Mistake("the discriminator's loss is differentiated through the generator",
                "Its gradient pulls the generator the other way, "
                "and it was added to the generator's own: discriminator(fake.detach()), "
                "and zero_grad before each backward.",
                _broken("piled")),
        Mistake("work for nothing: the discriminator's backward runs through the generator too",
                "The weights come out right because zero_grad throws that gradient away, but you "
                "pay for it at each step: discriminator(fake.detach()).", _broken("through")),
        Mistake("old gradients are added to the new ones",
                "zero_grad before each backward, of the discriminator too: the generator's loss "
                "has left gradients in it.", _unswept),
        Mistake("the labels are swapped",
                "Check the order of arguments: d_loss(logits of real, logits of fake).",
                _broken("labels")),
        Mistake("the generator's loss steps the discriminator's optimiser",
                "Then the generator never moves, and the discriminator learns to call fakes real: "
                "descend(loss_g, optimiser_g).", _broken("wrong optimiser")),
        Mistake("nothing reaches the generator",
                "Its loss must be computed from `fake` itself, not from a detached copy: detach "
                "only for the discriminator's loss.", _broken("detached")),
        Mistake("real and fake in one batch",
                "Batch norm then normalises both by common statistics, and each kind tells on the "
                "other: call the discriminator once for each.", _broken("one batch")),
        Mistake("the fakes are made twice",
                "One batch serves both: detached for the discriminator's loss, as it is for the "
                "generator's. A second pass costs time and moves batch norm's statistics again.",
                _broken("twice")),
        Mistake("the generator steps against the old discriminator",
                "Its loss was computed before the discriminator moved: "
                "call discriminator(fake) again after its step.",
                _broken("old")),
        Mistake("both losses are computed before the first step",
                "The discriminator's step overwrites weights that the generator's backward still "
                "needs: call discriminator(fake) again after it.", _too_early),
        Mistake("the saturating loss", "Use g_loss, −mean ln D(G(z)).", _broken("saturating")),
        Mistake("the generator goes first",
                "First the discriminator, then the generator against the new one.",
                _generator_first),
    ],
)  # fmt: skip
