"""Checks of the two residual blocks, whatever their layers are called.

All convolutions of one shape get the same weights, all norms of one width the same statistics: then
it does not matter in which order a student's class lists them.
"""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.architectures.modules import census, made, ready
from dlcourse.checks.core import Check, Mistake, case


def _outputs(block, inputs, outputs, stride, x):
    """Parameters of a block, its output in both modes and how it depends on x.
    stride: None where it is not given."""
    settings = (inputs, outputs) if stride is None else (inputs, outputs, stride)
    module = ready(made(block, *settings), x)
    with torch.no_grad():
        evaluated = module.eval()(x)
    leaf = x.clone().requires_grad_()
    trained = module.train()(leaf + 0)
    if getattr(trained, "requires_grad", False):
        trained.square().sum().backward()
    return {
        "parameters": census(module),
        "output in evaluation": evaluated,
        "output in training": trained,
        "gradient of x in training": leaf.grad,
        "parameters that the output does not use": _unused(module),
    }


def _unused(module):
    """The shapes of the parameters without a gradient: a layer that forward forgets. (Twins hold
    equal numbers, so the output alone cannot tell one layer used twice from two used once.)"""
    return [str(tuple(one.shape)) for one in module.parameters() if one.grad is None]


class _Block(nn.Module):
    """A residual block out of functions, with one fault.
    Subclasses say where norm and ReLU stand."""

    fault, before = None, False

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.stride, self.changes = stride, stride != 1 or inputs != outputs
        if self.fault == "projection only for channels":
            self.changes = inputs != outputs
        self.kernels = nn.ParameterList(
            [torch.empty(outputs, inputs, 3, 3), torch.empty(outputs, outputs, 3, 3)]
        )
        self.norms = nn.ModuleList(
            [nn.BatchNorm2d(inputs if self.before else outputs), nn.BatchNorm2d(outputs)]
        )
        if self.fault == "one norm":
            del self.norms[1]
        if self.fault == "biases":
            self.bias = nn.ParameterList([torch.empty(outputs), torch.empty(outputs)])
        if (self.changes or self.fault == "always projected") and self.fault != "no shortcut":
            self.projection = nn.Parameter(torch.empty(outputs, inputs, 1, 1))
            if self.before == (self.fault == "other shortcut"):
                self.short_norm = nn.BatchNorm2d(outputs)

    def convolve(self, x, number):
        stride = self.stride if number == 0 else 1
        bias = self.bias[number] if self.fault == "biases" else None
        return F.conv2d(x, self.kernels[number], bias, stride, padding=1)

    def short(self, x):
        if not hasattr(self, "projection"):
            return x
        x = F.conv2d(
            x, self.projection, stride=1 if self.fault == "shortcut not strided" else self.stride
        )
        return self.short_norm(x) if hasattr(self, "short_norm") else x


class _Basic(_Block):
    def forward(self, x):
        y = F.relu(self.norms[0](self.convolve(x, 0)))
        y = self.convolve(y, 1)
        y = y if self.fault == "one norm" else self.norms[1](y)
        if self.fault == "no shortcut":
            return F.relu(y)
        if self.fault == "ReLU before the addition":
            return F.relu(y) + self.short(x)
        if self.fault == "ReLU on both sides":
            return F.relu(F.relu(y) + self.short(x))
        y = y + self.short(x)
        return y if self.fault == "no last ReLU" else F.relu(y)


class _Before(_Block):
    before = True

    def forward(self, x):
        active = (
            F.relu(self.norms[0](x)) if self.fault != "ReLU first" else self.norms[0](F.relu(x))
        )
        y = self.convolve(active, 0)
        if self.fault != "one norm":
            y = F.relu(self.norms[1](y)) if self.fault != "ReLU first" else self.norms[1](F.relu(y))
        y = self.convolve(y, 1)
        if self.fault == "no shortcut":
            return y
        y = y + self.short(active if self.fault == "activated shortcut" else x)
        return F.relu(y) if self.fault == "last ReLU" else y


