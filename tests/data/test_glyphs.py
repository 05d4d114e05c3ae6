import pytest
import torch

from dlcourse.data import cache, fonts, glyphs, warp

SIDE = torch.arange(28) - 13.5


@pytest.fixture(scope="module")
def digits():
    return glyphs.digits(4000, seed=0)  # below the size that is cached


@pytest.fixture(scope="module")
def letters():
    return glyphs.letters(2600, seed=0)


def explained(measured, *causes):
    """Least squares of a measurement on its causes: the slopes, and the share of
    the variance that they explain."""
    matrix = torch.stack([*causes, torch.ones_like(measured)], dim=1)
    slopes = torch.linalg.lstsq(matrix, measured[:, None]).solution
    rest = measured - (matrix @ slopes)[:, 0]
    return *slopes[:-1, 0].tolist(), 1 - (rest.var() / measured.var()).item()


def moments(x):
    """Centre (right, up), and the variances of ink to the right and up, and their
    covariance: each (N,), pixels."""
    ink = x[:, 0].float() / x[:, 0].float().sum((1, 2), keepdim=True)
    right, up = (ink * SIDE).sum((1, 2)), (ink * -SIDE[:, None]).sum((1, 2))
    u, v = SIDE - right[:, None, None], -SIDE[:, None] - up[:, None, None]
    return (
        right,
        up,
        (ink * u * u).sum((1, 2)),
        (ink * v * v).sum((1, 2)),
        (ink * u * v).sum((1, 2)),
    )


@pytest.mark.slow
def test_the_format_is_that_of_mnist(digits, letters):
    for drawn, classes in ((digits, 10), (letters, 26)):
        n = len(drawn.y)
        assert drawn.x.shape == (n, 1, 28, 28) and drawn.x.dtype == torch.uint8
        assert drawn.y.dtype == torch.int64 and drawn.y.unique().tolist() == list(range(classes))
        assert drawn.x.amax((1, 2, 3)).min() > 200  # no image is empty
        assert (drawn.x == 0).float().mean() > 0.6  # on black
    assert set(digits.y.bincount().tolist()) == {400}


@pytest.mark.slow
def test_ink_stays_inside(digits, letters):
    for drawn, share in ((digits, 0.005), (letters, 0.02)):
        edge = drawn.x.clone()
        edge[:, :, 1:-1, 1:-1] = 0
        assert (edge.amax((1, 2, 3)) > 128).float().mean() < share


def test_every_factor_is_known_and_in_its_range(digits):
    assert set(digits.factors) == {*glyphs.RANGES, "font", "second_font"}
    for name, values in digits.factors.items():
        assert values.shape == (4000,) and values.dtype == torch.float32
        low, high = glyphs.RANGES.get(name, (0, len(fonts.FONTS) - 1))
        assert low - 1e-6 <= values.min() or name == "scale"
        assert values.max() <= high + 1e-6
        assert values.std() > 0.2 * (high - low)


def test_the_image_shows_slant_and_rotation(digits):
    right, up, across, along, both = moments(digits.x)
    tall = digits.y != 4  # a 4 has a long bar across
    slope, turned, share = explained(
        (both / along)[tall],
        digits.factors["slant"][tall],
        digits.factors["rotation"][tall] * torch.pi / 180,
    )
    assert 0.8 < slope < 1.2  # slant is the pixels to the right per pixel upwards
    assert turned < -0.3  # anticlockwise leans to the left
    assert share > 0.7


def test_the_image_shows_thickness(digits):
    ink = digits.x.float().sum((1, 2, 3)) / 255
    length = ink / digits.factors["thickness"] / digits.factors["scale"]  # area = width × length
    for digit in range(10):
        mine = digits.y == digit
        assert length[mine].std() / length[mine].mean() < 0.2


def test_the_image_shows_scale_and_shift(digits):
    right, up, across, along, _ = moments(digits.x)
    for digit in range(10):
        mine = digits.y == digit
        slope, _, share = explained(
            along.sqrt()[mine], digits.factors["scale"][mine], digits.factors["thickness"][mine]
        )
        assert 3 < slope < 9 and share > 0.5
    assert 0.8 < explained(right, digits.factors["shift_x"])[0] < 1.2
    assert 0.8 < explained(up, digits.factors["shift_y"])[0] < 1.2


def test_the_same_seed_gives_the_same_bytes_however_many_are_drawn(digits):
    threads = torch.get_num_threads()
    fewer = glyphs.digits(1234, seed=0)
    assert torch.equal(fewer.x, digits.x[:1234]) and torch.equal(fewer.y, digits.y[:1234])
    assert all(
        torch.equal(fewer.factors[name], digits.factors[name][:1234]) for name in digits.factors
    )
    assert torch.get_num_threads() == threads


