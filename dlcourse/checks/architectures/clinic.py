"""A clinic: four trainings of a small segmentation net
with one fault each, and the check of the diagnosis."""

import torch
from torch import nn

from dlcourse.checks.clinic import diagnosis, fault_of

FAULTS = {
    "A": "images mirrored, masks not",
    "B": "Dice on logits",
    "C": "nothing to learn from empty masks",
    "D": "a ReLU after the last layer",
}
SIGNS = {
    "Dice on logits": "A Dice loss of probabilities lies between 0 and 1. "
    "Of raw logits it is no loss: it leaves that interval.",
    "images mirrored, masks not": "Half of the images come with the wrong answer: "
    "the loss stays high and the salt is not found where it is.",
    "nothing to learn from empty masks": "Salt is found as well as by the healthy net; "
    "but on sections without salt the net goes on seeing some.",
    "a ReLU after the last layer": "Logits cannot be negative, so no pixel gets below p = ½: "
    "the loss stops far above the healthy one.",
}


def _net(last):
    layers, channels = [], 1
    for dilation in (1, 2, 4, 8, 1):
        layers += [nn.Conv2d(channels, 8, 3, padding=dilation, dilation=dilation, bias=False),
                   nn.BatchNorm2d(8), nn.ReLU()]  # fmt: skip
        channels = 8
    return nn.Sequential(*layers, nn.Conv2d(8, 1, 1), *last)


def _loss(logits, mask, fault):
    p = (logits if fault == "Dice on logits" else logits.sigmoid()).flatten(1)
    mask = mask.flatten(1)
    above = 0.0 if fault == "nothing to learn from empty masks" else 1.0
    return 1 - ((above + 2 * (p * mask).sum(1)) / (1.0 + p.sum(1) + mask.sum(1))).mean()


def _scores(model, x, mask):
    """Dice on the sections with salt, and the share of those without in which nothing is found."""
    model.eval()
    with torch.no_grad():
        found = (model(x) > 0).flatten(1)
    model.train()
    there = mask.flatten(1) > 0.5
    dice = 2 * (found & there).sum(1) / (found.sum(1) + there.sum(1)).clamp(min=1)
    salt = there.any(1)
    return dice[salt].mean(), (~found[~salt]).all(1).float().mean()


def broken_run(patient, x, mask, x_test, mask_test, seed, steps=120, every=20):
    """One training: x (N, 1, H, W), mask same shape in bool;
    patient "healthy" or "A" … "D". Batches of 16, Adam.

    Returns {"loss": (steps,), "Dice": (K,), "left alone": (K,)}: training loss; Dice on the test
    sections that hold salt; share of those without salt in which nothing is found, every `every`
    steps. KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _net([nn.ReLU()] if fault == "a ReLU after the last layer" else []).to(x.device)
    optimiser, history = (
        torch.optim.Adam(model.parameters(), 0.01),
        {"loss": [], "Dice": [], "left alone": []},
    )
    for step in range(1, steps + 1):
        rows = torch.randint(len(x), (16,), generator=generator).to(x.device)
        images, masks = x[rows], mask[rows].float()
        if torch.rand((), generator=generator) < 0.5:
            images = images.flip(3)
            masks = masks if fault == "images mirrored, masks not" else masks.flip(3)
        loss = _loss(model(images), masks, fault)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.detach())
        if step % every == 0:
            for name, score in zip(
                ("Dice", "left alone"), _scores(model, x_test, mask_test), strict=True
            ):
                history[name].append(score)
    return {name: torch.stack(values).cpu() for name, values in history.items()}


diagnose = diagnosis("diagnose", FAULTS, SIGNS, what="patient")
