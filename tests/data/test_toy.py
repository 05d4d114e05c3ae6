import pytest
import torch

from dlcourse.data import toy

ALL = {
    "moons": (toy.moons, 2),
    "spirals": (toy.spirals, 2),
    "five arms": (lambda **options: toy.spirals(arms=5, **options), 5),
    "ring": (toy.ring, 8),
    "swiss roll": (toy.swiss_roll, 4),
    "xor": (toy.xor, 2),
}


@pytest.fixture(params=ALL, ids=str)
def maker(request):
    return ALL[request.param]


def test_shapes_types_and_balance(maker):
    make, classes = maker
    x, y = make(n=403)
    assert x.shape == (403, 2) and x.dtype == torch.float32
    assert y.shape == (403,) and y.dtype == torch.int64
    counts = y.bincount()
    assert len(counts) == classes and counts.max() - counts.min() <= 1
    assert (y[1:] != y[:-1]).float().mean() > 0.3  # shuffled


def test_seeds_repeat_and_leave_the_global_generator_alone(maker):
    make, _ = maker
    before = torch.get_rng_state()
    (x, y), (x_again, y_again), (x_other, _) = (
        make(n=50, seed=4),
        make(n=50, seed=4),
        make(n=50, seed=5),
    )
    assert torch.equal(x, x_again) and torch.equal(y, y_again) and not torch.equal(x, x_other)
    assert torch.equal(torch.get_rng_state(), before)


def test_too_few_points_and_negative_noise_are_refused(maker):
    make, classes = maker
    with pytest.raises(ValueError, match="one point a class"):
        make(n=classes - 1)
    with pytest.raises(ValueError, match="cannot be negative"):
        make(noise=-0.1)
    with pytest.raises(ValueError, match="whole number"):
        make(n=10.5)


def test_no_arms_is_refused():
    with pytest.raises(ValueError, match="at least 1, not 0"):
        toy.spirals(arms=0)


def test_noise_is_a_standard_deviation():
    (clean, _), (noisy, _) = toy.moons(5000, noise=0.0), toy.moons(5000, noise=0.2)
    assert (noisy - clean).std().item() == pytest.approx(0.2, rel=0.05)


def test_without_noise_points_lie_where_the_formulas_say():
    x, y = toy.ring(80, modes=8, radius=2.0, noise=0.0)
    angle = torch.atan2(x[:, 1], x[:, 0]) / (2 * torch.pi) * 8
    assert torch.allclose(x.norm(dim=1), torch.tensor(2.0)) and torch.equal(
        angle.round().long() % 8, y
    )
    x, y = toy.xor(40, noise=0.0)
    assert torch.equal((x[:, 0] * x[:, 1] < 0).long(), y)
    x, y = toy.moons(40, noise=0.0)
    centre = torch.where(y == 0, 1.0, -1.0)[:, None] * torch.tensor([-0.5, -0.25])
    assert torch.allclose((x - centre).norm(dim=1), torch.tensor(1.0), atol=1e-5)


def test_the_roll_is_labelled_from_inside_to_outside():
    x, y = toy.swiss_roll(400, noise=0.0, classes=4)
    radii = torch.stack([x[y == label].norm(dim=1).mean() for label in range(4)])
    assert (radii.diff() > 0).all()
    assert 0.7 < x.std() < 1.3
