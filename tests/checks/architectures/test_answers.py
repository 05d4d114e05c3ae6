"""Day 5's checks: wrong answers that no table of mistakes foresees, right ones written in another
way, and the judges themselves against torch."""

import copy

import pytest
import torch
from answers import assert_caught, message
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.architectures import (
    ascent,
    gradcam,
    modules,
    residual,
    resnets,
    segmentation,
    transfer,
    transposed,
    unets,
)
from dlcourse.checks.architectures import clinic as broken_segmentation
from dlcourse.data import seismic
from dlcourse.metrics import dice
from dlcourse.models.resnet import BasicBlock, PreActivationBlock, ResNet
from dlcourse.models.unet import DoubleConv, UNet, join


class LeakyBlock(BasicBlock):
    def forward(self, x):
        residual = self.norm2(self.conv2(F.leaky_relu(self.norm1(self.conv1(x)))))
        return F.relu(residual + self.shortcut(x))


class StridedSecond(BasicBlock):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__(inputs, outputs, stride)
        self.conv1.stride, self.conv2.stride = (1, 1), (stride, stride)

    def forward(self, x):
        return super().forward(x)


class OneNormTwice(BasicBlock):
    def forward(self, x):
        residual = self.norm1(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(residual + self.shortcut(x))


class Unpadded(BasicBlock):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__(inputs, outputs, stride)
        self.conv1.padding = (0, 0)


class Subtracting(PreActivationBlock):
    def forward(self, x):
        return 2 * self.shortcut(x) - super().forward(x)


class Flattening(ResNet):
    def forward(self, x):
        return self.head(self.features(x)[:, :, 0, 0])


class Dropping(UNet):
    def forward(self, x):
        return super().forward(x)[..., :-1]


class Halved(UNet):
    def __init__(self, channels=1, outputs=1, width=8, levels=3):
        super().__init__(channels, outputs, width, levels)
        self.down[0] = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU())


class Detached(BasicBlock):
    def forward(self, x):
        residual = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(residual + self.shortcut(x.detach()))


class Seeding(BasicBlock):
    def __init__(self, *args):
        torch.manual_seed(0)
        super().__init__(*args)


class Sharing(ResNet):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for stage in self.stages:
            for number in range(2, len(stage)):
                stage[number] = stage[1]


class PooledFeatures(ResNet):
    def features(self, x):
        return super().features(x).mean((2, 3))

    def forward(self, x):
        return self.head(self.features(x))


class Narrow(ResNet):
    def __init__(self, blocks=(1, 1, 1), width=8, classes=10, channels=1):
        super().__init__(blocks, width, classes, channels)


def reversing(stages, rate, factor):
    stages.reverse()
    return [{"params": list(one.parameters()), "lr": rate / factor**i}
            for i, one in enumerate(stages)]  # fmt: skip


def no_bias_at_borders(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    y = F.conv_transpose2d(x, weight, bias, stride, padding, output_padding)
    y[:, :, 0] = 0
    return y


def hard_coded(logits, mask):
    return torch.tensor(0.9)


def inverted(logits, mask):
    return segmentation.dice.reference(-logits, ~mask.bool())


def with_cross_entropy(logits, mask, smooth=1.0):
    return segmentation.soft_dice_loss.reference(
        logits, mask, smooth
    ) + F.binary_cross_entropy_with_logits(logits, mask.to(logits.dtype))


def without_smooth(logits, mask, smooth=1.0):
    return segmentation.soft_dice_loss.reference(logits, mask, 1e-6)


def only_batch_norm(model, head):
    for module in model.body:
        if isinstance(module, nn.BatchNorm1d):
            module.eval().requires_grad_(False)
    return list(model.get_submodule(head).parameters())


def without_gradients(model, head):
    model.requires_grad_(False).eval()
    return list(model.get_submodule(head).train().parameters())


def names(model, head):
    return [name for name, _ in model.named_parameters() if name.startswith(head)]


def saliency(features, head, x, target):
    x = x.detach().requires_grad_()
    score = head(features(x)).gather(1, target[:, None]).sum()
    return torch.autograd.grad(score, x)[0].abs().amax(1)


def normalised(features, head, x, target):
    maps = gradcam.grad_cam.reference(features, head, x, target)
    return maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-9)


def one_step(score, x, steps, rate):
    return ascent.ascend.reference(score, x, 1, rate)


