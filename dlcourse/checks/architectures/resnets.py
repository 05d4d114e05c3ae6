"""Checks of a residual network as a whole,
and of choosing its width to fit a number of parameters."""

import itertools

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.architectures import residual
from dlcourse.checks.architectures.modules import made, ready
from dlcourse.checks.core import Check, Mistake, case


class _Net(nn.Module):
    """A residual network with one fault; its blocks are the judge's."""

    fault = None

    def __init__(self, blocks=(1, 1, 1), width=16, classes=10, channels=1):
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(width, channels, 3, 3))
        if self.fault != "bare stem":
            self.norm = nn.BatchNorm2d(width)
        self.blocks, last = nn.ModuleList(), width
        for stage in range(len(blocks)):
            now = width if self.fault == "one width" else width << stage
            now = width << (stage + 1) if self.fault == "doubled at once" else now
            for number in range(blocks[stage]):
                shared = self.fault == "shared" and number > 1
                block = residual._Basic(last, now, self.stride(stage, number))
                self.blocks.append(self.blocks[-1] if shared else block)
                last = now
        self.head = nn.Linear(last, classes)

    def stride(self, stage, number):
        every = {"never": False, "always": True, "not the first stage": stage > 0 and number == 0}
        return 2 if every.get(self.fault, number == 0) else 1

    def features(self, x):
        x = F.conv2d(x, self.kernel, padding=1)
        x = x if self.fault == "bare stem" else F.relu(self.norm(x))
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, x):
        x = self.features(x)
        pooled = (
            x.amax((2, 3)) if self.fault == "maximum" else F.adaptive_avg_pool2d(x, 1).flatten(1)
        )
        if self.fault == "sum":
            pooled = x.sum((2, 3))
        logits = self.head(pooled)
        return {"softmax": logits.softmax(1), "ReLU": F.relu(logits)}.get(self.fault, logits)


def _count(model):
    return sum(one.numel() for one in model.parameters())


def _logits(make, settings, x):
    """Parameters of a network, its last maps and its logits in evaluation."""
    model = ready(made(lambda: make(**settings)), x).eval()
    with torch.no_grad():
        return {
            "number of parameters": _count(model),
            "logits": model(x),
            "features(x)": model.features(x),
        }


def _settings(blocks, width, classes, channels):
    return {"blocks": blocks, "width": width, "classes": classes, "channels": channels}


def _broken(fault):
    return type("Net", (_Net,), {"fault": fault})


ResNet = Check(
    "ResNet",
    reference=_Net,
    probe=_logits,
    cases=[
        case("one stage of one block", _settings((1,), 4, 3, 1),
             residual._draw(2, 1, 6, 8)),
        case("one stage of two blocks", _settings((2,), 3, 2, 1), residual._draw(2, 1, 8, 6)),
        case("one stage of four blocks", _settings((4,), 2, 2, 1), residual._draw(2, 1, 5, 6)),
        case("two stages, three channels, odd sizes", _settings((1, 2), 4, 5, 3),
             residual._draw(3, 3, 11, 7)),
        case("three stages, a digit", _settings((1, 1, 1), 4, 10, 1), residual._draw(2, 1, 28, 28)),
        case("three stages, two digits side by side", _settings((1, 1, 1), 4, 10, 1),
             residual._draw(2, 1, 28, 56)),
        case("float64", _settings((2, 1), 2, 4, 2),
             residual._draw(2, 2, 9, 9, dtype=torch.float64)),
        case("nothing given", {}, residual._draw(2, 1, 8, 9)),
    ],
    fallback="dlcourse.models.resnet:ResNet",
    rtol=1e-3,
    atol=1e-4,
    mistakes=[
        Mistake("no stage halves the image", "The first block of every stage has stride 2.",
                _broken("never")),
        Mistake("every block halves the image", "Only the first block of a stage has stride 2.",
                _broken("always")),
        Mistake("the first stage keeps the size",
                "Here every stage begins with stride 2, the first one as well.",
                _broken("not the first stage")),
        Mistake("the width stays",
                "Stage s has width · 2ˢ channels: half the pixels, twice the channels.",
                _broken("one width")),
        Mistake("the first stage doubles the channels",
                "s counts from 0: the first stage has `width` channels.",
                _broken("doubled at once")),
        Mistake("one block is used several times",
                "[block] * 3 is the same block three times, with one set of weights: make each of "
                "them anew.",
                _broken("shared")),
        Mistake("no norm in the stem", "Convolution, batch norm, ReLU come before the first stage.",
                _broken("bare stem")),
        Mistake("the maximum over the pixels", "Global *average* pooling: mean((2, 3)).",
                _broken("maximum")),
        Mistake("the sum over the pixels", "A sum grows with the image: mean((2, 3)).",
                _broken("sum")),
        Mistake("probabilities instead of logits", "F.cross_entropy does the softmax itself.",
                _broken("softmax")),
        Mistake("a ReLU after the last layer", "Logits may be negative.", _broken("ReLU")),
    ],
)  # fmt: skip


def _widest(make, budget):
    return _fitting(make, budget, _count)


def _fitting(make, budget, count):
    """The last width, from 1 on, of a net that fits by this way of counting."""
    widths = itertools.takewhile(lambda width: count(make(width)) <= budget, range(1, 200))
    return max([1, *widths])


def _dense(width):
    """Two dense layers, 5 → width → 2."""
    return nn.Sequential(
        nn.Linear(5, width, device="meta"), nn.ReLU(), nn.Linear(width, 2, device="meta")
    )


def _square(width):
    """One dense layer, width → width."""
    return nn.Linear(width, width, device="meta")


def _normed(width):
    """A convolution and a batch norm, whose running statistics are no parameters."""
    return nn.Sequential(
        nn.Conv2d(1, width, 3, device="meta"), nn.BatchNorm2d(width, device="meta")
    )


def _others(count):
    return lambda make, budget: _fitting(make, budget, count)


width_for_budget = Check(
    "width_for_budget",
    reference=_widest,
    cases=[
        case("a square layer, exactly 12 numbers for width 3", _square, 12),
        case("a square layer, 11 numbers: width 3 is too much", _square, 11),
        case("only width 1 fits", _square, 2),
        case("two dense layers", _dense, 100),
        case("with a batch norm", _normed, 130),
        case("a larger budget", _square, 2000),
        case("a net that grows slowly: more than a hundred", _dense, 1000),
    ],
    mistakes=[
        Mistake("the first width that is too large", "At most `budget` parameters: one step back.",
                lambda make, budget: _widest(make, budget) + 1),
        Mistake("one too small", "A net with exactly `budget` parameters fits: compare with <=.",
                lambda make, budget: max(1, _widest(make, budget - 1))),
        Mistake("the nearest", "A net that is a little too large is too large.",
                lambda make, budget: min(range(1, 150),
                                         key=lambda width: abs(_count(make(width)) - budget))),
        Mistake("tensors are counted, not numbers",
                "A weight (3, 3) holds nine: one.numel() for each parameter.",
                _others(lambda model: len(list(model.parameters())))),
        Mistake("the running statistics are counted too",
                "Batch norm's mean and variance are buffers, not parameters: go through "
                "model.parameters(), not state_dict().",
                _others(lambda model: sum(one.numel() for one in model.state_dict().values()))),
        Mistake("the weights without the biases", "Every parameter counts.",
                _others(lambda model: sum(one.numel() for one in model.parameters()
                                          if one.dim() > 1))),
    ],
)  # fmt: skip
