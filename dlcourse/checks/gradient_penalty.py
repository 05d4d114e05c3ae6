"""Check of the gradient penalty. It draws random points, so it is judged at the points that the critic was asked about.

What was drawn, what was made of the slopes there, and what comes back to the critic's weights are each put into words.
"""

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, case


class _Asked(nn.Module):
    """A critic that keeps what it was asked about."""

    def __init__(self, network):
        super().__init__()
        self.network, self.seen = network, []

    def forward(self, x):
        self.seen.append(x.detach())
        return self.network(x)


def _points(x, real, fake):
    """In words, how the points x were drawn between real and fake."""
    gap, off = (real - fake).flatten(1), (x - fake).flatten(1)
    each = off / torch.where(gap == 0, 1.0, gap)
    eps = (off * gap).sum(1) / gap.square().sum(1)
    if (off - eps[:, None] * gap).abs().max() > 1e-4 * gap.abs().max():
        inside = each.min() > -1e-4 and each.max() < 1 + 1e-4
        return "an ε of its own for every number of an example" if inside else "not between an example and its fake"
    names = {0.0: "the fakes themselves", 0.5: "the middle, always", 1.0: "the real examples themselves"}
    for value, name in names.items():
        if (eps - value).abs().max() < 1e-4:
            return name
    if eps.max() - eps.min() < 1e-4:
        return "one ε for the whole batch"
    if eps.min() < -1e-4 or eps.max() > 1 + 1e-4:
        return "beyond the ends: ε is not in [0, 1]"
    if len(eps) >= 200 and (abs(eps.mean() - 0.5) > 0.1 or abs(eps.std() - 12**-0.5) > 0.06):
        return "an ε for each example, but not evenly from [0, 1]"
    return "an ε for each example"


def _slopes(network, x, keep=False):
    """The gradient of each example's value by that example: (B, …)."""
    x = x.clone().requires_grad_()
    value = network(x)
    return torch.autograd.grad(value, x, torch.ones_like(value), create_graph=keep)[0]


def _lengths(slopes):
    """Length of each row; the derivative of a length 0 counts as 0, as in torch.norm."""
    return torch.linalg.vector_norm(slopes.flatten(1), dim=1)


RIGHT = "mean of (‖∇f‖ − 1)²"
FORMULAS = {  # what may be made of the slopes (B, …), in words
    RIGHT: lambda g: (_lengths(g) - 1).square().mean(),
    "mean of ‖∇f‖²": lambda g: _lengths(g).square().mean(),
    "mean of (‖∇f‖² − 1)²": lambda g: (_lengths(g).square() - 1).square().mean(),
    "mean of ‖∇f‖ − 1, not squared": lambda g: (_lengths(g) - 1).mean(),
    "mean of |‖∇f‖ − 1|": lambda g: (_lengths(g) - 1).abs().mean(),
    "(mean of ‖∇f‖ − 1)²": lambda g: (_lengths(g).mean() - 1).square(),
    "norms over the batch": lambda g: (torch.linalg.vector_norm(g, dim=0) - 1).square().mean(),
    "one norm for the whole batch": lambda g: (torch.linalg.vector_norm(g) - 1).square(),
    "norms over axis 1 only": lambda g: (torch.linalg.vector_norm(g, dim=1) - 1).square().mean(),
    "the slopes of the batch's mean": lambda g: (_lengths(g) / len(g) - 1).square().mean(),
    "sum of (‖∇f‖ − 1)²": lambda g: (_lengths(g) - 1).square().sum(),
    "10 times the mean of (‖∇f‖ − 1)²": lambda g: 10 * (_lengths(g) - 1).square().mean(),
    "only what is above 1: mean of max(0, ‖∇f‖ − 1)²": lambda g: (_lengths(g) - 1).clamp(min=0).square().mean(),
}


def _near(a, b):
    return abs(float(a) - float(b)) <= 1e-4 * (1 + abs(float(b)))


def _value(value, slopes):
    """The first formula that gives the value, in words; the number where there is none."""
    found = [name for name, formula in FORMULAS.items() if _near(value, formula(slopes))]
    return found[0] if found else f"{float(value):.5g}, where {RIGHT} is {float(FORMULAS[RIGHT](slopes)):.5g}"


def _comes_back(value, network, x):
    weights = list(network.parameters())
    if not (isinstance(value, torch.Tensor) and value.requires_grad):
        return "nothing: the graph of the slopes was not kept"
    got = torch.autograd.grad(value, weights, allow_unused=True)
    if all(g is None for g in got):
        return "nothing: the penalty hangs on no weight"
    wanted = torch.autograd.grad(FORMULAS[RIGHT](_slopes(network, x, keep=True)), weights, allow_unused=True)
    pairs = [(torch.zeros_like(w) if a is None else a, torch.zeros_like(w) if b is None else b)
             for a, b, w in zip(got, wanted, weights, strict=True)]  # fmt: skip
    if not all(torch.isfinite(a).all() for a, _ in pairs):
        return "NaN or inf"
    return "its gradient" if all(torch.allclose(a, b, rtol=1e-3, atol=1e-5) for a, b in pairs) else "another gradient"