def with_graph(score, x, steps, rate):
    return ascent.ascend.reference(score, x, steps, rate).requires_grad_()


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "leaky ReLU": (
        residual.BasicBlock,
        LeakyBlock,
        "3 channels stay 3",
        "Entry 'output in evaluation' differs",
    ),
    "no padding": (residual.BasicBlock, Unpadded, "3 channels stay 3", "RuntimeError"),
    "one norm twice, the other never": (
        residual.BasicBlock,
        OneNormTwice,
        "3 channels stay 3",
        "parameters that the output does not use",
    ),
    "stride in the second convolution": (
        residual.BasicBlock,
        StridedSecond,
        "4 channels stay 4, stride 2",
        "differs",
    ),
    "the residual subtracted": (
        residual.PreActivationBlock,
        Subtracting,
        "3 channels stay 3",
        "differs",
    ),
    "one pixel instead of the mean": (
        resnets.ResNet,
        Flattening,
        "one stage of one block",
        "Entry 'logits' differs",
    ),
    "blocks that share their weights": (
        resnets.ResNet,
        Sharing,
        "one stage of four blocks",
        "Entry 'number of parameters' differs",
    ),
    "features after the pooling": (
        resnets.ResNet,
        PooledFeatures,
        "one stage of one block",
        "Entry 'features(x)' differs",
    ),
    "other defaults": (
        resnets.ResNet,
        Narrow,
        "nothing given",
        "Entry 'number of parameters' differs",
    ),
    "no gradient through the shortcut": (
        residual.BasicBlock,
        Detached,
        "3 channels stay 3",
        "Entry 'gradient of x in training' differs",
    ),
    "a seed in the class": (residual.BasicBlock, Seeding, "3 channels stay 3", "seeds PyTorch's"),
    "widths up to 100": (
        resnets.width_for_budget,
        lambda make, budget: max(w for w in range(1, 100) if resnets._count(make(w)) <= budget),
        "more than a hundred",
        "got:          99",
    ),
    "torch's own": (
        transposed.transposed_conv2d,
        lambda *args: F.conv_transpose2d(*args),
        "one pixel of 1",
        "calls of torch's conv_transpose",
    ),
    "a constant": (
        resnets.width_for_budget,
        lambda make, budget: 4,
        "a square layer, exactly 12",
        "got",
    ),
    "the count, not the width": (
        resnets.width_for_budget,
        lambda make, budget: budget,
        "exactly 12",
        "got",
    ),
    "a border of zeros": (
        transposed.transposed_conv2d,
        no_bias_at_borders,
        "one pixel of 1",
        "differ",
    ),
    "the size": (transposed.output_padding_for, lambda n, k, s, p: n, "7 pixels", "got"),
    "doubled": (
        unets.join,
        lambda x, skip: torch.cat([skip, 2 * unets.join.reference(x, skip)[:, skip.shape[1] :]], 1),
        "same size",
        "differ",
    ),
    "a column short": (unets.UNet, Dropping, "one level", "The shape should be"),
    "one convolution on top": (
        unets.UNet,
        Halved,
        "one level",
        "Entry 'number of parameters' differs",
    ),
    "a constant score": (segmentation.dice, hard_coded, "two pixels found", "got"),
    "the background": (segmentation.dice, inverted, "two pixels found", "got"),
    "a bound that counts": (
        segmentation.dice,
        lambda logits, mask: segmentation.dice.reference(logits + 1e-30, mask),
        "logits of exactly 0",
        "got",
    ),
    "a loss without slope": (
        segmentation.soft_dice_loss,
        lambda logits, *rest: segmentation._soft(logits.detach(), *rest),
        "one image",
        "gradient",
    ),
    "rates as tensors": (
        transfer.rate_groups,
        lambda *args: [
            one | {"lr": torch.tensor(one["lr"])} for one in transfer.rate_groups.reference(*args)
        ],
        "two stages",
        "yours is a tensor",
    ),
    "the caller's stages reversed": (
        transfer.rate_groups,
        reversing,
        "two stages",
        "left in its order",
    ),
    "plus cross-entropy": (
        segmentation.soft_dice_loss,
        with_cross_entropy,
        "one image",
        "Entry 'loss' differs",
    ),
    "smooth is ignored": (
        segmentation.soft_dice_loss,
        without_smooth,
        "one image",
        "Entry 'loss' differs",
    ),
    "batch norm alone": (
        transfer.freeze,
        only_batch_norm,
        "a head of one layer",
        "Entry 'frozen weights that still get gradients' differs",
    ),
    "the head has no gradients, decay moves it": (
        transfer.freeze,
        without_gradients,
        "a head of one layer",
        "the head is frozen too",
    ),
    "names instead of parameters": (
        transfer.freeze,
        names,
        "a head of one layer",
        "Entry 'what was returned' differs",
    ),
    "rates alone": (
        transfer.rate_groups,
        lambda stages, rate, factor: [rate],
        "two stages",
        "TypeError",
    ),
    "saliency": (gradcam.grad_cam, saliency, "mean over the pixels", "The shape should be"),
    "scaled to 1": (gradcam.grad_cam, normalised, "mean over the pixels", "times the expected one"),
    "one step only": (ascent.ascend, one_step, "several steps", "differ"),
    "a graph is kept": (
        ascent.ascend,
        with_graph,
        "one step on one image",
        "Entry 'keeps a graph' differs",
    ),
    "a fault not listed": (
        broken_segmentation.diagnose,
        lambda: dict.fromkeys("ABCD", "bad luck"),
        "patient A",
        "not on the list",
    ),
}


