"""Checks of a two-layer network in NumPy:
forward pass, loss and gradients of all its parameters."""

import numpy as np
import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _layers(x, weights, activation=F.relu):
    """Pre-activation, hidden layer and logits as tensors;
    weights: dict of tensors w1, b1, w2, b2."""
    z = F.linear(x, weights["w1"].T, weights["b1"])
    hidden = activation(z)
    return z, hidden, F.linear(hidden, weights["w2"].T, weights["b2"])


def _forward(x, parameters, activation=F.relu):
    weights = {name: torch.tensor(value) for name, value in parameters.items()}
    return tuple(one.numpy() for one in _layers(torch.tensor(x), weights, activation))


def _twice(x, parameters):
    z, hidden, logits = _forward(x, parameters)
    return z, hidden, np.maximum(logits, 0)


def _probabilities(x, parameters):
    z, hidden, logits = _forward(x, parameters)
    return z, hidden, torch.softmax(torch.tensor(logits), -1).numpy()


def _transposed(x, parameters):
    return _forward(x, parameters | {name: parameters[name].T for name in ("w1", "w2")})


def _as_torch_stores_it(x, parameters):
    return x @ parameters["w1"].T, None, None


def _bias_of_a_row(x, parameters):
    z = x @ parameters["w1"] + parameters["b1"][:, None]
    hidden = np.maximum(z, 0)
    return z, hidden, hidden @ parameters["w2"] + parameters["b2"][:, None]


def _without_bias(x, parameters):
    zeros = {name: np.zeros_like(parameters[name]) for name in ("b1", "b2")}
    return _forward(x, parameters | zeros)


def _hidden_first(x, parameters):
    z, hidden, logits = _forward(x, parameters)
    return hidden, z, logits


def _network(n, d, h, classes, dtype=np.float64):
    """Inputs (n, d), labels (n,) and parameters of a d → h → classes network."""
    rng = np.random.default_rng(n * d)
    shapes = {"w1": (d, h), "b1": (h,), "w2": (h, classes), "b2": (classes,)}
    parameters = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    return rng.normal(size=(n, d)).astype(dtype), rng.integers(classes, size=n), parameters


def _tiny():
    """One example whose first hidden unit is on and whose others are off."""
    parameters = {
        "w1": np.array([[1.0, -1.0, 0.5], [0.0, 0.5, -2.0]]),
        "b1": np.array([0.5, 0.0, 0.25]),
        "w2": np.array([[1.0, -2.0], [3.0, 1.0], [-1.0, 0.5]]),
        "b2": np.array([0.0, 0.25]),
    }
    return np.array([[2.0, 1.0]]), np.array([1]), parameters


SIZES = {
    "one example, 2 → 3 → 2": _tiny,
    "5 examples, 3 → 4 → 2": lambda: _network(5, 3, 4, 2),
    "4 examples, 4 → 4 → 4: every matrix square": lambda: _network(4, 4, 4, 4),
    "7 examples, 2 → 6 → 3, float32": lambda: _network(7, 2, 6, 3, np.float32),
}


def _forward_cases():
    networks = {label: make() for label, make in SIZES.items()}
    return [case(label, x, parameters) for label, (x, _, parameters) in networks.items()]


forward = Check(
    "forward",
    reference=_forward,
    cases=_forward_cases,
    mistakes=[
        Mistake("no activation",
                "Without ReLU between them two layers are one: (x @ w1) @ w2 = x @ (w1 @ w2).",
                lambda x, parameters: _forward(x, parameters, torch.clone)),
        Mistake("the weights are transposed",
                "A weight has shape (inputs, outputs) here, so rows of x meet its columns in "
                "x @ w1. It is torch.nn.Linear that stores the transpose.",
                _transposed),
        Mistake("the weights are transposed where the shapes do not fit",
                "A weight has shape (inputs, outputs) here: write x @ w1 without a transpose. "
                "torch.nn.Linear stores it the other way round.",
                _as_torch_stores_it),
        Mistake("a bias is added along the wrong axis",
                "There is one bias for each unit, that is for each column. "
                "Broadcasting lines up the last axes by itself: + b1.",
                _bias_of_a_row),
        Mistake("the biases are missing",
                "Add the bias of a layer to its product: one number for each unit, the same for "
                "every row.",
                _without_bias),
        Mistake("ReLU on the logits too",
                "Scores may be negative. A ReLU after the last layer makes all of the negative "
                "ones equal, and no gradient gets past it.",
                _twice),
        Mistake("probabilities instead of logits",
                "Return the scores themselves. Softmax comes with the loss, "
                "where it can be done without overflow.",
                _probabilities),
        Mistake("z and hidden are exchanged",
                "Return (z, hidden, logits): z is before the ReLU, hidden after it.",
                _hidden_first),
    ],
)  # fmt: skip


