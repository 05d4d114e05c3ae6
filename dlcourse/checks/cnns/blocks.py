"""Checks of two modules: a depthwise-separable convolution,
and a convolutional network whose parts can be chosen.

Both are judged by their own weights:
what they compute must be what torch's functions compute with them in that order.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


class _Separable(nn.Module):
    """A k × k convolution of every channel by itself,
    then a 1 × 1 convolution; `fault` names what is wrong."""

    def __init__(self, c_in, c_out, kernel=3, bias=True, fault=None):
        super().__init__()
        groups, padding = (
            (1 if fault == "dense" else c_in),
            (0 if fault == "no padding" else kernel // 2),
        )
        point = 1 if fault != "large point" else kernel
        self.fault = fault
        self.depthwise = nn.Conv2d(
            c_in, c_in, kernel, padding=padding, groups=groups, bias=fault == "two biases"
        )
        self.pointwise = nn.Conv2d(c_in, c_out, point, padding=point // 2, bias=bias)
        if fault == "no point":
            self.depthwise, self.pointwise = (
                nn.Conv2d(c_in, c_out, kernel, padding=padding, bias=bias),
                nn.Identity(),
            )

    def forward(self, x):
        x = self.depthwise(x)
        return self.pointwise(x.relu() if self.fault == "ReLU" else x)


def _seeded(make, *args, **kwargs):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make(*args, **kwargs)


def _inspect_separable(function, c_in, c_out, kernel, bias):
    layer = _seeded(function, c_in, c_out, kernel, bias)
    if layer is None:
        return None
    x = _seeded(torch.randn, 2, c_in, 6, 7)
    output, parameters = layer(x), list(layer.parameters())
    shapes = sorted(tuple(p.shape) for p in parameters)
    found = {"shapes of its parameters": shapes, "shape of its output": list(output.shape)}
    by_shape = {tuple(p.shape): p for p in parameters}
    depth, point = by_shape.get((c_in, 1, kernel, kernel)), by_shape.get((c_out, c_in, 1, 1))
    if depth is not None and point is not None:
        own = F.conv2d(
            F.conv2d(x, depth, padding=kernel // 2, groups=c_in), point, by_shape.get((c_out,))
        )
        found["output, compared with what its weights give"] = _gap(output, own)
    return found


def _gap(output, expected):
    if output.shape != expected.shape:
        return f"has the shape {tuple(output.shape)}"
    gap = (output - expected).abs().max().item()
    return 0.0 if gap < 1e-4 else gap


def _broken_separable(fault):
    return lambda c_in, c_out, kernel=3, bias=True: _Separable(c_in, c_out, kernel, bias, fault)


SeparableConv = Check(
    "SeparableConv",
    reference=_Separable,
    probe=_inspect_separable,
    cases=[
        case("two channels to five, 3 × 3, no bias", 2, 5, 3, False),
        case("three channels to four, 5 × 5, with a bias", 3, 4, 5, True),
        case("four channels to four, 3 × 3, with a bias", 4, 4, 3, True),
    ],
    mistakes=[
        Mistake("the first convolution mixes the channels",
                "Depthwise: every channel has a kernel of its own, groups=c_in. "
                "Mixing is the second one's work.",
                _broken_separable("dense")),
        Mistake("the second convolution is not 1 × 1",
                "It only mixes channels, pixel by pixel: kernel size 1.",
                _broken_separable("large point")),
        Mistake("the image shrinks",
                "Pad with kernel // 2, so that an odd kernel keeps height and width.",
                _broken_separable("no padding")),
        Mistake("two biases", "A bias before the 1 × 1 convolution becomes part of its own: "
                              "bias=False in the first.",
                _broken_separable("two biases")),
        Mistake("a ReLU in between",
                "Separable stands for one linear map; what comes between is not asked for here.",
                _broken_separable("ReLU")),
        Mistake("that is an ordinary convolution",
                "Two layers: one over pixels for each channel, one over channels.",
                _broken_separable("no point")),
    ],
)  # fmt: skip


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


def _inspect_cnn(function, channels, size, classes, norm, drop, conv):
    model = _seeded(function, channels, size, classes, norm, drop, conv)
    if model is None:
        return None
    x = _seeded(torch.randn, 6, channels[0], size, size)
    for module in model.modules():
        if isinstance(
            module, nn.BatchNorm2d
        ):  # as after some training: no two channels alike, one factor negative
            module.weight.data = torch.linspace(-1, 2, module.num_features)
            module.bias.data = torch.linspace(-0.5, 1, module.num_features)
    names = [type(m).__name__ for m in model.modules()]
    kinds = ("Conv2d", "BatchNorm2d", "Linear")
    found = {f"{kind} layers": names.count(kind) for kind in kinds}
    found["numbers in its parameters"] = sum(p.numel() for p in model.parameters())
    for training, label in ((False, "evaluation"), (True, "training")):
        model.train(training)
        output = _seeded(model, x)
        found[f"shape of the logits in {label}"] = list(output.shape)
        if found["Linear layers"] == 1:
            own = _seeded(_by_its_own_layers, model, x, drop, training)
            found[f"logits in {label}, compared with what its layers give"] = _gap(output, own)
    return found


def _broken_cnn(fault):
    return lambda channels, size=28, classes=10, norm=True, drop=0.0, conv=None: _CNN(
        channels, size, classes, norm, drop, conv, fault)  # fmt: skip


CNN = Check(
    "CNN",
    reference=_CNN,
    probe=_inspect_cnn,
    cases=[
        case("one stage, 1 → 2 channels, 4 × 4 pixels, no norm", (1, 2), 4, 3, False, 0.0,
             _conv3x3),
        case("two stages with norm, 8 × 8 pixels", (1, 4, 6), 8, 5, True, 0.0, _conv3x3),
        case("three channels, 13 × 13 pixels, 5 × 5 kernels", (3, 5, 4), 13, 2, True, 0.0,
             _conv5x5),
        case("three stages with norm and dropout, 28 × 28 pixels", (1, 3, 4, 5), 28, 10, True, 0.5,
             _conv3x3),
        case("dropout without norm", (2, 3, 4), 12, 4, False, 0.3, _conv3x3),
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
