"""Images of characters in the format of MNIST, drawn by a program that
remembers how it drew each of them.

A character is a signed distance field averaged from those of two fonts. To write it, its sampling
points are moved (a straight map for slant, rotation, scale, aspect and shift; a smooth random field
for the unsteady hand), and what lies within half the width of the pen is inked.
"""

import contextlib
from typing import NamedTuple

import torch
from torch.nn import functional as F

from dlcourse.data import fonts, warp
from dlcourse.data.cache import cached

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
VERSION = 4  # part of the name in the cache: raise it with any change that changes an image
# images drawn at once; each block has its own seed, so an image does not depend on how many are
# drawn
BLOCK = 1000
RANGES = {  # every factor is drawn evenly from its range
    "slant": (-0.3, 0.5),  # pixels to the right per pixel upwards
    "rotation": (-14.0, 14.0),  # degrees, anticlockwise
    "thickness": (fonts.THINNEST, fonts.THICKEST),  # pixels: mean width of the stroke
    "scale": (0.75, 1.12),  # 1: 19 pixels high
    "aspect": (0.75, 1.2),  # width over height; 1: as printed
    "shift_x": (-1.0, 1.0),  # pixels to the right
    "shift_y": (-1.0, 1.0),  # pixels upwards
    "elastic": (0.2, 1.1),  # pixels: root mean square of the smooth displacement
    "blend": (0.0, 0.5),  # share of the second font
}
PRESSURE = 0.15  # pixels: how much the half width of the stroke varies along it
ROUGHNESS = 0.07  # pixels: of the stroke's edge
SOFTNESS = 1.2  # pixels over which the ink fades out


class Glyphs(NamedTuple):
    """Drawn characters. factors: the names in RANGES, "font" and "second_font" (index
    into fonts.FONTS) → (N,) float32.

    `scale` is what came out: a character that would leave the image is drawn smaller.
    """

    x: torch.Tensor  # (N, 1, 28, 28) uint8
    y: torch.Tensor  # (N,) int64
    factors: dict[str, torch.Tensor]


def digits(n=60_000, seed=0):
    """n digits 0 … 9; y is the digit. The same seed gives the same images;
    take another one for the test set.

    Returns Glyphs, cached from 5,000 images on. Raises ValueError for n < 1 or a seed below 0.
    """
    return _glyphs("digits", "0123456789", n, seed)


def letters(n=60_000, seed=0, alphabet=ALPHABET):
    """n of the 26 capital letters (or of the characters in `alphabet`); y is
    the place in the alphabet, from 0.

    Returns Glyphs, cached from 5,000 images on. Raises ValueError for n < 1, a
    seed below 0 or other characters.
    """
    if not alphabet or len(set(alphabet)) < len(alphabet) or set(alphabet) - set(ALPHABET):
        raise ValueError(
            f"alphabet holds capital letters A to Z, each once, e.g. 'ABC'; it is {alphabet!r}"
        )
    return _glyphs(f"letters-{alphabet}", alphabet, n, seed)


def _glyphs(name, characters, n, seed):
    def make():
        with one_thread():
            levels, partners = fonts.fields(characters)
            return in_blocks(lambda generator: _draw(levels, partners, generator), n, seed)

    check_count(n, seed)
    drawn = cached(f"{name}-{n}-{seed}-v{VERSION}", make) if n >= 5000 else make()
    return Glyphs(drawn.pop("x"), drawn.pop("y"), drawn)


def check_count(n, seed):
    """Raises ValueError for a number of images or a seed that cannot be."""
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"n is the number of images, at least 1, not {n!r}")
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"a seed is a whole number from 0 to 2**32 - 1, not {seed!r}")


@contextlib.contextmanager
def one_thread():
    """Sums that several threads share end in other bits; and two threads on a
    busy machine are slower than one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def in_blocks(draw, n, seed, block=BLOCK):
    """The first n rows of draw(generator), a dict of tensors (block, …), called
    with a new seed for every block."""
    starts = range(0, n, block)
    blocks = [draw(torch.Generator().manual_seed(seed * 2**31 + start)) for start in starts]
    return {name: torch.cat([one[name] for one in blocks])[:n] for name in blocks[0]}


def _draw(levels, partners, generator):
    """One block: a dict of x (BLOCK, 1, 28, 28) uint8, y (BLOCK,) and every factor (BLOCK,)."""
    y = (torch.arange(BLOCK) % len(levels))[torch.randperm(BLOCK, generator=generator)]
    factors = {name: _even(low, high, generator) for name, (low, high) in RANGES.items()}
    first = torch.multinomial(partners.any(dim=2)[y].float(), 1, generator=generator)[:, 0]
    second = torch.multinomial(partners[y, first].float(), 1, generator=generator)[:, 0]
    level = levels[y, first].lerp(levels[y, second], factors["blend"][:, None, None])  # (B, S, S)
    factors["scale"] = factors["scale"].minimum(_room(level, factors))

    shift = torch.stack([factors["shift_x"], -factors["shift_y"]], dim=1)
    hand = factors["elastic"][:, None, None, None] * warp.smooth_field(BLOCK, 2, generator)
    points = warp.sources(_straight(factors), shift, hand) / fonts.EXTENT
    level = F.grid_sample(level[:, None], points, padding_mode="border", align_corners=True)[
        :, 0
    ]  # (B, 28, 28)

    half = (
        factors["thickness"][:, None, None] / 2
        + PRESSURE * warp.smooth_field(BLOCK, 1, generator)[..., 0]
    )
    depth = level * factors["scale"][:, None, None] + half  # pixels inside the edge of the stroke
    depth += ROUGHNESS * torch.randn(depth.shape, generator=generator)
    ink = (depth / SOFTNESS + 0.5).clamp(0, 1)
    x = (255 * ink).round().to(torch.uint8)[:, None]
    return {"x": x, "y": y, **factors, "font": first.float(), "second_font": second.float()}


def _even(low, high, generator):
    return low + (high - low) * torch.rand(BLOCK, generator=generator)


def _straight(factors):
    return warp.straight(*(factors[name] for name in ("slant", "rotation", "scale", "aspect")))


def _room(level, factors):
    """The largest scale (B,) at which the characters stay inside the image."""
    ink = level > -fonts.THICKEST / 2
    side = torch.linspace(-fonts.EXTENT, fonts.EXTENT, fonts.SIZE).abs()
    # (B, 2): of the box
    half = torch.stack([(ink.any(dim=1) * side).amax(1), (ink.any(dim=2) * side).amax(1)], dim=1)
    unit = _straight(factors | {"scale": torch.ones(len(level))})
    reach = (unit.abs() @ half[:, :, None]).amax(dim=(1, 2))
    shift = factors["shift_x"].abs().maximum(factors["shift_y"].abs())
    return (13.0 - shift - 2.0 * factors["elastic"]) / reach
