"""The checks of the morning on GANs: wrong answers that no table foresees,
right ones written in another way."""

import math

import pytest
import torch
from answers import assert_caught, assert_passes
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.gan import clinic as broken_gans
from dlcourse.checks.gan import dcgan, games, paths
from dlcourse.checks.gan import losses as gan_losses
from dlcourse.checks.gan import metrics as gan_metrics
from dlcourse.checks.gan import samples as gan_samples
from dlcourse.checks.gan import step as gan_step
from dlcourse.data import toy
from dlcourse.methods import gan
from dlcourse.train import descend, evaluating


def d_twice(generator, discriminator, optimiser_g, optimiser_d, x, z):
    gan.gan_step(generator, discriminator, optimiser_g, optimiser_d, x, z)
    return gan.gan_step(generator, discriminator, optimiser_g, optimiser_d, x, z)


def losses_swapped(generator, discriminator, optimiser_g, optimiser_d, x, z):
    row = gan.gan_step(generator, discriminator, optimiser_g, optimiser_d, x, z)
    return {"D": row["G"], "G": row["D"]}


def detached_for_g(generator, discriminator, optimiser_g, optimiser_d, x, z):
    fake = generator(z).detach()
    loss_d = gan.d_loss(discriminator(x), discriminator(fake))
    descend(loss_d, optimiser_d)
    loss_g = gan.g_loss(discriminator(fake))
    descend(loss_g, optimiser_g)
    return {"D": loss_d, "G": loss_g}


def tanh_block(c_in, c_out):
    return nn.Sequential(
        nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.Tanh()
    )


def uniform_start(model):
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.uniform_(module.weight, -0.02, 0.02)


def zeroes_the_discriminator(generator, discriminator, optimiser_g, optimiser_d, x, z):
    """Right with modules; the notebook hands in plain functions too."""
    row = gan.gan_step(generator, discriminator, optimiser_g, optimiser_d, x, z)
    discriminator.zero_grad()
    return row


def without_statistics(c_in, c_out):
    return nn.Sequential(
        nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False),
        nn.BatchNorm2d(c_out, track_running_stats=False),
        nn.ReLU(),
    )


def recorded(model):
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.normal_(0.0, 0.02)


def in_single(mean_a, a, mean_b, b):
    return (mean_a - mean_b).square().sum() + (a.sqrt() - b.sqrt()).square().sum()


def three_sigma_only(points, centres, radius, least=0.01):
    covered, share = gan_metrics.mode_coverage.reference(points, centres, radius, least)
    return covered, 1 - share


def momentum_off(generator, z):
    for module in generator.modules():  # the running means stay, and the batch is used all the same
        if hasattr(module, "momentum"):
            module.momentum = 0.0
    with torch.no_grad():
        return (generator(z) + 1) / 2


def from_fresh_latents(generator, z):
    with evaluating(generator):
        return (generator(torch.zeros_like(z)) + 1) / 2


def frechet_in_own_precision(mean_a, a, mean_b, b):
    roots = torch.linalg.eigvals(a @ b).sqrt()
    if roots.imag.abs().max() > 1e-3 * roots.abs().max():
        raise ValueError("no covariances")
    gap = (mean_a - mean_b).square().sum()
    return (gap + a.trace() + b.trace() - 2 * roots.real.sum()).double()


def read_as_symmetric(mean_a, a, mean_b, b):
    values = torch.linalg.eigvalsh(a.double() @ b.double())
    gap = (mean_a - mean_b).double().square().sum()
    return gap + a.double().trace() + b.double().trace() - 2 * values.sqrt().sum()


def both_losses_first(generator, discriminator, optimiser_g, optimiser_d, x, z):
    fake = generator(z)
    loss_d = gan.d_loss(discriminator(x), discriminator(fake.detach()))
    loss_g = gan.g_loss(discriminator(fake))
    descend(loss_d, optimiser_d)
    descend(loss_g, optimiser_g)
    return {"D": loss_d, "G": loss_g}


