"""Day 4's checks of convolutions: wrong answers that no table of mistakes foresees, right ones
written in another way, and the judges themselves."""

import itertools
import math

import numpy as np
import pytest
import torch
from answers import message
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.convolution import channels as convolution
from dlcourse.checks.convolution import clinic as broken_filters
from dlcourse.checks.convolution import correlation, lenet, pooling, receptive_field
from dlcourse.data import rasters


class Transposed(nn.Module):
    """LeNet that reads its images with rows and columns exchanged."""

    def __init__(self, classes=10):
        super().__init__()
        self.net = lenet._Net()

    def forward(self, x):
        return self.net(x.transpose(2, 3))


class TooWide(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 8, 5, padding=2),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 10),
        )


class TenClasses(lenet._Net):
    def __init__(self, classes=10):
        super().__init__()


class Dropping(lenet._Net):
    def forward(self, x):
        return F.dropout(super().forward(x), 0.5, self.training)


class Mixed(lenet._Net):
    """The examples of a batch are mixed up by the wrong order of the axes."""

    def forward(self, x):
        return super().forward(x).reshape(10, -1).T


def on_ones(x, size, stride=None):
    return F.max_pool2d(x, size, stride, padding=size // 2)


def in_place(z, dy, dx):
    z /= dx
    return correlation.slope.reference(z, dy, dx)


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "normalised": (
        correlation.correlate,
        lambda x, w: correlation._correlate(x, w) / w.norm(),
        "a single 1",
        "times the expected one",
    ),
    "a list": (
        correlation.correlate,
        lambda x, w: correlation._correlate(x, w).tolist(),
        "a single 1",
        "should be a tensor, yours is a list",
    ),
    "absolute values": (
        correlation.correlate,
        lambda x, w: correlation._correlate(x, w).abs(),
        "a template of one number",
        "largest difference",
    ),
    "columns reversed": (
        correlation.toeplitz,
        lambda w, n: correlation._toeplitz(w, n).flip(1),
        "two weights",
        "largest difference",
    ),
    "in degrees": (
        correlation.slope,
        lambda z, dy, dx: torch.rad2deg(torch.atan(correlation._slope(z, dy, dx))),
        "rises 5 m",
        "times the expected one",
    ),
    "in place": (correlation.slope, in_place, "rises 5 m", "changed z in place"),
    "padded slope": (
        correlation.slope,
        lambda z, dy, dx: F.pad(correlation._slope(z, dy, dx), (1, 1, 1, 1)),
        "rises 5 m",
        "shape should be (1, 2)",
    ),
    "padding counted four times": (
        convolution.output_size,
        lambda n, k, s=1, p=0, d=1: (n + 4 * p - d * (k - 1) - 1) // s + 1,
        "5 pixels, kernel 3, padding 1",
        "got:          7",
    ),
    "as if padded": (
        convolution.output_size,
        lambda n, k, s=1, p=0, d=1: n // s,
        "5 pixels, kernel 3",
        "got:          5",
    ),
    "bias twice": (
        convolution.conv2d,
        lambda x, w, b=None, *rest: (
            F.conv2d(x, w, b, *rest) + (0 if b is None else b[:, None, None])
        ),
        "a kernel of 2 × 3",
        "off by the constant",
    ),
    "padded by reflection": (
        convolution.conv2d,
        lambda x, w, b=None, s=1, p=0, d=1: F.conv2d(
            F.pad(x, (p,) * 4, mode="reflect"), w, b, s, 0, d
        ),
        "padding 1",
        "largest difference",
    ),
    "batch summed": (
        convolution.conv2d,
        lambda x, w, *rest: F.conv2d(x, w, *rest).sum(0, keepdim=True),
        "3 images",
        "shape should be (3, 3, 4, 3), yours is (1, 3, 4, 3)",
    ),
    "kernel not a square": (
        convolution.layer_cost,
        lambda i, o, k, h, w, g=1: (o * i // g * 2 * k + o, h * w * o * i // g * k * k),
        "2 channels in, 3 out",
        "15",
    ),
    "input pixels": (
        convolution.layer_cost,
        lambda i, o, k, h, w, g=1: (
            o * i * k * k // g + o,
            (h + k - 1) * (w + k - 1) * o * i * k * k // g,
        ),
        "1 channel in, 2 out",
        "756",
    ),
    "a list of the two counts as text": (
        convolution.layer_cost,
        lambda i, o, k, h, w, g=1: f"{o * i * k * k // g + o}, {h * w * o * i * k * k // g}",
        "2 channels in, 3 out",
        "tuple",
    ),
    "padded pooling": (pooling.max_pool, on_ones, "4 × 4 pixels", "shape should be (1, 1, 2, 2)"),
    "minimum": (
        pooling.max_pool,
        lambda x, size, stride=None: -F.max_pool2d(-x, size, stride),
        "4 × 4 pixels",
        "off by the constant -5",
    ),
    "squares": (
        pooling.equivariance_error,
        lambda f, x, shift, stride=1: pooling._gap(
            f, x, shift, stride, measure=lambda d: (d**2).max()
        ),
        "every column",
        "got:          36",
    ),
    "product of strides alone": (
        receptive_field.receptive_field,
        lambda layers: math.prod(s for _, s, _ in layers),
        "one kernel of 3",
        "got:          1",
    ),
    "a square": (
        receptive_field.receptive_field,
        lambda layers: receptive_field.footprint(layers) ** 2,
        "one kernel of 3",
        "got:          9",
    ),
    "rows and columns": (lenet.LeNet, Transposed, "one image", "Entry 'logits' differs"),
    "another network": (
        lenet.LeNet,
        TooWide,
        "one image",
        "Entry 'shapes of the parameters' differs",
    ),
    "mixed": (lenet.LeNet, Mixed, "three images", "Entry 'logits' differs"),
    "classes ignored": (lenet.LeNet, TenClasses, "four classes", "(10, 84)"),
    "dropout of the logits": (lenet.LeNet, Dropping, "one image", "logits in training mode"),
    "an array": (
        correlation.slope,
        lambda z, dy, dx: correlation._slope(z, dy, dx).numpy(),
        "rises 5 m",
        "should be a tensor, yours is a NumPy array",
    ),
    "no gradient flows": (
        convolution.conv2d,
        lambda x, *rest: F.conv2d(x.detach(), *rest),
        "one image, one channel",
        "Entry 'gradient of x' differs",
    ),
    "float32 of float64": (
        convolution.conv2d,
        lambda *args: F.conv2d(*args).float(),
        "every second row",
        "dtype should be float64",
    ),
    "one window too few where all fit": (
        convolution.output_size,
        lambda n, k, s=1, p=0, d=1: (n + 2 * p - d * (k - 1)) // s,
        "7 pixels, kernel 3, stride 2",
        "got:          2",
    ),
    "the shift multiplied by the stride": (
        pooling.equivariance_error,
        lambda layer, x, shift, stride=1: pooling._gap(
            layer, x, shift * stride, back=lambda z: z.roll(shift, -1)
        ),
        "stride 2, padded with zeros",
        "got:",
    ),
    "the first image alone": (
        pooling.equivariance_error,
        lambda layer, x, shift, stride=1: pooling._gap(layer, x[:1], shift, stride),
        "a convolution padded with zeros",
        "got:",
    ),
    "a fault not listed": (
        broken_filters.diagnose,
        lambda: dict.fromkeys("ABCDE", "noise"),
        "filter A",
        "not on the list",
    ),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    text = message(check, wrong)
    assert f": {label}" in text.splitlines()[0], text
    assert says in text and "Likely cause" not in text, text


def by_unfold(x, w):
    return x.unfold(0, len(w), 1) @ w


def by_numpy(x, w):
    return torch.from_numpy(np.correlate(x.numpy(), w.numpy(), mode="valid"))


def over_the_kernel(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """Loops over the weights instead of the pixels."""
    kh, kw = weight.shape[2:]
    x = F.pad(x, (padding,) * 4)
    rows, columns = (
        convolution._fits(n, k, 0, dilation) // stride + 1
        for n, k in zip(x.shape[2:], (kh, kw), strict=True)
    )
    y = 0 if bias is None else bias[:, None, None]
    for i, j in itertools.product(range(kh), range(kw)):
        part = x[:, :, i * dilation :, j * dilation :][
            :, :, : stride * rows : stride, : stride * columns : stride
        ]
        y = y + torch.einsum("bchw,oc->bohw", part[:, :, :rows, :columns], weight[:, :, i, j])
    return y


def slope_by_differences(z, dy, dx):
    down, right = np.gradient(z.numpy(), dy, dx)
    smooth = np.array([1, 2, 1]) / 4
    down = sum(smooth[k] * down[1:-1, k : down.shape[1] - 2 + k] for k in range(3))
    right = sum(smooth[k] * right[k : right.shape[0] - 2 + k, 1:-1] for k in range(3))
    return torch.from_numpy(np.sqrt(down**2 + right**2)).to(z.dtype)


def pool_by_reshape(x, size, stride=None):
    if stride not in (None, size):
        return x.unfold(2, size, stride).unfold(3, size, stride).amax((4, 5))
    b, c, h, w = x.shape
    x = x[:, :, : h // size * size, : w // size * size]
    return x.reshape(b, c, h // size, size, w // size, size).amax((3, 5))


def field_backwards(layers):
    field = 1
    for kernel, stride, dilation in layers[::-1]:
        field = (field - 1) * stride + dilation * (kernel - 1) + 1
    return field


class Lazy(nn.Module):
    """LeNet without attribute names of the course, ReLU after the pooling,
    sizes found at the first call."""

    def __init__(self, classes=10):
        super().__init__()
        self.a, self.b = nn.LazyConv2d(6, 5, padding="same"), nn.LazyConv2d(16, (5, 5))
        self.out, self.d, self.c = nn.LazyLinear(classes), nn.LazyLinear(84), nn.LazyLinear(120)

    def forward(self, x):
        for layer in (self.a, self.b):
            x = torch.relu(F.max_pool2d(layer(x), 2))
        x = x.view(x.size(0), -1) if x.is_contiguous() else x.reshape(len(x), 400)
        return self.out(self.d(self.c(x).relu()).relu())


ALSO_RIGHT = {
    "unfold": (correlation.correlate, by_unfold),
    "NumPy": (correlation.correlate, by_numpy),
    "as a matrix": (correlation.correlate, lambda x, w: correlation._toeplitz(w, len(x)) @ x),
    "rolled rows": (
        correlation.toeplitz,
        lambda w, n: torch.stack(
            [torch.cat([w, w.new_zeros(n - len(w))]).roll(i) for i in range(n - len(w) + 1)]
        ),
    ),
    "np.gradient": (correlation.slope, slope_by_differences),
    "math.floor": (
        convolution.output_size,
        lambda n, k, s=1, p=0, d=1: math.floor((n + 2 * p - d * (k - 1) - 1) / s + 1),
    ),
    "over the kernel": (convolution.conv2d, over_the_kernel),
    "counted by torch, and a quotient": (
        convolution.layer_cost,
        lambda c_in, c_out, kernel, out_h, out_w, groups=1: (
            sum(p.numel() for p in nn.Conv2d(c_in, c_out, kernel, groups=groups).parameters()),
            int(out_h * out_w * c_in / groups * c_out * kernel**2),
        ),
    ),
    "reshape": (pooling.max_pool, pool_by_reshape),
    "torch.roll": (
        pooling.equivariance_error,
        lambda f, x, shift, stride=1: torch.max(
            torch.abs(torch.roll(f(x), shift // stride, 3) - f(torch.roll(x, shift, 3)))
        ).item(),
    ),
    "backwards": (receptive_field.receptive_field, field_backwards),
    "lazy layers": (lenet.LeNet, Lazy),
}


@pytest.mark.filterwarnings("ignore:Lazy modules")
@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_another_right_way_passes(check, answer):
    assert check(answer) is answer


def test_the_judge_of_the_slope_knows_planes_exactly():
    plane = correlation._plane(6, 7, 3.0, -4.0, torch.float64)
    expected = torch.full((4, 5), math.hypot(3 / 30, 4 / 10), dtype=torch.float64)
    torch.testing.assert_close(correlation.slope.reference(plane, 30.0, 10.0), expected)


def test_the_judge_of_multiply_adds_agrees_with_counting_each_of_them():
    counted = sum(
        1 for _ in itertools.product(range(7), range(5), range(6), range(4 // 2), range(9))
    )
    assert convolution.layer_cost.reference(4, 6, 3, 7, 5, 2)[1] == counted


def test_the_measured_field_reaches_from_end_to_end_and_a_short_input_is_refused():
    assert receptive_field.footprint([]) == 1
    assert receptive_field.footprint([(3, 2, 1)] * 3) == 1 + 2 + 4 + 8
    with pytest.raises(ValueError, match="too short"):
        receptive_field.footprint([(50, 1, 1)], length=50)


def test_broken_filters_differ_from_the_healthy_one_as_their_names_say():
    photographs, weight = F.avg_pool2d(rasters.photographs(), 4), broken_filters.edge_kernel()
    maps = {
        name: broken_filters.broken_filter(name, photographs, weight)
        for name in ("healthy", *"ABCDE")
    }
    healthy = maps["healthy"]
    assert all(one.shape == (2, 1, *photographs.shape[2:]) for one in maps.values())
    torch.testing.assert_close(maps["A"][..., 4:, 4:], healthy[..., :-4, :-4], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(maps["B"], -healthy, rtol=1e-4, atol=1e-5)
    speckle = maps["C"] - healthy
    torch.testing.assert_close(speckle[0], speckle[1], rtol=1e-3, atol=1e-5)
    assert (maps["D"] - healthy).abs().max() > 0.1 and (maps["E"] - healthy).abs().max() > 0.1
    with pytest.raises(KeyError, match="ask for healthy or one of A, B, C, D, E"):
        broken_filters.broken_filter("F", photographs, weight)


def test_the_clinics_kernel_is_blind_to_grey_and_to_even_colour():
    weight = broken_filters.edge_kernel()
    grey = torch.rand(1, 1, 20, 20, generator=torch.Generator().manual_seed(0)).expand(1, 3, 20, 20)
    assert F.conv2d(grey, weight).abs().max() < 1e-6
    assert weight.sum((2, 3)).abs().max() < 1e-6 and weight[0, 0, 4, 0] > 0 > weight[0, 0, 4, -1]


def test_the_dtype_of_a_correlation_is_that_of_its_template_or_signal():
    for check in (correlation.toeplitz, correlation.correlate):
        answer = lambda *args, check=check: check.reference(*args).float()  # noqa: E731
        assert "their dtype should be float64" in message(check, answer)
