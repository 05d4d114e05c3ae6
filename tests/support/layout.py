"""What is wrong with the layout of a diagram, measured on the figure as it is drawn."""

from itertools import combinations, pairwise

import numpy as np


def parts(figure, *names):
    """The artists of a diagram by their gid: "box", "name", "shape", "words", "arrow", "legend"."""
    return [artist for artist in figure.axes[0].get_children() if artist.get_gid() in names]


def words(figure, *names):
    return [artist.get_text() for artist in parts(figure, *names)]


def extents(figure, *names):
    """Left, bottom, right and top of each artist, in inches, as it is drawn: (K, 4)."""
    figure.draw_without_rendering()
    inches = figure.dpi_scale_trans.inverted()
    found = [one.get_window_extent().transformed(inches).extents for one in parts(figure, *names)]
    return np.array(found).reshape(-1, 4)


def faults(figure, widest=800 / 90):
    """Sentences about texts outside their box, texts or boxes on one another, arrows that end
    nowhere or run through a box or a text, small print, and a figure that is too wide."""
    boxes, texts = extents(figure, "box"), extents(figure, "name", "shape", "words")
    artists = parts(figure, "name", "shape", "words")
    for artist, text in zip(artists, texts, strict=True):
        if artist.get_gid() == "words":
            if any(_overlap(text, box) > 0 for box in boxes):
                yield f"{artist.get_text()!r} lies on a box"
        elif not any(_holds(box, text) for box in boxes):
            yield f"{artist.get_text()!r} stands outside its box"
    for one, other in combinations(range(len(texts)), 2):
        if _overlap(texts[one], texts[other]) > _allowed(boxes, texts[one], texts[other]):
            yield f"{artists[one].get_text()!r} lies on {artists[other].get_text()!r}"
    for one, other in combinations(boxes, 2):
        if _overlap(one, other) > 0:
            yield f"two boxes overlap at {one[:2].round(2)}"
    for line in _lines(figure):
        yield from _line_faults(line, boxes, texts, [one.get_text() for one in artists])
    small = [one.get_text() for one in figure.axes[0].texts if one.get_fontsize() < 9]
    if small:
        yield f"smaller than 9 points: {small}"
    if figure.get_size_inches()[0] > widest:
        yield f"{figure.get_size_inches()[0]:.1f} inches wide"


def _overlap(one, other):
    """How far two extents lie in one another; negative where they are apart."""
    return (np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])).min()


def _holds(box, text):
    return (box[:2] <= text[:2]).all() and (text[2:] <= box[2:]).all()


def _allowed(boxes, one, other):
    """Name and shape of a box stand close: the heights of their lines may touch, letters do not."""
    return 0.06 if any(_holds(box, one) and _holds(box, other) for box in boxes) else 0.01


def _lines(figure):
    """The corners of each arrow in inches on the figure, without its head."""
    for arrow in parts(figure, "arrow"):
        path = arrow._path_original  # what it was made of; get_path() mixes line and head
        corners = figure.axes[0].transData.transform(path.vertices)
        yield figure.dpi_scale_trans.inverted().transform(corners)


def _line_faults(line, boxes, texts, said):
    for end, name in ((line[:1], "begins"), (line[-1:], "ends")):
        if min(abs(_depth(box, end)).min() for box in boxes) > 0.01:
            yield f"an arrow {name} at no box, {end.round(2)}"
    if abs(np.diff(line, axis=0)).sum() < 0.12:
        yield f"an arrow is too short to be seen, at {line[0].round(2)}"
    dots = np.concatenate([np.linspace(a, b, 60) for a, b in pairwise(line)])
    if any(_depth(box, dots).max() > 0.02 for box in boxes):
        yield f"an arrow runs through a box, from {line[0].round(2)}"
    for text, word in zip(texts, said, strict=True):
        if _depth(text, dots).max() > 0.01:
            yield f"an arrow runs through {word!r}"


def _depth(extent, dots):
    """How far each of the points (N, 2) lies inside an extent; negative outside."""
    return np.minimum(dots - extent[:2], extent[2:] - dots).min(axis=1)
