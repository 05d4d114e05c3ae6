"""Real pictures that come with installed libraries, so that no network is needed:
two photographs and a terrain."""

import math
from typing import NamedTuple

import torch
from torch.nn import functional as F

LANDFORMS = ("valley", "flat ground", "hillside", "ridge")


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


def landforms(terrain, size=21, step=20.0, steep=6.0):
    """A map of landforms by the topographic position index: is a cell higher or lower than its
    surroundings?

    terrain: a Terrain. size: an odd number of cells, the side of the square whose mean height
    counts as the surroundings (at the edges of the grid its outermost cells are repeated). step:
    metres above or below that mean from which a cell is a ridge or a valley. steep: degrees of
    slope from which any other cell is a hillside, and no flat ground. Returns (H, W) int64, indices
    into LANDFORMS. Raises ValueError for an even size. Source: A. Weiss, "Topographic position and
    landforms analysis" (2001).
    """
    if size % 2 == 0:
        raise ValueError(f"size is an odd number of cells, with one in the middle: not {size}")
    z, margin = terrain.height, size // 2
    wide = F.pad(z[None, None], (margin,) * 4, mode="replicate")
    around = F.avg_pool2d(wide, size, stride=1)[0, 0]
    down, across = torch.gradient(z, spacing=(terrain.dy, terrain.dx))
    slope = torch.rad2deg(torch.hypot(down, across).atan())
    forms = torch.where(slope < steep, 1, 2)
    forms[z < around - step] = 0
    forms[z > around + step] = 3
    return forms


def photographs():
    """Two colour photographs: a temple in China and a flower, as they come with scikit-learn.

    Returns x (2, 3, 427, 640) float32 in [0, 1]. Sources:
    danielbuechele and vultilion, both CC BY 2.0.
    """
    from sklearn.datasets import load_sample_images

    images = [torch.tensor(image, dtype=torch.float32) for image in load_sample_images().images]
    # (2, 427, 640, 3) → (2, 3, 427, 640)
    return torch.stack(images).permute(0, 3, 1, 2).contiguous() / 255
