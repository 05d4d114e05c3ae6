"""Boxes, arrows and groups: where they lie, and that `faults` finds what is wrong with a layout."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
from layout import extents, faults, words

from dlcourse.pictures.boxes import Arrow, Box, Group, Skip, chain, column, row
from dlcourse.pictures.drawing import draw_diagram


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def pair(gap=0.5):
    return row([Box("one", "(B, 3)"), Box("two", kind="fixed")], gap=gap)


def test_a_row_and_a_column_leave_the_gaps_that_were_asked_for():
    one, two = pair(gap=0.4)
    assert two.side("left")[0] - one.side("right")[0] == pytest.approx(0.4)
    assert one.side("left") == (0, 0) and one.y == two.y
    three = column([Box("a"), Box("a long name"), Box("+", kind="sum")], x=2, top=1, gap=0.3)
    assert three[0].side("top") == (2, 1) and three[0].width == three[1].width > three[2].width
    assert three[0].side("bottom")[1] - three[1].side("top")[1] == pytest.approx(0.3)


def test_an_arrow_joins_the_sides_that_face_each_other_with_right_angles():
    one, two = pair()
    assert Arrow(one, two).points() == [one.side("right"), two.side("left")]
    two.x, two.y = one.x, 2.0
    assert Arrow(one, two).points() == [one.side("top"), two.side("bottom")]
    two.x = 4.0
    for sides in ((), ("right", "bottom"), ("top", "left"), ("top", "bottom")):
        points = Arrow(one, two, sides=sides).points()
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in zip(points, points[1:], strict=False))


@pytest.mark.parametrize("side, axis, sign", [("top", 1, 1), ("bottom", 1, -1), ("left", 0, -1)])
def test_a_skip_passes_at_the_distance_that_was_asked_for(side, axis, sign):
    one, two = pair()
    points = Skip(one, two, side=side, reach=0.7).points()
    beyond = max(sign * box.side(side)[axis] for box in (one, two))
    assert max(sign * point[axis] for point in points) == pytest.approx(beyond + 0.7)
    assert (points[0], points[-1]) == (one.side(side), two.side(side))


def test_a_good_drawing_has_no_fault_and_names_its_kinds():
    boxes = pair()
    figure = draw_diagram(boxes, [*chain(boxes), Skip(*boxes, "over")], [Group("both", boxes)])
    assert list(faults(figure)) == []
    found = words(figure, "name", "shape", "words")
    legend = ["learned layer", "norm, activation or other step"]
    assert found == ["both", "over", "one", "(B, 3)", "two", *legend]
    assert len(extents(figure, "arrow")) == 2


def test_every_fault_is_found():
    def found(boxes, arrows=(), groups=()):
        return " ".join(faults(draw_diagram(boxes, arrows, groups)))

    one, two = pair(gap=-0.4)
    assert "two boxes overlap" in found([one, two])
    boxes = pair(gap=0.08)
    assert "an arrow is too short" in found(boxes, chain(boxes))
    one, two = pair()
    one.width = 0.1
    assert "'(B, 3)' stands outside its box" in found([one, two])
    boxes = row([Box("a"), Box("b"), Box("c")])
    assert "runs through a box" in found(boxes, [Arrow(boxes[0], boxes[2])])
    assert "an arrow ends at no box" in found(boxes[:2], [Arrow(boxes[0], boxes[2])])
    assert "lies on a box" in found(boxes, [Skip(boxes[0], boxes[1], "words", reach=-0.2)])
    assert "lies on" in found(boxes, (), [Group("here", boxes), Group("there", boxes)])
    one, two = pair()
    over = [Skip(one, two, reach=0.1)]
    group = Group("a name on the way of the skip", [one], pad=0.0)
    assert "an arrow runs through 'a name" in found([one, two], over, [group])


def test_refusals_say_what_to_do():
    with pytest.raises(ValueError, match="kind 'conv' is none of learned, fixed, data, loss, sum"):
        Box("x", kind="conv")
    with pytest.raises(ValueError, match="inches wide, 8.9 are the limit; put some boxes into"):
        draw_diagram(row([Box("a rather long name") for _ in range(8)]))
    assert not plt.get_fignums()  # nothing half-drawn is shown below the message
