"""The checks of the conditional GAN: wrong answers that no table foresees, right ones written
in another way, and its clinic."""

import pytest
import torch
from answers import WARNINGS_ARE_ERRORS, assert_caught, assert_passes, message
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.cgan import clinic as broken_cgans
from dlcourse.checks.cgan import matching as cgan_matching
from dlcourse.checks.cgan import measures as cgan_measures
from dlcourse.checks.cgan import networks as cgan
from dlcourse.checks.cgan import projection as cgan_projection
from dlcourse.checks.cgan import step as cgan_step
from dlcourse.checks.cgan import variance as cgan_variance
from dlcourse.data import toy
from dlcourse.methods.gan import d_loss, g_loss
from dlcourse.models import cgan as models
from dlcourse.train import descend

pytestmark = WARNINGS_ARE_ERRORS


class Multiplies(models.ConditionalGenerator):
    def forward(self, z, y):
        told = self.embed(y)
        return self.draw(torch.cat([z, told * z.mean(dim=1, keepdim=True)], dim=1))


class Frozen(models.ConditionalGenerator):
    def forward(self, z, y):
        with torch.no_grad():
            told = self.embed(y)
        return self.draw(torch.cat([z, told], dim=1))


class MeanPlane(models.ConcatDiscriminator):
    def forward(self, x, y):
        plane = self.embed(y).mean(dim=1)[:, None, None, None].expand(-1, 1, *x.shape[2:])
        return self.layers(torch.cat([x, plane], dim=1)).flatten()


class GreyOnly(models.ConcatDiscriminator):
    """Takes one channel of the image."""

    def forward(self, x, y):
        return super().forward(x[:, :1], y)


class WholeNumbers(models.ConditionalGenerator):
    """Conditions may be numbers or rows of them."""

    def forward(self, z, y):
        return super().forward(z, y.long())


def always_the_same(y, classes, generator=None):
    generator = torch.Generator() if generator is None else generator
    return (y + torch.randint(1, classes, y.shape, generator=generator)) % classes


class OneLogit(models.ConcatDiscriminator):
    def forward(self, x, y):
        return super().forward(x, y).mean()


class HeadWithoutBias(models.ProjectionDiscriminator):
    def __init__(self, features, size, embed):
        super().__init__(features, size, embed)
        self.head = nn.Linear(size, 1, bias=False)


class LateHead(models.ProjectionDiscriminator):
    """Its ψ comes with the first call, when an optimiser has its parameters already."""

    def __init__(self, features, size, embed):
        super().__init__(features, size, embed)
        del self.head
        self.size = size

    def forward(self, x, y):
        if not hasattr(self, "head"):
            self.head = nn.Linear(self.size, 1)
        return super().forward(x, y)


class Centred(models.ProjectionDiscriminator):
    def forward(self, x, y):
        logits = super().forward(x, y)
        return logits - logits.mean()


class InADictionary(nn.Module):
    def __init__(self, draw, embed):
        super().__init__()
        self.embed, self.parts = embed, {"draw": draw}

    def forward(self, z, y):
        return self.parts["draw"](torch.cat([z, self.embed(y)], dim=1))


class Difference(models.ProjectionDiscriminator):
    def forward(self, x, y):
        phi = self.features(x)
        return self.head(phi).flatten() - (self.embed(y) * phi).sum(dim=1)


def told_twice(generator, discriminator, optimiser_g, optimiser_d, x, y, z):
    fake = generator(z, y)
    descend(d_loss(discriminator(x, y), discriminator(fake.detach(), y)), optimiser_d)
    fake = generator(z, y.roll(1))
    loss = g_loss(discriminator(fake, y.roll(1)))
    descend(loss, optimiser_g)
    return {"D": loss, "G": loss}


