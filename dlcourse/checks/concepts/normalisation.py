"""Check of batch norm, forward and backward; the judge is torch."""

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.probes import judge
from dlcourse.checks.words import kind_of


def _batch_norm(x, gamma, beta, mean, var, training, momentum=0.1, eps=1e-5):
    mean, var = mean.clone(), var.clone()
    return F.batch_norm(x, mean, var, gamma, beta, training, momentum, eps), mean, var


def _slopes(y, **leaves):
    """The gradients by these tensors of a sum of y, no two entries of which weigh the same."""
    if leaves["x"].dtype != torch.float64:
        return {}  # in float32 right formulas differ by too much rounding
    if not isinstance(y, torch.Tensor):
        raise TypeError(f"y should be a tensor, yours is {kind_of(y)}")
    if not y.requires_grad:
        return {f"gradient by {name}": "none: y is cut off from it" for name in leaves}
    weights = torch.linspace(-1, 2, y.numel(), dtype=y.dtype).reshape(y.shape).exp()
    found = judge((weights * y).sum(), leaves)
    return {name: value for name, value in found.items() if name != "loss"}


def _leaf(value):
    return value.detach().requires_grad_()


def _both_ways(function, x, gamma, beta, running_mean, running_var, training, settings):
    """The three results of batch norm, and the gradients by its three inputs."""
    leaves = {"x": _leaf(x), "gamma": _leaf(gamma), "beta": _leaf(beta)}
    got = function(*leaves.values(), running_mean, running_var, training, **settings)
    if not isinstance(got, (tuple, list)) or len(got) != 3:
        raise TypeError("return y, the new running mean and the new running variance")
    names = ("y", "new running mean", "new running variance")
    return dict(zip(names, got, strict=True)) | _slopes(got[0], **leaves)


def _wrong(
    divide=0,
    keep=1,
    axis=0,
    use=None,
    update=True,
    swap=False,
    below=lambda v, eps: (v + eps).sqrt(),
    affine=True,
):
    """Batch norm with faults.
    divide, keep: corrections of the variance that normalises and of the one that is kept."""

    def batch_norm(x, gamma, beta, mean, var, training, momentum=0.1, eps=1e-5):
        by_batch = training if use is None else use
        axes = {"dim": axis, "keepdim": axis != 0}
        m, v = (x.mean(**axes), x.var(**axes, correction=divide)) if by_batch else (mean, var)
        y = (x - m) / below(v, eps)
        y = gamma * y + beta if affine else y
        if training and update:
            old, new = (momentum, 1 - momentum) if swap else (1 - momentum, momentum)
            mean = old * mean + new * x.mean(0)
            var = old * var + new * x.var(0, correction=keep)
        return y, mean, var

    return batch_norm


def _in_place(x, gamma, beta, mean, var, training, momentum=0.1, eps=1e-5):
    return F.batch_norm(x, mean, var, gamma, beta, training, momentum, eps), mean, var


def _draw(seed, *shape, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def _layer(n, c, dtype=torch.float64):
    """x (n, c) far from 0, scale and shift (c,), running mean and variance (c,)."""
    x = 3 * _draw(n, n, c, dtype=dtype) + torch.arange(c, dtype=dtype)
    return x, *_draw(n + 1, 3, c, dtype=dtype), _draw(n + 2, c, dtype=dtype) ** 2 + 0.5


def _tiny():
    x = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    one, zero = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    return x, one, zero, zero, one


def _batch_norm_cases():
    flat, *rest = _layer(5, 3)
    flat[:, 1] = 4.0
    return [
        case("training, two examples of one feature: 1 and 3", *_tiny(), True, {}),
        case("training, 4 examples of 3 features", *_layer(4, 3), True, {}),
        case("training, as many examples as features", *_layer(3, 3), True, {}),
        case("evaluation, 4 examples of 3 features", *_layer(4, 3), False, {}),
        case("evaluation, one single example", *_layer(1, 3), False, {}),
        case("training, running averages with momentum 0.3", *_layer(5, 2), True,
             {"momentum": 0.3}),
        case("training, momentum 0.6 and eps 0.5", *_layer(6, 2), True,
             {"momentum": 0.6, "eps": 0.5}),
        case("training, a feature that is the same everywhere, eps 0.1", flat, *rest, True,
             {"eps": 0.1}),
        case("training, a feature that hardly varies, float32",
             1e-3 * _layer(6, 3, torch.float32)[0], *_layer(6, 3, torch.float32)[1:], True, {}),
    ]  # fmt: skip


batch_norm = Check(
    "batch_norm",
    reference=_batch_norm,
    probe=_both_ways,
    atol=1e-6,
    cases=_batch_norm_cases,
    mistakes=[
        Mistake("unbiased variance in the batch statistic",
                "Your variance divides by N − 1: what normalises the batch divides by N "
                "(correction=0). Only the running one is unbiased.", _wrong(divide=1)),
        Mistake("biased variance in the running one",
                "The running variance is an estimate for unseen data: "
                "torch keeps the unbiased one, divided by N − 1.",
                _wrong(keep=0)),
        Mistake("the two variances are exchanged",
                "Divide by N where the batch is normalised and by N − 1 where "
                "the running variance is updated.",
                _wrong(divide=1, keep=0)),
        Mistake("momentum convention reversed",
                "In torch momentum = 0.1 is the share of the *new* batch: "
                "running ← 0.9 running + 0.1 batch.",
                _wrong(swap=True)),
        Mistake("statistics of the batch in evaluation",
                "In evaluation one example must not depend on the others: "
                "use the running mean and variance.",
                _wrong(use=True)),
        Mistake("running statistics in training",
                "In training the batch is normalised by its own mean and variance.",
                _wrong(use=False)),
        Mistake("the running statistics never move",
                "In training both running averages take a step towards the batch.",
                _wrong(update=False)),
        Mistake("each example is normalised by itself",
                "That is layer norm. Batch norm takes mean and variance over the batch, "
                "axis 0, for each feature.",
                _wrong(axis=1)),
        Mistake("epsilon outside the root", "Here ε stands under the root: √(variance + ε).",
                _wrong(below=lambda v, eps: v.sqrt() + eps)),
        Mistake("scale and shift are missing", "After normalising: gamma · x̂ + beta.",
                _wrong(affine=False)),
        Mistake("the caller's running statistics are overwritten",
                "Return new ones, and leave the arguments alone.", _in_place),
    ],
)  # fmt: skip
