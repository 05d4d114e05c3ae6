"""Day 4's afternoon checks: wrong answers that no table of mistakes foresees, right ones written in
another way, and the judges themselves against torch."""

import itertools
import math

import numpy as np
import pytest
import torch
from answers import assert_caught, message
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.cnns import blocks as conv_blocks
from dlcourse.checks.cnns import clinic as cnn_runs
from dlcourse.checks.cnns import (
    confident,
    conv_backward,
    image_changes,
    pooling_backward,
    saliency,
    separable,
)
from dlcourse.checks.cnns import windows as conv_windows
from dlcourse.data import glyphs


def offset_lost(x, kernel, stride=1, dilation=1):
    view = conv_windows.strided_windows(x, kernel, stride, dilation)
    return x.as_strided(view.shape, view.stride(), 0)


def first_offset(pieces, height, width, stride=1, dilation=1):
    image = pieces.new_zeros(*pieces.shape[:2], height, width)
    conv_windows.strided_windows(image, pieces.shape[-2:], stride, dilation)[..., 0, 0] += pieces[
        ..., 0, 0
    ]
    return image


def half_of_x(*args):
    grad_x, *rest = conv_backward.conv2d_backward.reference(*args)
    return grad_x / 2, *rest


def first_pixel(grad, x, size, stride):
    out = torch.zeros_like(x)
    out[:, :, : stride * grad.shape[2] : stride, : stride * grad.shape[3] : stride] = grad
    return out


class PointFirst(nn.Module):
    def __init__(self, c_in, c_out, kernel=3, bias=True):
        super().__init__()
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.depthwise = nn.Conv2d(
            c_out, c_out, kernel, padding=kernel // 2, groups=c_out, bias=bias
        )

    def forward(self, x):
        return self.depthwise(self.pointwise(x))


class Smooth(conv_blocks._CNN):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.features = nn.Sequential(
            *[nn.GELU() if isinstance(m, nn.ReLU) else m for m in self.features]
        )


class ByView(conv_blocks._CNN):
    def forward(self, x):
        x = self.features(x)
        return self.head[1:](x.view(x.shape[0], -1))


