"""Real pictures that come with installed libraries, so that no network is needed:
two photographs and a terrain."""

import math
from typing import NamedTuple

import torch


class Terrain(NamedTuple):
    """Heights on a regular grid. Row 0 is the northern edge, column 0 the western one."""

    height: torch.Tensor  # (H, W) float32, metres above sea level
    dy: float  # metres from one row to the next, southwards
    dx: float  # metres from one column to the next, eastwards


def elevation():
    """The elevation model of the Jacksboro fault, Tennessee: 344 × 403
    heights, a pixel of about 93 m × 74 m.

    Returns a Terrain. Source: Shuttle Radar Topography Mission, 3 arc seconds (public
    domain), as it comes with matplotlib.
    """
    from matplotlib import cbook

    with cbook.get_sample_data("jacksboro_fault_dem.npz") as data:
        height = torch.tensor(data["elevation"], dtype=torch.float32)
        # degrees on a sphere → metres
        dy, dx = (math.radians(float(data[name])) * 6_371_000 for name in ("dy", "dx"))
        middle = math.radians((float(data["ymin"]) + float(data["ymax"])) / 2)
    return Terrain(height, dy, dx * math.cos(middle))  # meridians converge towards the pole


def photographs():
    """Two colour photographs: a temple in China and a flower, as they come with scikit-learn.

    Returns x (2, 3, 427, 640) float32 in [0, 1]. Sources:
    danielbuechele and vultilion, both CC BY 2.0.
    """
    from sklearn.datasets import load_sample_images

    images = [torch.tensor(image, dtype=torch.float32) for image in load_sample_images().images]
    # (2, 427, 640, 3) → (2, 3, 427, 640)
    return torch.stack(images).permute(0, 3, 1, 2).contiguous() / 255
