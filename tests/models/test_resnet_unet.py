import ast
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from dlcourse.models.resnet import BasicBlock, PreActivationBlock, ResNet
from dlcourse.models.unet import DoubleConv, UNet, join

MODELS = Path(__file__).parents[2] / "dlcourse" / "models"


def count(model):
    return sum(one.numel() for one in model.parameters())


@pytest.mark.parametrize("block", [BasicBlock, PreActivationBlock])
@pytest.mark.parametrize(
    ("inputs", "outputs", "stride"), [(3, 3, 1), (3, 5, 1), (4, 4, 2), (2, 4, 2)]
)
def test_a_block_has_the_shape_it_promises_and_trains_all_of_itself(block, inputs, outputs, stride):
    module = block(inputs, outputs, stride)
    y = module(torch.randn(2, inputs, 7, 5))
    assert y.shape == (2, outputs, -(-7 // stride), -(-5 // stride))
    y.square().sum().backward()
    assert all(one.grad is not None and one.grad.abs().sum() > 0 for one in module.parameters())


def test_blocks_without_residual_hand_their_input_on():
    x = torch.randn(2, 3, 4, 4)
    for block, expected in ((BasicBlock(3, 3), F.relu(x)), (PreActivationBlock(3, 3), x)):
        torch.nn.init.zeros_(block.conv2.weight)
        torch.testing.assert_close(block(x), expected)


def test_a_basic_block_is_torchvisions():
    from torchvision.models.resnet import BasicBlock as Theirs
    from torchvision.models.resnet import conv1x1

    for inputs, outputs, stride in ((4, 4, 1), (4, 6, 2)):
        down = None
        if stride != 1:
            down = torch.nn.Sequential(
                conv1x1(inputs, outputs, stride), torch.nn.BatchNorm2d(outputs)
            )
        theirs, ours = Theirs(inputs, outputs, stride, down), BasicBlock(inputs, outputs, stride)
        ours.load_state_dict(
            {
                name: value
                for name, value in zip(ours.state_dict(), theirs.state_dict().values(), strict=True)
            }
        )
        x = torch.randn(3, inputs, 8, 6)
        torch.testing.assert_close(ours(x), theirs(x))


def test_a_resnet_takes_any_size_and_its_features_are_what_the_head_averages():
    model = ResNet(blocks=(1, 2), width=4, classes=3, channels=2).eval()
    for size in ((9, 11), (28, 56), (1, 1)):
        x = torch.randn(2, 2, *size)
        maps = model.features(x)
        assert maps.shape == (2, 8, -(-size[0] // 4), -(-size[1] // 4))
        torch.testing.assert_close(model(x), model.head(maps.mean((2, 3))))
    assert count(ResNet(width=16, classes=26)) == 79_082


def test_join_repeats_the_last_row_and_column_and_keeps_channels_apart():
    x, skip = torch.randn(2, 3, 4, 6), torch.randn(2, 5, 5, 7)
    y = join(x, skip)
    assert (
        y.shape == (2, 8, 5, 7) and torch.equal(y[:, :5], skip) and torch.equal(y[:, 5:, :4, :6], x)
    )
    assert torch.equal(y[:, 5:, 4, :6], x[:, :, 3]) and torch.equal(y[:, 5:, :4, 6], x[..., 5])


@pytest.mark.parametrize("size", [(64, 64), (61, 45), (8, 9), (15, 31)])
def test_a_unet_gives_back_the_size_it_was_given(size):
    model = UNet(channels=2, outputs=3, width=4, levels=3)
    y = model(torch.randn(2, 2, *size))
    assert y.shape == (2, 3, *size)
    y.square().sum().backward()
    assert all(one.grad is not None for one in model.parameters())


def test_every_skip_of_a_unet_is_used():
    torch.manual_seed(0)
    model = UNet(width=4, levels=2).eval()
    x = torch.randn(1, 1, 16, 16)
    whole = model(x)
    for level in range(2):
        cut = []
        handle = model.merge[level].register_forward_pre_hook(
            lambda module, given, c=4 * 2**level: (
                torch.cat([0 * given[0][:, :c], given[0][:, c:]], 1),
            )
        )
        cut.append(model(x))
        handle.remove()
        assert not torch.allclose(cut[0], whole)
    assert count(UNet()) == 121_033 and isinstance(model.down[0], DoubleConv)


@pytest.mark.parametrize("name", ["resnet.py", "unet.py"])
def test_a_model_file_can_be_pasted_whole(name):
    tree = ast.parse((MODELS / name).read_text())
    modules = {one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    assert not any(module.startswith("dlcourse") for module in modules)
