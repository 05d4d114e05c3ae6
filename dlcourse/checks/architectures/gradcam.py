"""Check of Grad-CAM."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _slopes(head, maps, target, of=None):
    """Gradient of every image's own score with respect to its own maps,
    one image after the other."""
    rows = []
    for one, number in zip(maps, target, strict=True):
        jacobian = torch.autograd.functional.jacobian(
            lambda m: (of or torch.clone)(head(m[None]))[0], one
        )
        rows.append(jacobian[number])  # of (K, C, h, w)
    return torch.stack(rows)


def _cam(features, head, x, target, fault=None):
    maps = features(x).detach()
    of = {"probability": lambda z: z.softmax(1), "log-probability": lambda z: z.log_softmax(1)}.get(
        fault
    )
    if fault == "all classes":
        slopes = sum(
            _slopes(head, maps, torch.full_like(target, k)) for k in range(head(maps).shape[1])
        )
    else:
        slopes = _slopes(
            head, maps, target[:1].expand(len(x)) if fault == "first target" else target, of
        )
    weights = slopes if fault == "not pooled" else slopes.mean((2, 3), keepdim=True)
    weights = slopes.sum((2, 3), keepdim=True) if fault == "sum" else weights
    weights = weights.mean(0, keepdim=True) if fault == "batch" else weights
    weights = weights.abs() if fault == "abs" else weights
    products = weights * maps
    if fault == "ReLU first":
        return F.relu(products).sum(1)
    total = {"mean": products.mean(1), "no ReLU": products.sum(1)}.get(fault)
    if total is not None:
        return total if fault == "no ReLU" else F.relu(total)
    return F.relu(products.sum(1))


def _watched(function, features, head, x, target):
    """The maps, and what was left behind on the network."""
    maps = function(features, head, x, target)
    left = [one for part in (features, head) for one in part.parameters() if one.grad is not None]
    graph = isinstance(maps, torch.Tensor) and maps.requires_grad
    return {"maps": maps, "parameters with a gradient left": len(left), "keeps a graph": graph,
            "x.requires_grad afterwards": x.requires_grad}  # fmt: skip


class _Pooled(nn.Module):
    """The mean over the pixels, then a linear layer."""

    def __init__(self, channels, classes, hidden=0):
        super().__init__()
        sizes = [channels, *([hidden] if hidden else []), classes]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False))

    def forward(self, maps):
        z = maps.mean((2, 3))
        for number, layer in enumerate(self.layers):
            z = layer(torch.tanh(z) if number else z)
        return z


def _parts(channels, classes, head, seed, dtype=torch.float32, last=nn.Tanh):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        features = nn.Sequential(nn.Conv2d(1, channels, 3, stride=2, padding=1), last())
        return features.to(dtype), head().to(dtype)


def _flat():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 12, 5), nn.Tanh(), nn.Linear(5, 4))


def _cam_cases():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 1, 6, 8, generator=generator)
    double = torch.randn(2, 1, 6, 16, generator=generator, dtype=torch.float64)[..., ::2]
    return [
        case("mean over the pixels, then linear; one image",
             *_parts(2, 3, lambda: _Pooled(2, 3), 0), x[:1], torch.tensor([1])),
        case("three images, three classes", *_parts(4, 3, lambda: _Pooled(4, 3), 1), x,
             torch.tensor([0, 2, 1])),
        case("a head of two layers", *_parts(3, 4, lambda: _Pooled(3, 4, 6), 2), x,
             torch.tensor([3, 3, 0])),
        case("a head that flattens: every pixel has its own slope", *_parts(3, 4, _flat, 3), x,
             torch.tensor([1, 0, 2])),
        case("maps after a ReLU", *_parts(4, 3, lambda: _Pooled(4, 3, 5), 5, last=nn.ReLU), x,
             torch.tensor([2, 1, 0])),
        case("a view in float64", *_parts(3, 2, lambda: _Pooled(3, 2, 4), 4, torch.float64), double,
             torch.tensor([1, 0])),
    ]  # fmt: skip


def _leaves_gradients(features, head, x, target):
    maps = features(x)
    maps.retain_grad()
    head(maps).gather(1, target[:, None]).sum().backward()
    return F.relu((maps.grad.mean((2, 3), keepdim=True) * maps).sum(1)).detach()


def _broken(fault):
    return lambda *args: _cam(*args, fault=fault)


grad_cam = Check(
    "grad_cam",
    reference=_cam,
    probe=_watched,
    cases=_cam_cases,
    rtol=1e-4,
    atol=1e-7,
    mistakes=[
        Mistake("no ReLU", "Only what speaks *for* the class is shown: ReLU of the sum.",
                _broken("no ReLU")),
        Mistake("ReLU before the sum", "Channels may speak against the class: sum over them first.",
                _broken("ReLU first")),
        Mistake("the slopes are not averaged",
                "One weight for each channel: the mean of the slopes over the pixels.",
                _broken("not pooled")),
        Mistake("the slopes are summed", "The mean over the pixels (equation 1 has 1/Z).",
                _broken("sum")),
        Mistake("all classes at once", "Only the logit of the target: logits[range(B), target].",
                _broken("all classes")),
        Mistake("slopes of the probability", "Take the logit: a probability near 1 has slope 0.",
                _broken("probability")),
        Mistake("slopes of the loss", "The logit itself, not its log-probability.",
                _broken("log-probability")),
        Mistake("one target for the whole batch", "Each image has its own class.",
                _broken("first target")),
        Mistake("weights averaged over the batch",
                "Each image has its own weights: mean over (2, 3) only.", _broken("batch")),
        Mistake("absolute weights", "A negative weight speaks against the class: keep its sign.",
                _broken("abs")),
        Mistake("the mean over the channels", "A sum over the channels (equation 2).",
                _broken("mean")),
        Mistake("gradients are left on the network",
                "backward() adds to .grad of every parameter, and the next step of training would "
                "use it: torch.autograd.grad(score, maps) does not.",
                _leaves_gradients),
    ],
)  # fmt: skip
