"""Checks of what judges a generator: modes covered, the Fréchet distance of two Gaussians."""

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, case


def _coverage(points, centres, radius, least=0.01, fault=None):
    """Counted point by point; `fault` names what is wrong."""
    counts = np.zeros(len(centres))
    for point in points.numpy():
        gaps = np.sqrt(((centres.numpy() - point) ** 2).sum(1))
        gap = gaps.min() ** (2 if fault == "squared" else 1)
        if fault == "all near" and gap < radius:
            counts[gaps < radius] += 1
        elif gap < radius or fault == "no radius" or (fault == "or equal" and gap == radius):
            counts[gaps.argmin()] += 1
    enough = counts >= 1 if fault == "one is enough" else counts >= least * len(points)
    if fault == "of those on a mode":
        enough = counts >= least * max(counts.sum(), 1)
    covered = int((enough & (counts > 0)).sum())
    share = (
        counts[enough].sum() / len(points)
        if fault == "covered only"
        else counts.sum() / len(points)
    )
    return covered / len(centres) if fault == "a share" else covered, float(share)


def _broken_coverage(fault):
    return lambda *args: _coverage(*args, fault=fault)


def _cloud():
    generator = torch.Generator().manual_seed(0)
    centres = torch.tensor([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 4.0]])
    counts = (150, 44, 3, 0)  # enough, enough, too few, none
    near = [
        centre + 0.5 * torch.randn(n, 3, generator=generator)
        for centre, n in zip(centres, counts, strict=True)
    ]
    far = 2 + 0.1 * torch.randn(30, 3, generator=generator)
    return torch.cat([*near, far]).double(), centres.double()


def _coverage_cases():
    cloud, centres = _cloud()
    line = torch.tensor([[0.0], [10.0]])
    return [
        case("a point on one of two modes", torch.tensor([[0.1]]), line, 1.0, 0.5),
        case("a point near no mode", torch.tensor([[5.5]]), line, 1.0, 0.5),
        case("three points, one of them 0.6 from a mode of radius ½",
             torch.tensor([[0.1], [9.9], [0.6]]), line, 0.5, 0.01),
        case("227 points in space, four modes, float64", cloud, centres, 1.2, 0.05),
        case("every second point", cloud[::2], centres, 1.0, 0.02),
        case("at a distance of exactly the radius", torch.tensor([[1.0], [0.5], [9.0]]), line, 1.0,
             0.1),
        case("exactly the least share", torch.tensor([[0.1], [0.2], [9.9], [5.0]]), line, 1.0, 0.5),
        case("modes whose circles overlap", torch.tensor([[0.1], [0.3], [0.2]]),
             torch.tensor([[0.0], [1.0]]), 2.0, 0.1),
        case("the least share left out", torch.cat([torch.zeros(199, 1),
             torch.full((1, 1), 10.0)]), line, 1.0),
        case("a single stray sample covers nothing",
             torch.cat([torch.zeros(150, 1), torch.full((1, 1), 10.0)]), line, 1.0, 0.01),
    ]  # fmt: skip


mode_coverage = Check(
    "mode_coverage",
    reference=_coverage,
    cases=_coverage_cases,
    mistakes=[
        Mistake("samples between the modes count",
                "The nearest mode is not near by itself: ask for distance < radius.",
                _broken_coverage("no radius")),
        Mistake("a distance of exactly the radius counts", "Near is distance < radius.",
                _broken_coverage("or equal")),
        Mistake("a single sample covers a mode", "A mode needs the share `least` of all samples.",
                _broken_coverage("one is enough")),
        Mistake("a sample counts for every mode it is near",
                "A sample belongs to its nearest centre alone, also where two circles overlap.",
                _broken_coverage("all near")),
        Mistake("the squared distance is compared with the radius",
                "Take the root: torch.cdist does.", _broken_coverage("squared")),
        Mistake("the share is of the samples on a mode",
                "`least` is a share of all samples, len(points).",
                _broken_coverage("of those on a mode")),
        Mistake("the second number counts covered modes only",
                "It is the share of all samples that are on any mode.",
                _broken_coverage("covered only")),
        Mistake("a share of the modes instead of a number",
                "Return how many modes are covered, a whole number.", _broken_coverage("a share")),
    ],
)  # fmt: skip


def _root(matrix):
    """Symmetric root; ValueError where there is none that is real."""
    values, vectors = torch.linalg.eigh(matrix.double())
    if values.min() < -1e-6 * float(values.abs().max()):
        raise ValueError("no covariance")
    return vectors @ values.clamp(min=0).sqrt().diag() @ vectors.T


def _frechet(mean_a, covariance_a, mean_b, covariance_b):
    root = _root(covariance_a)
    _root(covariance_b)  # must have one as well
    middle = _root(root @ covariance_b.double() @ root)
    gap = (mean_a.double() - mean_b.double()).square().sum()
    return gap + covariance_a.double().trace() + covariance_b.double().trace() - 2 * middle.trace()


