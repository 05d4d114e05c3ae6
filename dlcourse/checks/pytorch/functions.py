"""Check of a custom autograd.Function: values, first and second derivative against torch's own."""

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


class StableSoftplus(torch.autograd.Function):
    """log(1 + exp(x)) without overflow, differentiable twice; what a blank goes on with."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.logaddexp(x, torch.zeros_like(x))

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * torch.sigmoid(x)


def _derivatives(function, x):
    """Value, first derivative times a given gradient,
    and the second derivative of it, for one tensor."""
    apply = getattr(function, "apply", function)  # a blank may be a plain function
    leaf = torch.empty_strided(x.shape, x.stride(), dtype=x.dtype).copy_(x).requires_grad_()
    g = torch.linspace(0.5, 2, x.numel(), dtype=x.dtype).view(x.shape)
    value = apply(leaf)
    (first,) = torch.autograd.grad(value, leaf, g, create_graph=True)
    second = torch.zeros_like(x)
    if first.requires_grad:
        found = torch.autograd.grad(first.sum(), leaf, allow_unused=True)[0]
        second = second if found is None else found
    return {"value": value, "g × first derivative": first, "g × second derivative": second,
            "x itself": leaf.detach()}  # fmt: skip


def _function(forward, backward):
    """A Function from two plain ones: forward(x) → y, backward(g, x, y) → gradient of x."""

    def run_forward(ctx, x):
        y = forward(x)
        ctx.save_for_backward(x, y)
        return y

    def run_backward(ctx, g):
        return backward(g, *ctx.saved_tensors)

    return type("Softplus", (torch.autograd.Function,),
                {"forward": staticmethod(run_forward),
                 "backward": staticmethod(run_backward)})  # fmt: skip


class _Remembers(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.slope = torch.sigmoid(x)  # computed where nothing is recorded
        return torch.logaddexp(x, torch.zeros_like(x))

    @staticmethod
    def backward(ctx, g):
        return g * ctx.slope


def _softplus(x):
    return torch.logaddexp(x, torch.zeros_like(x))


Softplus = Check(
    "Softplus",
    reference=lambda x: F.softplus(x, threshold=40),
    fallback="dlcourse.checks.pytorch.functions:StableSoftplus",
    probe=_derivatives,
    single=False,
    cases=lambda: [
        case("x = 0", torch.zeros(1)),
        case("−2 … 2, float64", torch.linspace(-2, 2, 5, dtype=torch.float64)),
        case("a matrix, transposed in memory", torch.linspace(-3, 3, 6).view(3, 2).T),
        case("±1000: nothing may overflow", torch.tensor([-1000.0, -30.0, 30.0, 1000.0])),
    ],
    mistakes=[
        Mistake("the gradient from above is dropped",
                "backward gets g, the gradient with respect to the output: "
                "multiply the slope by it (chain rule).",
                _function(_softplus, lambda g, x, y: torch.sigmoid(x))),
        Mistake("the exponential overflows",
                "exp(1000) is inf. Write log(1 + exp(x)) as max(x, 0) + log1p(exp(−|x|)), "
                "or use torch.logaddexp.",
                _function(lambda x: torch.log(1 + x.exp()), lambda g, x, y: g * torch.sigmoid(x))),
        Mistake("the slope overflows",
                "exp(x) / (1 + exp(x)) is inf/inf for x = 1000: that is torch.sigmoid(x).",
                _function(_softplus, lambda g, x, y: g * x.exp() / (1 + x.exp()))),
        Mistake("the second derivative is lost",
                "What forward computes is not recorded, so a slope kept from there is a constant "
                "to backward. Save x with ctx.save_for_backward and compute the slope in backward.",
                _Remembers),
        Mistake("the slope of the output", "The slope is sigmoid(x), of the INPUT: save x, not y.",
                _function(_softplus, lambda g, x, y: g * torch.sigmoid(y))),
        Mistake("the slope of ReLU",
                "Softplus bends smoothly: its slope is sigmoid(x), not a step.",
                _function(_softplus, lambda g, x, y: g * (x > 0))),
    ],
)  # fmt: skip