def generator_before(generator, discriminator, optimiser_g, optimiser_d, x, z):
    fake = generator(z)
    loss_g = gan.g_loss(discriminator(fake))
    descend(loss_g, optimiser_g)
    loss_d = gan.d_loss(discriminator(x), discriminator(fake.detach()))
    loss_d.backward()
    optimiser_d.step()
    optimiser_d.zero_grad()
    return {"D": loss_d, "G": loss_g}


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "logits in place of losses": (
        gan_losses.d_loss,
        lambda real, fake: fake.mean() - real.mean(),
        "one of each",
        "got",
    ),
    "squared errors": (
        gan_losses.g_loss,
        lambda fake: (fake - 1).square().mean(),
        "one fake, guessed",
        "got",
    ),
    "one loss an example": (
        gan_losses.g_loss,
        lambda fake: F.softplus(-fake),
        "one fake, guessed",
        "shape",
    ),
    "a difference": (gan_losses.optimal_discriminator, lambda p, q: p - q, "as many real", "got"),
    "total variation": (
        gan_losses.js_divergence,
        lambda p, q: (p - q).abs().sum() / 2,
        "two different coins",
        "got",
    ),
    "G goes first, and D's old gradients stay": (
        gan_step.gan_step,
        generator_before,
        "one step",
        "'optimisers that stepped, in this order' differs",
    ),
    "G's loss before D's step": (
        gan_step.gan_step,
        both_losses_first,
        "one step",
        "both losses are computed before the first step",
    ),
    "the product's lower triangle": (
        gan_metrics.frechet_distance,
        read_as_symmetric,
        "is not symmetric",
        "got",
    ),
    "two steps": (gan_step.gan_step, d_twice, "one step", "'batches made by the generator'"),
    "losses under each other's name": (gan_step.gan_step, losses_swapped, "one step", "losses"),
    "detached for both": (
        gan_step.gan_step,
        detached_for_g,
        "one step",
        "nothing reaches the generator",
    ),
    "half a rate": (
        games.game_round,
        lambda rate, alternating: games.game_round.reference(rate / 2, alternating),
        "both at once",
        "difference",
    ),
    "the rest": (gan_metrics.mode_coverage, three_sigma_only, "a point on one", "Item 2 of 2"),
    "means only": (
        gan_metrics.frechet_distance,
        lambda m, a, n, b: (m - n).double().square().sum(),
        "two means",
        "got",
    ),
    "a walk of midpoints": (
        paths.slerp,
        lambda a, b, steps: ((a + b) / 2).expand(steps, -1),
        "a quarter",
        "got",
    ),
    "momentum 0 in training mode": (gan_samples.draw, momentum_off, "two latents", "images"),
    "other latents": (gan_samples.draw, from_fresh_latents, "two latents", "images"),
    "tanh": (dcgan.up_block, tanh_block, "1 → 2 channels", "compared with what its weights give"),
    "uniform": (dcgan.initialise_dcgan, uniform_start, "a convolution", "spread 0.01"),
    "no gradient": (
        gan_losses.g_loss,
        lambda fake: gan.g_loss(fake.detach()),
        "one fake",
        "cut off",
    ),
    "a float": (
        gan_losses.d_loss,
        lambda real, fake: gan.d_loss(real, fake).item(),
        "one of each",
        "should be a tensor, yours is a float",
    ),
    "modules only": (
        gan_step.gan_step,
        zeroes_the_discriminator,
        "plain functions",
        "'function' object has no attribute 'zero_grad'",
    ),
    "no running statistics": (dcgan.up_block, without_statistics, "1 → 2 channels", "eval mode"),
    "an in-place draw that is recorded": (
        dcgan.initialise_dcgan,
        recorded,
        "a convolution",
        "a leaf Variable that requires grad",
    ),
    "float32": (gan_metrics.frechet_distance, in_single, "two means", "dtype should be float64"),
    "in the arguments' own precision": (
        gan_metrics.frechet_distance,
        frechet_in_own_precision,
        "only float64 sees how far apart",
        "got",
    ),
    "a fault not listed": (
        broken_gans.diagnose_gans,
        lambda: dict.fromkeys("ABCD", "bad luck"),
        "patient A",
        "not on the list",
    ),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    assert_caught(check, wrong, label, says)