def _pieces(mean_a, a, mean_b, b, root="product", gap=2, factor=2.0):
    """The formula with one piece of it changed."""
    a, b = a.double(), b.double()
    roots = {
        "product": lambda: torch.linalg.eigvals(a @ b).sqrt().real.sum(),
        "entries": lambda: (a * b).clamp(min=0).sqrt().trace(),
        "each": lambda: (_root(a) @ _root(b)).trace(),
        "none": lambda: (a @ b).trace(),
        "triangle": lambda: torch.linalg.eigvalsh(a @ b).clamp(min=0).sqrt().sum(),
    }
    distance = (mean_a.double() - mean_b.double()).norm() ** gap
    return distance + a.trace() + b.trace() - factor * roots[root]()


def _faulty(**changed):
    return lambda *args: _pieces(*args, **changed)


def _gaussians(d, seed, rank=None, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    draws = [torch.randn(d, rank or d, generator=generator, dtype=dtype) for _ in range(2)]
    means = [torch.randn(d, generator=generator, dtype=dtype) for _ in range(2)]
    squares = [one @ one.T for one in draws]
    # not every processor's product is symmetric to the last bit, and eigh reads one half only
    a, b = ((one + one.T) / 2 for one in squares)
    return means[0], a, means[1], b


def _twins():
    """Twice the same covariance."""
    one = 1e6 * torch.tensor([[2.0, 1.0], [1.0, 3.0]])
    return one, one.clone()


def _large(d):
    return 1e6 * _gaussians(d, 7)[1]


def _near(d):
    """Of float32: means that nearly agree, large covariances that differ a little."""
    mean, a, _, b = _gaussians(d, 6)
    a = 1e4 * (a + torch.eye(d))
    return 5e3 * mean, a, 5e3 * mean + 0.25, a + b


def _diagonal(*values):
    return torch.tensor(values, dtype=torch.float64).diag()


frechet_distance = Check(
    "frechet_distance",
    reference=_frechet,
    single=False,
    rtol=1e-3,
    atol=1e-3,
    cases=[
        case("two means, one number each, variances 4 and 1", torch.tensor([3.0]),
             torch.tensor([[4.0]]), torch.tensor([1.0]), torch.tensor([[1.0]])),
        case("the same Gaussian twice", torch.ones(2), torch.eye(2), torch.ones(2), torch.eye(2)),
        case("two dimensions: Σ_a Σ_b = [[2, 4], [1, 4]] is not symmetric", torch.zeros(2),
             torch.tensor([[2.0, 1.0], [1.0, 1.0]]), torch.zeros(2), torch.tensor([1.0, 4]).diag()),
        case("three dimensions, correlated", *_gaussians(3, 0)),
        case("five dimensions in float64", *_gaussians(5, 1, dtype=torch.float64)),
        case("singular covariances: a feature that is always 0",
             *_gaussians(4, 2, rank=2, dtype=torch.float64)),
        case("a matrix that is no covariance: ValueError", torch.zeros(2), torch.eye(2),
             torch.zeros(2), torch.tensor([[1.0, 0.0], [0.0, -1.0]])),
        case("the same, with tiny entries", torch.zeros(2), 1e-8 * torch.eye(2),
             torch.zeros(2), torch.tensor([[1e-8, 0.0], [0.0, -1e-8]])),
        case("entries in the millions: only float64 sees that the two are alike", torch.zeros(2),
             *_twins()[:1], torch.zeros(2), *_twins()[1:]),
        case("large and nearly alike: only float64 sees how far apart", *_near(4)),
        case("five correlated numbers, in the millions: alike again", torch.zeros(5), _large(5),
             torch.zeros(5), _large(5)),
        case("an eigenvalue of −2.5e-7 in place of 0: rounding", torch.zeros(2).double(),
             torch.eye(2).double(), torch.zeros(2).double(), _diagonal(1.0, -2.5e-7)),
        case("an eigenvalue of −1e-5: more than rounding", torch.zeros(2).double(),
             torch.eye(2).double(), torch.zeros(2).double(), _diagonal(1.0, -1e-5)),
    ],
    mistakes=[
        Mistake("the imaginary part of the root is dropped",
                "A root that is not real says that something was no "
                "covariance (too few samples, a wrong axis, NaN): "
                "raise ValueError where it is not negligible, then take .real.", _faulty()),
        Mistake("the product is taken for symmetric",
                "Σ_a Σ_b is not symmetric, though both factors are; eigvalsh and eigh look at one "
                "triangle of it and believe that: torch.linalg.eigvals.",
                _faulty(root="triangle")),
        Mistake("a root of every entry",
                "The root of a matrix is no root of its entries; its trace is the sum of the roots "
                "of the eigenvalues of Σ_a Σ_b.", _faulty(root="entries")),
        Mistake("the product of the two roots",
                "(Σ_a Σ_b)^½ is Σ_a^½ Σ_b^½ only if the two commute.", _faulty(root="each")),
        Mistake("no root", "The formula has tr (Σ_a Σ_b)^½, not tr Σ_a Σ_b.", _faulty(root="none")),
        Mistake("the distance of the means is not squared", "‖μ_a − μ_b‖² is a sum of squares.",
                _faulty(gap=1)),
        Mistake("the factor 2 is missing",
                "As in (a − b)² = a² + b² − 2ab: two equal Gaussians have distance 0.",
                _faulty(factor=1.0)),
    ],
)  # fmt: skip
