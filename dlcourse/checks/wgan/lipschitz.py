"""Checks of what bounds a critic's slope by its weights:
clipping, and the largest singular value."""

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, Untouched, case


def _after(function, model, limit):
    held = list(model.parameters())
    share = function(model, limit)
    if share is None and any((p.abs() > limit * 1.0001).any() for p in held):
        raise Untouched("no weight was clipped and nothing is returned")
    now = list(model.parameters())
    return {
        "share returned": share,
        "weights": [p.detach().clone() for p in now],
        "buffers, which are no parameters": list(model.buffers()),
        "weights that take a gradient": sum(p.requires_grad for p in now),
        "parameters replaced by others": sum(a is not b for a, b in zip(held, now, strict=True)),
    }


def _clipped(model, limit, fault=None):
    """From weight to weight by hand; `fault` names what is wrong."""
    moved, count = 0, 0
    for name, parameter in model.named_parameters():
        values = parameter.detach()
        wanted = torch.where(values > limit, limit, torch.where(values < -limit, -limit, values))
        if fault == "rescaled":
            wanted = values * min(1.0, limit / float(values.norm()))
        if fault == "from above":
            wanted = values.clamp(max=limit)
        if fault == "from 0":
            wanted = values.clamp(0.0, limit)
        moved, count = moved + (values.abs() > limit).sum().item(), count + values.numel()
        if fault == "or equal":
            moved += (values.abs() == limit).sum().item()
        if fault != "copies" and not (fault == "no biases" and name.endswith("bias")):
            parameter.data = wanted.clone()
    return moved / count if fault != "number" else moved


def _broken(fault):
    return lambda *args: _clipped(*args, fault=fault)


def _with_buffers(model, limit):
    share = _clipped(model, limit)
    for value in model.state_dict().values():
        value.clamp_(-limit, limit)
    return share


def _recorded(model, limit):
    for parameter in model.parameters():
        parameter.clamp_(-limit, limit)  # RuntimeError: a leaf that requires a gradient


def _after_the_fact(model, limit):
    _clipped(model, limit)
    return _clipped(model, limit)  # looks again: nothing is outside any more


def _model(*sizes, seed=0, dtype=torch.float32):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False)]
        model = nn.Sequential(*layers)
        for parameter in model.parameters():
            nn.init.normal_(parameter)
    return model.to(dtype)


clip_weights = Check(
    "clip_weights",
    reference=_clipped,
    probe=_after,
    fallback="dlcourse.methods.wgan:clip_weights",
    cases=lambda: [
        case("two weights, limit ½", _model(1, 1), 0.5),
        case("a layer of 3 × 2, limit 0.1", _model(2, 3, seed=1), 0.1),
        case("two layers in float64", _model(3, 4, 1, seed=2, dtype=torch.float64), 0.7),
        case("a limit that nothing reaches", _model(2, 2, seed=3), 50.0),
        case("convolutions in a box within a box", nn.Sequential(nn.Sequential(_conv()), nn.Tanh()),
             0.2),
        case("weights on the limit, and a batch norm that has seen some batches",
             nn.Sequential(_on_the_bound(), _norm()), 0.5),
    ],
    mistakes=[
        Mistake("copies are clipped",
                "parameter = parameter.clamp(…) gives the name to a new tensor and leaves the "
                "model as it was: clamp_, with the underscore, works in place.", _broken("copies")),
        Mistake("the clipping itself is recorded for backward",
                "Weights are leaves of the graph: change them inside `with torch.no_grad():`.",
                _recorded),
        Mistake("weights are scaled down together",
                "Each number is cut by itself at ±limit; the others stay.", _broken("rescaled")),
        Mistake("cut from above only", "Both sides: clamp_(−limit, limit).", _broken("from above")),
        Mistake("negative weights become 0", "The lower bound is −limit, not 0.",
                _broken("from 0")),
        Mistake("biases are left out",
                "All parameters are clipped: model.parameters(), without a choice.",
                _broken("no biases")),
        Mistake("a number instead of a share", "Divide by the number of all parameters.",
                _broken("number")),
        Mistake("weights on the limit count as outside",
                "They stay where they are: outside is |w| > limit.", _broken("or equal")),
        Mistake("buffers are clipped too",
                "Running means are no parameters: model.parameters(), not state_dict().",
                _with_buffers),
        Mistake("counted after clipping",
                "Count |w| > limit before you clip: afterwards there is none.", _after_the_fact),
    ],
)  # fmt: skip


def _on_the_bound():
    layer = nn.Linear(2, 2)
    layer.weight.data = torch.tensor([[0.5, -0.5], [0.7, 0.1]])
    layer.bias.data = torch.tensor([-2.0, 0.5])
    return layer


def _norm():
    norm = nn.BatchNorm1d(2)
    norm.running_mean += torch.tensor([3.0, -0.2])
    return norm


