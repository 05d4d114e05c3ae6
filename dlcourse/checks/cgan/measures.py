"""Checks of what is asked of a conditional generator, and of measures of how it obeys."""

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case


def _grid(z, classes):
    rows = [(z, torch.full((len(z),), k)) for k in range(classes)]
    return torch.cat([z for z, _ in rows]), torch.cat([y for _, y in rows])


def _pair(function, z, classes):
    answer = function(z, classes)
    if answer is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise TypeError("return two tensors: the latents and the labels")
    return {"latents": answer[0], "labels": answer[1]}


ask_grid = Check(
    "ask_grid",
    reference=_grid,
    probe=_pair,
    cases=[
        case("1 latent, 2 classes", torch.tensor([[0.5, -1.0]]), 2),
        case("2 latents, 3 classes", torch.tensor([[1.0], [2.0]]), 3),
        case("4 latents, 2 classes, float64", torch.arange(12.0, dtype=torch.float64).reshape(4, 3),
             2),
        case("3 latents, 10 classes, not contiguous", torch.arange(6.0).reshape(2, 3).T, 10),
    ],
    mistakes=[
        Mistake("classes run along the rows",
                "The grid is filled row by row: first every latent with class 0, then "
                "every latent with class 1. Labels: arange(classes).repeat_interleave(n).",
                lambda z, k: (z.repeat_interleave(k, dim=0), torch.arange(k).repeat(len(z)))),
        Mistake("both repeated in the same order",
                "z.repeat(classes, 1) runs through all latents for one class; the labels then stay "
                "the same for n entries: repeat_interleave.",
                lambda z, k: (z.repeat(k, 1), torch.arange(k).repeat(len(z)))),
        Mistake("both repeated entry by entry",
                "Then a latent meets one class only: z.repeat(classes, 1).",
                lambda z, k: (z.repeat_interleave(k, dim=0),
                              torch.arange(k).repeat_interleave(len(z)))),
        Mistake("the first latent only", "Every column has a latent of its own.",
                lambda z, k: (z[:1].expand(k * len(z), -1),
                              torch.arange(k).repeat_interleave(len(z)))),
        Mistake("labels as floats",
                "An embedding looks rows up: whole numbers, as torch.arange gives them.",
                lambda z, k: (_grid(z, k)[0], _grid(z, k)[1].float())),
    ],
)  # fmt: skip


def _shares(found, wanted, classes=10):
    return torch.stack([(found[wanted == k] == k).float().mean() for k in range(classes)])


accuracy_by_class = Check(
    "accuracy_by_class",
    reference=_shares,
    cases=[
        case("one of each class", torch.tensor([0, 0]), torch.tensor([0, 1]), 2),
        case("unequal numbers", torch.tensor([0, 1, 1, 0, 2, 2, 2]),
             torch.tensor([0, 0, 0, 1, 2, 2, 1]), 3),
        case("a class that was never asked for", torch.tensor([0, 2, 1]), torch.tensor([0, 0, 2]),
             3),
        case("nothing of the last two classes", torch.tensor([0, 1, 1]), torch.tensor([0, 1, 0]),
             4),
        case("200 samples of ten classes, the default", *torch.randint(
            4, 10, (2, 200), generator=torch.Generator().manual_seed(0))),
    ],
    mistakes=[
        Mistake("shares of the classes found",
                "The denominator counts what was asked for, not what was found: of "
                "all pictures asked to show k, how many do? Divide by the number of those.",
                lambda found, wanted, k=10:
                    torch.stack([(wanted[found == i] == i).float().mean() for i in range(k)])),
        Mistake("shares of all samples",
                "Divide by the number of samples of that class, not by all of them.",
                lambda found, wanted, k=10: torch.stack(
                    [((found == i) & (wanted == i)).float().mean() for i in range(k)])),
        Mistake("a histogram of what was found", "Right are those where found and wanted agree.",
                lambda found, wanted, k=10: torch.bincount(found, minlength=k) / len(found)),
        Mistake("one number for all classes", "One share for each class.",
                lambda found, wanted, k=10: (found == wanted).float().mean()),
        Mistake("counts", "Shares: divide by how often the class was asked for.",
                lambda found, wanted, k=10: torch.bincount(wanted[found == wanted], minlength=k)),
    ],
)  # fmt: skip


