"""The evaluation kit for generated samples: distances with known values,
coverage, and the judge that measures."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from dlcourse.data.images import Images
from dlcourse.methods.judge import soften, train_judge
from dlcourse.metrics import (
    class_coverage,
    class_histogram,
    conditional_accuracy,
    frechet_distance,
    frechet_from_features,
    mode_coverage,
    noise_floor,
)


def covariance(d, seed, rank=None):
    x = torch.randn(
        d, rank or d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return x @ x.T


def test_frechet_of_diagonal_gaussians_is_that_of_each_axis():
    mean_a, mean_b = torch.tensor([1.0, 2.0, 0.0]), torch.tensor([0.0, 4.0, 0.0])
    a, b = torch.tensor([4.0, 1.0, 9.0]), torch.tensor([1.0, 1.0, 16.0])
    expected = 1 + 4 + (2 - 1) ** 2 + 0 + (3 - 4) ** 2
    assert frechet_distance(mean_a, a.diag(), mean_b, b.diag()).item() == pytest.approx(expected)


@pytest.mark.parametrize("rank", [None, 3])
def test_frechet_is_scipys_and_symmetric_also_for_singular_covariances(rank):
    linalg = pytest.importorskip("scipy.linalg")
    a, b = covariance(6, 0), covariance(6, 1, rank)
    root = linalg.sqrtm((a @ b).numpy())
    expected = 2.0 + (a.trace() + b.trace()).item() - 2 * np.trace(root).real
    mean = torch.zeros(6)
    mean[[1, 4]] = 1.0
    zero = torch.zeros(6)
    assert frechet_distance(zero, a, mean, b).item() == pytest.approx(expected, rel=1e-5)
    assert frechet_distance(mean, b, zero, a).item() == pytest.approx(expected, rel=1e-5)
    assert frechet_distance(mean, b, mean, b).item() == pytest.approx(0, abs=1e-5)


def test_an_imaginary_part_is_never_dropped_in_silence():
    zero, good, bad = torch.zeros(2), torch.eye(2), torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    with pytest.raises(ValueError, match="not real"):
        frechet_distance(zero, good, zero, bad)
    assert frechet_distance(zero, 0 * good, zero, 0 * good).item() == 0


def test_frechet_from_features_and_the_floor():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(4000, 3, generator=generator)
    assert frechet_from_features(a, a).item() == pytest.approx(0, abs=1e-6)
    assert frechet_from_features(a, 2 * a + 1).item() == pytest.approx(3 + 3, rel=0.1)
    floors = [noise_floor(a[:n], torch.Generator().manual_seed(1)).item() for n in (100, 4000)]
    assert 0 < floors[1] < floors[0] < 0.5
    assert noise_floor(a, torch.Generator().manual_seed(1)) == noise_floor(
        a, torch.Generator().manual_seed(1)
    )


def test_mode_coverage_counts_modes_and_the_share_on_them():
    angle = torch.arange(8) * math.pi / 4
    centres = torch.stack([angle.cos(), angle.sin()], 1)
    points = centres.repeat_interleave(10, 0) + 0.01
    assert mode_coverage(points, centres, 0.1) == (8, 1.0)
    assert mode_coverage(points[:20], centres, 0.1) == (2, 1.0)
    assert mode_coverage(torch.cat([points[:20], torch.zeros(20, 2)]), centres, 0.1) == (2, 0.5)
    # 1 of 201 samples: below one per cent
    lonely = torch.cat([points[:10].repeat(20, 1), points[70:71]])
    assert mode_coverage(lonely, centres, 0.1)[0] == 1
    assert mode_coverage(torch.zeros(5, 2), centres, 0.1) == (0, 0.0)


def test_classes_are_counted_and_compared():
    y = torch.tensor([0, 0, 2, 1])
    assert class_histogram(y, 4).tolist() == [0.5, 0.25, 0.25, 0.0]
    assert class_coverage(y, 4) == 3
    assert (
        class_coverage(
            torch.cat([torch.zeros(199, dtype=torch.long), torch.ones(1, dtype=torch.long)]), 4
        )
        == 1
    )
    assert conditional_accuracy(y, torch.tensor([0, 1, 2, 3])).item() == 0.5


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 2, 3, stride=2), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten()
        )
        self.head = nn.Linear(2 * 9, 2)

    def forward(self, x):
        return self.head(self.features(x))


def stripes(n, seed):
    """Images of 8 × 8 pixels: bright at the top or at the bottom."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(2, (n,), generator=generator)
    x = torch.randint(60, (n, 1, 8, 8), generator=generator)
    x[torch.arange(n)[:, None], 0, (4 * y)[:, None] + torch.arange(4)] += 150
    return x.to(torch.uint8), y


@pytest.fixture(scope="module")
def pair():
    images = Images("stripes", *stripes(2000, 0), *stripes(400, 1), ("top", "bottom"))
    return images, train_judge(Tiny(), images, epochs=6)


def test_a_judge_learns_says_so_and_is_the_same_again(pair, capfd):
    images, judge = pair
    assert (judge.classes(images.x_test) == images.y_test).float().mean() > 0.95
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = train_judge(Tiny(), images, epochs=6)
    torch.manual_seed(5)
    assert torch.equal(before, torch.get_rng_state())
    torch.testing.assert_close(again.reference, judge.reference)
    assert capfd.readouterr().out.startswith("judge: ")


def test_training_a_judge_leaves_the_global_generator_alone(pair):
    network = Tiny()
    state = torch.get_rng_state()
    train_judge(network, pair[0], epochs=1)
    assert torch.equal(state, torch.get_rng_state())


def test_a_judge_is_kept_under_a_name_that_says_what_it_is(pair):
    kept = {}

    def keep(name, make):
        return kept.setdefault(name, make())

    first = train_judge(Tiny(), pair[0], keep=keep)
    assert len(kept) == 1 and "stripes" in next(iter(kept))
    network = Tiny()
    second = train_judge(network, pair[0], keep=lambda name, make: kept[name])
    torch.testing.assert_close(first.reference, second.reference)


def test_judging_changes_nothing_in_the_judge_and_takes_bytes_as_well_as_floats(pair):
    images, judge = pair
    state = {name: value.clone() for name, value in judge.network.state_dict().items()}
    x = images.x_test
    torch.testing.assert_close(judge.features(x), judge.features(x.float() / 255))
    assert judge.features(x).shape == (400, 18) and not judge.features(x).requires_grad
    assert all(
        torch.equal(value, state[name]) for name, value in judge.network.state_dict().items()
    )
    assert not judge.network.training


def test_distances_order_real_blurred_and_noise(pair):
    images, judge = pair
    noise = torch.rand(400, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    floor, near = judge.floor(), judge.distance(soften(images.x[:400]))
    assert 0 < floor < near < judge.distance(noise)
    assert judge.distance(images.x[:400]) < near
    assert judge.floor() == judge.floor()


def test_blurring_keeps_constants_and_means_and_smooths():
    flat = torch.full((2, 1, 9, 7), 0.3)
    torch.testing.assert_close(soften(flat, 1.5), flat)
    spot = torch.zeros(1, 1, 15, 15)
    spot[..., 7, 7] = 1
    soft = soften(spot, 1.0)
    assert soft.sum().item() == pytest.approx(1, rel=1e-5)
    torch.testing.assert_close(soft, soft.transpose(2, 3))
    assert soft[0, 0, 7, 7].item() == pytest.approx(1 / (2 * math.pi), rel=0.02)