def wrong_for_one(y, classes, generator=None):
    steps = torch.zeros_like(y)
    steps[0] = 1
    return (y + steps) % classes


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "a product with z": (
        cgan.ConditionalGenerator,
        Multiplies,
        "3 latents, 2 classes",
        "'output' differs",
    ),
    "an embedding that never learns": (
        cgan.ConditionalGenerator,
        Frozen,
        "3 latents, 2 classes",
        "'weights that get no gradient' differs",
    ),
    "one value for the plane": (
        cgan.ConcatDiscriminator,
        MeanPlane,
        "images of 2 × 2",
        "'output' differs",
    ),
    "one logit for the batch": (cgan.ConcatDiscriminator, OneLogit, "images of 2 × 2", "Entry"),
    "no bias": (
        cgan_projection.ProjectionDiscriminator,
        HeadWithoutBias,
        "4 images, 3 features",
        "'weights of your own' differs",
    ),
    "ψ made at the first call": (
        cgan_projection.ProjectionDiscriminator,
        LateHead,
        "4 images, 3 features",
        "'weights made in forward, which no optimiser knows' differs",
    ),
    "logits against the batch's mean": (
        cgan_projection.ProjectionDiscriminator,
        Centred,
        "4 images, 3 features",
        "depends on its own x and y alone' differs",
    ),
    "a module in a dictionary": (
        cgan.ConditionalGenerator,
        InADictionary,
        "3 latents, 2 classes",
        "'weights given to you that parameters() misses' differs",
    ),
    "a minus": (
        cgan_projection.ProjectionDiscriminator,
        Difference,
        "4 images, 3 features",
        "'output' differs",
    ),
    "G's step on other labels": (
        cgan_step.conditional_step,
        told_twice,
        "one step, batch of 3",
        "Entry",
    ),
    "only the first label": (
        cgan_matching.wrong_labels,
        wrong_for_one,
        "every label the same",
        "that fit after all",
    ),
    "wrong pairs with a plus": (
        cgan_matching.matching_d_loss,
        lambda real, wrong, fake: F.softplus(torch.cat([-real, wrong, fake])).mean(),
        "one of each, guessed",
        "got",
    ),
    "labels first": (
        cgan_measures.ask_grid,
        lambda z, k: (torch.arange(k).repeat_interleave(len(z)), z.repeat(k, 1)),
        "1 latent, 2 classes",
        "differs",
    ),
    "shares of mistakes": (
        cgan_measures.accuracy_by_class,
        lambda found, wanted, k: (
            1 - torch.stack([(found[wanted == i] == i).float().mean() for i in range(k)])
        ),
        "one of each class",
        "got",
    ),
    "upside down and wide": (
        cgan_measures.slant,
        lambda x: x.flatten(1).mean(1),
        "a diagonal stroke",
        "got",
    ),
    "equal shares": (
        cgan_variance.variance_shares,
        lambda values: torch.full((3,), 1 / 3),
        "rows differ",
        "got",
    ),
    "one channel": (cgan.ConcatDiscriminator, GreyOnly, "three channels", "this network takes"),
    "class numbers only": (
        cgan.ConditionalGenerator,
        WholeNumbers,
        "a condition that is a number",
        "'output' differs",
    ),
    "the same again without a generator": (
        cgan_matching.wrong_labels,
        always_the_same,
        "every label the same",
        "two draws without a generator differ",
    ),
    "labels of another dtype": (
        cgan_measures.ask_grid,
        lambda z, k: (z.repeat(k, 1), torch.arange(k).repeat_interleave(len(z)).int()),
        "1 latent, 2 classes",
        "dtype should be int64",
    ),
    "float64 slopes": (
        cgan_measures.slant,
        lambda x: cgan_measures.slant.reference(x.double()),
        "a diagonal stroke",
        "dtype should be float32",
    ),
    "a fault not listed": (
        broken_cgans.diagnose_cgans,
        lambda: dict.fromkeys("ABCD", "bad luck"),
        "patient A",
        "not on the list",
    ),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    assert_caught(check, wrong, label, says)
    assert "Likely cause" not in message(check, wrong)


class Joined(nn.Module):
    def __init__(self, draw, embed):
        super().__init__()
        self.parts = nn.ModuleDict({"draw": draw, "embed": embed})

    def forward(self, z, y):
        return self.parts["draw"](torch.hstack((z, self.parts["embed"](y))))


class Planes(nn.Module):
    def __init__(self, layers, embed):
        super().__init__()
        self.net, self.table = layers, embed

    def forward(self, x, y):
        pair = x.new_empty(len(x), x.shape[1] + 1, *x.shape[2:])
        pair[:, :-1], pair[:, -1] = x, self.table(y).view(len(x), x.shape[2], x.shape[3])
        return self.net(pair).view(-1)


class ByEinsum(nn.Module):
    def __init__(self, features, size, embed):
        super().__init__()
        self.psi, self.phi, self.e = nn.Linear(size, 1), features, embed

    def forward(self, x, y):
        phi = self.phi(x)
        return torch.einsum("bi,bi->b", phi, self.e(y)) + self.psi(phi)[:, 0]


def by_hand(generator, discriminator, optimiser_g, optimiser_d, x, y, z):
    with torch.no_grad():
        fake = generator(z, y)
    optimiser_d.zero_grad()
    logits = torch.cat([discriminator(x, y), discriminator(fake, y)])
    loss_d = 2 * F.binary_cross_entropy_with_logits(
        logits, torch.arange(2 * len(x)).lt(len(x)).to(logits)
    )
    loss_d.backward()
    optimiser_d.step()
    optimiser_g.zero_grad()
    loss_g = -F.logsigmoid(discriminator(generator(z, y), y)).mean()
    loss_g.backward()
    optimiser_g.step()
    return {"G": loss_g.item(), "D": loss_d.item()}


