"""Checks of the training of a conditional GAN: a step, labels that do not fit, the loss that uses them.

A step is judged by the weights it leaves in both networks, and by how often a gradient came to the generator.
"""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.gan_step import _adam, _against, _sgd, _watch


class _Told(nn.Module):
    """A network of two arguments, (B, n) and labels (B,): the labels' vectors are joined to the first."""

    def __init__(self, size, out, classes, norm=False):
        super().__init__()
        self.embed = nn.Embedding(classes, 3)
        middle = [nn.BatchNorm1d(4)] if norm else []
        self.layers = nn.Sequential(nn.Linear(size + 3, 4), *middle, nn.Tanh(), nn.Linear(4, out))
        self.out = out

    def forward(self, x, y):
        result = self.layers(torch.cat([x, self.embed(y)], dim=1))
        return result[:, 0] if self.out == 1 else result


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
    loss_d = _against(discriminator(x, real), one) + _against(discriminator(fake.detach(), judged), zero)
    if fault == "through":  # D's backward goes on into the generator, and G's adds to it
        _apply(_against(discriminator(fake, y), zero), generator, torch.optim.SGD(generator.parameters(), lr=0.0))
    _apply(loss_d, discriminator, optimiser_d)
    asked = y.flip(0) if fault == "other wish" else judged
    loss_g = _against(discriminator(fake, asked), 1.0)
    if fault == "wrong optimiser":
        _apply(loss_g, discriminator, optimiser_d)
    elif fault != "detached":
        _apply(-_against(discriminator(fake, y), 0.0) if fault == "saturating" else loss_g, generator, optimiser_g)
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
        case("one step, batch of 3, plain descent", *_players(2, 2, 3, 0), _sgd, 1, *_batch(3, 2, 2, 3, 0)),
        case("two steps, batch of 5", *_players(2, 3, 4, 1), _sgd, 2, *_batch(5, 3, 2, 4, 1)),
        case("batch norm in the discriminator", *_players(2, 3, 3, 2, norm=True), _sgd, 1, *_batch(6, 3, 2, 3, 2)),
        case("three steps with Adam, float64", *_players(3, 2, 5, 3, dtype=torch.float64), _adam, 3,
             *_batch(6, 2, 3, 5, 3, torch.float64)),
    ],
    mistakes=[
        Mistake("nothing is detached", "The discriminator's backward went through the generator and freed its graph: "
                "discriminator(fake.detach(), y).", _undetached),
        Mistake("the fakes are judged with labels that G was not given", "A fake and the label it was made for go "
                "through D together; otherwise obeying does not pay.", _broken("D's labels")),
        Mistake("G is given labels in another order", "Row i of the fakes is made for y[i]: generator(z, y).",
                _broken("G's labels")),
        Mistake("G is not told", "generator(z, y), with the labels of the batch.", _broken("G not told")),
        Mistake("D is not told", "D(x, y) and D(fake, y): a judge that does not know the wish cannot insist on it.",
                _broken("D not told")),
        Mistake("G's loss asks for other labels", "G is to convince D that its picture for y[i] shows y[i].",
                _broken("other wish")),
        Mistake("real and fake exchanged", "d_loss(real, fake): the logits of real pairs come first.",
                _broken("swapped")),
        Mistake("G's loss steps D's optimiser", "Each player has its own: descend(loss_g, optimiser_g).",
                _broken("wrong optimiser")),
        Mistake("nothing reaches the generator", "Detach the fakes for D's loss alone.", _broken("detached")),
        Mistake("the saturating loss", "G minimises −mean ln D: g_loss.", _broken("saturating")),
    ],
)  # fmt: skip


def _others(y, classes, generator=None):
    weights = 1.0 - F.one_hot(y.cpu(), classes).float()
    return torch.multinomial(weights, 1, generator=generator)[:, 0].to(y.device)


def _statistics(function, y, classes, seed):
    wrong = function(y, classes, torch.Generator().manual_seed(seed))
    if wrong is None:
        return None
    again = function(y, classes, torch.Generator().manual_seed(seed))
    found = {"shape": tuple(wrong.shape), "dtype": str(wrong.dtype)}
    found["labels that fit after all"] = int((wrong == y).sum())
    found["labels that do not exist"] = int(((wrong < 0) | (wrong >= classes)).sum())
    if not found["labels that do not exist"] and wrong.shape == y.shape:
        table = torch.bincount(y * classes + wrong.long(), minlength=classes**2).reshape(classes, classes)
        share = table / table.sum(1, keepdim=True).clamp(min=1)
        asked = table.sum(1) > 1000  # elsewhere chance says nothing
        off = ~torch.eye(classes, dtype=torch.bool) & asked[:, None]
        found["each other label as likely as the next"] = bool(((share[off] * (classes - 1) - 1).abs() < 0.25).all())
        found["different steps from label to wrong label"] = len(((wrong - y) % classes).unique())
    if len(y) > 1000:
        found["another draw from another generator"] = not torch.equal(
            wrong, function(y, classes, torch.Generator().manual_seed(seed + 1))
        )
    return found | {"the same draw from the same generator": torch.equal(wrong, again)}