def _probe(function, network, real, fake):
    critic = _Asked(network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        value = function(critic, real, fake)
    if value is None:
        return None
    if torch.as_tensor(value).numel() != 1:
        return {"shape of the penalty": list(value.shape)}
    if not critic.seen or critic.seen[-1].shape != real.shape:
        return {"the critic was asked about": "nothing" if not critic.seen else f"{list(critic.seen[-1].shape)}"}
    x = critic.seen[-1]
    formula = _value(value, _slopes(network, x))
    found = {"points": _points(x, real, fake), "penalty": formula}
    if formula == RIGHT:
        found["what comes back to the weights"] = _comes_back(value, network, x)
    return found


def _penalty(critic, real, fake, draw="each", formula=RIGHT, keep=True, root=False):
    """The penalty from one call for the whole batch; the arguments say what is right or wrong with it."""
    ones = [1] * (real.dim() - 1)
    eps = {
        "each": lambda: torch.rand(len(real), *ones, dtype=real.dtype),
        "batch": lambda: torch.rand([1] * real.dim(), dtype=real.dtype),
        "number": lambda: torch.rand_like(real),
        "normal": lambda: torch.randn(len(real), *ones, dtype=real.dtype),
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
    return tuple(torch.randn(shape, generator=generator, dtype=dtype) + shift for shift in (1.0, -1.0))


def _cases():
    wide = _pair((4, 3, 6), 5)
    silent = _network(lambda: nn.Linear(3, 4), nn.ReLU, lambda: nn.Linear(4, 1), seed=2)
    with torch.no_grad():
        silent[0].bias -= 2.0
    images = [lambda: nn.Conv2d(2, 3, 2), nn.Tanh, nn.Flatten, lambda: nn.Linear(18, 1), lambda: nn.Flatten(0)]
    return [
        case("two numbers on a line", _network(lambda: nn.Linear(1, 3), nn.Tanh, lambda: nn.Linear(3, 1)),
             *_pair((2, 1), 0)),
        case("5 points in the plane", _network(lambda: nn.Linear(2, 4), nn.Tanh, lambda: nn.Linear(4, 1), seed=1),
             *_pair((5, 2), 1)),
        case("3 images of 2 × 3 × 4", _network(*images, seed=3), *_pair((3, 2, 3, 4), 2)),
        case("300 points, float64", _network(lambda: nn.Linear(2, 3), nn.Tanh, lambda: nn.Linear(3, 1), seed=4,
             dtype=torch.float64), *_pair((300, 2), 3, torch.float64)),
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
                "Without it the slope is a constant: the penalty is added to the loss, its value looks right, and no "
                "weight ever feels it. torch.autograd.grad(…, create_graph=True).", _faulty(keep=False)),
        Mistake("one ε for the whole batch",
                "Every example needs its own point on its own line: (B, 1, 1, 1) for images, not a single number.",
                _faulty(draw="batch")),
        Mistake("an ε for every pixel",
                "That draws from a box around the line, not from the line: one ε for all numbers of an example.",
                _faulty(draw="number")),
        Mistake("ε from a normal distribution", "torch.rand is even on [0, 1], torch.randn is not.",
                _faulty(draw="normal")),
        Mistake("only at the real examples",
                "Then the critic is free between real and fake, which is where the generator needs a slope.",
                _faulty(draw="real")),
        Mistake("only at the fakes", "Draw points on the line between a real example and a fake.",
                _faulty(draw="fake")),
        Mistake("slopes are pulled to 0", "The best critic has slope 1 between the two clouds: (‖∇f‖ − 1)².",
                _faulty(formula="mean of ‖∇f‖²")),
        Mistake("the square of the norm is compared with 1", "Take the root first: (‖∇f‖ − 1)², not (‖∇f‖² − 1)².",
                _faulty(formula="mean of (‖∇f‖² − 1)²")),
        Mistake("the norm runs over the batch", "A length for each example: flatten(1), then norm(dim=1), not dim=0.",
                _faulty(formula="norms over the batch")),
        Mistake("one norm for everything", "norm() without dim takes all numbers of the batch: flatten(1).norm(dim=1).",
                _faulty(formula="one norm for the whole batch")),
        Mistake("only the channels' axis is in the norm",
                "An image's slope has C·H·W numbers: flatten(1) before norm(dim=1).",
                _faulty(formula="norms over axis 1 only")),
        Mistake("the slopes of a mean", "critic(x).mean() divides every slope by B: differentiate the sum.",
                _faulty(formula="the slopes of the batch's mean")),
        Mistake("deviations cancel", "Square each example's deviation before the mean over the batch.",
                _faulty(formula="(mean of ‖∇f‖ − 1)²")),
        Mistake("λ is in it already", "The step multiplies by its weight: return the mean alone.",
                _faulty(formula="10 times the mean of (‖∇f‖ − 1)²")),
        Mistake("a sum over the batch", "A mean: else λ depends on the batch size.",
                _faulty(formula="sum of (‖∇f‖ − 1)²")),
        Mistake("the root has no slope at 0",
                "sqrt of a sum of squares gives NaN where the slope is exactly 0: use .norm(dim=1), or add 1e-12 under "
                "the root.", _faulty(root=True)),
    ],
)  # fmt: skip
