"""The networks that are told how noisy their input is: shapes, times that matter,
gradients that reach every weight."""

import pytest
import torch
from torch import nn

from dlcourse.models.denoiser import (
    Denoiser,
    ImageDenoiser,
    PointDenoiser,
    TimeBlock,
    time_embedding,
)


def test_the_embedding_has_unit_waves_and_tells_neighbours_apart():
    waves = time_embedding(torch.arange(1000), 64)
    assert waves.shape == (1000, 64)
    torch.testing.assert_close(
        waves[:, :32].square() + waves[:, 32:].square(), torch.ones(1000, 32)
    )
    assert torch.cdist(waves, waves).fill_diagonal_(9.0).min() > 0.5
    assert time_embedding(torch.tensor([0.25, 0.5]), 8).shape == (2, 8)


@pytest.mark.parametrize(("size", "waves"), [(2, 4), (3, 0), (1, 2)])
def test_points_keep_their_shape_and_the_time_matters(size, waves):
    torch.manual_seed(0)
    model = PointDenoiser(size, width=16, times=8, waves=waves)
    x = torch.randn(5, size)
    early, late = model(x, torch.zeros(5, dtype=torch.int64)), model(x, torch.full((5,), 200))
    assert early.shape == x.shape and not torch.allclose(early, late)
    early.sum().backward()
    assert all(
        parameter.grad is not None and parameter.grad.abs().sum() > 0
        for parameter in model.parameters()
    )


@pytest.mark.parametrize(("height", "width"), [(28, 28), (16, 16), (8, 20)])
def test_images_keep_their_shape_and_nothing_is_said_at_first(height, width):
    torch.manual_seed(0)
    model, x, t = (
        ImageDenoiser(width=8, times=16),
        torch.randn(3, 1, height, width),
        torch.tensor([0, 7, 249]),
    )
    assert model(x, t).shape == x.shape and not model(x, t).any()
    torch.nn.init.normal_(model.head[-1].weight)
    model(x, t).square().sum().backward()
    assert all(
        parameter.grad is not None and parameter.grad.abs().sum() > 0
        for parameter in model.parameters()
    )
    assert not torch.allclose(model(x, t), model(x, t.flip(0)))


def test_an_image_does_not_depend_on_its_neighbours_in_the_batch():
    torch.manual_seed(0)
    model = ImageDenoiser(width=8, times=16)
    torch.nn.init.normal_(model.head[-1].weight)
    x, t = torch.randn(4, 1, 8, 8), torch.tensor([3, 40, 100, 200])
    torch.testing.assert_close(model(x, t)[2:3], model(x[2:3], t[2:3]), rtol=1e-4, atol=1e-5)


def test_a_block_changes_the_number_of_channels():
    assert TimeBlock(8, 16, 5)(torch.randn(2, 8, 3, 7), torch.randn(2, 5)).shape == (2, 16, 3, 7)


def test_gradients_reach_every_weight_of_the_denoiser():
    torch.manual_seed(0)
    model = Denoiser(16, classes=3, channels=2, times=8)
    nn.init.normal_(model.head[-1].weight)
    nn.init.normal_(model.attend.out.weight)
    x = torch.randn(3, 2, 9, 6)
    assert model(x, torch.tensor([0, 5, 200]), torch.tensor([0, 2, 3])).shape == x.shape
    model(x, torch.tensor([0, 5, 200]), torch.tensor([0, 1, 2])).square().sum().backward()
    idle = [
        name for name, p in model.named_parameters() if p.grad is None or p.grad.abs().max() == 0
    ]
    assert idle == []  # the rows of unused labels are part of a used table
    untold, none = (
        model(x, torch.tensor([1, 2, 3])),
        model(x, torch.tensor([1, 2, 3]), torch.tensor([3, 3, 3])),
    )
    assert torch.equal(untold, none)