def _draw(low, high):
    return lambda y, classes, g: torch.randint(low, high(classes), y.shape, generator=g)


wrong_labels = Check(
    "wrong_labels",
    reference=_others,
    probe=_statistics,
    cases=[
        case("one label of two", torch.tensor([0]), 2, 0),
        case("every label the same", torch.full((2000,), 2), 3, 1),
        case("10,000 labels of five", torch.arange(10_000) % 5, 5, 2),
        case("20,000 labels of ten, most of them 7", (torch.arange(20_000) % 100).clamp(max=7), 10, 3),
    ],
    mistakes=[
        Mistake("the labels in another order", "Some rows get their own label back, and of a batch with one class all "
                "do: add a random step from 1 to classes − 1 to each label, modulo classes.",
                lambda y, classes, g: y[torch.randperm(len(y), generator=g)]),
        Mistake("any label at all", "One in ten of ten classes is then right: the step must not be 0.",
                lambda y, classes, g: torch.randint(classes, y.shape, generator=g)),
        Mistake("always the next label", "D would learn to reject one neighbour only: draw the step.",
                lambda y, classes, g: (y + 1) % classes),
        Mistake("one step for the whole batch", "Draw a step for each row: size y.shape.",
                lambda y, classes, g: (y + torch.randint(1, classes, (1,), generator=g)) % classes),
        Mistake("beyond the last class", "Take the sum modulo classes.",
                lambda y, classes, g: y + _draw(1, lambda k: k)(y, classes, g)),
        Mistake("a label that is never drawn", "randint leaves its upper end out: randint(1, classes) gives 1 … "
                "classes − 1.", lambda y, classes, g: (y + _draw(1, lambda k: max(2, k - 1))(y, classes, g)) % classes),
    ],
)  # fmt: skip


def _matching(real, wrong, fake):
    loss = F.binary_cross_entropy_with_logits
    halves = [loss(one, torch.zeros_like(one)) / 2 for one in (wrong, fake)]
    return loss(real, torch.ones_like(real)) + halves[0] + halves[1]


def _logits(count, seed, scale=1.0, dtype=torch.float32):
    return scale * torch.randn(count, generator=torch.Generator().manual_seed(seed), dtype=dtype)


_soft = F.softplus
matching_d_loss = Check(
    "matching_d_loss",
    reference=_matching,
    cases=[
        case("one of each, guessed", torch.zeros(1), torch.zeros(1), torch.zeros(1)),
        case("one of each", torch.tensor([2.0]), torch.tensor([-1.0]), torch.tensor([0.5])),
        case("3 real, 5 wrong, 2 fake", _logits(3, 0), _logits(5, 1), _logits(2, 2)),
        case("sure of itself, float64", *(_logits(4, seed, 300.0, torch.float64) for seed in (3, 4, 5))),
    ],
    mistakes=[
        Mistake("three equal parts", "Real pairs on one side, the two kinds of wrong ones share the other: ½ each.",
                lambda real, wrong, fake: _soft(-real).mean() + _soft(wrong).mean() + _soft(fake).mean()),
        Mistake("real images with a wrong label count as real", "The image is real, the pair is not: D must reject it.",
                lambda real, wrong, fake: _soft(-real).mean() + (_soft(-wrong).mean() + _soft(fake).mean()) / 2),
        Mistake("the wrong pairs are left out", "That is the old loss: add ½ mean softplus(wrong).",
                lambda real, wrong, fake: _soft(-real).mean() + _soft(fake).mean()),
        Mistake("the fakes are left out", "Real images with wrong labels alone teach G nothing about looks.",
                lambda real, wrong, fake: _soft(-real).mean() + _soft(wrong).mean()),
        Mistake("everything halved", "Only the two kinds of wrong pairs share a weight of 1.",
                lambda real, wrong, fake: (_soft(-real).mean() + _soft(wrong).mean() + _soft(fake).mean()) / 2),
        Mistake("one mean over both kinds", "With unequal numbers the larger kind weighs more: two means.",
                lambda real, wrong, fake: _soft(-real).mean() + _soft(torch.cat([wrong, fake])).mean()),
        Mistake("a logarithm of a sigmoid", "It overflows for sure answers: F.softplus.",
                lambda real, wrong, fake: -real.sigmoid().log().mean() - (1 - wrong.sigmoid()).log().mean() / 2
                - (1 - fake.sigmoid()).log().mean() / 2),
    ],
)  # fmt: skip
