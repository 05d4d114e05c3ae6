"""Checks of RMSProp and AdamW for parameters that carry
their data and their gradient, step by step against torch."""

from types import SimpleNamespace

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case


class _ByTorch:
    """The judge: an optimiser of torch that works on
    objects with .data and .grad, NumPy arrays both."""

    def __init__(self, parameters, rate, make):
        self.parameters, self.rate = parameters, rate
        self.mirrors = [torch.nn.Parameter(torch.tensor(one.data)) for one in parameters]
        self.optimiser = make(self.mirrors)

    def step(self):
        for one, mirror in zip(self.parameters, self.mirrors, strict=True):
            mirror.grad, mirror.data = torch.tensor(one.grad), torch.tensor(one.data)
        self.optimiser.param_groups[0]["lr"] = self.rate
        self.optimiser.step()
        for one, mirror in zip(self.parameters, self.mirrors, strict=True):
            one.data = mirror.detach().numpy().copy()


class _TorchRMSProp(_ByTorch):
    def __init__(self, parameters, rate=0.01, decay=0.99, eps=1e-8):
        super().__init__(
            parameters, rate, lambda p: torch.optim.RMSprop(p, lr=rate, alpha=decay, eps=eps)
        )


class _TorchAdamW(_ByTorch):
    def __init__(self, parameters, rate=1e-3, betas=(0.9, 0.999), eps=1e-8, decay=0.01):
        make = lambda p: torch.optim.AdamW(p, lr=rate, betas=betas, eps=eps, weight_decay=decay)  # noqa: E731
        super().__init__(parameters, rate, make)


class _Plain:
    fault = None  # the mistakes below are this code with one fault

    def zero_grad(self):
        for one in self.parameters:
            one.grad = np.zeros_like(one.data)


class PlainRMSProp(_Plain):
    """RMSProp (Hinton 2012) in NumPy, for objects with .data and .grad;
    what a blank goes on with."""

    def __init__(self, parameters, rate=0.01, decay=0.99, eps=1e-8):
        self.parameters, self.rate, self.decay, self.eps = parameters, rate, decay, eps
        self.v = [np.zeros_like(one.data) for one in parameters]

    def step(self):
        keep, take = self.decay, 1 - self.decay
        keep, take = {"exchanged": (take, keep), "summed": (1, 1)}.get(self.fault, (keep, take))
        for i, one in enumerate(self.parameters):
            old, self.v[i] = self.v[i], keep * self.v[i] + take * one.grad**2
            v = old if self.fault == "old" else self.v[i]
            root = np.sqrt(v + self.eps) if self.fault == "inside" else np.sqrt(v) + self.eps
            root = v + self.eps if self.fault == "no root" else root
            one.data = (
                one.data - self.rate * (-1 if self.fault == "uphill" else 1) * one.grad / root
            )


class PlainAdamW(_Plain):
    """AdamW (Loshchilov & Hutter 2019) in NumPy,
    for objects with .data and .grad; what a blank goes on with."""

    def __init__(self, parameters, rate=1e-3, betas=(0.9, 0.999), eps=1e-8, decay=0.01):
        self.parameters, self.rate, self.betas, self.eps, self.decay = (
            parameters,
            rate,
            betas,
            eps,
            decay,
        )
        self.m = [np.zeros_like(one.data) for one in parameters]
        self.v = [np.zeros_like(one.data) for one in parameters]
        self.t = 0

    def step(self):
        fault, (b1, b2) = self.fault, self.betas
        b1, b2 = (b2, b1) if fault == "exchanged" else (b1, b2)
        self.t = 1 if fault == "t stays 1" else self.t + 1
        for i, one in enumerate(self.parameters):
            self.t += fault == "t for each" and i > 0
            grad = one.grad + self.decay * one.data if fault == "L2" else one.grad
            self.m[i], self.v[i] = (
                b1 * self.m[i] + (1 - b1) * grad,
                b2 * self.v[i] + (1 - b2) * grad**2,
            )
            m, v = self.m[i] / (1 - b1**self.t), self.v[i] / (1 - b2**self.t)
            m, v = (self.m[i], self.v[i]) if fault == "no correction" else (m, v)
            step = (
                self.rate
                * m
                / (np.sqrt(v + self.eps) if fault == "inside" else np.sqrt(v) + self.eps)
            )
            shrink = self.decay if fault == "no rate" else self.rate * self.decay
            shrink = 0 if fault in ("L2", "no decay") else shrink
            one.data = (
                (one.data - step) * (1 - shrink)
                if fault == "late"
                else one.data * (1 - shrink) - step
            )


def _faulty(base, name):
    return type(base.__name__, (base,), {"fault": name})


def _slope(data):
    """The gradient of a bumpy function, different in size along the entries."""
    scale = 10.0 ** np.arange(-3, data.size - 3).reshape(data.shape)
    return scale * (data + 2 * np.cos(3 * data))


