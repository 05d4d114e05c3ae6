"""Check of the gradient penalty."""

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.wgan.penalty_judge import FORMULAS, RIGHT, _probe


def _penalty(critic, real, fake, draw="each", formula=RIGHT, keep=True, root=False):
    """The penalty from one call for the whole batch;
    the arguments say what is right or wrong with it."""
    ones = [1] * (real.dim() - 1)
    eps = {
        "each": lambda: torch.rand(len(real), *ones, dtype=real.dtype),
        "batch": lambda: torch.rand([1] * real.dim(), dtype=real.dtype),
        "number": lambda: torch.rand_like(real),
        "normal": lambda: torch.randn(len(real), *ones, dtype=real.dtype),
        "seeded": lambda: torch.rand(
            len(real), *ones, dtype=real.dtype, generator=torch.Generator().manual_seed(0)
        ),
        "real": lambda: torch.ones(len(real), *ones, dtype=real.dtype),
        "fake": lambda: torch.zeros(len(real), *ones, dtype=real.dtype),
    }[draw]()
    x = (eps * real + (1 - eps) * fake).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(x).sum(), x, create_graph=keep)
    if root:
        return (slopes.flatten(1).square().sum(1).sqrt() - 1).square().mean()
    return FORMULAS[formula](slopes)


def _faulty(**changed):
    return lambda critic, real, fake: _penalty(critic, real, fake, **changed)


def _network(*layers, seed=0, dtype=torch.float32):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(*[make() for make in layers])
        for parameter in network.parameters():
            nn.init.normal_(parameter, 0.0, 0.6)
    return network.to(dtype)


def _pair(shape, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(shape, generator=generator, dtype=dtype) + shift for shift in (1.0, -1.0)
    )


def _cases():
    wide = _pair((4, 3, 6), 5)
    silent = _network(lambda: nn.Linear(3, 4), nn.ReLU, lambda: nn.Linear(4, 1), seed=2)
    with torch.no_grad():
        silent[0].bias -= 2.0
    images = [
        lambda: nn.Conv2d(2, 3, 2),
        nn.Tanh,
        nn.Flatten,
        lambda: nn.Linear(18, 1),
        lambda: nn.Flatten(0),
    ]
    return [
        case("two numbers on a line", _network(lambda: nn.Linear(1, 3), nn.Tanh,
                                               lambda: nn.Linear(3, 1)),
             *_pair((2, 1), 0)),
        case("5 points in the plane", _network(lambda: nn.Linear(2, 4), nn.Tanh,
                                               lambda: nn.Linear(4, 1), seed=1),
             *_pair((5, 2), 1)),
        case("3 images of 2 × 3 × 4", _network(*images, seed=3), *_pair((3, 2, 3, 4), 2)),
        case("300 points, float64", _network(lambda: nn.Linear(2, 3), nn.Tanh,
                                             lambda: nn.Linear(3, 1), seed=4,
             dtype=torch.float64), *_pair((300, 2), 3, torch.float64)),
        case("a single example", _network(lambda: nn.Linear(3, 4), nn.Tanh,
                                          lambda: nn.Linear(4, 1), seed=6), *_pair((1, 3), 7)),
        case("every second column of a longer array", _network(lambda: nn.Linear(3, 4), nn.Tanh,
             lambda: nn.Linear(4, 1), seed=5), wide[0][:, 0, ::2], wide[1][:, 0, ::2]),
        case("a critic whose slope is exactly 0 for some examples", silent, *_pair((12, 3), 6)),
    ]  # fmt: skip


gradient_penalty = Check(
    "gradient_penalty",
    reference=_penalty,
    probe=_probe,
    cases=_cases,
    fallback="dlcourse.methods.wgan:gradient_penalty",
    mistakes=[
        Mistake("create_graph was forgotten",
                "Without it the slope is a constant: the penalty is added to the loss, "
                "its value looks right, and no weight ever feels it. "
                "torch.autograd.grad(…, create_graph=True).",
                _faulty(keep=False)),
        Mistake("one ε for the whole batch",
                "Every example needs its own point on its own line: "
                "(B, 1, 1, 1) for images, not a single number.",
                _faulty(draw="batch")),
        Mistake("an ε for every pixel",
                "That draws from a box around the line, not from the line: "
                "one ε for all numbers of an example.",
                _faulty(draw="number")),
        Mistake("ε from a normal distribution", "torch.rand is even on [0, 1], torch.randn is not.",
                _faulty(draw="normal")),
        Mistake("always the same ε",
                "A seed inside the function gives every call the same points: draw anew each time.",
                _faulty(draw="seeded")),
        Mistake("only at the real examples",
                "Then the critic is free between real and fake, "
                "which is where the generator needs a slope.",
                _faulty(draw="real")),
        Mistake("only at the fakes", "Draw points on the line between a real example and a fake.",
                _faulty(draw="fake")),
        Mistake("slopes are pulled to 0",
                "The best critic has slope 1 between the two clouds: (‖∇f‖ − 1)².",
                _faulty(formula="mean of ‖∇f‖²")),
        Mistake("the square of the norm is compared with 1",
                "Take the root first: (‖∇f‖ − 1)², not (‖∇f‖² − 1)².",
                _faulty(formula="mean of (‖∇f‖² − 1)²")),
        Mistake("the norm runs over the batch",
                "A length for each example: flatten(1), then norm(dim=1), not dim=0.",
                _faulty(formula="norms over the batch")),
        Mistake("one norm for everything",
                "norm() without dim takes all numbers of the batch: flatten(1).norm(dim=1).",
                _faulty(formula="one norm for the whole batch")),
        Mistake("only the channels' axis is in the norm",
                "An image's slope has C·H·W numbers: flatten(1) before norm(dim=1).",
                _faulty(formula="norms over axis 1 only")),
        Mistake("the slopes of a mean",
                "critic(x).mean() divides every slope by B: differentiate the sum.",
                _faulty(formula="the slopes of the batch's mean")),
        Mistake("deviations cancel",
                "Square each example's deviation before the mean over the batch.",
                _faulty(formula="(mean of ‖∇f‖ − 1)²")),
        Mistake("λ is in it already", "The step multiplies by its weight: return the mean alone.",
                _faulty(formula="10 times the mean of (‖∇f‖ − 1)²")),
        Mistake("a sum over the batch", "A mean: else λ depends on the batch size.",
                _faulty(formula="sum of (‖∇f‖ − 1)²")),
        Mistake("the root has no slope at 0",
                "sqrt of a sum of squares gives NaN where the slope is exactly 0: use "
                ".norm(dim=1), or add 1e-12 under the root.", _faulty(root=True)),
    ],
)  # fmt: skip
