"""Characters as signed distance fields, from the fonts that matplotlib carries.

A field says how far each point lies from the outline of a character: positive in the ink, negative
outside, in pixels of the finished image. Two fields can be averaged, and a field raised by a
constant is the same character written with a broader pen; neither can be done with a picture.
"""

import torch

# File in the font folder of every matplotlib from 3.9 on (3.10 lacks cmti10), slope of its digits
# and of its letters: an italic is sheared upright first, so that the slant is ours to choose.
FONTS = (
    ("DejaVuSans", 0.0, 0.0),
    ("DejaVuSansMono", 0.0, 0.0),
    ("DejaVuSerif", 0.0, 0.0),
    ("DejaVuSerif-Italic", 0.19, 0.19),
    ("STIXGeneral", 0.0, 0.0),
    ("STIXGeneralItalic", 0.29, 0.29),
    ("cmr10", 0.0, 0.0),
    ("cmss10", 0.0, 0.0),
    ("cmtt10", 0.0, 0.0),
    ("DejaVuSerif-BoldItalic", 0.19, 0.19),
    ("cmmi10", 0.0, 0.25),
)
HEIGHT, WIDTH = 19.0, 18.0  # of the box a character is fitted to, in pixels
EXTENT = 13.2  # a field covers -EXTENT … EXTENT pixels about the centre of the box
SIZE = 45  # samples along a side: 0.6 pixels apart
THINNEST, THICKEST = 1.7, 3.8  # mean widths of a stroke, in pixels


def fields(characters):
    """Fields of the characters in every font, and which fonts may be averaged.

    characters: a string of C of them. Returns (levels, partners): levels (C, F, SIZE, SIZE) float32
    in pixels, raised so that a level set at zero has strokes of no width: add half the stroke width
    that is wanted. partners (C, F, F) bool: may font i be mixed with font j? A font that draws the
    character unlike the others has no partner.
    """
    levels = torch.stack([_levels(character) for character in characters])
    return levels, torch.stack([_partners(level) for level in levels])


def _levels(character):
    loops = [_outline(character, name, slopes) for name, *slopes in FONTS]
    # (F, 2)
    sizes = torch.stack([torch.cat(loop).amax(0) - torch.cat(loop).amin(0) for loop in loops])
    aspects = sizes[:, 0] / sizes[:, 1]
    # Strokes meet when fonts are averaged only if the boxes agree: stretch them towards a common
    # one, not without end.
    aspects = aspects.median().clamp(aspects / 1.35, aspects * 1.35)
    return torch.stack(
        [_field(_fitted(loop, float(aspect))) for loop, aspect in zip(loops, aspects, strict=True)]
    )


def _outline(character, name, slopes):
    """The closed curves of a character: a list of (points, 2) float tensors, y upwards."""
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(fname=f"{matplotlib.get_data_path()}/fonts/ttf/{name}.ttf")
    # curves become short lines
    loops = TextPath((0, 0), character, size=60, prop=font).to_polygons()
    loops = [torch.tensor(loop, dtype=torch.float32) for loop in loops if len(loop) > 2]
    slope = slopes[0] if character.isdigit() else slopes[1]
    return [torch.stack([loop[:, 0] - slope * loop[:, 1], loop[:, 1]], dim=1) for loop in loops]


def _fitted(loops, aspect):
    """Scales the curves to a box of the given aspect (width / height), as large
    as fits, centred on the origin."""
    points = torch.cat(loops)
    low, high = points.amin(0), points.amax(0)
    height = min(HEIGHT, WIDTH / aspect)
    scale = torch.tensor([height * aspect, height]) / (high - low)
    return [(loop - (low + high) / 2) * scale for loop in loops]


def _field(loops):
    """Signed distance to closed curves on the grid, less the half width of
    the mean stroke: (SIZE, SIZE)."""
    starts = torch.cat(loops)
    ends = torch.cat([loop.roll(-1, 0) for loop in loops])
    side = torch.linspace(-EXTENT, EXTENT, SIZE)
    y, x = torch.meshgrid(-side, side, indexing="ij")  # row 0 is the top
    points = torch.stack([x, y], dim=-1).view(-1, 1, 2)  # (SIZE², 1, 2)
    edges, offsets = ends - starts, points - starts  # (E, 2), (SIZE², E, 2)
    along = (offsets * edges).sum(-1) / edges.square().sum(-1).clamp(min=1e-12)
    distance = (offsets - along.clamp(0, 1)[..., None] * edges).square().sum(-1).amin(1).sqrt()
    # Winding number: edges that cross the ray to the right, upwards counted +1 and downwards -1.
    cross = edges[:, 0] * offsets[..., 1] - edges[:, 1] * offsets[..., 0]
    above, upwards = points[..., 1] >= starts[:, 1], ends[:, 1] > starts[:, 1]
    spans = above != (points[..., 1] >= ends[:, 1])
    winding = (spans & upwards & (cross > 0)).sum(1) - (spans & ~upwards & (cross < 0)).sum(1)
    area = (starts[:, 0] * ends[:, 1] - ends[:, 0] * starts[:, 1]).sum().abs() / 2
    # a long stroke of width w has area w·l and an outline of 2l
    half = area / edges.norm(dim=1).sum()
    return (torch.where(winding != 0, distance, -distance) - half).view(SIZE, SIZE)


def _partners(levels):
    """Which of the fields (F, SIZE, SIZE) can be averaged without a stroke breaking
    or a hole closing: (F, F) bool."""
    mixed = [levels[:, None].lerp(levels[None], share) for share in (0.0, 0.25, 0.5)]
    pens = torch.tensor([THINNEST, (THINNEST + THICKEST) / 2])[:, None, None] / 2
    pieces = torch.stack([_euler(mix[:, :, None] + pens > 0) for mix in mixed])  # (3, F, F, 2)
    usual = pieces[0].flatten().mode().values
    whole = (pieces == usual).all(dim=0).all(dim=-1)
    return whole & whole.diagonal()  # neither of the two may be odd by itself


def _euler(ink):
    """Euler number (pieces less holes) of pictures (…, H, W) bool, by
    counting corners (Gray, 1971)."""
    ink = torch.nn.functional.pad(ink.to(torch.int32), (1, 1, 1, 1))
    a, b, c, d = ink[..., :-1, :-1], ink[..., :-1, 1:], ink[..., 1:, :-1], ink[..., 1:, 1:]
    total = a + b + c + d
    diagonal = (total == 2) & (a == d)
    corners = (total == 1).int() - (total == 3).int() - 2 * diagonal.int()
    return corners.sum((-2, -1)) // 4
