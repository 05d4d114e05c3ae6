"""Checks of repaired snippets about tensors:
types that wrap, axes that are mixed up, shapes that broadcast."""

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.probes import with_gradient
from dlcourse.checks.repairs.autograd import draw


def _grey(seed, *shape):
    return torch.randint(
        256, shape, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8
    )


def _pixel(level):
    return torch.tensor([level], dtype=torch.uint8)


def _corners():
    """All pairs of the grey levels where wrapping, or reading as int8, goes wrong."""
    levels = torch.tensor([0, 1, 127, 128, 129, 255], dtype=torch.uint8)
    return tuple(part.contiguous() for part in torch.meshgrid(levels, levels, indexing="ij"))


image_change = Check(
    "image_change",
    any_kind=True,
    any_dtype=True,
    reference=lambda before, after: torch.maximum(before, after).long()
    - torch.minimum(before, after).long(),
    cases=lambda: [
        case("one pixel, a little darker", _pixel(5), _pixel(3)),
        case("one pixel, from 250 to 10", _pixel(250), _pixel(10)),
        case("all pairs of six levels", *_corners()),
        case("2 images, 3 × 4, not contiguous", _grey(0, 2, 4, 3).transpose(1, 2),
             _grey(1, 2, 3, 4)),
    ],
    mistakes=[
        Mistake("uint8 wraps",
                "uint8 has no negative numbers: 3 − 5 becomes 254, and abs or float afterwards "
                "come too late. Change the type first: before.int().",
                lambda before, after: after - before),
        Mistake("uint8 wraps the other way round",
                "The other order only moves the wrapping to the pixels that became brighter. "
                "Change the type first: before.int().",
                lambda before, after: before - after),
        Mistake("int8 is too small",
                "int8 ends at 127, so large changes come out wrong. Use .int() or .float().",
                lambda before, after: (after.to(torch.int8) - before.to(torch.int8)).abs()),
        Mistake("pixels that became darker are lost",
                "Clamping at 0 throws away every negative difference. Take its absolute value.",
                lambda before, after: (after.int() - before.int()).clamp(min=0)),
        Mistake("the sign is kept",
                "Asked for is the size of the change: take the absolute value.",
                lambda before, after: after.int() - before.int()),
        Mistake("in shares of 255",
                "The answer is in grey levels, 0 to 255: do not divide.",
                lambda before, after: (after.float() - before.float()).abs() / 255),
    ],
)  # fmt: skip


def _scrambled(images):
    batch, height, width, channels = images.shape
    return images.reshape(batch, channels, height, width)


def _scrambled_twice(images):
    batch, height, width, channels = images.shape
    return images.reshape(batch, channels, width, height).transpose(2, 3)


channels_first = Check(
    "channels_first",
    reference=lambda images: torch.einsum("bhwc->bchw", images),
    cases=lambda: [
        case("1 image of 1 × 2 pixels, 3 channels", torch.arange(6.0).reshape(1, 1, 2, 3)),
        case("2 images, 3 × 4, 3 channels", torch.arange(72.0).reshape(2, 3, 4, 3)),
        case("3 × 3 × 3 × 3: no shape gives it away", draw(0, 3, 3, 3, 3, dtype=torch.float64)),
        case("uint8, 4 channels, not contiguous", _grey(1, 2, 5, 4, 3).transpose(1, 3)),
    ],
    mistakes=[
        Mistake("the numbers are renumbered, not moved",
                "reshape and view keep the order in memory and only count it out in other "
                "portions, so colours land in other pixels. permute moves axes.",
                _scrambled),
        Mistake("renumbered, then transposed",
                "The first reshape has already scrambled the picture. "
                "permute alone does it, without any reshape.",
                _scrambled_twice),
        Mistake("height and width are exchanged",
                "transpose(1, 3) swaps channels with height: the result is (B, C, W, H), the "
                "picture mirrored at its diagonal. Name all the axes: permute.",
                lambda images: images.transpose(1, 3)),
        Mistake("batch and channels are exchanged",
                "The batch stays in front: (B, C, H, W).",
                lambda images: images.permute(3, 1, 2, 0)),
        Mistake("the colours are in reverse order",
                "Only the axes move; red stays the first channel.",
                lambda images: images.flip(-1).permute(0, 3, 1, 2)),
    ],
)  # fmt: skip


def _pair(seed, n, dtype=torch.float32, scale=1.0):
    return scale * draw(seed, n, 1, dtype=dtype), scale * draw(seed + 1, n, dtype=dtype)


def _column(prediction):
    return prediction[:, 0]


squared_error = Check(
    "squared_error",
    reference=lambda prediction, target: F.mse_loss(_column(prediction), target),
    probe=with_gradient(0),
    cases=lambda: [
        case("2 examples, a perfect prediction", torch.tensor([[0.0], [2.0]]),
             torch.tensor([0.0, 2.0])),
        case("5 examples", *_pair(0, 5)),
        case("1 example", *_pair(2, 1)),
        case("4 large values, float64", *_pair(4, 4, torch.float64, 1e6)),
        case("3 examples, target not contiguous", draw(6, 3, 1), draw(7, 3, 2)[:, 1]),
    ],
    mistakes=[
        Mistake("every prediction is compared with every target",
                "(N, 1) against (N,) broadcasts to a table (N, N), "
                "and its mean is smallest where all predictions equal the mean target. "
                "Give both the same shape: prediction.squeeze(1).",
                lambda prediction, target: ((prediction - target) ** 2).mean()),
        Mistake("the sum of the whole table, divided by N",
                "The division hides nothing: (N, 1) − (N,) is still a table of N² differences. "
                "Print its shape.",
                lambda prediction, target: ((prediction - target) ** 2).sum() / len(target)),
        Mistake("the difference of the means",
                "Average after squaring: errors of opposite sign must not cancel.",
                lambda prediction, target: (prediction.mean() - target.mean()) ** 2),
        Mistake("a sum in place of the mean",
                "Mean over the batch: the size of the batch must not change the scale.",
                lambda prediction, target: ((_column(prediction) - target) ** 2).sum()),
        Mistake("no mean at all",
                "The loss is one number, a tensor of shape (): take the mean.",
                lambda prediction, target: (_column(prediction) - target) ** 2),
        Mistake("the graph is cut",
                "The loss must be a tensor that backward can start from: "
                "no .item(), .detach() or .numpy().",
                lambda prediction, target: F.mse_loss(_column(prediction.detach()), target)),
    ],
)  # fmt: skip