def _with(kind, fault):
    return type("Block", (kind,), {"fault": fault})


def _draw(*shape, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=dtype)


CASES = [
    case("3 channels stay 3, stride not given", 3, 3, None, _draw(2, 3, 4, 5)),
    case("3 channels become 5", 3, 5, 1, _draw(2, 3, 5, 4)),
    case("4 channels stay 4, stride 2", 4, 4, 2, _draw(3, 4, 6, 8)),
    case("2 channels become 4, stride 2, odd sizes", 2, 4, 2, _draw(2, 2, 7, 5)),
    case("a view in float64", 2, 2, 1, _draw(3, 2, 8, 6, dtype=torch.float64)[..., ::2]),
]


def _shared(kind, biases):
    """The mistakes that both blocks can have; `biases` says why there are none."""
    return [
        Mistake("the shortcut is not downsampled as the other path is",
                "Both paths must end with the same size: the first 3 × 3 convolution and the 1 × 1 "
                "of the shortcut have the stride, the second 3 × 3 has stride 1.",
                _with(kind, "shortcut not strided")),
        Mistake("a projection only where the channels change",
                "With stride 2 the image shrinks even if the channels stay: project if "
                "stride != 1 or inputs != outputs.", _with(kind, "projection only for channels")),
        Mistake("the input is not added",
                "Without + shortcut(x) it is two ordinary layers: nothing residual about it.",
                _with(kind, "no shortcut")),
        Mistake("a projection everywhere",
                "Where the shape stays the shortcut is x itself, free of parameters.",
                _with(kind, "always projected")),
        Mistake("the convolutions have biases", biases + ": bias=False in both.",
                _with(kind, "biases")),
        Mistake("a norm is missing", "Each of the two 3 × 3 convolutions has a batch norm.",
                _with(kind, "one norm")),
    ]  # fmt: skip


BasicBlock = Check(
    "BasicBlock",
    reference=_Basic,
    probe=_outputs,
    cases=CASES,
    fallback="dlcourse.models.resnet:BasicBlock",
    rtol=1e-4,
    atol=1e-5,
    mistakes=[
        Mistake("ReLU before the addition",
                "Then the block can only add, never subtract: sum first, ReLU afterwards.",
                _with(_Basic, "ReLU before the addition")),
        Mistake("ReLU before the addition and after it",
                "The residual must be able to be negative: "
                "no ReLU after the second norm, only after the sum.",
                _with(_Basic, "ReLU on both sides")),
        Mistake("no ReLU after the addition", "In this block a ReLU follows the sum.",
                _with(_Basic, "no last ReLU")),
        Mistake("no norm on the projection",
                "The 1 × 1 convolution of the shortcut has a batch norm as well.",
                _with(_Basic, "other shortcut")),
        *_shared(_Basic, "The norm that follows subtracts the mean and has a bias of its own"),
    ],
)  # fmt: skip

PreActivationBlock = Check(
    "PreActivationBlock",
    reference=_Before,
    probe=_outputs,
    cases=CASES,
    fallback="dlcourse.models.resnet:PreActivationBlock",
    rtol=1e-4,
    atol=1e-5,
    mistakes=[
        Mistake("ReLU after the addition",
                "Nothing comes after the sum: that is the point of this block.",
                _with(_Before, "last ReLU")),
        Mistake("the shortcut begins after norm and ReLU",
                "The authors' own program projects the activated x; "
                "here the shortcut carries x itself.",
                _with(_Before, "activated shortcut")),
        Mistake("ReLU before the norm", "Norm, ReLU, convolution, in this order, twice.",
                _with(_Before, "ReLU first")),
        Mistake("the block of the exercise before",
                "Norm and ReLU come before each convolution; "
                "the first norm has `inputs` channels.", _Basic),
        Mistake("a norm on the projection", "Here the shortcut is a bare 1 × 1 convolution.",
                _with(_Before, "other shortcut")),
        *_shared(_Before, "The text asks for none (the second norm takes the first away again)"),
    ],
)  # fmt: skip
