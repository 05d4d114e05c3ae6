"""Check of gradient clipping by the norm of all gradients together."""

import math

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.words import Remark


def _total(gradients):
    return torch.cat([gradient.flatten() for gradient in gradients]).norm()


def _apply(function, gradients, most):
    """Gradients after the call, and what it returned.
    The parameters come as a generator, as of a model."""
    parameters = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
    # One that took no part: its gradient is None
    parameters.insert(1, nn.Parameter(torch.zeros(2)))
    for parameter, gradient in zip([*parameters[:1], *parameters[2:]], gradients, strict=True):
        parameter.grad = gradient.clone()
    given = [parameter.grad for parameter in parameters]
    norm = function((parameter for parameter in parameters), most)
    after = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if norm is None and all(
        torch.equal(one, two) for one, two in zip(after, gradients, strict=True)
    ):
        raise Untouched("no gradient has changed, and nothing is returned")
    same = all(one.grad is old for one, old in zip(parameters, given, strict=True))
    return {"norm before": Remark("nothing returned") if norm is None else norm, "gradients": after,
            "the gradients are still the same tensors": same}  # fmt: skip


def _scaled(factor):
    """A mistake: factor(gradients, most) → what each gradient is multiplied by."""

    def function(parameters, most):
        parameters = [parameter for parameter in parameters if parameter.grad is not None]
        gradients = [parameter.grad.clone() for parameter in parameters]
        for parameter, scale in zip(parameters, factor(gradients, most), strict=True):
            parameter.grad.mul_(scale)
        return _total(gradients)

    return function


def _each(gradients, most):
    return [(most / (gradient.norm() + 1e-9)).clamp(max=1) for gradient in gradients]


def _sum_of_norms(gradients, most):
    return [(most / (sum(gradient.norm() for gradient in gradients) + 1e-9)).clamp(max=1)] * len(
        gradients
    )


def _by_value(parameters, most):
    parameters = [parameter for parameter in parameters if parameter.grad is not None]
    norm = _total([parameter.grad for parameter in parameters])
    nn.utils.clip_grad_value_(parameters, most)
    return norm


def _exhausted(parameters, most):
    norm = _total([parameter.grad for parameter in parameters if parameter.grad is not None])
    for parameter in parameters:  # a generator gives its items once: this loop never runs
        parameter.grad *= most / norm
    return norm


def _replaced(parameters, most):
    parameters = [parameter for parameter in parameters if parameter.grad is not None]
    norm = _total([parameter.grad for parameter in parameters])
    for parameter in parameters if norm > most else []:
        parameter.grad = parameter.grad * (most / norm)
    return norm


def _norm_after(parameters, most):
    norm = nn.utils.clip_grad_norm_(parameters, most)
    return min(norm, torch.tensor(most).to(norm))


def _gradients(*shapes, scale=1.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(len(shapes))
    return [scale * torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


clip_gradients = Check(
    "clip_gradients",
    reference=lambda parameters, most: nn.utils.clip_grad_norm_(parameters, most),
    probe=_apply,
    cases=lambda: [
        case("(3, 4) with norm 5, at most 1", [torch.tensor([3.0, 4.0])], 1.0),
        case("two parameters", [torch.tensor([3.0, 0.0]), torch.tensor([[4.0]])], 2.5),
        case("short enough already", [torch.tensor([0.3]), torch.tensor([0.4])], 1.0),
        case("three of different lengths, float64", _gradients((4, 3), (5,), (2, 2), scale=20.0),
             1.5),
        case("no limit: most is inf", [torch.tensor([3.0, 4.0]), torch.tensor([-12.0])], math.inf),
        case("all gradients are 0", [torch.zeros(3), torch.zeros(1, 2)], 1.0),
    ],
    mistakes=[
        Mistake("each gradient by its own norm",
                "That changes their proportions and so the direction of the step. One norm over "
                "all parameters, one factor for all.",
                _scaled(_each)),
        Mistake("the sum of the norms",
                "Lengths add up by Pythagoras: the root of the sum of squares.",
                _scaled(_sum_of_norms)),
        Mistake("short gradients are lengthened",
                "Clipping only shortens: the factor is at most 1.",
                _scaled(lambda gradients, most: [most / _total(gradients)] * len(gradients))),
        Mistake("clipped value by value",
                "That bends the direction: (3, 4) would become (1, 1). Scale the whole.",
                _by_value),
        Mistake("the parameters ran out",
                "model.parameters() is a generator: after one loop it is empty. "
                "Keep the gradients in a list first.",
                _exhausted),
        Mistake("new gradients in place of the old ones",
                "In place means that the tensor itself changes: parameter.grad.mul_(…) or *=.",
                _replaced),
        Mistake("the norm after clipping is returned",
                "The norm before says how often and how hard clipping bites.", _norm_after),
    ],
)  # fmt: skip
