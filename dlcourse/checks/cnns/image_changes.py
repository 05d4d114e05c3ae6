"""Checks of augmentation: a shift, a rotation and an erased square,
another one for every image of a batch."""

import torch

from dlcourse.checks.core import Check, Mistake, case


def _images(*shape, seed=0, dtype=torch.float32):
    # No zeros of its own
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) + 0.1


def _shift(x, dy, dx):
    """Every pixel taken from where it comes from, zeros where that is outside."""
    rows = torch.arange(x.shape[2], device=x.device) - dy[:, None]  # (B, H)
    columns = torch.arange(x.shape[3], device=x.device) - dx[:, None]  # (B, W)
    inside = ((rows >= 0) & (rows < x.shape[2]))[:, :, None] & (
        (columns >= 0) & (columns < x.shape[3])
    )[:, None]
    return _stretched(x, dy, dx) * inside[:, None]


def _rolled(x, dy, dx):
    moves = zip(x, dy.tolist(), dx.tolist(), strict=True)
    return torch.stack([image.roll((down, right), (1, 2)) for image, down, right in moves])


def _stretched(x, dy, dx):
    """What comes in repeats the edge."""
    rows = (torch.arange(x.shape[2], device=x.device) - dy[:, None]).clamp(0, x.shape[2] - 1)
    columns = (torch.arange(x.shape[3], device=x.device) - dx[:, None]).clamp(0, x.shape[3] - 1)
    images = torch.arange(len(x), device=x.device)[:, None, None]
    # (B, H, W, C) → (B, C, H, W)
    return x[images, :, rows[:, :, None], columns[:, None]].movedim(-1, 1)


shift_each = Check(
    "shift_each",
    reference=_shift,
    cases=lambda: [
        case("one image of 2 × 3 pixels, one to the right",
             torch.arange(1.0, 7).reshape(1, 1, 2, 3), torch.tensor([0]), torch.tensor([1])),
        case("three images, three shifts", _images(3, 1, 4, 5), torch.tensor([1, 0, -2]),
             torch.tensor([0, -1, 2])),
        case("two channels", _images(2, 2, 5, 4), torch.tensor([-1, 2]), torch.tensor([1, 1])),
        case("nothing moves", _images(2, 1, 3, 4), torch.tensor([0, 0]), torch.tensor([0, 0])),
        case("two of three leave the picture", _images(3, 1, 3, 4), torch.tensor([4, 1, 0]),
             torch.tensor([0, -1, 6])),
        case("a transposed batch, float64",
             _images(3, 2, 6, 5, dtype=torch.float64).transpose(2, 3),
             torch.tensor([1, -3, 2]), torch.tensor([2, 0, -1])),
    ],
    mistakes=[
        Mistake("up instead of down, left instead of right",
                "A positive shift moves the picture down and to the right: "
                "output row r shows input row r − dy.",
                lambda x, dy, dx: _shift(x, -dy, -dx)),
        Mistake("rows and columns are exchanged", "dy counts rows (axis 2), dx columns (axis 3).",
                lambda x, dy, dx: _shift(x, dx, dy)),
        Mistake("what leaves on one side comes back on the other",
                "roll wraps around. Zeros have to come in.", _rolled),
        Mistake("all images move alike", "Every image has a shift of its own: dy[n], dx[n].",
                lambda x, dy, dx: _shift(x, dy[:1].expand(len(x)), dx[:1].expand(len(x)))),
        Mistake("the edge is repeated", "Zeros come in, not copies of the edge.", _stretched),
        Mistake("nothing moves", "Return the moved images.", lambda x, dy, dx: x.clone()),
    ],
)  # fmt: skip


def _rotate(x, degrees):
    """Rotation about the centre, anticlockwise,
    by explicit interpolation between the four nearest pixels."""
    size = x.shape[-1]
    centre = (size - 1) / 2
    angle = torch.deg2rad(degrees)[:, None, None]
    right = torch.arange(size, dtype=x.dtype, device=x.device) - centre  # (S,) from the centre
    right, down = right[None, None, :], right[None, :, None]
    # (B, S, S): where each pixel comes from
    column = centre + angle.cos() * right - angle.sin() * down
    row = centre + angle.sin() * right + angle.cos() * down
    return sum(_corner(x, row, column, i, j) for i in (0, 1) for j in (0, 1))


def _corner(x, row, column, i, j):
    size = x.shape[-1]
    r, c = row.floor() + i, column.floor() + j
    weight = (1 - (row - r).abs()) * (1 - (column - c).abs())
    inside = (r >= 0) & (r < size) & (c >= 0) & (c < size)
    where = (r.clamp(0, size - 1) * size + c.clamp(0, size - 1)).long().flatten(1)  # (B, S·S)
    picked = x.flatten(2).gather(2, where[:, None].expand(-1, x.shape[1], -1)).view(x.shape)
    return picked * (weight * inside)[:, None]


def _sampled(x, degrees, scale=1.0, **settings):
    angle = torch.deg2rad(degrees)
    cos, sin, zero = scale * angle.cos(), scale * angle.sin(), torch.zeros_like(angle)
    matrix = torch.stack([cos, -sin, zero, sin, cos, zero], 1).view(-1, 2, 3)
    grid = torch.nn.functional.affine_grid(matrix, x.shape, align_corners=False)
    return torch.nn.functional.grid_sample(x, grid, align_corners=False, **settings)