@pytest.mark.slow  # whole networks, whole runs
@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    assert_caught(check, wrong, label, says)


class InPlace(nn.Module):
    """The same block in another order of definition, with modules in a list
    and a ReLU that works in place."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.short = None
        if (inputs, 1) != (outputs, stride):
            self.short = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.path = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x):
        return (self.path(x) + (x if self.short is None else self.short(x))).relu_()


class Recursive(nn.Module):
    def __init__(self, channels=1, outputs=1, width=8, levels=3, last=True):
        super().__init__()
        self.first, self.inner = DoubleConv(channels, width), None
        if levels:
            self.inner = Recursive(width, 0, 2 * width, levels - 1, last=False)
            self.up, self.merge = (
                nn.ConvTranspose2d(2 * width, width, 2, 2),
                DoubleConv(2 * width, width),
            )
        self.last = nn.Conv2d(width, outputs, 1) if last else nn.Identity()

    def forward(self, x):
        x = self.first(x)
        if self.inner is not None:
            x = self.merge(join(self.up(self.inner(nn.functional.max_pool2d(x, 2))), x))
        return self.last(x)


def by_scatter(x, weight, bias=None, stride=1, padding=0, output_padding=0):
    """Stamps, one kernel weight after the other."""
    (b, _, h, w), (_, outputs, kh, kw) = x.shape, weight.shape
    full = x.new_zeros(
        b, outputs, (h - 1) * stride + kh + output_padding, (w - 1) * stride + kw + output_padding
    )
    for i in range(kh):
        for j in range(kw):
            place = full[
                :, :, i : i + (h - 1) * stride + 1 : stride, j : j + (w - 1) * stride + 1 : stride
            ]
            place += torch.einsum("bchw,co->bohw", x, weight[:, :, i, j])
    full = full[:, :, padding : full.shape[2] - padding, padding : full.shape[3] - padding]
    return full if bias is None else full + bias[:, None, None]


def doubling(make, budget):
    def fits(width):
        return sum(one.numel() for one in make(width).parameters()) <= budget

    low, high = 1, 2
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        low, high = (
            ((low + high) // 2, high) if fits((low + high) // 2) else (low, (low + high) // 2)
        )
    return low


def dice_from_iou(logits, mask):
    scores = []
    for one, truth in zip(logits > 0, mask > 0.5, strict=True):
        union = (one | truth).sum().item()
        overlap = (one & truth).sum().item() / union if union else 1.0
        scores.append(2 * overlap / (1 + overlap))
    return torch.tensor(sum(scores) / len(scores))


def soft_by_einsum(logits, mask, smooth=1.0):
    p, m = torch.sigmoid(logits), mask.type_as(logits)
    both = torch.einsum("bchw,bchw->b", p, m)
    return torch.mean(1 - (2 * both + smooth) / (p.sum((1, 2, 3)) + m.sum((1, 2, 3)) + smooth))


def freeze_by_name(model, head):
    model.train()
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm1d) and not name.startswith(head):
            module.eval()
    kept = []
    for name, one in model.named_parameters():
        one.requires_grad = name.startswith(head)
        kept += [one] if one.requires_grad else []
    return iter(kept)


class LazyBlock(BasicBlock):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__(inputs, outputs, stride)
        self.conv1 = nn.LazyConv2d(outputs, 3, stride, padding=1, bias=False)


def groups_from_the_front(stages, rate, factor):
    rates = [rate]
    for _ in stages[1:]:
        rates.insert(0, rates[0] / factor)
    return [dict(params=stage.parameters(), lr=lr) for stage, lr in zip(stages, rates, strict=True)]


def cam_without_grad(features, head, x, target):
    with torch.no_grad():
        maps = features(x)
    maps.requires_grad_()
    logits = head(maps)
    slopes = torch.autograd.grad(logits, maps, F.one_hot(target, logits.shape[1]).to(logits))[0]
    return torch.einsum("bk,bkij->bij", slopes.mean((-1, -2)), maps.detach()).clamp(min=0)


def ascend_by_backward(score, x, steps, rate):
    x = x.clone()
    for _ in range(steps):
        x.requires_grad_(True)
        score(x).sum().backward()
        g = x.grad
        with torch.no_grad():
            x = torch.clamp(
                x + rate * g / (g.square().sum((1, 2, 3), keepdim=True).sqrt() + 1e-12), 0, 1
            )
    return x


ALSO_RIGHT = {
    "another block": (residual.BasicBlock, InPlace),
    "lazy layers": (residual.BasicBlock, LazyBlock),
    "stamps": (transposed.transposed_conv2d, by_scatter),
    "bisection": (resnets.width_for_budget, doubling),
    "a U-Net within a U-Net": (unets.UNet, Recursive),
    "output padding by size": (
        transposed.output_padding_for,
        lambda n, k, s, p: n - (((n + 2 * p - k) // s) * s - 2 * p + k),
    ),
    "Dice from IoU, in floats": (segmentation.dice, dice_from_iou),
    "einsum": (segmentation.soft_dice_loss, soft_by_einsum),
    "norms only in evaluation": (transfer.freeze, freeze_by_name),
    "from the front": (transfer.rate_groups, groups_from_the_front),
    "maps without gradient": (gradcam.grad_cam, cam_without_grad),
    "by backward": (ascent.ascend, ascend_by_backward),
}


@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_another_right_way_passes(check, answer):
    assert check(answer) is answer


def test_a_projection_without_stride_is_named_with_the_error_that_the_student_saw():
    class Broken(BasicBlock):
        def __init__(self, inputs, outputs, stride=1):
            super().__init__(inputs, outputs, stride)
            if stride != 1:
                self.shortcut[0].stride = (1, 1)

    text = message(residual.BasicBlock, Broken)
    assert "must match the size" in text and "the shortcut is not downsampled" in text


def test_filling_gives_equal_weights_to_equal_shapes_and_is_repeatable():
    one, other = modules.filled(BasicBlock(3, 3)), modules.filled(copy.deepcopy(BasicBlock(3, 3)))
    assert torch.equal(one.conv1.weight, one.conv2.weight) and torch.equal(
        one.conv1.weight, other.conv1.weight
    )
    assert modules.census(one) == "(3,) × 4, (3, 3, 3, 3) × 2"


@pytest.mark.slow
def test_the_patients_of_the_clinic_behave_as_their_names_say():
    ground, test = seismic.sections(300, seed=0), seismic.sections(100, seed=1)
    data = [
        F.avg_pool2d(ground.x, 2),
        ground.salt[..., ::2, ::2],
        F.avg_pool2d(test.x, 2),
        test.salt[..., ::2, ::2],
    ]
    runs = {
        name: broken_segmentation.broken_run(name, *data, seed=1, steps=100)
        for name in ("healthy", *"ABCD")
    }
    last = {name: run["loss"][-20:].mean() for name, run in runs.items()}
    assert runs["B"]["loss"].min() < 0 and all(
        run["loss"].min() > 0 for name, run in runs.items() if name != "B"
    )
    assert last["D"] > last["A"] > 0.4 > last["C"] > last["healthy"]
    assert runs["D"]["Dice"].max() > 0.8 > runs["A"]["Dice"].max()
    assert (
        runs["C"]["Dice"][-1] > 0.8
        and runs["C"]["left alone"][-1] < runs["healthy"]["left alone"].max()
    )
    with pytest.raises(KeyError, match="ask for healthy or one of A, B, C, D"):
        broken_segmentation.broken_run("E", *data, seed=0)


def test_the_library_scores_as_the_check_demands():
    assert segmentation.dice(dice) is dice


def test_groups_of_an_earlier_call_are_found():
    kept = []

    def never_emptied(*args):
        kept.extend(transfer.rate_groups.reference(*args))
        return kept

    assert_caught(transfer.rate_groups, never_emptied, "one stage", "another call's stages")


def test_a_transposed_convolution_by_a_kronecker_product_passes():
    def spread(x, weight, bias=None, stride=1, padding=0, output_padding=0):
        stamp = torch.zeros(stride, stride, dtype=x.dtype)
        stamp[0, 0] = 1
        rows, columns = ((n - 1) * stride + 1 for n in x.shape[2:])
        wide = torch.kron(x, stamp)[..., :rows, :columns]
        high, side = (k - 1 - padding for k in weight.shape[2:])
        wide = F.pad(wide, (side, side + output_padding, high, high + output_padding))
        return F.conv2d(wide, weight.transpose(0, 1).flip(2, 3), bias)

    assert transposed.transposed_conv2d(spread) is spread
