"""Checks of what a prediction hangs on:
the gradient with respect to the image, and what a covered square costs."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _score(model, x, y):
    return model(x).gather(1, y[:, None]).sum()


def _gradient(model, x, y, score=_score, finish=lambda g: g):
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return finish(torch.autograd.grad(score(model, x, y), x)[0])


def _and_traces(function, model, x, y):
    """The gradient, and what was left behind: gradients in the parameters, x that asks for one."""
    for parameter in model.parameters():
        parameter.grad = None
    return {
        "gradient": function(model, x, y),
        "parameters that have a .grad now": sum(p.grad is not None for p in model.parameters()),
        "parameters that are frozen now": sum(not p.requires_grad for p in model.parameters()),
        "x.requires_grad afterwards": x.requires_grad,
    }


def _left_behind(model, x, y):
    x = x.detach().requires_grad_()
    _score(model, x, y).backward()
    return x.grad


def _asks_on(model, x, y):
    x.requires_grad_()
    return torch.autograd.grad(_score(model, x, y), x)[0]


def _linear(weight):
    layer = nn.Linear(weight.shape[1], len(weight), dtype=weight.dtype)
    layer.weight.data = weight
    layer.bias.data.zero_()
    return nn.Sequential(nn.Flatten(), layer)


def _small(dtype=torch.float32):
    """A convolutional network with batch norm in evaluation;
    for images of 6 × 8 pixels, or any size."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (
            nn.Conv2d(1, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        return nn.Sequential(*layers, nn.Linear(16, 3)).to(dtype).eval()


def _draw(*shape, dtype=torch.float32):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=dtype) + 0.2


def _gradient_cases():
    weight = torch.tensor([[1.0, -2.0, 3.0, 0.0], [5.0, 6.0, -7.0, 8.0]])
    return [
        case("a linear model of 2 × 2 pixels: a row of its weights", _linear(weight),
             _draw(1, 1, 2, 2), torch.tensor([1])),
        case("a linear model, two images of two channels", _linear(weight), _draw(2, 2, 1, 2),
             torch.tensor([0, 1])),
        case("a small CNN, three images", _small(), _draw(3, 1, 6, 8), torch.tensor([2, 0, 1])),
        case("the same in float64", _small(torch.float64), _draw(2, 1, 9, 7, dtype=torch.float64),
             torch.tensor([1, 1])),
    ]  # fmt: skip


input_gradient = Check(
    "input_gradient",
    reference=_gradient,
    probe=_and_traces,
    cases=_gradient_cases,
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("the gradient of the loss",
                "Near certainty the loss is flat and its gradient vanishes. "
                "Differentiate the logit of class y.",
                lambda *args: _gradient(*args, lambda model, x, y:
                    F.cross_entropy(model(x), y, reduction="sum"))),
        Mistake("the gradient of the probability", "Softmax saturates too: take the logit itself.",
                lambda *args: _gradient(*args, lambda model, x, y:
                    _score(lambda z: model(z).softmax(1), x, y))),
        Mistake("all logits at once",
                "Of each row take the logit of its class y: gather, or logits[arange, y].",
                lambda *args: _gradient(*args, lambda model, x, y: model(x).sum())),
        Mistake("divided by the batch",
                "A sum over the images keeps each image's own gradient; a mean divides it.",
                lambda *args: _gradient(*args, finish=lambda g: g / len(g))),
        Mistake("the sign is lost",
                "Return the gradient itself: where it is negative, ink speaks against the class.",
                lambda *args: _gradient(*args, finish=torch.abs)),
        Mistake("gradients are left in the parameters",
                "backward() adds to every parameter's .grad. "
                "torch.autograd.grad(score, x) gives this one alone.",
                _left_behind),
        Mistake("the caller's images ask for gradients from now on",
                "Work on x.detach().requires_grad_().", _asks_on),
        Mistake("the predicted class instead of y",
                "Ask about class y, whatever the model prefers.",
                lambda *args: _gradient(*args, lambda model, x, y: model(x).max(1).values.sum())),
    ],
)  # fmt: skip


def _occlude(model, x, y, size, score=lambda logits, y: logits[:, y], sign=1, keep=False, rest=0):
    rows, columns = x.shape[1] - size + 1, x.shape[2] - size + 1
    hole = torch.zeros(rows, columns, *x.shape, dtype=torch.bool)
    for i in range(rows):
        for j in range(columns):
            hole[i, j, :, i : i + size, j : j + size] = True
    hole = hole.flatten(0, 1)
    with torch.no_grad():
        whole = score(model(x[None]), y) if rest == 0 else 0.0
        covered = score(model(torch.where(~hole if keep else hole, 0, x)), y)
        return (sign * (whole - covered)).view(rows, columns)


def _watched(function, model, x, y, size):
    """The map, how often the model was called, and whether a graph is left."""
    calls = []
    model.register_forward_pre_hook(lambda module, given: calls.append(1))
    found = function(model, x, y, size)
    return {
        "map": found,
        "calls of the model": "at most two" if len(calls) <= 2 else f"{len(calls)}",
        "map.requires_grad": getattr(found, "requires_grad", False),
    }


def _occlusion_cases():
    weight = torch.tensor([[1.0, -2.0, 3.0, 0.0, 2.0, 1.0], [5.0, 6.0, -7.0, 8.0, -1.0, 4.0]])
    return [
        case("a linear model of 2 × 3 pixels, one covered", _linear(weight), _draw(1, 2, 3), 1, 1),
        case("the same, 2 × 2 covered", _linear(weight), _draw(1, 2, 3), 0, 2),
        case("two channels, one pixel of both covered", _linear(weight), _draw(2, 1, 3), 1, 1),
        case(
            "a small CNN, 6 × 8 pixels, y a 0-d tensor",
            _small(),
            _draw(1, 6, 8),
            torch.tensor(2),
            3,
        ),
        case(
            "the same in float64", _small(torch.float64), _draw(1, 7, 5, dtype=torch.float64), 0, 2
        ),
    ]


occlusion_map = Check(
    "occlusion_map",
    reference=_occlude,
    probe=_watched,
    cases=_occlusion_cases,
    rtol=1e-4,
    atol=1e-5,
    mistakes=[
        Mistake("the gain instead of the loss",
                "Return whole − covered: large where the square mattered.",
                lambda *args: _occlude(*args, sign=-1)),
        Mistake("the probability instead of the logit",
                "Softmax saturates: near certainty no square seems to matter.",
                lambda *args: _occlude(*args, score=lambda logits, y: logits.softmax(1)[:, y])),
        Mistake("all but the square is covered", "Cover the square and keep the rest.",
                lambda *args: _occlude(*args, keep=True)),
        Mistake("the logit of the covered image", "Subtract it from that of the whole image.",
                lambda *args: _occlude(*args, rest=1, sign=-1)),
        Mistake("the square is one pixel larger", "Rows i … i + size − 1.",
                lambda model, x, y, size: F.pad(_occlude(model, x, y, size + 1), (0, 1, 0, 1))),
        Mistake("rows and columns are exchanged",
                "The map has a row for every top edge and a column for every left one: "
                "(H − size + 1, W − size + 1).",
                lambda *args: _occlude(*args).T),
        Mistake("the predicted class instead of y", "Ask about class y.",
                lambda *args: _occlude(*args, score=lambda logits, y: logits.max(1).values)),
    ],
)  # fmt: skip
