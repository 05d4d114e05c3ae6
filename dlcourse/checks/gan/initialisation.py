"""The judge of a DCGAN's initialisation, by the mean and the spread of what it draws."""

import torch
from torch import nn

from dlcourse.checks.core import Untouched


def _spread(values):
    """Mean, standard deviation and kind of draws in words, those asked for within what chance
    allows."""
    mean, std = float(values.mean()), float(values.std())
    near = [wanted for wanted in (0.0, 1.0) if abs(mean - wanted) < 0.01]
    spread = 0.02 if abs(std / 0.02 - 1) < 0.15 else float(f"{std:.1g}")
    inside = float(((values - mean).abs() < std).float().mean())
    kind = "" if abs(inside - 0.683) < 0.06 or std == 0 else ", not normal"
    return f"mean {near[0] if near else round(mean, 2):g}, spread {spread:g}{kind}"


def _after(function, model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    function(model)
    after = {name: value.detach().clone() for name, value in model.state_dict().items()}
    if all(torch.equal(before[name], after[name]) for name in before):
        raise Untouched("no weight has changed")
    function(model)
    found = {}
    for name, module in model.named_modules():
        kind = type(module).__name__
        for own, value in module.named_parameters(recurse=False):
            now, key = after[f"{name}.{own}"], f"{kind} {name}, {own}"
            if not isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)):
                same = torch.equal(before[f"{name}.{own}"], now)
                found[key] = "as before" if same else "changed"
            elif own == "weight":
                again = "the same" if torch.equal(now, value) else "others"
                found |= {key: _spread(now), f"{key}, drawn by a second call": again}
            else:
                found[key] = "all 0" if not now.any() else f"spread {now.std():.2g}"
    takes = [p.requires_grad for p in model.parameters()]
    return found | {"weights that take no gradient afterwards": takes.count(False)}


def _initialise(model, fault=None):
    std = {"variance": 0.02**0.5, "hundredth": 0.01}.get(fault, 0.02)
    for module in model.children() if fault == "children" else model.modules():
        if isinstance(module, nn.ConvTranspose2d) and fault == "one kind":
            continue
        if (
            isinstance(module, (nn.Conv2d, nn.ConvTranspose2d))
            or isinstance(module, nn.Linear)
            and fault == "linear"
        ):
            module.weight.data.normal_(0.0, std)
        elif isinstance(module, nn.BatchNorm2d) and fault != "no norms":
            module.weight.data.normal_(0.0 if fault == "around 0" else 1.0, std)
        else:
            continue
        if module.bias is not None and fault != "biases":
            module.bias.data.zero_()


def _broken_start(fault):
    return lambda model: _initialise(model, fault)


def _networks():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        up = nn.Sequential(nn.ConvTranspose2d(16, 40, 7, bias=False), nn.BatchNorm2d(4000),
                           nn.ReLU(), nn.ConvTranspose2d(40, 8, 4), nn.Tanh())  # fmt: skip
        down = nn.Sequential(
            nn.Conv2d(1, 64, 4),
            nn.Sequential(nn.Conv2d(64, 32, 4, bias=False), nn.BatchNorm2d(2000)),
            nn.Linear(5, 3),
            nn.Embedding(4, 3),
        )
        for model in (up, down):
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.bias.data.normal_()
    return up, down