rotate_each = Check(
    "rotate_each",
    reference=_rotate,
    rtol=1e-3,
    atol=1e-4,
    cases=lambda: [
        case("one image of 2 × 2 pixels, by 90°", torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]),
             torch.tensor([90.0])),
        case("by 0°", _images(1, 1, 3, 3), torch.tensor([0.0])),
        case("three images, three angles", _images(3, 1, 5, 5), torch.tensor([30.0, -45.0, 180.0])),
        case("two channels, 6 × 6 pixels", _images(2, 2, 6, 6, seed=1),
             torch.tensor([10.0, -10.0])),
        case("float64", _images(2, 1, 7, 7, dtype=torch.float64),
             torch.tensor([-72.0, 205.0], dtype=torch.float64)),
    ],
    mistakes=[
        Mistake("degrees are taken for radians",
                "cos and sin want radians: torch.deg2rad(degrees).",
                lambda x, degrees: _rotate(x, torch.rad2deg(degrees))),
        Mistake("clockwise",
                "affine_grid says for every *output* pixel where to look in the input, and rows "
                "count downwards: the matrix is (cos, −sin; sin, cos).",
                lambda x, degrees: _rotate(x, -degrees)),
        Mistake("all images turn alike", "Every image has an angle of its own: a matrix (B, 2, 3).",
                lambda x, degrees: _rotate(x, degrees[:1].expand(len(x)))),
        Mistake("the nearest pixel only",
                "Interpolate between the four nearest pixels: mode='bilinear', the default.",
                lambda x, degrees: _sampled(x, degrees, mode="nearest")),
        Mistake("the corners are aligned in one function and not in the other",
                "That scales the image as well. "
                "Give affine_grid and grid_sample the same align_corners.",
                lambda x, degrees: _sampled(x, degrees, scale=(x.shape[-1] - 1) / x.shape[-1])),
        Mistake("the edge is repeated",
                "Zeros come in from outside: padding_mode='zeros', the default.",
                lambda x, degrees: _sampled(x, degrees, padding_mode="border")),
        Mistake("nothing turns", "Return the rotated images.", lambda x, degrees: x.clone()),
        Mistake("transposed, or mirrored",
                "A rotation has determinant +1: cos² + sin². One of the two sines is −sin.",
                lambda x, degrees: _rotate(x, degrees).transpose(2, 3)),
    ],
)  # fmt: skip


def _erase(x, top, left, size):
    rows, columns = (torch.arange(n, device=x.device) for n in x.shape[2:])
    rows, columns = (
        (n >= at[:, None]) & (n < at[:, None] + size) for n, at in ((rows, top), (columns, left))
    )
    return torch.where(rows[:, None, :, None] & columns[:, None, None, :], 0, x)


def _cross(x, top, left, size):
    out = x.clone()
    for image, row, column in zip(out, top.tolist(), left.tolist(), strict=True):
        image[:, row : row + size] = 0
        image[:, :, column : column + size] = 0
    return out


def _in_place(x, top, left, size):
    x[:] = _erase(x, top, left, size)
    return x


erase_each = Check(
    "erase_each",
    reference=_erase,
    cases=lambda: [
        case("one image of 3 × 4 pixels, a square of 2", _images(1, 1, 3, 4), torch.tensor([1]),
             torch.tensor([0]), 2),
        case("three images, three squares", _images(3, 1, 5, 6), torch.tensor([0, 2, 3]),
             torch.tensor([4, 1, 0]), 2),
        case("two channels, a square of 3", _images(2, 2, 7, 6), torch.tensor([4, 0]),
             torch.tensor([0, 3]), 3),
        case("one pixel, float64", _images(2, 1, 4, 3, dtype=torch.float64), torch.tensor([3, 1]),
             torch.tensor([2, 0]), 1),
        case("a transposed batch", _images(3, 1, 6, 5).transpose(2, 3), torch.tensor([0, 1, 2]),
             torch.tensor([3, 2, 0]), 3),
    ],
    mistakes=[
        Mistake("the same square in all images",
                "Every image has a place of its own: compare with top[:, None].",
                lambda x, top, left, size: _erase(x, top[:1].expand(len(x)),
                                                  left[:1].expand(len(x)), size)),
        Mistake("rows and columns are exchanged",
                "top counts rows (axis 2), left columns (axis 3).",
                lambda x, top, left, size: _erase(x, left, top, size)),
        Mistake("a square one pixel too large",
                "Rows top … top + size − 1: ≥ top and < top + size.",
                lambda x, top, left, size: _erase(x, top, left, size + 1)),
        Mistake("a cross: whole rows and columns",
                "A pixel is erased where its row *and* its column are hit: &.", _cross),
        Mistake("all but the square", "Erase the square, keep the rest.",
                lambda x, top, left, size: x - _erase(x, top, left, size)),
        Mistake("the caller's images are erased",
                "The data would have the hole in the next epoch too. "
                "masked_fill and torch.where make a new tensor.",
                _in_place),
    ],
)  # fmt: skip
