"""The Earth's tiles: where they lie, that none shares ground with another, what is on them."""

import os
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

from dlcourse.data import earth

DEGREES = {"coastlines": 28 / 120, "satellite": 32 / 15}  # of latitude, the side of a tile


@pytest.fixture(scope="module")
def coasts():
    return earth.coastlines()


@pytest.fixture(scope="module")
def seen():
    return earth.satellite()


@pytest.fixture(params=["coastlines", "satellite"])
def tiles(request, coasts, seen):
    return {"coastlines": coasts, "satellite": seen}[request.param]


def everything(tiles):
    """Training and test tiles in one: latitude, longitude, continent, picture (N, H, W)."""
    flat = tiles.x[:, 0] if tiles.mask is None else tiles.mask
    flat_test = tiles.x_test[:, 0] if tiles.mask is None else tiles.mask_test
    return (
        torch.cat([tiles.latitude, tiles.latitude_test]).double(),
        torch.cat([tiles.longitude, tiles.longitude_test]).double(),
        torch.cat([tiles.y, tiles.y_test]),
        torch.cat([flat, flat_test]),
    )


def width(latitude, degrees):
    """Degrees of longitude of a tile, as many as fit around the Earth."""
    return 360 / (360 * torch.cos(torch.deg2rad(latitude)) / degrees).floor()


def at(tiles, latitude, longitude):
    """The pixel at a place, by the tile that holds it; None where there is no such tile."""
    lat, lon, _, pictures = everything(tiles)
    side = DEGREES[tiles.name]
    down, right = (lat + side / 2 - latitude) / side, 0.5 + (longitude - lon) / width(lat, side)
    inside = (down >= 0) & (down < 1) & (right >= 0) & (right < 1)
    if not inside.any():
        return None
    (index,) = inside.nonzero()
    size = pictures.shape[-1]
    return int(pictures[index, int(down[index] * size), int(right[index] * size)])


def test_coastlines_are_zeros_and_ones_in_the_shape_of_mnist(coasts):
    n, m = len(coasts.x), len(coasts.x_test)
    assert n > 8000 and coasts.x.shape == (n, 1, 28, 28) and coasts.x_test.shape == (m, 1, 28, 28)
    for x in (coasts.x, coasts.x_test):
        assert x.dtype == torch.float32 and x.is_contiguous() and x.unique().tolist() == [0, 1]
        share = x.mean((1, 2, 3))
        assert share.min() >= 0.15 and share.max() <= 0.85 and 0.45 < share.mean() < 0.55
    assert coasts.mask is None and coasts.mask_test is None


def test_satellite_pictures_have_a_class_in_each_pixel(seen):
    n, m = len(seen.x), len(seen.x_test)
    assert n > 2000 and seen.x.shape == (n, 3, 32, 32) and seen.x_test.shape == (m, 3, 32, 32)
    assert seen.x.dtype == torch.uint8 and seen.x.is_contiguous() and seen.x.max() == 255
    for mask, length in ((seen.mask, n), (seen.mask_test, m)):
        assert mask.shape == (length, 32, 32) and mask.dtype == torch.int64
        share = torch.bincount(mask.flatten(), minlength=3) / mask.numel()
        water, land, ice = share.tolist()
        assert len(share) == 3 and 0.1 < water < 0.25 and 0.7 < land < 0.85 and 0.005 < ice < 0.05
        some = [(mask == surface).flatten(1).any(1).float().mean() for surface in range(3)]
        assert min(some) > 0.09  # each surface is on more than 9 % of the tiles


def test_continents_are_held_out_and_none_is_rare(tiles):
    train, test = ({tiles.classes[one] for one in y.tolist()} for y in (tiles.y, tiles.y_test))
    assert test == set(earth.HELD_OUT) and train == set(earth.CONTINENTS) - test
    _, _, y, _ = everything(tiles)
    share = torch.bincount(y, minlength=6) / len(y)
    assert len(share) == len(tiles.classes) == 6 and share.min() > 0.07 and share.max() < 0.35
    assert 0.15 < len(tiles.y_test) / len(y) < 0.25
    assert tiles.y.dtype == tiles.y_test.dtype == torch.int64


