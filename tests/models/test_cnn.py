import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.convolution import lenet
from dlcourse.models.cnn import LeNet


def test_lenet_is_its_convolutions_and_passes_its_own_check():
    assert lenet.LeNet(type("Student", (LeNet,), {})) is not LeNet
    torch.manual_seed(0)
    model, x = LeNet().double(), torch.randn(3, 1, 28, 28, dtype=torch.float64)
    w = list(model.parameters())
    y = F.max_pool2d(F.conv2d(x, w[0], w[1], padding=2).relu(), 2)
    y = F.max_pool2d(F.conv2d(y, w[2], w[3]).relu(), 2)
    y = F.linear(F.linear(y.flatten(1), w[4], w[5]).relu(), w[6], w[7]).relu()
    torch.testing.assert_close(model(x), F.linear(y, w[8], w[9]))


def test_lenet_has_the_published_number_of_parameters_and_as_many_logits_as_classes():
    assert sum(p.numel() for p in LeNet().parameters()) == 61_706
    logits = LeNet(classes=4)(torch.randn(2, 1, 28, 28))
    assert logits.shape == (2, 4)
    logits.sum().backward()


def test_every_parameter_gets_a_gradient_and_the_layout_in_memory_changes_nothing():
    torch.manual_seed(0)
    model, x = LeNet(), torch.randn(5, 1, 28, 28)
    model(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert {type(module) for module in model.features} == {nn.Conv2d, nn.ReLU, nn.MaxPool2d}
    torch.testing.assert_close(
        model.to(memory_format=torch.channels_last)(x), model(x), rtol=1e-4, atol=1e-5
    )