def test_another_seed_gives_other_images_and_the_global_generator_is_left_alone(digits):
    before = torch.get_rng_state()
    other = glyphs.digits(1000, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    # block 1 of seed 0 and block 0 of seed 1 must not be the same images
    for start in range(0, 4000, 1000):
        assert not torch.equal(other.y, digits.y[start : start + 1000])
    assert len(torch.cat([other.x, digits.x]).flatten(1).unique(dim=0)) == 5000


def test_a_linear_classifier_is_neither_lost_nor_enough(digits):
    x = digits.x.flatten(1).double() / 255
    train, test = slice(0, 3000), slice(3000, None)
    target = torch.nn.functional.one_hot(digits.y, 10).double()
    weights = torch.linalg.solve(
        x[train].T @ x[train] + 30 * torch.eye(784), x[train].T @ target[train]
    )
    accuracy = ((x[test] @ weights).argmax(1) == digits.y[test]).double().mean()
    assert 0.7 < accuracy < 0.93


@pytest.mark.slow
def test_large_sets_are_cached_and_a_damaged_one_is_drawn_again(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path))
    drawn = glyphs.digits(5000, seed=2)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1000])
    again = glyphs.digits(5000, seed=2)
    out, err = capfd.readouterr()
    assert out.count("\n") == 1 and str(path) in out and err == ""
    monkeypatch.setattr(cache, "_write", None)  # what is read needs no writing
    read = glyphs.digits(5000, seed=2)
    for other in (again, read):
        assert torch.equal(drawn.x, other.x) and torch.equal(drawn.y, other.y)
        assert all(torch.equal(drawn.factors[name], other.factors[name]) for name in drawn.factors)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: glyphs.digits(0), "at least 1, not 0"),
        (lambda: glyphs.digits(1.5), "number of images"),
        (lambda: glyphs.digits(10, seed=-1), "from 0 to"),
        (lambda: glyphs.letters(10, alphabet="abc"), "capital letters"),
        (lambda: glyphs.letters(10, alphabet="AA"), "each once"),
        (lambda: glyphs.letters(10, alphabet=""), "capital letters"),
    ],
)
def test_bad_arguments_say_what_to_do(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_letters_of_a_smaller_alphabet():
    drawn = glyphs.letters(30, alphabet="XYZ")
    assert drawn.x.shape == (30, 1, 28, 28) and set(drawn.y.tolist()) == {0, 1, 2}


def test_a_dotted_zero_is_left_out():
    mono = [name for name, *_ in fonts.FONTS].index("DejaVuSansMono")
    levels, partners = fonts.fields("0")
    assert levels.shape == (1, len(fonts.FONTS), fonts.SIZE, fonts.SIZE)
    assert not partners[0, mono].any() and not partners[0, :, mono].any()
    assert partners[0].diagonal().sum() >= len(fonts.FONTS) - 2


@pytest.mark.slow
def test_every_character_has_several_fonts():
    for characters in ("0123456789", glyphs.ALPHABET):
        _, partners = fonts.fields(characters)
        assert (partners.any(dim=2).sum(dim=1) >= 4).all()


def test_the_field_of_a_square_is_its_distance():
    square = torch.tensor([[-4.0, -4.0], [4.0, -4.0], [4.0, 4.0], [-4.0, 4.0]])
    field = fonts._field([square]) + 2.0  # area 64 / outline 32
    middle = fonts.SIZE // 2
    assert field[middle, middle].item() == pytest.approx(4.0)
    assert field[middle, 0].item() == pytest.approx(4.0 - fonts.EXTENT, abs=1e-4)
    assert field[0, 0].item() == pytest.approx(-(2**0.5) * (fonts.EXTENT - 4.0), abs=1e-4)
    hole = fonts._field([square, square.flip(0) / 2])  # the other way round: a hole
    assert hole[middle, middle] < 0 < hole[middle, middle - 5] + 2


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        (["1"], 1),
        (["1.1"], 2),
        (["111", "1.1", "111"], 0),
        (["1.", ".1"], 1),
        (["..."], 0),
        (["11", "11", ".."], 1),
    ],
)
def test_the_euler_number_is_pieces_less_holes(rows, number):
    ink = torch.tensor([[mark == "1" for mark in row] for row in rows])
    assert fonts._euler(ink) == number


def test_straight_maps_turn_the_way_they_say():
    one, zero = torch.ones(1), torch.zeros(1)
    up, right = torch.tensor([0.0, -1.0]), torch.tensor([1.0, 0.0])  # y points downwards
    torch.testing.assert_close(
        (warp.straight(0.5 * one, zero, one, one) @ up)[0], torch.tensor([0.5, -1.0])
    )
    torch.testing.assert_close((warp.straight(zero, 90 * one, one, one) @ right)[0], up)
    torch.testing.assert_close(
        (warp.straight(zero, zero, 2 * one, 0.5 * one) @ (up + right))[0], 2 * up + right
    )


def test_smooth_fields_hold_no_straight_map():
    field = warp.smooth_field(500, 2, torch.Generator().manual_seed(0))
    assert field.shape == (500, 28, 28, 2)
    y, x = torch.meshgrid(SIDE, SIDE, indexing="ij")
    disc = x**2 + y**2 < 10**2
    assert field[:, disc].square().mean().sqrt().item() == pytest.approx(1.0, abs=0.2)
    maps = torch.stack([torch.ones_like(x), x, y], dim=-1)[disc]
    found = maps @ (torch.linalg.pinv(maps) @ field[:, disc])
    assert found.square().mean() < 0.1 * field[:, disc].square().mean()
    assert (field[:, 1:] - field[:, :-1]).abs().max() < 1.5  # smooth: it never folds the image over
