"""The script that makes the Earth's tiles, on small maps of which the answer is known."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlcourse.data import earth


@pytest.fixture
def make(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import make_earth

    return make_earth


def ramp():
    """The Earth with a pixel of four to a degree whose value is its column, 0 … 251 and again."""
    return Image.fromarray(np.tile(np.arange(1440) % 252, (720, 1)).astype(np.uint8))


def test_tiles_lie_where_they_say_and_are_square_on_the_ground(make):
    bands = list(make.cut(ramp(), size=4, box=2, per_degree=4))  # 2° of latitude, 4×4 pixels
    assert [latitude for latitude, _, _ in bands] == [74.0 - 2 * row for row in range(67)]
    for latitude, longitude, tiles in bands:
        n = len(longitude)
        assert tiles.shape == (n, 4, 4) and longitude[0] == pytest.approx(-180 + 180 / n)
        assert np.diff(longitude) == pytest.approx(360 / n)
        on_ground = 360 / n * np.cos(np.radians(latitude))  # degrees of a meridian
        assert 2 <= on_ground < 2.05
    _, longitude, tiles = bands[37]  # the equator
    columns = (longitude[10] + 180) * 4 - 4 + np.array([0.5, 2.5, 4.5, 6.5])
    assert tiles[10] == pytest.approx(np.tile(columns, (4, 1)), abs=0.51)


def test_colours_stay_together(make):
    image = Image.new("RGB", (1440, 720), (10, 20, 30))
    for _, longitude, tiles in make.cut(image, size=4, box=2, per_degree=4):
        assert tiles.shape == (len(longitude), 4, 4, 3) and (tiles == (10, 20, 30)).all()


def test_training_tiles_near_a_test_tile_are_left_out(make):
    latitude, longitude = [0, 0, 0, 80, 80], [0, 1, 3, 0, 5]
    test = np.array([True, False, False, True, False])
    # 5° of longitude are .87° of ground at 80° N
    far = make.far_from_test(latitude, longitude, test, degrees=2)
    assert far.tolist() == [True, False, True, True, False]
    assert make.far_from_test([0, 1], [0, 0], np.array([False, False]), 2).all()


def test_a_coast_has_land_and_sea(make):
    shares = np.zeros((4, 10, 10), dtype=np.uint8)
    shares[1, :, :2], shares[2, :, :8], shares[3] = 128, 255, 255
    assert make.is_coast(shares).tolist() == [False, True, True, False]
    shares[1] = np.where(shares[1], 127, 0)  # less than half of each pixel
    assert not make.is_coast(shares)[1]


@pytest.mark.parametrize(
    ("colour", "land", "surface"),
    [
        ((20, 32, 8), 255, "land"),  # rain forest
        ((202, 169, 123), 255, "land"),  # sand
        ((20, 32, 8), 100, "water"),  # the mask says sea
        ((24, 63, 118), 255, "water"),  # the Caspian
        ((0, 2, 6), 255, "water"),  # Lake Superior
        ((250, 252, 251), 255, "ice"),
        ((236, 245, 250), 0, "ice"),  # a glacier that the mask does not know
        ((150, 145, 130), 200, "land"),  # half sand, half sea
    ],
)
def test_a_pixel_is_what_its_colour_says(colour, land, surface, make):
    found = make.surfaces(np.array([[colour]], dtype=np.uint8), np.array([[land]], dtype=np.uint8))
    assert found.shape == (1, 1) and earth.SURFACES[found.item()] == surface


def test_the_mosaic_holds_its_tiles_in_order_and_none_bleeds(make):
    tiles = np.zeros((53, 32, 32, 3), dtype=np.uint8)
    tiles[1::2] = (255, 40, 0)
    image = np.asarray(Image.open(io.BytesIO(make.mosaic(tiles)))).astype(int)
    assert image.shape == (64, 1600, 3)
    for index in range(53):
        row, column = divmod(index, make.COLUMNS)
        tile = image[32 * row :, 32 * column :][:32, :32]
        assert np.abs(tile - tiles[index]).max() <= 3


CITIES = {
    "Africa": [(30, 31.2), (36.8, 10.2), (28.5, -16.3), (11.6, 43.1), (-18.9, 47.5), (-33.9, 18.4)],
    "Asia": [(39.9, 32.9), (35.2, 33.4), (15.4, 44.2), (-6.2, 106.8), (-8.6, 125.6), (64.7, 177.5)],
    "Europe": [(64.1, -21.9), (38, 23.7), (38.1, 13.4), (55.8, 37.6), (35.3, 25.1), (71, 55)],
    "North America": [(64.2, -51.7), (61.2, -149.9), (9, -79.5), (12.05, -61.75), (53, 173)],
    "Oceania": [(-12.5, 130.8), (-2.5, 140.7), (21.3, -157.9), (-18.1, 178.4), (-41.3, 174.8)],
    "South America": [(4.7, -74.1), (10.7, -61.5), (-54.8, -68.3), (-0.7, -90.3), (-51.7, -57.9)],
}


@pytest.mark.parametrize("name", CITIES)
def test_cities_are_on_their_continent(name, make):
    assert [make.continent(*city) for city in CITIES[name]] == [name] * len(CITIES[name])
    assert set(CITIES) == set(earth.CONTINENTS)


def test_another_wheel_is_refused(make, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / make.LAND, "w") as archive:
        archive.writestr("a.txt", "content")
    with pytest.raises(ValueError, match=rf"{make.LAND}: not the wheel .* download it again"):
        make.member(tmp_path, make.LAND, "a.txt")
    digest = hashlib.sha256((tmp_path / make.LAND).read_bytes()).hexdigest()
    monkeypatch.setitem(make.WHEELS, make.LAND, digest)
    assert make.member(tmp_path, make.LAND, "a.txt") == b"content"


def test_the_note_names_the_wheels_that_the_script_reads(make):
    text = (make.FILES / "earth.txt").read_text(encoding="utf-8")
    assert all(wheel in text and digest in text for wheel, digest in make.WHEELS.items())