def test_no_ground_is_in_two_tiles(tiles):
    lat, lon, _, pictures = everything(tiles)
    side = DEGREES[tiles.name]
    assert len(lat) == len(lon) == len(pictures) and lat.min() >= -60 and lat.max() <= 75
    bands = lat.unique()
    torch.testing.assert_close(
        (bands.diff() / side).round() * side, bands.diff(), atol=1e-4, rtol=0
    )
    for band in bands:
        east = lon[lat == band].sort().values
        wide = width(band, side)
        assert east[0] - wide / 2 >= -180.001 and east[-1] + wide / 2 <= 180.001
        assert len(east) == 1 or east.diff().min() > 0.999 * wide
        # square on the ground to a hundredth or, where few tiles go around, a fiftieth
        assert wide * torch.cos(torch.deg2rad(band)) / side == pytest.approx(1, abs=0.02)


def test_a_training_tile_and_a_test_tile_are_never_neighbours(tiles):
    def place(latitude, longitude):
        phi, lam = torch.deg2rad(latitude.double()), torch.deg2rad(longitude.double())
        return torch.stack([phi.cos() * lam.cos(), phi.cos() * lam.sin(), phi.sin()], dim=1)

    train = place(tiles.latitude, tiles.longitude)
    test = place(tiles.latitude_test, tiles.longitude_test)
    nearest = torch.rad2deg((train @ test.T).max().clamp(-1, 1).arccos())
    assert nearest >= 1.999 * DEGREES[tiles.name]
    assert nearest < 3 * DEGREES[tiles.name]  # that much, and no more, was taken out


PLACES = [  # name, latitude and longitude, 0 sea or 1 land
    ("Spain, at Tarifa", 36.08, -5.70, 1),
    ("the Strait of Gibraltar", 36.04, -5.70, 0),
    ("the bay of Algeciras", 36.13, -5.42, 0),
    ("Morocco, south of Tangier", 35.68, -5.90, 1),
    ("the Atlantic off Tangier", 35.68, -6.12, 0),
    ("Italy's heel, at its tip", 39.80, 18.35, 1),
    ("west of the heel", 39.80, 18.20, 0),
    ("east of the heel", 39.80, 18.40, 0),
    ("Miami", 25.75, -80.28, 1),
    ("Biscayne Bay", 25.75, -80.18, 0),
    ("Miami Beach", 25.75, -80.15, 1),
    ("the Atlantic off Miami", 25.75, -80.06, 0),
    ("Land's End", 50.08, -5.65, 1),
    ("off Land's End", 50.08, -5.76, 0),
]


@pytest.mark.parametrize(("name", "latitude", "longitude", "land"), PLACES)
def test_known_coasts_are_in_their_place(name, latitude, longitude, land, coasts):
    assert at(coasts, latitude, longitude) == land, name


@pytest.mark.parametrize(
    ("place", "surface"),
    [
        ((51.5, -0.1), "land"),  # London
        ((46.0, 7.9), "ice"),  # the Alps at Zermatt
        ((46.43, 6.55), "water"),  # Lake Geneva: fresh, so the mask of the sea lacks it
        ((54.0, 6.0), "water"),  # the North Sea
        ((47.7, -87.5), "water"),  # Lake Superior
        ((44.5, 50.0), "water"),  # the Caspian Sea
        ((72.0, -40.0), "ice"),  # Greenland
        ((-49.3, -73.4), "ice"),  # Patagonia's ice field
        ((23.0, 10.0), "land"),  # the Sahara
        ((-20.2, -67.5), "ice"),  # Uyuni: salt, and known to be wrong
    ],
)
def test_known_surfaces_are_in_their_place(place, surface, seen):
    assert earth.SURFACES[at(seen, *place)] == surface


