"""A clinic: five ways to get a convolution wrong,
seen in the maps it makes, and the check of the diagnosis."""

import torch
from torch.nn import functional as F

from dlcourse.checks.clinic import diagnosis, fault_of

FAULTS = {
    "A": "padding on one side",
    "B": "kernel flipped",
    "C": "a bias for every pixel",
    "D": "height and width swapped",
    "E": "one channel only",
}
SIGNS = {
    "kernel flipped": "This kernel takes left from right. Flipped it takes right from left: "
    "every edge stays where it is, and bright and dark are exchanged.",
    "height and width swapped": "The edges that show run the other way: "
    "horizontal ones instead of vertical ones.",
    "padding on one side": "Twice the zeros on two sides, none on the others: "
    "the whole map is displaced, and two of its borders are broad and smooth.",
    "a bias for every pixel": "The same pattern lies over every image, "
    "whatever is on it: compare the two rows.",
    "one channel only": "Red minus green is close to nothing where things are grey. "
    "A map of red alone shows edges of grey things too.",
}


def edge_kernel(size=9, scale=1.6):
    """Weight (1, 3, size, size): left minus right, smoothed, of red minus green.
    scale: of the Gaussian, in pixels."""
    places = torch.arange(size) - size // 2
    bell = torch.exp(-0.5 * (places / scale) ** 2)
    kernel = bell[:, None] * (-places * bell)
    kernel = kernel / kernel.abs().sum()
    return torch.stack([kernel, -kernel, torch.zeros_like(kernel)])[None]


def broken_filter(patient, x, weight, seed=0):
    """Maps (B, O, H, W) of images x (B, C, H, W) by an odd
    square kernel (O, C, k, k), padded to keep the size.

    patient: "A" … "E", or "healthy".
    seed: of the biases that one of them has. Raises KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    pad = weight.shape[-1] // 2
    if fault == "padding on one side":
        return F.conv2d(F.pad(x, (2 * pad, 0, 2 * pad, 0)), weight)
    if fault == "kernel flipped":
        weight = weight.flip(2, 3)
    if fault == "height and width swapped":
        weight = weight.transpose(2, 3)
    if fault == "one channel only":
        x, weight = x[:, :1], weight[:, :1]
    y = F.conv2d(x, weight, padding=pad)
    if fault == "a bias for every pixel":
        bias = torch.randn(y.shape[1:], generator=torch.Generator().manual_seed(seed))
        y = y + 0.5 * y.std() * bias
    return y


diagnose = diagnosis("diagnose", FAULTS, SIGNS, what="filter")
