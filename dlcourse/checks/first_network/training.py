"""Checks of gradient descent by hand and of the training loop in NumPy; the clinic breaks it."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _sgd_step(parameters, gradients, rate):
    weights = [nn.Parameter(torch.tensor(value)) for value in parameters.values()]
    for weight, name in zip(weights, parameters, strict=True):
        weight.grad = torch.tensor(gradients[name])
    torch.optim.SGD(weights, lr=rate).step()
    return {name: weight.detach().numpy() for name, weight in zip(parameters, weights, strict=True)}


def _step_in_place(parameters, gradients, rate):
    for name in parameters:
        parameters[name] -= rate * gradients[name]
    return parameters


def _two_dicts(seed, dtype=np.float64, **shapes):
    rng = np.random.default_rng(seed)
    return tuple(
        {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
        for _ in range(2)
    )


sgd_step = Check(
    "sgd_step",
    reference=_sgd_step,
    cases=lambda: [
        case("one weight of 1, gradient 2, rate 0.1", {"w": np.array([1.0])},
             {"w": np.array([2.0])}, 0.1),
        case("a matrix and a bias", *_two_dicts(0, w1=(3, 2), b1=(2,)), 0.5),
        case("four arrays in float32", *_two_dicts(1, np.float32, w1=(2, 3), b1=(3,), w2=(3, 4),
                                                   b2=(4,)), 0.01),
    ],
    mistakes=[
        Mistake("uphill", "The gradient points to where the loss rises: subtract rate · gradient.",
                lambda parameters, gradients, rate: _sgd_step(parameters, gradients, -rate)),
        Mistake("the caller's arrays are overwritten",
                "Two runs that start from the same initial weights would share them. Build a new "
                "dict: w − rate · gradient makes a new array, w −= … does not.",
                _step_in_place),
        Mistake("the rate is missing",
                "Multiply the gradient by the learning rate before you subtract it.",
                lambda parameters, gradients, rate: _sgd_step(parameters, gradients, 1.0)),
        Mistake("the step instead of the new weights",
                "Return w − rate · gradient, not the difference alone.",
                lambda parameters, gradients, rate:
                    {name: -rate * gradients[name] for name in parameters}),
    ],
)  # fmt: skip


def _logits(x, weights):
    return F.relu(x @ weights["w1"] + weights["b1"]) @ weights["w2"] + weights["b2"]


def descend_with_fault(x, y, parameters, rate, epochs, size, rng, fault=None):
    """Minibatch descent by autograd, full batches only; `fault` names what goes wrong, None is the
    right loop."""
    x, y = torch.tensor(x), torch.tensor(y)
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    losses, orders = [], [np.arange(len(x))] * epochs
    if fault != "no shuffling":
        orders = [rng.permutation(len(x)) for _ in range(epochs)]
    orders = orders[:1] * epochs if fault == "one order" else orders
    for order in orders:
        for start in range(0, len(x), size):
            rows = order[start : start + size]
            if fault == "one batch short" and start + size >= len(x):
                break
            if len(rows) < size and fault != "leftovers too":
                break
            targets = y[start : start + size] if fault == "labels shuffled" else y[rows]
            rows, targets = (slice(None), y) if fault == "all rows" else (rows, targets)
            loss = F.cross_entropy(_logits(x[rows], weights), targets)
            found = torch.autograd.grad(loss, list(weights.values()))
            share = {"missing 1/N": len(targets), "sign error": -1}.get(fault, 1)
            with torch.no_grad():
                for weight, gradient in zip(weights.values(), found, strict=True):
                    weight -= rate * share * gradient
            losses.append(loss.item())
    return {name: weight.detach().numpy() for name, weight in weights.items()}, losses


def _broken(fault):
    return lambda *args: descend_with_fault(*args, fault=fault)


def _last_parameters_lost(x, y, parameters, *rest):
    return parameters, descend_with_fault(x, y, parameters, *rest)[1]


def _epoch_means(x, y, parameters, rate, epochs, size, rng):
    weights, losses = descend_with_fault(x, y, parameters, rate, epochs, size, rng)
    return weights, [float(mean) for mean in np.reshape(losses, (epochs, -1)).mean(1)]


def _overwritten(x, y, parameters, *rest):
    weights, losses = descend_with_fault(x, y, parameters, *rest)
    for name, value in weights.items():
        parameters[name][...] = value
    return parameters, losses


def _problem(n, d, h, classes, dtype=np.float64):
    rng = np.random.default_rng(n)
    shapes = {"w1": (d, h), "b1": (h,), "w2": (h, classes), "b2": (classes,)}
    parameters = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    return rng.normal(size=(n, d)).astype(dtype), rng.integers(classes, size=n), parameters


def untouched(rng, before):
    """Whether a generator still stands where it stood, in words for a message."""
    return "never used" if rng.bit_generator.state == before else "used"


def _fitted(function, x, y, parameters, rate, epochs, size, rng):
    """The two results; first of all what points at the fault: how many losses, and the rng."""
    before = rng.bit_generator.state
    got = function(x, y, parameters, rate, epochs, size, rng)
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        return got
    if isinstance(got[0], list) and isinstance(got[1], dict):
        return {"order": "losses before parameters"}
    if not isinstance(got[1], list):
        return got
    return {
        "order": "parameters before losses",
        "number of losses": len(got[1]),
        "rng": untouched(rng, before),
        "losses": got[1],
        "parameters": got[0],
    }


SCHEDULES = [  # label, problem, rate, epochs, batch size, seed
    ("one epoch of one batch", (3, 2, 4, 2), 0.1, 1, 3, 0),
    ("one epoch of three batches", (6, 3, 5, 2), 0.2, 1, 2, 1),
    ("two epochs, one example left over", (7, 2, 4, 3), 0.2, 2, 3, 2),
    ("three epochs in float32", (8, 3, 6, 4, np.float32), 0.05, 3, 4, 3),
]


def _fit_cases():
    return [
        case(label, *_problem(*problem), rate, epochs, size, np.random.default_rng(seed))
        for label, problem, rate, epochs, size, seed in SCHEDULES
    ]


fit = Check(
    "fit",
    reference=descend_with_fault,
    probe=_fitted,
    cases=_fit_cases,
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("x is shuffled without y",
                "Then every image meets another image's label and there is nothing to learn. Index "
                "both with the same rows: x[rows], y[rows].",
                _broken("labels shuffled")),
        Mistake("the examples left over are a batch too",
                "7 examples in batches of 3 are two batches; the one left over waits for the next "
                "order. Let start end where a full batch still fits: len(x) - size + 1.",
                _broken("leftovers too")),
        Mistake("the last full batch is left out",
                "Where the size divides the number of examples the last batch starts at len(x) − "
                "size, and range stops before its end: range(0, len(x) - size + 1, size).",
                _broken("one batch short")),
        Mistake("the same order in every epoch",
                "Draw a new rng.permutation(len(x)) at the start of each epoch, "
                "inside the loop over the epochs.",
                _broken("one order")),
        Mistake("nothing is shuffled",
                "Data often lie in an order (by class, by day), and then every batch is one-sided. "
                "Take the rows in the order of rng.permutation(len(x)).",
                _broken("no shuffling")),
        Mistake("every step uses all of the data",
                "A step takes one batch: pass x[rows], y[rows] to loss_and_gradients.",
                _broken("all rows")),
        Mistake("uphill",
                "The loss rises from the first step on: the step must subtract rate · gradient.",
                _broken("sign error")),
        Mistake("the trained parameters are lost",
                "sgd_step returns new ones: parameters = sgd_step(…), and return those.",
                _last_parameters_lost),
        Mistake("one loss an epoch",
                "Append the loss of every step, so that the first step can be compared too.",
                _epoch_means),
        Mistake("the initial arrays are overwritten",
                "The next experiment wants to start from the same weights. "
                "Let sgd_step return new arrays.",
                _overwritten),
    ],
)  # fmt: skip