class SharedStages(conv_blocks._CNN):
    def __init__(self, channels, size=28, classes=10, norm=True, drop=0.0, conv=None):
        super().__init__(channels, size, classes, norm, drop, conv)
        if len(set(channels)) == 1:
            stage = list(self.features[: len(self.features) // (len(channels) - 1)])
            self.features = nn.Sequential(*stage * (len(channels) - 1))


class WithoutFeatures(conv_blocks._CNN):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stages = self.features
        del self.features

    def forward(self, x):
        return self.head(self.stages(x))


class Seeding(conv_blocks._CNN):
    def __init__(self, *args, **kwargs):
        torch.manual_seed(0)
        super().__init__(*args, **kwargs)


def only_one_axis(logits, y, count):
    confidence, predicted = logits.softmax(1).max(1)
    rows = (predicted != y).nonzero().squeeze()  # a single error has no axis left
    return rows[confidence[rows].argsort(descending=True)][:count]


def model_frozen(model, x, y):
    model.requires_grad_(False)
    return saliency._gradient(model, x, y)


class WrongSize(nn.Module):
    def __init__(self, channels, size=28, classes=10, norm=True, drop=0.0, conv=None):
        super().__init__()
        self.conv, self.head = (
            (conv or conv_blocks._conv3x3)(channels[0], channels[-1], bias=True),
            nn.Linear(channels[-1] * size**2, classes),
        )

    def forward(self, x):
        return self.head(F.max_pool2d(self.conv(x), 2).flatten(1))


def about_a_corner(x, degrees):
    padded = F.pad(x, (x.shape[-1] - 1, 0, x.shape[-1] - 1, 0))
    return image_changes._rotate(padded, degrees)[:, :, x.shape[-1] - 1 :, x.shape[-1] - 1 :]


def to_the_mean(x, top, left, size):
    hole = image_changes._erase(torch.ones_like(x), top, left, size) == 0
    return torch.where(hole, x.mean(), x)


def occluded_by_loops(model, x, y, size):
    lost = torch.zeros(x.shape[1] - size + 1, x.shape[2] - size + 1, dtype=x.dtype)
    with torch.no_grad():
        for i, j in np.ndindex(*lost.shape):
            covered = x.clone()
            covered[:, i : i + size, j : j + size] = 0
            lost[i, j] = model(x[None])[0, y] - model(covered[None])[0, y]
    return lost


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "offset lost": (
        conv_windows.windows,
        offset_lost,
        "3 × 4 pixels, windows of 2 × 2",
        "cut out of a larger image",
    ),
    "nothing but x": (
        conv_windows.windows,
        lambda x, kernel, stride=1, dilation=1: x,
        "3 × 4 pixels, windows of 2 × 2",
        "shape should be (1, 1, 2, 3, 2, 2)",
    ),
    "the first offset only": (
        conv_backward.overlap_add,
        first_offset,
        "one row",
        "largest difference",
    ),
    "half of x": (conv_backward.conv2d_backward, half_of_x, "one channel", "Item 1 of 3 differs"),
    "the kernel's size": (
        conv_backward.transposed_size,
        lambda n, k, s=1, p=0, d=1, o=0: n + k,
        "one pixel, kernel 3",
        "expected",
    ),
    "the first pixel": (
        pooling_backward.max_pool_backward,
        first_pixel,
        "2 × 4 pixels",
        "largest difference",
    ),
    "point first": (
        separable.SeparableConv,
        PointFirst,
        "two channels to five",
        "shapes of its parameters",
    ),
    "another activation": (
        conv_blocks.CNN,
        Smooth,
        "one stage",
        "Entry 'logits in evaluation: largest difference",
    ),
    "the head's size": (conv_blocks.CNN, WrongSize, "one stage", "mat1 and mat2"),
    "twice the way": (
        image_changes.shift_each,
        lambda x, dy, dx: image_changes._shift(x, 2 * dy, 2 * dx),
        "one image of 2 × 3 pixels",
        "largest difference",
    ),
    "about a corner": (
        image_changes.rotate_each,
        about_a_corner,
        "one image of 2 × 2",
        "largest difference",
    ),
    "to the mean": (
        image_changes.erase_each,
        to_the_mean,
        "one image of 3 × 4",
        "largest difference",
    ),
    "predictions": (
        confident.confident_errors,
        lambda logits, y, count: logits.argmax(1)[:count],
        "four examples",
        "values differ",
    ),
    "twice the gradient": (
        saliency.input_gradient,
        lambda *args: 2 * saliency._gradient(*args),
        "a linear model of",
        "2 times the expected one",
    ),
    "per pixel": (
        saliency.occlusion_map,
        lambda *args: saliency._occlude(*args) / args[3] ** 2,
        "2 × 2 covered",
        "0.25 times the expected one",
    ),
    "no gradient through the windows": (
        conv_windows.windows,
        lambda x, *rest: conv_windows.strided_windows(x.detach(), *rest),
        "3 × 4 pixels",
        "Entry 'gradient of x' differs",
    ),
    "nothing is returned": (
        conv_windows.windows,
        lambda x, *rest: print(len(rest)),
        "3 × 4 pixels",
        "None",
    ),
    "float32 of float64": (
        conv_backward.overlap_add,
        lambda *args: conv_backward._overlap_add(*args).float(),
        "stride 3, dilation 3",
        "dtype should be float64",
    ),
    "a view of maps": (conv_blocks.CNN, ByView, "one stage", "view size is not compatible"),
    "no attribute features": (
        conv_blocks.CNN,
        WithoutFeatures,
        "one stage",
        "Entry 'shape of what its `features` make of x' differs",
    ),
    "the same stage three times": (
        conv_blocks.CNN,
        SharedStages,
        "all alike",
        "Entry 'Conv2d layers' differs",
    ),
    "a seed in the class": (conv_blocks.CNN, Seeding, "one stage", "seeds PyTorch's"),
    "a single error": (confident.confident_errors, only_one_axis, "a single error", "Error"),
    "the model is frozen": (
        saliency.input_gradient,
        model_frozen,
        "a linear model",
        "Entry 'parameters that are frozen now' differs",
    ),
    "one call for every place": (
        saliency.occlusion_map,
        occluded_by_loops,
        "a linear model",
        "Entry 'calls of the model' differs",
    ),
    "a fault not listed": (
        cnn_runs.diagnose_cnns,
        lambda: dict.fromkeys("ABCDE", "bad luck"),
        "run A",
        "not on the list",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_and_the_message_helps(check, wrong, label, says):
    assert_caught(check, wrong, label, says)
    assert "Likely cause" not in message(check, wrong)


def by_fold(pieces, height, width, stride=1, dilation=1):
    """F.fold wants as many windows as fit; what it then leaves over is 0."""
    counts = zip(pieces.shape[2:4], pieces.shape[4:], strict=True)
    reach = [stride * (n - 1) + dilation * (k - 1) + 1 for n, k in counts]
    columns = pieces.permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3)
    image = F.fold(columns, reach, pieces.shape[-2:], dilation, 0, stride)
    return F.pad(image, (0, width - reach[1], 0, height - reach[0]))


def by_transposed(grad, x, weight, stride=1, padding=0, dilation=1):
    grad_x = torch.nn.grad.conv2d_input(x.shape, weight, grad, stride, padding, dilation)
    return [
        grad_x,
        torch.nn.grad.conv2d_weight(x, weight.shape, grad, stride, padding, dilation),
        grad.flatten(2).sum((0, 2)),
    ]


def last_of_equals(grad, x, size, stride):
    pieces = conv_windows.strided_windows(x, (size, size), stride).flatten(4)
    winner = size**2 - 1 - pieces.flip(-1).argmax(-1)
    share = F.one_hot(winner, size**2).to(grad.dtype) * grad[..., None]
    return conv_backward._place(share.unflatten(4, (size, size)), *x.shape[2:], stride)


def by_index_add(pieces, height, width, stride=1, dilation=1):
    batch, channels, rows, columns, kh, kw = pieces.shape
    down = stride * torch.arange(rows)[:, None, None, None] + dilation * torch.arange(kh)[:, None]
    right = stride * torch.arange(columns)[:, None, None] + dilation * torch.arange(kw)
    image = pieces.new_zeros(batch, channels, height * width)
    image.index_add_(2, (down * width + right).flatten(), pieces.reshape(batch, channels, -1))
    return image.view(batch, channels, height, width)


def occluded_in_one_call(model, x, y, size):
    rows, columns = (torch.arange(n - size + 1) for n in x.shape[1:])
    corners = torch.cartesian_prod(rows, columns)
    covered = image_changes._erase(x.expand(len(corners), -1, -1, -1), *corners.T, size)
    with torch.no_grad():
        logits = model(torch.cat([x[None], covered]))[:, y]
    return (logits[0] - logits[1:]).view(len(rows), len(columns))


class BareSeparable(nn.Module):
    """Without nn.Conv2d, and its parameters in another order."""

    def __init__(self, c_in, c_out, kernel=3, bias=True):
        super().__init__()
        self.bias = nn.Parameter(torch.randn(c_out)) if bias else None
        self.point = nn.Parameter(torch.randn(c_out, c_in, 1, 1))
        self.depth = nn.Parameter(torch.randn(c_in, 1, kernel, kernel))

    def forward(self, x):
        x = F.conv2d(x, self.depth, padding=self.depth.shape[2] // 2, groups=len(self.depth))
        return F.conv2d(x, self.point, self.bias)


class ListedStages(nn.Module):
    """Stages in lists, functions in place of modules."""

    def __init__(self, channels, norm, conv):
        super().__init__()
        self.convs = nn.ModuleList(
            conv(a, b, bias=not norm) for a, b in itertools.pairwise(channels)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in channels[1:]) if norm else []

    def forward(self, x):
        for i, conv in enumerate(self.convs):
            x = F.max_pool2d(conv(x), 2)
            x = F.relu(self.norms[i](x) if self.norms else x)
        return x


class ListedCNN(nn.Module):
    """The head first."""

    def __init__(
        self, channels, size=28, classes=10, norm=True, drop=0.0, conv=conv_blocks._conv3x3
    ):
        super().__init__()
        self.head = nn.Linear(channels[-1] * (size // 2 ** (len(channels) - 1)) ** 2, classes)
        self.features, self.drop = ListedStages(channels, norm, conv), drop

    def forward(self, x):
        x = self.features(x).flatten(1)
        return self.head(F.dropout(x, self.drop, self.training))


class LazyHead(conv_blocks._CNN):
    def __init__(self, channels, size=28, classes=10, norm=True, drop=0.0, conv=None):
        super().__init__(channels, size, classes, norm, drop, conv)
        self.head, self.drop = nn.LazyLinear(classes), nn.Dropout(drop)

    def forward(self, x):
        return self.head(self.drop(self.features(x).reshape(len(x), -1)))


def corners_aligned_in_both(x, degrees):
    cos, sin, zero = (f(torch.deg2rad(degrees)) for f in (torch.cos, torch.sin, torch.zeros_like))
    matrix = torch.stack([cos, -sin, zero, sin, cos, zero], 1).view(-1, 2, 3)
    return F.grid_sample(x, F.affine_grid(matrix, x.shape, align_corners=True), align_corners=True)


def shifted_by_slices(x, dy, dx):
    """One image after the other, by slices."""
    out = torch.zeros_like(x)
    height, width = x.shape[2:]
    for n, (down, right) in enumerate(zip(dy.tolist(), dx.tolist(), strict=True)):
        rows, columns = max(height - abs(down), 0), max(width - abs(right), 0)
        part = x[n, :, max(-down, 0) :, max(-right, 0) :][:, :rows, :columns]
        out[n, :, max(down, 0) :, max(right, 0) :][:, :rows, :columns] = part
    return out


def erased_one_by_one(x, top, left, size):
    x = x.clone()
    for n, (row, column) in enumerate(zip(top, left, strict=True)):
        x[n, :, row : row + size, column : column + size] = 0
    return x


def gradient_one_by_one(model, x, y):
    rows = []
    for image, label in zip(x, y, strict=True):
        leaf = image[None].clone().requires_grad_()
        rows.append(torch.autograd.grad(model(leaf)[0, label], leaf)[0])
    return torch.cat(rows)


def gradient_by_vmap(model, x, y):
    return torch.func.vmap(
        torch.func.grad(lambda image, label: model(image[None])[0].gather(0, label[None])[0])
    )(x, y)


def confident_by_topk(logits, y, count):
    p, predicted = logits.softmax(1).max(1)
    wrong = torch.where(predicted != y, p, -1.0)
    return wrong.topk(min(count, int((wrong > 0).sum()))).indices


ALSO_RIGHT = {
    "F.fold": (conv_backward.overlap_add, by_fold),
    "torch.nn.grad": (conv_backward.conv2d_backward, by_transposed),
    "the last of equals": (pooling_backward.max_pool_backward, last_of_equals),
    "bare parameters": (separable.SeparableConv, BareSeparable),
    "lists of layers": (conv_blocks.CNN, ListedCNN),
    "corners aligned in both": (image_changes.rotate_each, corners_aligned_in_both),
    "by slices": (image_changes.shift_each, shifted_by_slices),
    "one by one": (image_changes.erase_each, erased_one_by_one),
    "topk": (confident.confident_errors, confident_by_topk),
    "flattened by reshape, a lazy head": (conv_blocks.CNN, LazyHead),
    "index_add": (conv_backward.overlap_add, by_index_add),
    "one call": (saliency.occlusion_map, occluded_in_one_call),
    "image by image": (saliency.input_gradient, gradient_one_by_one),
    "vmap": (saliency.input_gradient, gradient_by_vmap),
}


@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_another_right_way_passes(check, answer):
    assert check(answer) is answer


def test_the_judge_of_windows_agrees_with_unfold():
    (x,) = conv_windows.draw((2, 3, 9, 11))
    found = conv_windows.strided_windows(x, (3, 2), 2, 2)
    columns = F.unfold(x, (3, 2), dilation=2, stride=2)
    assert torch.equal(found.permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3), columns)


def test_the_judge_of_rotation_agrees_with_quarter_turns_and_with_grid_sample():
    x = image_changes._images(4, 2, 7, 7)
    for turns in range(4):
        ours = image_changes.rotate_each.reference(x, torch.full((4,), 90.0 * turns))
        assert torch.allclose(ours, x.rot90(turns, (2, 3)), atol=1e-4)
    angles = torch.tensor([3.0, -50.0, 100.0, 271.0])
    ours = image_changes.rotate_each.reference(x, angles)
    assert torch.allclose(ours, image_changes._sampled(x, angles), atol=1e-4)


@pytest.mark.slow
def test_broken_trainings_behave_as_their_names_say(monkeypatch):
    monkeypatch.setattr(cnn_runs, "EPOCHS", 9)  # three quarters of the time
    digits = glyphs.digits(1000, seed=0)
    x, y = digits.x.float() / 255, digits.y
    loss, fed, again, held, sorted_held = cnn_runs.CURVES
    runs = {patient: cnn_runs.broken_cnn(patient, x, y) for patient in ["healthy", *"ABCDE"]}
    last = {
        patient: {name: values[-3:].mean() for name, values in run.items()}
        for patient, run in runs.items()
    }
    assert last["healthy"][held] > 0.8 and last["healthy"][held] == last["healthy"][sorted_held]
    assert abs(last["A"][loss] - math.log(10)) < 0.2 and last["A"][again] < 0.3
    assert last["B"][held] - last["B"][sorted_held] > 0.05
    assert last["C"][again] < last["healthy"][again] - 0.1 and last["C"][loss] > 0.5
    assert last["D"][again] > 0.9 and last["D"][held] < 0.5
    assert last["E"][fed] < last["E"][again] - 0.15 and last["E"][fed] < last["E"][held] - 0.1
    with pytest.raises(KeyError, match="ask for one of A, B, C, D, E"):
        cnn_runs.broken_cnn("F", x, y)
