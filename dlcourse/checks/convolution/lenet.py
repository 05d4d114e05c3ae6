"""Check of LeNet as a module, whatever its layers are called."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _shapes(classes):
    """Of LeNet's parameters, from the first layer to the last."""
    ends = [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (classes, 84)]
    return [shape for weight in ends for shape in (weight, weight[:1])]


class _Net(nn.Module):
    """LeNet by functions; `fault` names what goes wrong."""

    fault = None

    def __init__(self, classes=10):
        super().__init__()
        self.weights = nn.ParameterList(torch.zeros(shape) for shape in _shapes(classes))

    def forward(self, x):
        w, fault = list(self.weights), self.fault
        active = torch.clone if fault in ("no ReLU", "convolutions") else F.relu
        pool = F.avg_pool2d if fault == "average" else F.max_pool2d
        x = pool(active(F.conv2d(x, w[0], w[1], padding=0 if fault == "no padding" else 2)), 2)
        x = pool(active(F.conv2d(x, w[2], w[3])), 2)
        x = x.flatten(0 if fault == "batch" else 1)
        bare = ("no ReLU", "linear")
        first, second = (
            torch.clone if fault in (*bare, one) else F.relu for one in ("first", "second")
        )
        x = second(F.linear(first(F.linear(x, w[4], w[5])), w[6], w[7]))
        x = F.linear(x, w[8], w[9])
        return {"last ReLU": F.relu, "softmax": lambda z: z.softmax(-1)}.get(fault, torch.clone)(x)


def _broken(fault):
    return type(f"_Net_{fault.replace(' ', '_')}", (_Net,), {"fault": fault})


def _weight(shape, dtype):
    """Numbers that the shape alone decides, large enough for the logits to depend on every layer;
    no two layers of LeNet have the same."""
    generator = torch.Generator().manual_seed(sum(shape))
    scale = (2 / max(1, torch.Size(shape[1:]).numel())) ** 0.5
    return scale * torch.randn(shape, generator=generator).to(dtype)


def _logits(network, classes, x):
    """Shapes of the parameters, and the logits that the network makes of x with weights of ours.
    classes: None where they are not given."""
    model = (network() if classes is None else network(classes)).to(x.dtype).eval()
    with torch.no_grad():
        model(x)  # also makes the parameters of lazy layers
        for one in model.parameters():
            one.copy_(_weight(one.shape, one.dtype))
        return {
            "shapes of the parameters": " ".join(
                sorted(str(tuple(one.shape)) for one in model.parameters())
            ),
            "logits": model(x),
            "logits in training mode": model.train()(x),
        }


def _lenet_cases():
    x = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return [
        case("one image, classes not given: ten", None, x[:1]),
        case("three images", 10, x),
        case("four classes", 4, x[:2]),
        case("two images that are views, float64", 10, x.double().transpose(2, 3)[::2]),
    ]


LeNet = Check(
    "LeNet",
    reference=_Net,
    probe=_logits,
    cases=_lenet_cases,
    fallback="dlcourse.models.cnn:LeNet",
    rtol=1e-4,
    atol=1e-4,
    mistakes=[
        Mistake("the batch is flattened too", "The first axis stays: x.flatten(1) makes (B, 400).",
                _broken("batch")),
        Mistake("no padding in the first convolution",
                "28 pixels must stay 28: padding=2. "
                "Without it 4 × 4 pixels are left at the end, not 5 × 5.",
                _broken("no padding")),
        Mistake("no ReLU anywhere", "Without a non-linearity in between layers collapse into one.",
                _broken("no ReLU")),
        Mistake("no ReLU between the linear layers", "ReLU follows every layer but the last.",
                _broken("linear")),
        Mistake("no ReLU between the first two linear layers",
                "ReLU follows every layer but the last: 400 → 120, ReLU, 120 → 84, ReLU, 84 → C.",
                _broken("first")),
        Mistake("no ReLU before the last linear layer",
                "ReLU follows every layer but the last: 400 → 120, ReLU, 120 → 84, ReLU, 84 → C.",
                _broken("second")),
        Mistake("no ReLU after the convolutions", "ReLU follows every layer but the last.",
                _broken("convolutions")),
        Mistake("a ReLU after the last layer",
                "Logits may be negative: nothing comes after the last linear layer.",
                _broken("last ReLU")),
        Mistake("probabilities instead of logits", "F.cross_entropy does the softmax itself.",
                _broken("softmax")),
        Mistake("averages instead of maxima",
                "LeCun and colleagues averaged; here it is nn.MaxPool2d(2).", _broken("average")),
    ],
)  # fmt: skip
