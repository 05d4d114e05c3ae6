"""Checks of filling holes in images: what is measured inside the hole alone."""

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.probes import with_gradient


def _per_image(measure, output, target, hole):
    """Mean over the images of measure(output, target) on the hidden pixels of each."""
    rows = zip(output, target, hole, strict=True)
    return torch.stack([measure(one[hidden], other[hidden]) for one, other, hidden in rows]).mean()


def _scene(shape, sizes, seed=0, dtype=torch.float32):
    """Output, target, and holes: so many pixels of each image, from the start of a random order."""
    generator = torch.Generator().manual_seed(seed)
    output, target = (
        torch.rand(len(sizes), 1, *shape, generator=generator, dtype=dtype) for _ in range(2)
    )
    order = torch.rand(len(sizes), shape[0] * shape[1], generator=generator).argsort(1).argsort(1)
    hole = (order < torch.tensor(sizes)[:, None]).reshape(target.shape)
    return output, target, hole


def _scenes():
    output = torch.tensor([0.25, 9.0, 0.5, -9.0]).reshape(1, 1, 2, 2)
    target = torch.tensor([0.75, 0.0, 0.75, 0.0]).reshape(1, 1, 2, 2)
    some, goal, hole = _scene((4, 5), [3, 11, 7], seed=2)
    some[:, :, ::2] = goal[:, :, ::2]
    return [
        case("one image, two hidden pixels", output, target, target > 0),
        case("two images, holes of 1 and 8 pixels", *_scene((3, 3), [1, 8])),
        case("three images, every other row filled rightly", some, goal, hole),
        case(
            "float64, everything hidden in one image",
            *_scene((5, 4), [20, 2], seed=3, dtype=torch.float64),
        ),
    ]


def _pooled(measure):
    return lambda output, target, hole: measure(output[hole], target[hole])


hole_mae = Check(
    "hole_mae",
    reference=lambda *args: _per_image(F.l1_loss, *args),
    probe=with_gradient(0),
    cases=_scenes,
    mistakes=[
        Mistake("all hidden pixels of the batch in one mean",
                "Then an image with a large hole counts more, "
                "and the result depends on how the images fall into batches. "
                "Mean over the hole of each image first: sums over the axes (1, 2, 3).",
                _pooled(F.l1_loss)),
        Mistake("divided by all pixels",
                "Divide by the number of hidden pixels, hole.sum((1, 2, 3)).",
                lambda output, target, hole: ((output - target).abs() * hole).mean()),
        Mistake("the visible pixels are counted",
                "They are known already: a network could lower this loss by copying its input.",
                lambda output, target, hole: F.l1_loss(output, target)),
        Mistake("outside instead of inside", "hole is True where a pixel is hidden.",
                lambda output, target, hole: _per_image(F.l1_loss, output, target, ~hole)),
        Mistake("squared differences", "Absolute ones were asked for: (output − target).abs().",
                lambda *args: _per_image(F.mse_loss, *args)),
        Mistake("the sum over the images", "Mean over the hole, then mean over the images.",
                lambda *args: _per_image(F.l1_loss, *args) * len(args[0])),
        Mistake("a number without a graph",
                "It will be a loss too: return a tensor, without .item() or .detach().",
                lambda *args: _per_image(F.l1_loss, *args).detach()),
    ],
)  # fmt: skip


def _decibel(output, target, floor=1e-10):
    return 10 * torch.log10(1 / F.mse_loss(output, target).clamp_min(floor))


def _perfect():
    output, target, hole = _scene((3, 4), [4, 6], seed=5)
    output[0][hole[0]] = target[0][hole[0]]
    return case("one image filled perfectly: 100 dB", output, target, hole)


def _almost_perfect():
    """Half of the hidden pixels are right and the others nearly: the floor is near."""
    _, target, hole = _scene((3, 4), [4, 6], seed=6, dtype=torch.float64)
    output = target.clone()
    output[:, :, :, ::2] += 2e-5
    return case("filled almost perfectly, float64", output, target, hole)


psnr = Check(
    "psnr",
    reference=lambda *args: _per_image(_decibel, *args),
    cases=lambda: [*_scenes(), _perfect(), _almost_perfect()],
    mistakes=[
        Mistake("the logarithm of the mean error",
                "10 log₁₀ of the batch's mean is not the mean of each image's decibels: first the "
                "logarithm, then the mean over the images.",
                lambda *args: 10 * torch.log10(1 / _per_image(F.mse_loss, *args).clamp_min(1e-10))),
        Mistake("all hidden pixels of the batch in one mean",
                "One PSNR for each image, then their mean.", _pooled(_decibel)),
        Mistake("the natural logarithm",
                "Decibels are ten times the decimal logarithm: torch.log10.",
                lambda *args: _per_image(lambda a, b: -10 * F.mse_loss(a, b).clamp_min(1e-10).log(),
                                         *args)),
        Mistake("the root of the mean square",
                "10 log₁₀ takes the squared error, 20 log₁₀ its root.",
                lambda *args: _per_image(_decibel, *args) / 2),
        Mistake("the sign is turned round", "1/MSE: a smaller error gives more decibels.",
                lambda *args: -_per_image(_decibel, *args)),
        Mistake("the visible pixels are counted",
                "A hole that is 10 % of the image would gain 10 dB for nothing.",
                lambda output, target, hole: _per_image(_decibel, output, target,
                                                        torch.ones_like(hole))),
        Mistake("infinitely many decibels",
                "Without a floor one perfect image makes the mean inf: clamp_min(1e-10).",
                lambda *args: _per_image(lambda a, b: _decibel(a, b, 0.0), *args)),
    ],
)  # fmt: skip
