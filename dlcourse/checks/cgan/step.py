"""Check of a training step of a conditional GAN.

It is judged by the weights that are left in both networks, and by how often a gradient came to the
generator.
"""

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.gan.step import _adam, _against, _sgd
from dlcourse.checks.gan.watching import observe


class _Told(nn.Module):
    """A network of two arguments, (B, n) and labels (B,):
    the labels' vectors are joined to the first."""

    def __init__(self, size, out, classes, norm=False):
        super().__init__()
        self.embed = nn.Embedding(classes, 3)
        middle = [nn.BatchNorm1d(4)] if norm else []
        self.layers = nn.Sequential(nn.Linear(size + 3, 4), *middle, nn.Tanh(), nn.Linear(4, out))
        self.out = out

    def forward(self, x, y):
        result = self.layers(torch.cat([x, self.embed(y)], dim=1))
        return result[:, 0] if self.out == 1 else result


def _watch(function, generator, discriminator, optimiser, steps, x, y, z):
    found, _ = observe(
        lambda *optimisers: function(generator, discriminator, *optimisers, x, y, z),
        generator, discriminator, optimiser, steps,
    )  # fmt: skip
    return found


def _players(latents, size, classes, seed, norm=False, dtype=torch.float32):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pair = _Told(latents, size, classes), _Told(size, 1, classes, norm)
    return [model.to(dtype) for model in pair]


def _batch(rows, size, latents, classes, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    x, z = (torch.randn(rows, d, generator=generator, dtype=dtype) for d in (size, latents))
    return x + 1, torch.randint(classes, (rows,), generator=generator), z


def _apply(loss, model, optimiser):
    weights = list(model.parameters())
    gradients = torch.autograd.grad(loss, weights, retain_graph=True)
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    optimiser.step()


def _step(generator, discriminator, optimiser_g, optimiser_d, x, y, z, fault=None):
    """One step of each player; `fault` names what is wrong, None is right."""
    drawn = {"G's labels": y.flip(0), "G not told": torch.zeros_like(y)}.get(fault, y)
    fake = generator(z, drawn)
    judged = y.flip(0) if fault == "D's labels" else y
    real = torch.zeros_like(y) if fault == "D not told" else y
    judged = torch.zeros_like(y) if fault == "D not told" else judged
    one, zero = (0.0, 1.0) if fault == "swapped" else (1.0, 0.0)
    loss_d = _against(discriminator(x, real), one) + _against(
        discriminator(fake.detach(), judged), zero
    )
    if fault == "through":  # D's backward goes on into the generator, and G's adds to it
        _apply(
            _against(discriminator(fake, y), zero),
            generator,
            torch.optim.SGD(generator.parameters(), lr=0.0),
        )
    _apply(loss_d, discriminator, optimiser_d)
    asked = y.flip(0) if fault == "other wish" else judged
    loss_g = _against(discriminator(fake, asked), 1.0)
    if fault == "wrong optimiser":
        _apply(loss_g, discriminator, optimiser_d)
    elif fault == "detached":
        optimiser_g.step()  # without a gradient
    else:
        _apply(
            -_against(discriminator(fake, y), 0.0) if fault == "saturating" else loss_g,
            generator,
            optimiser_g,
        )
    return {"D": loss_d, "G": loss_g}


def _unswept(generator, discriminator, optimiser_g, optimiser_d, x, y, z):
    fake = generator(z, y)
    loss_d = _against(discriminator(x, y), 1.0) + _against(discriminator(fake.detach(), y), 0.0)
    loss_d.backward()
    optimiser_d.step()
    loss_g = _against(discriminator(fake, y), 1.0)
    loss_g.backward()
    optimiser_g.step()
    return {"D": loss_d, "G": loss_g}


def _undetached(generator, discriminator, optimiser_g, optimiser_d, x, y, z):
    fake = generator(z, y)
    (_against(discriminator(x, y), 1.0) + _against(discriminator(fake, y), 0.0)).backward()
    _against(discriminator(fake, y), 1.0).backward()  # the generator's graph is gone: RuntimeError


def _broken(fault):
    return lambda *args: _step(*args, fault=fault)


conditional_step = Check(
    "conditional_step",
    reference=_step,
    probe=_watch,
    rtol=1e-4,
    atol=1e-6,
    cases=lambda: [
        case("one step, batch of 3, plain descent", *_players(2, 2, 3, 0), _sgd, 1,
             *_batch(3, 2, 2, 3, 0)),
        case("two steps, batch of 5", *_players(2, 3, 4, 1), _sgd, 2, *_batch(5, 3, 2, 4, 1)),
        case("batch norm in the discriminator", *_players(2, 3, 3, 2, norm=True), _sgd, 1,
             *_batch(6, 3, 2, 3, 2)),
        case("three steps with Adam, float64", *_players(3, 2, 5, 3, dtype=torch.float64), _adam, 3,
             *_batch(6, 2, 3, 5, 3, torch.float64)),
    ],
    mistakes=[
        Mistake("nothing is detached",
                "The discriminator's backward went through the generator and freed its graph: "
                "discriminator(fake.detach(), y).", _undetached),
        Mistake("old gradients are added to the new ones",
                "zero_grad before each backward, of the discriminator too: the generator's loss "
                "has left gradients in it.", _unswept),
        Mistake("the fakes are judged with labels that G was not given",
                "A fake and the label it was made for go through D together; "
                "otherwise obeying does not pay.", _broken("D's labels")),
        Mistake("G is given labels in another order",
                "Row i of the fakes is made for y[i]: generator(z, y).", _broken("G's labels")),
        Mistake("G is not told", "generator(z, y), with the labels of the batch.",
                _broken("G not told")),
        Mistake("D is not told",
                "D(x, y) and D(fake, y): a judge that does not know the wish cannot insist on it.",
                _broken("D not told")),
        Mistake("G's loss asks for other labels",
                "G is to convince D that its picture for y[i] shows y[i].", _broken("other wish")),
        Mistake("real and fake exchanged",
                "d_loss(real, fake): the logits of real pairs come first.", _broken("swapped")),
        Mistake("G's loss steps D's optimiser",
                "Each player has its own: descend(loss_g, optimiser_g).",
                _broken("wrong optimiser")),
        Mistake("nothing reaches the generator", "Detach the fakes for D's loss alone.",
                _broken("detached")),
        Mistake("the saturating loss", "G minimises −mean ln D: g_loss.", _broken("saturating")),
    ],
)  # fmt: skip
