"""Modules of students made comparable: the same numbers in all layers of one shape, whatever their
names and their order."""

import torch
from torch import nn


def filled(module, seed=0):
    """The module with every parameter and every running
    statistic set to numbers that its shape alone decides."""

    def numbers(shape, scale, shift=0.0):
        generator = torch.Generator().manual_seed(seed + 1000 * len(shape) + sum(shape))
        return shift + scale * torch.randn(shape, generator=generator)

    with torch.no_grad():
        for one in module.parameters():
            fan_in = max(1, torch.Size(one.shape[1:]).numel())
            one.copy_(numbers(one.shape, (2 / fan_in) ** 0.5 if one.dim() > 1 else 0.5))
        for one in module.modules():
            if isinstance(one, nn.BatchNorm2d):
                one.weight.copy_(numbers(one.weight.shape, 0.3, 1.0))
                one.running_mean.copy_(numbers(one.running_mean.shape, 0.2))
                one.running_var.copy_(1 + numbers(one.running_var.shape, 0.3).square())
    return module


def census(module):
    """The shapes of all parameters in one line, equal ones counted:
    "(4,) × 4, (4, 4, 3, 3) × 2"."""
    shapes = sorted(
        (tuple(one.shape) for one in module.parameters()), key=lambda shape: (len(shape), shape)
    )
    return ", ".join(f"{shape} × {shapes.count(shape)}" for shape in dict.fromkeys(shapes))


OWN = 20_230_912  # nobody else's


def made(make, *args):
    """make(*args) with random numbers of our own; if it sets a seed, the check hears of it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(OWN)
        module = make(*args)
        kept = torch.initial_seed() == OWN
    if not kept:
        torch.manual_seed(OWN)
    return module


def ready(module, x):
    """The module in the dtype of x, filled with numbers; lazy layers get their parameters first."""
    module = module.to(x.dtype)
    if any(isinstance(one, nn.parameter.UninitializedParameter) for one in module.parameters()):
        with torch.no_grad():
            module.eval()(x)
    return filled(module)