def _follow(optimiser, starts, settings, marks, change=None):
    """Where the parameters stand after the steps named in marks.

    change: of the notebook, after the first step: "rate", which a range test sets, or "arrays",
    which early stopping puts in place of others.
    """
    parameters = [SimpleNamespace(data=one.copy(), grad=np.zeros_like(one)) for one in starts]
    walker, seen = optimiser(parameters, **settings), {}
    for step in range(1, max(marks) + 1):
        for one in parameters:
            one.grad = _slope(one.data)
        walker.step()
        if step == 1 and all(
            np.array_equal(one.data, start) for one, start in zip(parameters, starts, strict=True)
        ):
            raise Untouched("no parameter has moved")
        if step in marks:
            seen |= {
                f"parameter {i} after step {step}": np.array(one.data)
                for i, one in enumerate(parameters, start=1)
            }
        if step == 1 and change == "rate":
            walker.rate = 3 * walker.rate
        if step == 1 and change == "arrays":
            for one in parameters:
                one.data = one.data + 1
    return seen


def _cases(*settings):
    """settings: keyword arguments of the optimiser, case by case."""
    starts = (
        [np.array([1.0]), np.array([0.5, -1.0, 2.0, 0.1])],
        [np.array([[1.0, -2.0], [0.3, 3.0]]), np.array(0.5)],
    )
    labels = (
        ("one step from 1", (1,)),
        ("two steps, two parameters", (1, 2)),
        ("50 steps, matrix and number", (50,)),
    )
    many = (starts[0][:1], starts[0], starts[1])
    return [
        *[
            case(label, start, one, marks)
            for (label, marks), start, one in zip(labels, many, settings[:3], strict=True)
        ],
        *[case(f"three steps, {_words(one)}", starts[1], one, (3,)) for one in settings[3:]],
        case("the rate is set anew after the first step", starts[0], settings[0], (2,), "rate"),
        case("new arrays after the first step", starts[1], settings[0], (2,), "arrays"),
    ]


def _words(settings):
    return ", ".join(f"{name} {value}" for name, value in settings.items())


RMSProp = Check(
    "RMSProp",
    reference=_TorchRMSProp,
    fallback="dlcourse.checks.experiments.adaptive_optimisers:PlainRMSProp",
    probe=_follow,
    cases=_cases({"rate": 0.1}, {"rate": 0.01, "eps": 1e-4}, {"rate": 0.01, "decay": 0.9},
                 {"decay": 0.7, "eps": 0.1}),
    mistakes=[
        Mistake("epsilon inside the root",
                "√v + ε, as torch has it. Inside the root its effect is √ε, "
                "and small gradients are hardly scaled.",
                _faulty(PlainRMSProp, "inside")),
        Mistake("decay and 1 − decay exchanged",
                "The old average keeps the large share: v = decay·v + (1 − decay)·g².",
                _faulty(PlainRMSProp, "exchanged")),
        Mistake("the squares are summed up",
                "That is Adagrad: its steps only ever shrink. "
                "Average them: decay·v + (1 − decay)·g².",
                _faulty(PlainRMSProp, "summed")),
        Mistake("the root is missing", "v has the unit of a square: divide by √v + ε.",
                _faulty(PlainRMSProp, "no root")),
        Mistake("the old average is used",
                "First update v with this gradient, then divide by its root.",
                _faulty(PlainRMSProp, "old")),
        Mistake("uphill", "Subtract the step.", _faulty(PlainRMSProp, "uphill")),
    ],
)  # fmt: skip

AdamW = Check(
    "AdamW",
    reference=_TorchAdamW,
    fallback="dlcourse.checks.experiments.adaptive_optimisers:PlainAdamW",
    probe=_follow,
    cases=_cases({"rate": 0.1, "decay": 0.5}, {"rate": 0.01, "eps": 1e-4},
                 {"rate": 0.05, "decay": 0.1}, {"rate": 0.1, "betas": (0.6, 0.95)},
                 {"rate": 0.1, "betas": (0.8, 0.9), "eps": 0.1}),
    mistakes=[
        Mistake("no bias correction",
                "m and v start at 0 and are too small at first: "
                "divide by 1 − β₁ᵗ and 1 − β₂ᵗ, t counted from 1.",
                _faulty(PlainAdamW, "no correction")),
        Mistake("the decay is added to the gradient",
                "Then it is divided by √v like the gradient: that is Adam with L2. AdamW shrinks "
                "the weights directly, by 1 − rate·decay.",
                _faulty(PlainAdamW, "L2")),
        Mistake("the decay is not multiplied by the rate",
                "Weights shrink by 1 − rate·decay in each step.", _faulty(PlainAdamW, "no rate")),
        Mistake("the weights do not decay", "Multiply them by 1 − rate·decay before the step.",
                _faulty(PlainAdamW, "no decay")),
        Mistake("the decay comes after the step",
                "First shrink the old weights, then subtract Adam's step from them.",
                _faulty(PlainAdamW, "late")),
        Mistake("epsilon inside the root", "√v̂ + ε: ε is added to the root.",
                _faulty(PlainAdamW, "inside")),
        Mistake("the betas are exchanged", "β₁ belongs to the mean m, β₂ to the mean square v.",
                _faulty(PlainAdamW, "exchanged")),
        Mistake("t is counted for each parameter",
                "Add 1 to self.t once a step, before the loop over the parameters.",
                _faulty(PlainAdamW, "t for each")),
        Mistake("t is not counted",
                "Add 1 to self.t at the start of each step, once for all parameters.",
                _faulty(PlainAdamW, "t stays 1")),
    ],
)  # fmt: skip
