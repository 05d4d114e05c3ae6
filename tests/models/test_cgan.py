"""Networks that are told a condition: their own checks, shapes with the
DCGAN's parts, gradients, pictures."""

import matplotlib.pyplot as plt
import pytest
import torch
from torch import nn

from dlcourse.checks.core import sheet
from dlcourse.models import cgan
from dlcourse.models.gan import Generator, down_block
from dlcourse.pictures import cgan as pictures


def features(channels, width=3):
    layers = (
        nn.Conv2d(channels, width, 4, 2, 1),
        nn.LeakyReLU(0.2),
        down_block(width, 2 * width),
        nn.Flatten(),
    )
    return nn.Sequential(*layers)


def trio():
    torch.manual_seed(0)
    generator = cgan.ConditionalGenerator(Generator(7 + 4, width=4), nn.Embedding(10, 4))
    concat = cgan.ConcatDiscriminator(
        nn.Sequential(features(2), nn.Linear(294, 1)), nn.Embedding(10, 784)
    )
    projection = cgan.ProjectionDiscriminator(features(1), 294, nn.Embedding(10, 294))
    return generator, concat, projection


@pytest.mark.parametrize(
    "name", ["ConditionalGenerator", "ConcatDiscriminator", "ProjectionDiscriminator"]
)
def test_they_pass_their_checks(name):
    # another identity, or it would be taken for a blank
    answer = type(name, (getattr(cgan, name),), {})
    assert getattr(sheet("cgan"), name)(answer) is answer


@pytest.mark.parametrize("batch", [1, 5])
def test_shapes(batch):
    generator, concat, projection = (model.eval() for model in trio())
    y = torch.arange(batch) % 10
    images = generator(torch.randn(batch, 7), y)
    assert images.shape == (batch, 1, 28, 28) and images.abs().max() <= 1
    assert concat(images, y).shape == projection(images, y).shape == (batch,)


def test_gradients_reach_every_weight():
    for discriminator in trio()[1:]:
        generator, y = trio()[0], torch.arange(10)
        discriminator(generator(torch.randn(10, 7), y), y).sum().backward()
        for model in (generator, discriminator):
            weights = [p for name, p in model.named_parameters() if "weight" in name]
            assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in weights)


def test_a_projection_is_the_log_ratio_of_two_softmaxes():
    """Miyato & Koyama (2018), section 3: ln p(y|x)/q(y|x) = e(y)·φ(x) + something of x alone."""
    generator = torch.Generator().manual_seed(0)
    phi, (v, u) = torch.randn(6, 4, generator=generator), torch.randn(2, 3, 4, generator=generator)
    ratio = (phi @ v.T).log_softmax(1) - (phi @ u.T).log_softmax(1)
    model = cgan.ProjectionDiscriminator(nn.Identity(), 4, nn.Embedding(3, 4))
    model.embed.weight.data = v - u
    with torch.no_grad():
        logits = torch.stack([model(phi, torch.full((6,), k)) for k in range(3)], dim=1)
    rest = ratio - logits
    torch.testing.assert_close(rest, rest[:, :1].expand(-1, 3), atol=1e-5, rtol=1e-5)


def test_the_pictures_say_what_they_show():
    ax = pictures.class_bars({"real": torch.ones(3), "drawn": torch.tensor([0.5, 0.2, 0.9])})
    assert ax.get_xlabel() and ax.get_ylabel() and len(ax.patches) == 6
    values = tuple(torch.linspace(0, 1, 4) for _ in range(3))
    ax = pictures.asked_and_drawn(
        {"drawn": values, "real": values}, "asked", "drawn", seen=(0.2, 0.8)
    )
    assert ax.get_xlabel() == "asked" and len(ax.get_legend().get_texts()) == 3
    ax = pictures.ruler(torch.rand(9), torch.rand(9), "true", "measured")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("true", "measured")
    run = {"real": torch.rand(100), "fake": torch.rand(100), "samples": torch.randn(30, 2)}
    run["wanted"] = torch.arange(30) % 6
    figure = pictures.clinic({"healthy": run, "A": run}, torch.randn(50, 2), torch.arange(50) % 6)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["healthy", "A"]
    plt.close("all")
