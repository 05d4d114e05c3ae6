"""Diagram of the configurable convolutional network, in the language of `diagrams`."""

from itertools import pairwise

from dlcourse.pictures.boxes import Arrow, Box, Group, chain, row
from dlcourse.pictures.drawing import draw_diagram


def cnn(channels=(1, 16, 32, 64), size=28, classes=10, norm=True):
    """`dlcourse.models.cnn.CNN`: the stages above, the head below, with the shape of what leaves
    each box.

    channels: the input's and every stage's. size: height and width of the images. norm: with batch
    norm? Raises ValueError for fewer than two widths.
    """
    if len(channels) < 2:
        raise ValueError(f"channels names the input and a stage at least, not {tuple(channels)}")
    x, groups = Box("x", f"(B, {channels[0]}, {size}, {size})", "data"), []
    steps = "max-pool\n" + ("batch norm\nReLU" if norm else "ReLU")
    for number, (c_in, c_out) in enumerate(pairwise(channels), 1):
        conv = Box(f"Conv 3 × 3\n{c_in} → {c_out}", f"(B, {c_out}, {size}, {size})")
        size //= 2
        rest = Box(steps, f"(B, {c_out}, {size}, {size})", "fixed")
        groups.append(Group(f"stage {number}", [conv, rest]))
    stages = [box for group in groups for box in group.boxes]
    row([x, *stages], gap=0.27)
    features = channels[-1] * size**2
    head = [
        Box("flatten", f"(B, {features})", "fixed"),
        Box("dropout", f"(B, {features})", "fixed"),
        Box(f"Linear\n{features} → {classes}", f"(B, {classes})"),
    ]
    logits = Box("logits", f"(B, {classes})", "data")
    width = sum(box.width for box in [*head, logits]) + 3 * 0.3
    row([*head, logits], left=stages[-1].side("right")[0] - width, y=-1.5, gap=0.3)
    arrows = [*chain([x, *stages]), *chain([*head, logits])]
    arrows.append(Arrow(stages[-1], head[0], sides=("bottom", "top")))
    return draw_diagram(
        [x, *stages, *head, logits], arrows, [*groups, Group("head", head, below=True)]
    )