def until_all_differ(y, classes, generator=None):
    wrong = torch.randint(classes, y.shape, generator=generator)
    while (wrong == y).any():
        same = wrong == y
        wrong[same] = torch.randint(classes, (int(same.sum()),), generator=generator)
    return wrong


def rows_of_the_grid(z, classes):
    y = torch.arange(classes)[:, None].expand(classes, len(z)).flatten()
    return z[None].expand(classes, -1, -1).flatten(0, 1), y


def by_mask(found, wanted, classes=10):
    asked = F.one_hot(wanted, classes)
    return ((found == wanted).float() @ asked.float()) / asked.sum(0)


def by_raw_moments(x):
    dtype, x = x.dtype, x.double()
    v = torch.linspace(x.shape[2], 1, x.shape[2], dtype=x.dtype)
    u = torch.arange(x.shape[3], dtype=x.dtype)
    p = x[:, 0] / x.sum((1, 2, 3))[:, None, None]
    mean_u, mean_v = (p.sum(1) * u).sum(1), (p.sum(2) * v).sum(1)
    both = torch.einsum("bhw,h,w->b", p, v, u) - mean_u * mean_v
    return (both / ((p.sum(2) * v**2).sum(1) - mean_v**2)).to(dtype)


def by_differences(values):
    total = ((values - values.mean()) ** 2).mean()
    label = ((values.mean(1) - values.mean()) ** 2).mean() / total
    latent = ((values.mean(0) - values.mean()) ** 2).mean() / total
    return torch.tensor([label, latent, 1 - label - latent])


ALSO_RIGHT = {
    "hstack": (cgan.ConditionalGenerator, Joined),
    "an empty tensor, filled": (cgan.ConcatDiscriminator, Planes),
    "einsum": (cgan_projection.ProjectionDiscriminator, ByEinsum),
    "a step by hand": (cgan_step.conditional_step, by_hand),
    "drawn until they differ": (cgan_matching.wrong_labels, until_all_differ),
    "a step modulo": (
        cgan_matching.wrong_labels,
        lambda y, classes, generator=None: (
            y + 1 + torch.randint(classes - 1, (len(y),), generator=generator)
        ).remainder(classes),
    ),
    "logsigmoid": (
        cgan_matching.matching_d_loss,
        lambda real, wrong, fake: (
            -(
                F.logsigmoid(real).mean()
                + F.logsigmoid(-wrong).mean() / 2
                + F.logsigmoid(-fake).mean() / 2
            )
        ),
    ),
    "expand and flatten": (cgan_measures.ask_grid, rows_of_the_grid),
    "one-hot": (cgan_measures.accuracy_by_class, by_mask),
    "raw moments": (cgan_measures.slant, by_raw_moments),
    "mean squares": (cgan_variance.variance_shares, by_differences),
}


@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_a_right_answer_written_differently_passes(check, answer, capfd):
    assert_passes(check, answer, capfd)


@pytest.mark.slow
def test_every_patient_shows_its_signs():
    x, y = toy.ring(4000, modes=6, radius=2.0, noise=0.15, seed=0)
    centres = torch.stack([x[y == k].mean(0) for k in range(6)])
    runs = {name: broken_cgans.broken_cgan(name, x, y, steps=500) for name in ("healthy", *"ABCD")}
    place = {name: torch.cdist(run["samples"], centres).argmin(1) for name, run in runs.items()}
    obeys = {
        name: (place[name] == run["wanted"]).float().mean().item() for name, run in runs.items()
    }
    assert obeys["healthy"] > 0.9 and obeys["B"] > 0.9 and obeys["C"] < 0.6 and obeys["D"] < 0.4
    assert (place["A"] == (runs["A"]["wanted"] + 1) % 6).float().mean() > 0.9
    spread = {
        name: run["samples"][run["wanted"] == 2].std(0).max().item() for name, run in runs.items()
    }
    assert spread["B"] == pytest.approx(0, abs=1e-5) and spread["healthy"] > 0.03
    gap = {
        name: (run["real"][-50:] - run["fake"][-50:]).mean().item() for name, run in runs.items()
    }
    assert gap["D"] > 0.5 > 0.2 > abs(gap["C"])
    with pytest.raises(KeyError, match="no patient"):
        broken_cgans.broken_cgan("E", x, y)


def test_a_run_is_the_same_again_and_leaves_the_global_generator_alone():
    x, y = toy.ring(500, modes=6, radius=2.0)
    state = torch.get_rng_state()
    first, second = (broken_cgans.broken_cgan("healthy", x, y, steps=5) for _ in range(2))
    assert torch.equal(first["real"], second["real"]) and torch.equal(state, torch.get_rng_state())
