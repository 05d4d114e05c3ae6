import pytest
import torch
from torch import nn

from dlcourse.models.mlp import MLP


def test_an_mlp_is_its_matrix_products():
    model = MLP((6, 5, 3)).double()
    x = torch.randn(4, 2, 3, dtype=torch.float64)
    first, second = (module for module in model.modules() if isinstance(module, nn.Linear))
    by_hand = (x.flatten(1) @ first.weight.T + first.bias).clamp(
        min=0
    ) @ second.weight.T + second.bias
    torch.testing.assert_close(model(x), by_hand)


def test_an_mlp_with_two_sizes_is_linear_and_every_parameter_gets_a_gradient():
    assert sum(p.numel() for p in MLP((7, 2)).parameters()) == 7 * 2 + 2
    model = MLP((3, 8, 8, 2), activation=nn.Tanh)
    model(torch.randn(1, 3)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_one_size_is_refused():
    with pytest.raises(ValueError, match=r"input and an output size, not \(3,\)"):
        MLP((3,))