def test_north_is_up_and_east_is_right(coasts):
    def mean(south, north, west, east):
        lat, lon, _, pictures = everything(coasts)
        some = (lat > south) & (lat < north) & (lon > west) & (lon < east)
        assert some.sum() > 10
        return pictures[some].mean(0)

    ghana, asturias = mean(4, 7, -8, 4), mean(43, 44, -8, -2)
    assert ghana[:14].mean() > ghana[14:].mean() + 0.3  # the sea is in the south
    assert asturias[14:].mean() > asturias[:14].mean() + 0.3
    namibia, brazil = mean(-27, -13, 10, 16), mean(-16, -8, -40, -34)
    assert namibia[:, 14:].mean() > namibia[:, :14].mean() + 0.3  # the sea is in the west
    assert brazil[:, :14].mean() > brazil[:, 14:].mean() + 0.3


def test_pictures_belong_to_their_masks(seen):
    water, land = seen.mask == 0, seen.mask == 1
    x = seen.x.float()
    red, blue = x[:, 0], x[:, 2]
    assert (blue > red)[water].float().mean() > 0.97 and (red > blue)[land].float().mean() > 0.97
    assert x.amin(1)[seen.mask == 2].float().mean() > 200
    shifted = water.roll(1, dims=0)  # the next tile's
    assert (blue > red)[shifted].float().mean() < 0.6


def test_colour_gives_the_mask_away_and_brightness_does_not(seen):
    def share_right(code):  # the commonest surface of each code, learnt on the training tiles
        counts = torch.zeros(4096, 3, dtype=torch.int64)
        pairs = (code(seen.x).flatten(), seen.mask.flatten())
        counts.index_put_(pairs, torch.tensor(1), accumulate=True)
        return (counts.argmax(1)[code(seen.x_test)] == seen.mask_test).float().mean()

    power = torch.tensor([256, 16, 1])[:, None, None]
    assert share_right(lambda x: (x // 16 * power).sum(1)) > 0.985
    assert 0.87 < share_right(lambda x: x.float().mean(1).long()) < 0.89


def test_coarser_coastlines_are_land_where_half_of_the_pixel_is(coasts):
    for size in (14, 7):
        x = earth.coastlines(size=size).x
        share = F.adaptive_avg_pool2d(coasts.x, size)
        assert x.shape[1:] == (1, size, size) and x.unique().tolist() == [0, 1]
        assert torch.equal(x, (share >= 0.5).float())


@pytest.mark.parametrize("size", [32, 10, 56, 0, "28", None])
def test_another_size_is_refused_with_a_cure_that_works(size, coasts):
    with pytest.raises(ValueError, match="size is 28, 14 or 7, not .*functional.pad") as error:
        earth.coastlines(size=size)
    cure = str(error.value).split("pad: ")[1]
    assert eval(cure, {"torch": torch, "x": coasts.x[:2]}).shape == (2, 1, 32, 32)


@pytest.mark.parametrize("load", [earth.coastlines, earth.satellite])
def test_a_missing_file_is_named(load, tmp_path, monkeypatch):
    monkeypatch.setattr(earth.resources, "files", lambda package: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"(coastlines|satellite)\.npz is missing"):
        load()


def test_every_load_is_the_same_and_its_own(coasts):
    again = earth.coastlines()
    assert torch.equal(again.x, coasts.x) and torch.equal(again.longitude, coasts.longitude)
    again.x.zero_()
    assert torch.equal(earth.coastlines().x, coasts.x)


@pytest.mark.slow
def test_no_network_and_no_cache_is_used(tmp_path):
    code = (
        "import socket; socket.socket.connect = socket.getaddrinfo = None\n"  # a call fails
        "from dlcourse.data import earth; earth.coastlines(); earth.satellite()"
    )
    there = os.environ | {"DLCOURSE_DATA": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", code], env=there).returncode == 0
    assert not list(tmp_path.iterdir())


def test_the_files_say_where_they_are_from_and_stay_small():
    folder = earth.resources.files("dlcourse.data") / "files"
    text = (folder / "earth.txt").read_text(encoding="utf-8")
    for word in ("GLOBE", "NASA", "SHA-256", "Todd Karin", "Jeffrey Whitaker", "Permission is"):
        assert word in text
    size = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert size["coastlines.npz"] < 400_000
    assert size["satellite.npz"] + size["satellite.jpg"] < 3_000_000
