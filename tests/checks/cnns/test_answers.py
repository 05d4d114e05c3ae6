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
    search_budgets,
    separable,
)
from dlcourse.checks.cnns import windows as conv_windows
from dlcourse.data import glyphs


def offset_lost(x, kernel, stride=1, dilation=1):
    view = conv_windows.strided_windows(x, kernel, stride, dilation)
    return x.as_strided(view.shape, view.stride(), 0)


def channels_averaged(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return F.conv2d(x, weight / weight.shape[1], bias, stride, padding, dilation, groups)


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


class Seeding(conv_blocks._CNN):
    def __init__(self, *args, **kwargs):
        torch.manual_seed(0)
        super().__init__(*args, **kwargs)


def scored_twice(settings, score, epochs=1):
    return search_budgets._halve(settings, lambda *args: max(score(*args), score(*args)), epochs)


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


def keeps_three_quarters(settings, score, epochs=1):
    trials = []
    while len(settings) > 1:
        now = sorted(((s, epochs, score(s, epochs)) for s in settings), key=lambda t: -t[2])
        trials, settings, epochs = (
            trials + now,
            [s for s, *_ in now[: max(1, 3 * len(now) // 4)]],
            2 * epochs,
        )
    return settings[0], trials


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
    "channels averaged": (
        conv_windows.conv2d_forward,
        channels_averaged,
        "three channels to four",
        "largest difference",
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
    "everything everywhere": (
        pooling_backward.average_kernel,
        lambda c, s: torch.full((s, s), 1 / s**2),
        "one channel, windows of 2",
        "shape should be (1, 1, 2, 2)",
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
    "one setting": (
        search_budgets.grid_settings,
        lambda ranges, budget: [{n: a for n, (a, _) in ranges.items()}],
        "one range, 3 trials",
        "'how many settings' differs",
    ),
    "three quarters": (
        search_budgets.successive_halving,
        keeps_three_quarters,
        "four settings",
        "'trials' differs",
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
    "the same stage three times": (
        conv_blocks.CNN,
        SharedStages,
        "all alike",
        "Entry 'Conv2d layers' differs",
    ),
    "a seed in the class": (conv_blocks.CNN, Seeding, "one stage", "seeds PyTorch's"),
    "tensors in the settings": (
        search_budgets.grid_settings,
        lambda *args: [
            {name: torch.tensor(value) for name, value in one.items()}
            for one in search_budgets._grid(*args)
        ],
        "one range, 3 trials",
        "got:          a tensor",
    ),
    "every score twice": (
        search_budgets.successive_halving,
        scored_twice,
        "two settings",
        "Entry 'calls of score' differs",
    ),
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


def by_shifted_copies(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A loop over the kernel's offsets, each a product of matrices."""
    x = F.pad(x, (padding,) * 4)
    rows = (x.shape[2] - dilation * (weight.shape[2] - 1) - 1) // stride + 1
    columns = (x.shape[3] - dilation * (weight.shape[3] - 1) - 1) // stride + 1
    y = 0
    for i, j in np.ndindex(*weight.shape[2:]):
        part = x[:, :, i * dilation :: stride, j * dilation :: stride][:, :, :rows, :columns]
        part = part.unflatten(1, (groups, -1))
        y = y + torch.einsum(
            "bgchw,goc->bgohw", part, weight[..., i, j].unflatten(0, (groups, -1))
        ).flatten(1, 2)
    return y if bias is None else y + bias.view(1, -1, 1, 1)


def by_unfold(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    columns = F.unfold(x, weight.shape[2:], dilation, padding, stride)
    y = torch.cat(
        [
            w.flatten(1) @ c
            for w, c in zip(weight.chunk(groups), columns.chunk(groups, 1), strict=True)
        ],
        1,
    )
    height = (x.shape[2] + 2 * padding - dilation * (weight.shape[2] - 1) - 1) // stride + 1
    return y.unflatten(2, (height, -1)) + (0 if bias is None else bias[:, None, None])


def by_fold(pieces, height, width, stride=1, dilation=1):
    """F.fold wants as many windows as fit; what it then leaves over is 0."""
    counts = zip(pieces.shape[2:4], pieces.shape[4:], strict=True)
    reach = [stride * (n - 1) + dilation * (k - 1) + 1 for n, k in counts]
    columns = pieces.permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3)
    image = F.fold(columns, reach, pieces.shape[-2:], dilation, 0, stride)
    return F.pad(image, (0, width - reach[1], 0, height - reach[0]))


def by_transposed(grad, x, weight, stride=1, padding=0, dilation=1, groups=1):
    grad_x = torch.nn.grad.conv2d_input(x.shape, weight, grad, stride, padding, dilation, groups)
    return [
        grad_x,
        torch.nn.grad.conv2d_weight(x, weight.shape, grad, stride, padding, dilation, groups),
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


class ListedCNN(nn.Module):
    """Stages in lists, functions in place of modules, the head first."""

    def __init__(
        self, channels, size=28, classes=10, norm=True, drop=0.0, conv=conv_blocks._conv3x3
    ):
        super().__init__()
        self.head = nn.Linear(channels[-1] * (size // 2 ** (len(channels) - 1)) ** 2, classes)
        self.convs = nn.ModuleList(
            conv(a, b, bias=not norm) for a, b in itertools.pairwise(channels)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in channels[1:]) if norm else []
        self.drop = drop

    def forward(self, x):
        for i, conv in enumerate(self.convs):
            x = F.max_pool2d(conv(x), 2)
            x = F.relu(self.norms[i](x) if self.norms else x)
        return self.head(F.dropout(x.flatten(1), self.drop, self.training))


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


def columns_first(ranges, budget):
    points = next(p for p in range(budget, 0, -1) if p ** len(ranges) <= budget)
    axes = [
        np.logspace(math.log10(low), math.log10(high), points)
        for low, high in reversed(ranges.values())
    ]
    return [dict(zip(reversed(ranges), values, strict=True)) for values in itertools.product(*axes)]


def halved_recursively(settings, score, epochs=1):
    if len(settings) == 1:
        return settings[0], []
    values = [score(setting, epochs) for setting in settings]
    order = np.argsort(values)[::-1][: len(settings) // 2]
    winner, rest = halved_recursively([settings[i] for i in order], score, epochs * 2)
    return winner, [*zip(settings, [epochs] * len(settings), values, strict=True), *rest]


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
    "shifted copies": (conv_windows.conv2d_forward, by_shifted_copies),
    "F.unfold": (conv_windows.conv2d_forward, by_unfold),
    "F.fold": (conv_backward.overlap_add, by_fold),
    "torch.nn.grad": (conv_backward.conv2d_backward, by_transposed),
    "the last of equals": (pooling_backward.max_pool_backward, last_of_equals),
    "bare parameters": (separable.SeparableConv, BareSeparable),
    "lists of layers": (conv_blocks.CNN, ListedCNN),
    "corners aligned in both": (image_changes.rotate_each, corners_aligned_in_both),
    "by slices": (image_changes.shift_each, shifted_by_slices),
    "one by one": (image_changes.erase_each, erased_one_by_one),
    "columns first": (search_budgets.grid_settings, columns_first),
    "recursively": (search_budgets.successive_halving, halved_recursively),
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


def test_settings_of_equal_accuracy_must_not_be_compared():
    def by_pairs(settings, score, epochs=1):
        trials, left = [], list(settings)
        while len(left) > 1:
            pairs = [(score(one, epochs), one) for one in left]
            trials += [(one, epochs, value) for value, one in pairs]
            left = [one for _, one in sorted(pairs, reverse=True)][: len(left) // 2]
            epochs *= 2
        return left[0], trials

    assert_caught(search_budgets.successive_halving, by_pairs, "equal accuracies", "TypeError: '<'")