def _fitted(x):
    """Slope of the line by weighted least squares of
    the column on the height, pixel by pixel, in float64."""
    height, width = x.shape[2:]
    up = -torch.arange(height, dtype=torch.float64)[:, None].expand(height, width).flatten()
    right = torch.arange(width, dtype=torch.float64)[None].expand(height, width).flatten()
    slopes = []
    for image in x[:, 0].cpu().double().flatten(1):
        root = image.sqrt()
        design = torch.stack([up, torch.ones_like(up)], dim=1) * root[:, None]
        slopes.append(torch.linalg.lstsq(design, (right * root)[:, None]).solution[0, 0])
    return torch.stack(slopes).to(x)


def _moments(x, fault=""):
    height, width = x.shape[2:]
    v = -torch.arange(height, dtype=x.dtype)[:, None].expand(height, width)
    u = torch.arange(width, dtype=x.dtype).expand(height, width)
    ink = (x[:, 0] > 0).to(x.dtype) if fault == "unweighted" else x[:, 0]
    if fault == "middle":  # of the image, not of its ink
        u, v = (u - u.mean()).expand_as(ink), (v - v.mean()).expand_as(ink)
    elif fault != "not centred":
        total = ink.sum((1, 2), keepdim=True)
        u, v = (axis - (ink * axis).sum((1, 2), keepdim=True) / total for axis in (u, v))
    both, up, across = ((ink * one).sum((1, 2)) for one in (u * v, v * v, u * u))
    if fault == "down":
        both = -both
    if fault == "angle":
        return 0.5 * torch.atan2(2 * both, up - across)
    if fault == "correlation":
        return both / (up * across).sqrt()
    if fault == "batch":
        return (both.sum() / up.sum()).expand(len(x))
    return both / {"by the width": across, "covariance": ink.sum((1, 2))}.get(fault, up)


def _broken(fault):
    return lambda x: _moments(x, fault)


def _bar(*points, size=(5, 4), ink=1.0):
    image = torch.zeros(1, 1, *size)
    for row, column in points:
        image[0, 0, row, column] = ink
    return image


def _blots(count, size, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 1, *size, generator=generator, dtype=dtype) ** 3


slant = Check(
    "slant",
    reference=_fitted,
    single=False,
    rtol=1e-3,
    atol=1e-4,
    cases=[
        case("a diagonal stroke, one column to the right for each row up",
             _bar((3, 0), (2, 1), (1, 2))),
        case("steeper, to the left", _bar((0, 0), (2, 1), (4, 2))),
        case("half the ink, at another place", _bar((4, 1), (3, 1), (2, 3), ink=0.5)),
        case("three images of 6 × 4", _blots(3, (6, 4), 0)),
        case("float64, not contiguous", _blots(4, (5, 7), 1, torch.float64).transpose(2, 3)),
    ],
    mistakes=[
        Mistake("rows count downwards", "v points up, the row number down: turn its sign.",
                _broken("down")),
        Mistake("divided by the spread across",
                "Pixels to the right per pixel upwards: "
                "the denominator is the variance of v.", _broken("by the width")),
        Mistake("the covariance alone",
                "A tall digit has a larger covariance at the same slant: "
                "divide by the variance of v.", _broken("covariance")),
        Mistake("not centred", "Subtract the ink's mean position (ū, v̄) first.",
                _broken("not centred")),
        Mistake("centred at the middle of the image",
                "The mean position is that of the ink, each image's own.", _broken("middle")),
        Mistake("every inked pixel counts the same", "Grey pixels count less: weigh by the ink.",
                _broken("unweighted")),
        Mistake("an angle", "A slope is asked for, no angle, so nothing of atan.",
                _broken("angle")),
        Mistake("a correlation",
                "The denominator is the variance of v, not the product of both deviations.",
                _broken("correlation")),
        Mistake("one slope for the batch",
                "Sum over the pixels of each image, not over the images.", _broken("batch")),
    ],
)  # fmt: skip
