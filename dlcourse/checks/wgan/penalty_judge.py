"""The judge of the gradient penalty. The points are random: it looks where the critic was asked.

What was drawn, what was made of the slopes there, and what comes back to the critic's weights are
each put into words.
"""

import torch
from torch import nn

from dlcourse.checks.core import Untouched


class _Asked(nn.Module):
    """A critic that keeps what it was asked about."""

    def __init__(self, network):
        super().__init__()
        self.network, self.seen = network, []

    def forward(self, x):
        self.seen.append(_bare(x).detach())
        return self.network(x)


def _bare(x):
    """The numbers under the wrappers that torch.func.grad and vmap put around a tensor."""
    functions = torch._C._functorch
    while functions.is_functorch_wrapped_tensor(x):
        x = functions.get_unwrapped(x)
    return x


def _asked(seen, like):
    """What a critic was asked last, for a whole batch: in one call, or example by example."""
    rows = []
    for x in reversed(seen):
        if x.numel() % like[0].numel():
            return None
        rows.insert(0, x.reshape(-1, *like.shape[1:]))
        if sum(map(len, rows)) >= len(like):
            return torch.cat(rows)[-len(like) :]
    return None


def _points(x, real, fake):
    """In words, how the points x were drawn between real and fake."""
    gap, off = (real - fake).flatten(1), (x - fake).flatten(1)
    each = off / torch.where(gap == 0, 1.0, gap)
    eps = (off * gap).sum(1) / gap.square().sum(1)
    if (off - eps[:, None] * gap).abs().max() > 1e-4 * gap.abs().max():
        inside = each.min() > -1e-4 and each.max() < 1 + 1e-4
        return (
            "an ε of its own for every number of an example"
            if inside
            else "not between an example and its fake"
        )
    names = {
        0.0: "the fakes themselves",
        0.5: "the middle, always",
        1.0: "the real examples themselves",
    }
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
    "only what is above 1: mean of max(0, ‖∇f‖ − 1)²": lambda g: (
        (_lengths(g) - 1).clamp(min=0).square().mean()
    ),
}


def _near(a, b):
    return abs(float(a) - float(b)) <= 1e-4 * (1 + abs(float(b)))


def _value(value, slopes):
    """The first formula that gives the value, in words; the number where there is none."""
    found = [name for name, formula in FORMULAS.items() if _near(value, formula(slopes))]
    return (
        found[0]
        if found
        else f"{float(value):.5g}, where {RIGHT} is {float(FORMULAS[RIGHT](slopes)):.5g}"
    )


def _comes_back(value, network, x):
    weights = list(network.parameters())
    if not (isinstance(value, torch.Tensor) and value.requires_grad):
        return "nothing: the graph of the slopes was not kept"
    got = torch.autograd.grad(value, weights, allow_unused=True)
    if all(g is None for g in got):
        return "nothing: the penalty hangs on no weight"
    wanted = torch.autograd.grad(
        FORMULAS[RIGHT](_slopes(network, x, keep=True)), weights, allow_unused=True
    )
    pairs = [(torch.zeros_like(w) if a is None else a, torch.zeros_like(w) if b is None else b)
             for a, b, w in zip(got, wanted, weights, strict=True)]  # fmt: skip
    if not all(torch.isfinite(a).all() for a, _ in pairs):
        return "NaN or inf"
    return (
        "its gradient"
        if all(torch.allclose(a, b, rtol=1e-3, atol=1e-5) for a, b in pairs)
        else "another gradient"
    )


def _probe(function, network, real, fake):
    critic = _Asked(network)
    value = function(critic, real, fake)
    if value is None:
        raise Untouched("None: is `return` missing?")
    kind = f"{value.dim()}-d tensor" if isinstance(value, torch.Tensor) else type(value).__name__
    if kind != "0-d tensor":
        raise TypeError(f"the penalty should be a 0-d tensor, yours is a {kind}")
    x = _asked(critic.seen, real)
    if x is None:
        shapes = [list(one.shape) for one in critic.seen[-2:]]
        asked = f"about {shapes}" if shapes else "nothing"
        raise ValueError(f"the critic was asked {asked}, not about a batch {list(real.shape)}")
    formula = _value(value, _slopes(network, x))
    found = {
        "points": _points(x, real, fake),
        "penalty": formula,
        "dtype": str(value.dtype),
    }
    back = _comes_back(value, network, x) if formula == RIGHT else "not looked at"
    later = _Asked(network)
    function(later, real, fake)
    again = _asked(later.seen, real)
    return found | {
        "what comes back to the weights": back,
        "other points at the next call": again is None or not torch.equal(x, again),
    }
