"""Check of a convolutional network whose parts can be chosen, judged by its own weights: what it
computes must be what torch's functions compute with them in that order."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.cnns.separable import gap_to, seeded, shape_of
from dlcourse.checks.core import Check, Mistake, case


class _CNN(nn.Module):
    """Stages of convolution, max-pooling, batch norm and ReLU,
    then dropout and a linear layer, unless `fault`."""

    def __init__(self, channels, size=28, classes=10, norm=True, drop=0.0, conv=None, fault=None):
        super().__init__()
        conv = conv or _conv3x3
        layers = []
        for c_in, c_out in pairwise(channels):
            stage = [conv(c_in, c_out, bias=fault == "bias" or not norm), nn.MaxPool2d(2)]
            stage += (
                [nn.BatchNorm2d(c_out), nn.ReLU()]
                if norm or fault == "always norm"
                else [nn.ReLU()]
            )
            order = {"norm before pooling": (0, 2, 1, 3), "norm after ReLU": (0, 1, 3, 2)}.get(
                fault
            )
            layers += [stage[i] for i in order] if order and norm else stage
            size //= 2
        self.features = nn.Sequential(*layers[:-1] if fault == "last ReLU" else layers)
        linear, dropout = nn.Linear(channels[-1] * size**2, classes), nn.Dropout(drop)
        head = [linear, dropout] if fault == "dropout of logits" else [dropout, linear]
        extra = {"ReLU on the logits": [nn.ReLU()], "probabilities": [nn.Softmax(1)]}.get(fault, [])
        self.head = nn.Sequential(nn.Flatten(), *head, *extra)

    def forward(self, x):
        return self.head(self.features(x))


def _conv3x3(c_in, c_out, *, bias):
    return nn.Conv2d(c_in, c_out, 3, padding=1, bias=bias)


def _conv5x5(c_in, c_out, *, bias):
    return nn.Conv2d(c_in, c_out, 5, padding=2, bias=bias)


def _by_its_own_layers(model, x, drop, training):
    """What the model's own layers give in the order that was asked for,
    and the modules themselves."""
    convs, norms, linears = ([m for m in model.modules() if isinstance(m, kind)]
                             for kind in (nn.Conv2d, nn.BatchNorm2d, nn.Linear))  # fmt: skip
    for i, conv in enumerate(convs):
        x = F.max_pool2d(F.conv2d(x, conv.weight, conv.bias, padding=conv.padding), 2)
        if len(norms) == len(convs):
            norm = norms[i]
            stats = (None, None) if training else (norm.running_mean, norm.running_var)
            x = F.batch_norm(x, *stats, norm.weight, norm.bias, training)
        x = x.relu()
    return F.linear(F.dropout(x.flatten(1), drop, training), linears[-1].weight, linears[-1].bias)


ORDER = "conv → max-pool → norm → ReLU, at last dropout → linear, with its own weights"


def _inspect_cnn(function, channels, options):
    model = seeded(function, channels, **options).eval()
    size, drop = options.get("size", 28), options.get("drop", 0.0)
    x = seeded(torch.randn, 6, channels[0], size, size)
    with torch.no_grad():
        seeded(model, x)  # makes the parameters of lazy layers
    _as_after_training(model)
    names = [type(m).__name__ for m in model.modules()]
    found = {f"{kind} layers": names.count(kind) for kind in ("Conv2d", "BatchNorm2d", "Linear")}
    found["numbers in its parameters"] = sum(p.numel() for p in model.parameters())
    features = getattr(model, "features", None)
    seen = features(x) if isinstance(features, nn.Module) else None
    found["shape of what its `features` make of x"] = shape_of(seen)
    complete = (found["Conv2d layers"], found["Linear layers"]) == (len(channels) - 1, 1)
    for training, label in ((False, "evaluation"), (True, "training")):
        model.train(training)
        output = seeded(model, x)
        own = None
        if complete:
            own = seeded(_by_its_own_layers, model, x, drop, training)
        found[f"shape of the logits in {label}"] = shape_of(output)
        found[f"logits in {label}: largest difference from {ORDER}"] = gap_to(output, own)
    other = model.eval().to(memory_format=torch.channels_last)
    there = other(x.to(memory_format=torch.channels_last))
    found["logits in channels_last: largest difference from contiguous ones"] = gap_to(
        there, other(x)
    )
    return found


def _as_after_training(model):
    """No two channels of a norm are alike, one factor is negative."""
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            count = norm.num_features
            norm.weight.data = torch.linspace(-1, 2, count)
            norm.bias.data = torch.linspace(-0.5, 1, count)
            norm.running_mean = torch.linspace(-0.2, 0.3, count)
            norm.running_var = torch.linspace(0.5, 1.5, count)


def _broken_cnn(fault):
    return lambda channels, size=28, classes=10, norm=True, drop=0.0, conv=None: _CNN(
        channels, size, classes, norm, drop, conv, fault)  # fmt: skip


CNN = Check(
    "CNN",
    reference=_CNN,
    probe=_inspect_cnn,
    cases=[
        case("one stage, 1 → 2 channels, 4 × 4 pixels, no norm", (1, 2),
             {"size": 4, "classes": 3, "norm": False}),
        case("two stages with norm, 8 × 8 pixels", (1, 4, 6),
             {"size": 8, "classes": 5, "norm": True, "conv": _conv3x3}),
        case("three channels, 13 × 13 pixels, 5 × 5 kernels", (3, 5, 4),
             {"size": 13, "classes": 2, "conv": _conv5x5}),
        case("three stages with norm and dropout", (1, 3, 4, 5), {"size": 28, "drop": 0.5}),
        case("dropout without norm", (2, 3, 4),
             {"size": 12, "classes": 4, "norm": False, "drop": 0.3}),
        case("nothing given but the channels, all alike", (2, 2, 2, 2), {}),
    ],
    mistakes=[
        Mistake("the convolutions keep a bias before batch norm",
                "Batch norm subtracts the mean, and any constant with it: "
                "hand conv the bias `not norm`.",
                _broken_cnn("bias")),
        Mistake("batch norm before the pooling",
                "The order asked for is convolution, pooling, norm, ReLU: "
                "normalise what goes on, a quarter of it.",
                _broken_cnn("norm before pooling")),
        Mistake("batch norm after the ReLU",
                "The order asked for is convolution, pooling, norm, ReLU.",
                _broken_cnn("norm after ReLU")),
        Mistake("batch norm is always there",
                "With norm=False there is none, and the convolutions have a bias.",
                _broken_cnn("always norm")),
        Mistake("the last stage has no ReLU",
                "All stages are alike; only after the linear layer there is none.",
                _broken_cnn("last ReLU")),
        Mistake("a ReLU on the logits", "Scores may be negative: nothing follows the linear layer.",
                _broken_cnn("ReLU on the logits")),
        Mistake("probabilities instead of logits",
                "F.cross_entropy takes logits: no softmax in the model.",
                _broken_cnn("probabilities")),
        Mistake("dropout of the logits",
                "Dropout stands before the linear layer: it drops features, not answers.",
                _broken_cnn("dropout of logits")),
    ],
)  # fmt: skip
