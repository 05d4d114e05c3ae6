"""Pictures of classes: names at their points, errors that show."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from dlcourse import plot


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("scores", [True, False])
def test_decision_regions_colour_the_half_planes(scores):
    x = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])

    def predict(points):
        right = (points[:, 0] > 0).long()
        return torch.nn.functional.one_hot(right, 2) if scores else right

    region = plot.decision_regions(predict, x, torch.tensor([0, 1])).images[0].get_array()
    assert (region[:, :90] == 0).all() and (region[:, 110:] == 1).all()


def blobs(centres, count=21, spread=0.1, seed=0):
    """Points (K · count, 2) around K centres, with one point of each class far away, and y."""
    noise = np.random.default_rng(seed).normal(size=(len(centres), count, 2)) * spread
    points = np.asarray(centres, dtype=float)[:, None] + noise
    points[:, 0] += 30
    return points.reshape(-1, 2), np.repeat(np.arange(len(centres)), count)


def test_scatter_names_each_class_at_its_median_with_a_white_edge():
    points, y = blobs([(0, 0), (10, 0), (0, 10)])
    ax = plot.scatter(torch.tensor(points), torch.tensor(y), ["sea", "sand", "rock"], title="tiles")
    assert [text.get_text() for text in ax.texts] == ["sea", "sand", "rock"]
    for k, text in enumerate(ax.texts):
        assert text.get_position() == pytest.approx(np.median(points[y == k], axis=0))
        assert text.get_path_effects()[0]._gc == {"linewidth": 3, "foreground": "white"}
        assert text.get_zorder() > max(dots.get_zorder() for dots in ax.collections)
    assert ax.get_title() == "tiles"


def test_scatter_gives_ten_classes_ten_looks_and_skips_those_without_points():
    points, y = blobs([(k % 4, k // 4) for k in range(10)])
    ax = plot.scatter(points[y != 3], y[y != 3])
    assert [text.get_text() for text in ax.texts] == list("012456789")
    assert len({tuple(dots.get_facecolor()[0]) for dots in ax.collections}) == 9
    assert ax.texts[3].get_color() == plot.CLASSES[4]


@pytest.mark.parametrize("centres", [[(0, 0)] * 10, [(0.01 * k, 0.02 * k) for k in range(10)]])
def test_scatter_moves_names_apart_that_would_lie_on_one_another(centres):
    points, y = blobs(centres)
    ax = plot.scatter(points, y, [f"class {k}" for k in range(10)])
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    for one in range(10):
        assert not any(boxes[one].overlaps(other) for other in boxes[one + 1 :])
    assert ax.texts[0].get_position() != pytest.approx(np.median(points[y == 0], axis=0))


def test_scatter_refuses_points_that_are_not_flat():
    with pytest.raises(ValueError, match=r"shape \(4, 3\), N = 4"):
        plot.scatter(np.zeros((4, 3)), np.zeros(4))


def colours(ax):
    """What is seen in each cell of a confusion matrix, (C, C, 4), and which image shows there."""
    below, above = (image.cmap(image.norm(image.get_array())) for image in ax.images)
    return np.where(above[..., 3:] > 0, above, below), above[..., 3] > 0, below[..., 3] > 0


def test_confusion_prints_every_count_that_is_not_zero():
    ax = plot.confusion(torch.tensor([[3, 0], [1, 2]]), ["cat", "dog"])
    assert sorted(text.get_text() for text in ax.texts) == ["1", "2", "3"]
    assert ax.get_ylabel() == "true"


def test_confusion_colours_errors_alone_and_what_is_right_grey():
    ax = plot.confusion(torch.tensor([[990, 10, 0], [0, 1, 0], [0, 0, 0]]), ["cat", "dog", "cow"])
    seen, coloured, grey = colours(ax)
    assert coloured.tolist() == [[False, True, False], [False] * 3, [False] * 3]
    assert (grey == np.eye(3, dtype=bool)).all()
    assert np.ptp(seen[0, 0, :3]) < 0.01 and seen[0, 0, 0] > 0.85  # a light grey
    assert np.ptp(seen[0, 1, :3]) > 0.3  # a colour


def test_the_scale_of_a_confusion_is_that_of_the_errors_whatever_is_right():
    few = np.array([[980, 20, 2], [4, 900, 0], [0, 0, 10]])
    ax = plot.confusion(few, ["a", "b", "c"])
    image = ax.images[1]
    depth = image.norm(image.get_array()).filled(0)
    assert depth.max() == 1 and depth[0, 1] == 1
    assert depth[0, 2] == pytest.approx(np.sqrt(0.1))  # a tenth as often, still a third as dark
    assert depth[1, 0] == pytest.approx(np.sqrt(4 / 904 / (20 / 1002)))
    assert image.colorbar.ax.get_ylabel() == "errors (% of the true class)"
    assert len(image.colorbar.ax.get_yticks()) <= 6


def test_a_confusion_without_errors_is_drawn():
    ax = plot.confusion(np.diag([3, 4]), ["a", "b"])
    ax.figure.draw_without_rendering()
    assert not colours(ax)[1].any() and len(ax.texts) == 2


def test_a_confusion_of_ten_classes_can_be_read():
    matrix = np.random.default_rng(0).integers(0, 60, (10, 10)) + 5940 * np.eye(10, dtype=int)
    names = ["T-shirt/top", "Ankle boot", *(f"class {k}" for k in range(8))]
    ax = plot.confusion(matrix, names)
    ax.figure.draw_without_rendering()
    cell = ax.transData.transform((1, 1)) - ax.transData.transform((0, 2))
    sizes = [text.get_window_extent() for text in ax.texts]
    assert len(sizes) == np.count_nonzero(matrix)
    assert all(box.width < cell[0] and box.height < cell[1] for box in sizes)
    assert all(label.get_rotation() == 45 for label in ax.get_xticklabels())
    assert plot.confusion(matrix, range(10)).get_xticklabels()[0].get_rotation() == 0
    for text in ax.texts:  # numbers stand out from their cells
        column, row = (round(place) for place in text.get_position())
        light = colours(ax)[0][row, column, :3] @ (0.2126, 0.7152, 0.0722)
        written = matplotlib.colors.to_rgb(text.get_color())[0]
        assert abs(light - written) > 0.4


def test_reliability_bars_are_the_share_correct():
    ax = plot.reliability(torch.tensor([0.95, 0.92, 0.55]), torch.tensor([True, False, True]))
    assert sorted(bar.get_height() for bar in ax.patches) == [0.5, 1.0]