def _loss_and_gradients(x, y, parameters, activation=F.relu, reduction="mean"):
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    logits = _layers(torch.tensor(x), weights, activation)[-1]
    loss = F.cross_entropy(logits, torch.tensor(y), reduction=reduction)
    found = torch.autograd.grad(loss, list(weights.values()))
    return loss.item(), {name: grad.numpy() for name, grad in zip(weights, found, strict=True)}


class _Straight(torch.autograd.Function):
    """ReLU on the way forward, nothing on the way back."""

    @staticmethod
    def forward(context, z):
        return F.relu(z)

    @staticmethod
    def backward(context, grad):
        return grad


def _logits_gradient(x, y, parameters, reduction="mean"):
    logits = torch.tensor(_forward(x, parameters)[-1], requires_grad=True)
    loss = F.cross_entropy(logits, torch.tensor(y), reduction=reduction)
    return torch.autograd.grad(loss, logits)[0].numpy()


def _gradients_summed(x, y, parameters):
    loss, _ = _loss_and_gradients(x, y, parameters)
    return loss, _loss_and_gradients(x, y, parameters, reduction="sum")[1]


def _divided_again(x, y, parameters):
    loss, gradients = _loss_and_gradients(x, y, parameters)
    return loss, {name: gradient / len(x) for name, gradient in gradients.items()}


def _before_relu(x, y, parameters):
    loss, gradients = _loss_and_gradients(x, y, parameters)
    return loss, gradients | {
        "w2": _forward(x, parameters)[0].T @ _logits_gradient(x, y, parameters)
    }


def _swapped(x, y, parameters):
    loss, gradients = _loss_and_gradients(x, y, parameters)
    return gradients, loss


def _weights_only(x, y, parameters):
    loss, gradients = _loss_and_gradients(x, y, parameters)
    return loss, {name: gradients[name] for name in ("w1", "w2")}


def _gradient_cases():
    x, y, parameters = _network(5, 3, 4, 3)
    x[1], parameters["b1"][:] = 0, 0
    return [
        *[case(label, *make()) for label, make in SIZES.items()],
        case("an example that leaves every unit at exactly 0", x, y, parameters),
        case("inputs of some thousand", 3000 * x, y, parameters),
    ]


loss_and_gradients = Check(
    "loss_and_gradients",
    reference=_loss_and_gradients,
    cases=_gradient_cases,
    mistakes=[
        Mistake("the ReLU is missing on the way back",
                "The gradient that comes from layer 2 must pass relu_backward before layer 1 sees "
                "it: a unit that was off did not contribute, so it has no share.",
                lambda x, y, parameters: _loss_and_gradients(x, y, parameters, _Straight.apply)),
        Mistake("the ReLU is missing on the way forward",
                "Use forward(x, parameters): layer 2 gets hidden, not z.",
                lambda x, y, parameters: _loss_and_gradients(x, y, parameters, torch.clone)),
        Mistake("layer 2 is handed z instead of hidden",
                "dense_backward needs the input that the layer had on the way forward, "
                "and that of layer 2 was relu(z).",
                _before_relu),
        Mistake("gradients of the sum, loss of the mean",
                "The loss is a mean over the batch and its gradient has to be one too: the 1/N "
                "belongs to softmax_cross_entropy_backward.",
                _gradients_summed),
        Mistake("divided by N once more",
                "The 1/N is in the gradient already, it came with softmax_cross_entropy_backward: "
                "do not divide again.",
                _divided_again),
        Mistake("loss and gradients are exchanged", "Return (loss, gradients) in that order.",
                _swapped),
        Mistake("the biases have no gradient",
                "The dict needs one gradient for every parameter: w1, b1, w2 and b2.",
                _weights_only),
    ],
)  # fmt: skip