def by_cross_entropy(real, fake):
    logits = torch.cat([real.flatten(), fake.flatten()])
    weights = torch.cat(
        [
            torch.full((real.numel(),), 1 / real.numel()),
            torch.full((fake.numel(),), 1 / fake.numel()),
        ]
    )
    labels = torch.cat([torch.ones(real.numel()), torch.zeros(fake.numel())])
    return (
        F.binary_cross_entropy_with_logits(logits, labels.to(logits), reduction="none")
        * weights.to(logits)
    ).sum()


def by_hand(generator, discriminator, optimiser_g, optimiser_d, x, z):
    fake = generator(z)
    optimiser_d.zero_grad()
    logits_fake = discriminator(fake.detach())
    loss_d = by_cross_entropy(discriminator(x), logits_fake)
    loss_d.backward()
    optimiser_d.step()
    optimiser_g.zero_grad()
    loss_g = -F.logsigmoid(discriminator(fake)).mean()
    loss_g.backward()
    optimiser_g.step()
    return {"G": loss_g.item(), "D": loss_d.item()}


def by_symmetric_roots(mean_a, a, mean_b, b):
    values, vectors = torch.linalg.eigh(a.double())
    others = torch.linalg.eigvalsh(b.double())
    if any(one.min() < -1e-6 * one.abs().max() for one in (values, others)):
        raise ValueError("not a covariance")
    root = vectors @ values.clamp(min=0).sqrt().diag() @ vectors.T
    middle = torch.linalg.eigvalsh(root @ b.double() @ root).clamp(min=0).sqrt().sum()
    gap = (mean_a - mean_b).double()
    return gap @ gap + a.double().trace() + b.double().trace() - 2 * middle


def by_broadcasting(points, centres, radius, least=0.01):
    gaps = (points[:, None] - centres).norm(dim=2)
    near = torch.nn.functional.one_hot(gaps.argmin(1), len(centres)).bool() & (gaps < radius)
    return int((near.float().mean(0) >= least).sum()), near.any(1).float().mean().item()


def by_angles(a, b, steps):
    path = []
    omega = math.acos(max(-1.0, min(1.0, float(F.cosine_similarity(a, b, dim=0)))))
    for i in range(steps):
        t = i / (steps - 1)
        if math.sin(omega) < 1e-4:
            path.append(torch.lerp(a, b, t))
        else:
            path.append(
                math.sin((1 - t) * omega) / math.sin(omega) * a
                + math.sin(t * omega) / math.sin(omega) * b
            )
    return torch.stack(path)


def one_by_one(generator, z):
    modes = {name: module.training for name, module in generator.named_modules()}
    generator.eval()
    images = torch.stack([generator(row[None])[0] for row in z]).detach()
    for name, module in generator.named_modules():
        module.training = modes[name]
    return images.add(1).div(2)


class Doubling(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_out)
        self.conv = nn.ConvTranspose2d(c_in, c_out, kernel_size=4, stride=2, padding=1, bias=False)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x)))


def by_apply(model):
    def one(module):
        name = type(module).__name__
        if "Conv" in name:
            nn.init.trunc_normal_(module.weight, 0.0, 0.02, -1, 1)
        if "BatchNorm" in name:
            module.weight.data = 1 + 0.02 * torch.randn_like(module.weight)
        if ("Conv" in name or "BatchNorm" in name) and module.bias is not None:
            module.bias.data.fill_(0)

    model.apply(one)