def _conv():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return nn.Conv2d(2, 3, 2)


def _closed(weight, steps=20):
    """uᵀ W v after so many rounds, by the singular values: each round multiplies the share of the
    direction of σ_i in v by σ_i²."""
    left, sizes, right = torch.linalg.svd(weight.double(), full_matrices=False)
    if not sizes.any():
        return weight.new_zeros(())
    start = right @ torch.arange(weight.shape[1], dtype=torch.float64).cos()
    shares = sizes / sizes[0]
    u, v = shares ** (2 * steps - 1) * start, shares ** (2 * steps) * start
    return (u / u.norm() * sizes * v / v.norm()).sum().to(weight)


def _power(weight, steps=20, fault=None):
    v = torch.arange(weight.shape[1], dtype=weight.dtype).cos()
    v = torch.ones_like(v) if fault in ("ones", "ones, bare") else v
    least = 0.0 if fault in ("bare", "ones, bare") else 1e-12
    for _ in range({"once": 1, "always 20": 20}.get(fault, steps)):
        u = weight @ v
        if fault == "no transpose":
            v = u / u.norm()
            continue
        u = u if fault == "no norms" else u / u.norm().clamp(min=least)
        v = weight.T @ u
        v = v if fault == "no norms" else v / v.norm().clamp(min=least)
    if fault == "no transpose":
        return v @ weight @ v
    return (u @ weight @ v) ** (2 if fault == "squared" else 1)


def _wrong(fault):
    return lambda *args: _power(*args, fault=fault)


VANISHES = (
    "Here W times your start is 0, as W times ones is where every row sums to 0: start from 1, "
    "cos 1, cos 2 and so on."
)


def _matrix(n, m, seed, dtype=torch.float32):
    return torch.randn(n, m, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def _slow():
    """A 2 × 3 matrix with singular values 1 and 0.97: after ten rounds still on its way."""
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    across = torch.linalg.qr(_matrix(3, 3, 55))[0][:2]
    return turn @ torch.tensor([[1.0, 0.0], [0.0, 0.97]]) @ across


largest_singular_value = Check(
    "largest_singular_value",
    reference=_closed,
    rtol=1e-3,
    atol=1e-6,
    fallback="dlcourse.methods.wgan:largest_singular_value",
    cases=[
        case("a single number", torch.tensor([[-3.0]]), 3),
        case("stretches one axis, shrinks the other", torch.tensor([[2.0, 0.0], [0.0, 0.5]]), 30),
        case("a rotation and a stretch: 2 × 2, not symmetric",
             torch.tensor([[0.0, -3.0], [1.0, 0.0]]), 30),
        case("3 × 5", _matrix(3, 5, 0), 200),
        case("6 × 2 in float64", _matrix(6, 2, 1, torch.float64), 200),
        case("a transposed 4 × 3", _matrix(4, 3, 2).T, 200),
        case("entries in the thousands, 50 steps", 3000 * _matrix(8, 8, 3), 50),
        case("a Sobel kernel, whose rows sum to 0",
             torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]), 20),
        case("zeros", torch.zeros(2, 3), 5),
        case("two nearly equal ones, 10 steps", _slow(), 10),
        case("the same, 20 steps by default", _slow()),
    ],
    mistakes=[
        Mistake("an eigenvalue",
                "Power iteration on W itself finds eigenvalues, of square matrices only. In turns "
                "with W and its transpose it finds singular values.", _wrong("no transpose")),
        Mistake("nothing is normalised",
                "The vectors grow with each step until they overflow: divide by their length.",
                _wrong("no norms")),
        Mistake("the square",
                "WᵀW has the squared singular values for eigenvalues: "
                "take the root, or return uᵀWv.",
                _wrong("squared")),
        Mistake("W times the start is 0", VANISHES, _wrong("ones, bare")),
        Mistake("W times the start is 0, hidden by a least length", VANISHES,
                _wrong("ones")),
        Mistake("divides by a length of 0",
                "A matrix of zeros leaves no direction: clamp the length, .clamp(min=1e-12).",
                _wrong("bare")),
        Mistake("a single step", "Each step turns v a bit further: loop `steps` times.",
                _wrong("once")),
        Mistake("the norm of all entries",
                "That is the root of the sum of all squared singular values.",
                lambda weight, steps=20: weight.norm()),
        Mistake("the largest entry",
                "What counts is how far the matrix can stretch a vector, not one entry.",
                lambda weight, steps=20: weight.abs().max()),
        Mistake("the exact value in place of power iterations",
                "Asked for is uᵀWv after so many steps, which is a little less where they are few.",
                lambda weight, steps=20: torch.linalg.svdvals(weight)[0]),
        Mistake("always 20 steps", "Their number is an argument: for _ in range(steps).",
                _wrong("always 20")),
    ],
)  # fmt: skip
