"""The DCGAN: shapes, ranges, gradients, its own checks, and the methods that train it."""

import math

import pytest
import torch
from torch import nn

from dlcourse.checks.gan import dcgan
from dlcourse.methods.gan import d_loss, g_loss, gan_step, slerp
from dlcourse.models import gan


@pytest.mark.parametrize("name", ["up_block", "down_block", "initialise_dcgan"])
def test_the_parts_pass_their_checks(name):
    function = getattr(gan, name)
    answer = lambda *args: function(*args)  # noqa: E731  another identity, or it would be taken for a blank
    assert getattr(dcgan, name)(answer) is answer


def test_shapes_ranges_and_sizes():
    torch.manual_seed(0)
    generator, discriminator = gan.Generator(latents=7, width=4), gan.Discriminator(width=3)
    images = generator(5 * torch.randn(6, 7))
    assert images.shape == (6, 1, 28, 28) and images.abs().max() <= 1 and generator.latents == 7
    assert discriminator(images).shape == (6,) and discriminator(images[:1]).shape == (1,)
    assert (
        sum(p.numel() for p in gan.Generator().parameters())
        == 64 * 64 * 49 + 128 + 64 * 32 * 16 + 64 + 32 * 16 + 1
    )


def test_one_step_moves_both_and_gradients_reach_every_weight():
    torch.manual_seed(0)
    pair = gan.Generator(width=4), gan.Discriminator(width=4)
    for model in pair:
        gan.initialise_dcgan(model)
    before = [[p.detach().clone() for p in model.parameters()] for model in pair]
    row = gan_step(
        *pair,
        *(torch.optim.Adam(m.parameters(), 1e-3) for m in pair),
        torch.rand(8, 1, 28, 28) * 2 - 1,
        torch.randn(8, 64),
    )
    assert row["D"].item() == pytest.approx(2 * math.log(2), abs=0.4)
    for model, old in zip(pair, before, strict=True):
        assert all(not torch.equal(a, b) for a, b in zip(model.parameters(), old, strict=True))


def test_losses_at_a_guess_and_their_slopes():
    zero = torch.zeros(3, requires_grad=True)
    assert d_loss(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert g_loss(zero).item() == pytest.approx(math.log(2))
    (slope,) = torch.autograd.grad(g_loss(zero), zero)
    torch.testing.assert_close(slope, torch.full((3,), -0.5 / 3))
    real, fake = (torch.randn(n, dtype=torch.float64, requires_grad=True) for n in (4, 3))
    assert torch.autograd.gradcheck(d_loss, (real, fake)) and torch.autograd.gradcheck(
        g_loss, (fake,)
    )


def test_the_arc_keeps_to_its_sphere():
    a = nn.functional.normalize(torch.randn(9, generator=torch.Generator().manual_seed(0)), dim=0)
    b = nn.functional.normalize(torch.randn(9, generator=torch.Generator().manual_seed(1)), dim=0)
    torch.testing.assert_close(slerp(a, b, 6).norm(dim=1), torch.ones(6))