RIGHT = {
    "losses by cross-entropy": (gan_losses.d_loss, by_cross_entropy),
    "logsigmoid": (gan_losses.g_loss, lambda fake: -F.logsigmoid(fake).mean()),
    "one over one plus": (gan_losses.optimal_discriminator, lambda p, q: 1 - q / (q + p)),
    "JS by sums where p > 0": (
        gan_losses.js_divergence,
        lambda p, q: sum(
            0.5 * (a[a > 0] * (2 * a[a > 0] / (p + q)[a > 0]).log()).sum() for a in (p, q)
        ),
    ),
    "a step by hand": (gan_step.gan_step, by_hand),
    "a round as a product": (
        games.game_round,
        lambda rate, alternating: (
            torch.tensor([[1.0, 0], [rate, 1]]).double()
            @ torch.tensor([[1.0, -rate], [0, 1]]).double()
            if alternating
            else torch.tensor([[1.0, -rate], [rate, 1.0]]).double()
        ),
    ),
    "coverage by broadcasting": (gan_metrics.mode_coverage, by_broadcasting),
    "symmetric roots": (gan_metrics.frechet_distance, by_symmetric_roots),
    "slerp by angles": (paths.slerp, by_angles),
    "one latent at a time, by hand": (gan_samples.draw, one_by_one),
    "a module": (dcgan.up_block, Doubling),
    "apply": (dcgan.initialise_dcgan, by_apply),
}


@pytest.mark.parametrize(("check", "answer"), RIGHT.values(), ids=RIGHT)
def test_a_right_answer_written_differently_passes(check, answer, capfd):
    assert_passes(check, answer, capfd)


LIBRARY = {
    "d_loss": (gan_losses.d_loss, gan.d_loss),
    "g_loss": (gan_losses.g_loss, gan.g_loss),
    "gan_step": (gan_step.gan_step, gan.gan_step),
    "slerp": (paths.slerp, gan.slerp),
}


@pytest.mark.parametrize(("check", "answer"), LIBRARY.values(), ids=LIBRARY)
def test_the_library_passes_its_own_checks(check, answer):
    assert check(answer) is answer


@pytest.mark.slow
def test_every_patient_shows_its_signs():
    points, _ = toy.ring(2000, modes=8, radius=2.0, noise=0.1)
    runs = {name: broken_gans.broken_gan(name, points, steps=250) for name in ("healthy", *"ABCD")}
    late = {
        name: {kind: run[kind][-50:].mean().item() for kind in ("real", "fake")}
        for name, run in runs.items()
    }
    # the cloud never moved
    assert runs["A"]["samples"].norm(dim=1).max() < 1.5 and late["A"]["fake"] > 0.4
    assert all(
        0.5 <= value <= 0.74 for kind in ("real", "fake") for value in runs["B"][kind].tolist()
    )
    assert (
        runs["C"]["samples"].abs().max() <= 1.0
        and late["C"]["real"] > 0.9 > 0.1 > late["C"]["fake"]
    )
    assert late["D"]["real"] < late["D"]["fake"]
    assert late["healthy"]["real"] > late["healthy"]["fake"]
    with pytest.raises(KeyError, match="no patient"):
        broken_gans.broken_gan("E", points)


def test_a_run_is_the_same_again_and_leaves_the_global_generator_alone():
    points, _ = toy.ring(500, modes=8, radius=2.0)
    state = torch.get_rng_state()
    first, second = (broken_gans.broken_gan("healthy", points, steps=5) for _ in range(2))
    assert torch.equal(first["real"], second["real"]) and torch.equal(state, torch.get_rng_state())


def test_in_a_smoke_run_a_patient_is_seen_for_two_steps_only(monkeypatch):
    monkeypatch.setenv("DLCOURSE_SMOKE", "1")
    told = broken_gans.broken_gan("A", torch.randn(200, 2))
    assert len(told["real"]) == len(told["fake"]) == 2 and told["samples"].shape == (500, 2)
