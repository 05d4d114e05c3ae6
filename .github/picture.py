"""Draws .github/picture.png, the picture at the top of the README. Everything in it is computed here.

    .venv/bin/python .github/picture.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib import cbook, colors
from torch.nn import functional as F

from dlcourse import plot
from dlcourse.data import glyphs, toy
from dlcourse.device import set_seed
from dlcourse.models.mlp import MLP


def fit(model, loss, steps, rate=0.01):
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    for _ in range(steps):
        value = loss(model)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    return model


def spirals(ax):
    x, y = toy.spirals(n=600, turns=1.0, noise=0.05)
    model = fit(MLP((2, 64, 64, 2)), lambda m: F.cross_entropy(m(x), y), steps=600)
    plot.decision_regions(model, x, y, ax=ax, title="a network separates two spirals")


def profile(ax, heights):
    """A line of the terrain with the best straight line and a network of sixteen ReLUs."""
    z = torch.tensor(heights[150], dtype=torch.float32)[:, None]
    x = torch.linspace(-1, 1, len(z))[:, None]
    target = (z - z.mean()) / z.std()
    design = torch.cat([x, torch.ones_like(x)], 1)
    line = design @ torch.linalg.lstsq(design, target).solution
    model = fit(MLP((1, 48, 48, 1)), lambda m: F.mse_loss(m(x), target), steps=2000)
    ax.plot(x, z, color="0.6", linewidth=3, label="terrain")
    for values, name in ((line, "straight line"), (model(x).detach(), "network")):
        ax.plot(x, values * z.std() + z.mean(), label=name)
    ax.set(xlabel="distance (scaled)", ylabel="height (m)", title="and fits what no line can")
    ax.legend(fontsize=8)


def digits(ax):
    """Digits in columns of growing slant and rows of growing thickness, each with the factors it was drawn with."""
    made = glyphs.digits(6000, seed=1)
    slant, thickness = made.factors["slant"], made.factors["thickness"]
    order = thickness.argsort().view(6, -1)  # six bands of thickness, each sorted by slant
    picks = [band[slant[band].argsort()][torch.linspace(60, 940, 9).long()] for band in order]
    rows = [torch.cat(list(made.x[pick, 0]), dim=1) for pick in picks]
    ax.imshow(torch.cat(rows, dim=0), cmap="gray_r")
    ax.set(xticks=[], yticks=[], xlabel="slant →", ylabel="← thickness", title="digits that know how they were made")
    ax.grid(False)


def slopes(ax, heights, spacing):
    shade = colors.LightSource(azdeg=315, altdeg=45).hillshade(heights, vert_exag=2, dx=spacing[1], dy=spacing[0])
    rise, run = np.gradient(heights, *spacing)
    steep = np.hypot(rise, run)
    ax.imshow(shade, cmap="gray")
    ax.imshow(np.where(steep > np.quantile(steep, 0.93), steep, np.nan), cmap="autumn_r", alpha=0.8)
    ax.set(xticks=[], yticks=[], title="a fault scarp, found by its slope")
    ax.grid(False)


def main():
    set_seed(0)
    plot.set_style()
    with cbook.get_sample_data("jacksboro_fault_dem.npz") as dem:
        heights = np.asarray(dem["elevation"], dtype=float)
        # degrees to metres; a degree of longitude is shorter by the cosine of the latitude
        narrow = np.cos(np.radians((dem["ymin"] + dem["ymax"]) / 2))
        spacing = 111_200 * float(dem["dy"]), 111_200 * float(dem["dx"] * narrow)  # (rows, columns)
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.6), width_ratios=[1, 1.1, 1.4, 1.1])
    spirals(axes[0])
    profile(axes[1], heights)
    digits(axes[2])
    slopes(axes[3], heights, spacing)
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=75, metadata={"Software": None})


if __name__ == "__main__":
    main()
