"""What a diverged run leaves behind: numbers that are not finite, and too few samples.

On a NaN `torch.linalg.eigvals` ends the process with a segmentation fault, so each of these would
end the tests as well.
"""

import pytest
import torch
from torch import nn

from dlcourse.methods.judge import Judge
from dlcourse.metrics import frechet_distance, frechet_from_features, nearest, noise_floor

GENERATOR = torch.Generator().manual_seed(0)
FEATURES = torch.randn(20, 4, generator=GENERATOR)


def spoilt(number):
    broken = FEATURES.clone()
    broken[3, 2] = number
    return broken


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_features_that_are_not_finite_are_refused_and_named(number):
    with pytest.raises(ValueError, match=r"features b, of shape \(20, 4\), holds 1 of 80 numbers"):
        frechet_from_features(FEATURES, spoilt(number))
    with pytest.raises(ValueError, match="features a.*has diverged.*lower learning rate"):
        frechet_from_features(spoilt(number), FEATURES)
    with pytest.raises(ValueError, match="holds 1 of 40 numbers"):  # of one half
        noise_floor(spoilt(number))


@pytest.mark.parametrize("which", range(4))
def test_moments_that_are_not_finite_are_named(which):
    moments = [torch.zeros(2), torch.eye(2), torch.zeros(2), torch.eye(2)]
    moments[which] = moments[which] / 0
    names = ("mean_a", "covariance_a", "mean_b", "covariance_b")
    with pytest.raises(ValueError, match=f"^{names[which]}, of shape"):
        frechet_distance(*moments)


def test_a_product_that_overflows_is_refused():
    zero, huge = torch.zeros(2), 1e200 * torch.eye(2, dtype=torch.float64)
    with pytest.raises(ValueError, match="the product of the covariances"):
        frechet_distance(zero, huge, zero, huge)


@pytest.mark.parametrize("n", [0, 1])
def test_one_sample_has_no_covariance(n, recwarn):
    with pytest.raises(ValueError, match=rf"^a has {n} of the 2 samples"):
        frechet_from_features(FEATURES[:n], FEATURES)
    with pytest.raises(ValueError, match=rf"^b has {n} of the 2 samples"):
        frechet_from_features(FEATURES, FEATURES[:n])
    assert not recwarn.list


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_set_that_cannot_be_halved_has_no_floor(n):
    with pytest.raises(ValueError, match=f"^{n} samples cannot be halved"):
        noise_floor(FEATURES[:n])


def test_one_feature_is_a_cloud_on_a_line():
    a, b = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [5.0]])
    expected = (1 - 3) ** 2 + (2**0.5 - 8**0.5) ** 2
    assert frechet_from_features(a, b).item() == pytest.approx(expected)


class Plain(nn.Module):
    """A judge's network of one layer."""

    def __init__(self):
        super().__init__()
        self.features, self.head = nn.Flatten(), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.features(x))


def test_a_judge_refuses_the_images_of_a_diverged_generator():
    images = torch.rand(10, 1, 2, 2, generator=torch.Generator().manual_seed(1))
    judge = Judge(Plain(), images)
    assert judge.distance(images).item() == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="has diverged"):
        judge.distance(images * float("nan"))
    with pytest.raises(ValueError, match="1 of the 2 samples"):
        judge.distance(images[:1])


def fitted(rate, steps=60):
    """Features like FEATURES, made of noise by a layer that was trained at this rate."""
    noise = torch.randn(20, 4, generator=torch.Generator().manual_seed(3))
    weight = torch.eye(4, requires_grad=True)
    for _ in range(steps):
        loss = (noise @ weight - FEATURES).square().mean()
        (slope,) = torch.autograd.grad(loss, weight)
        weight = (weight - rate * slope).detach().requires_grad_()
    return (noise @ weight).detach()


def test_the_cure_that_the_message_names_is_one():
    with pytest.raises(ValueError, match="start it again with a lower learning rate"):
        frechet_from_features(fitted(rate=1e3), FEATURES)
    assert frechet_from_features(fitted(rate=0.1), FEATURES).isfinite()


@pytest.mark.parametrize("n", [3, 60, 300])
def test_a_copy_is_at_distance_0_and_is_itself(n):
    x = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    distance, row = nearest(x, x)
    assert distance.max() == 0 and row.equal(torch.arange(n))
    far = (x[:2].double().flatten(1)[:, None] - x.double().flatten(1)).norm(dim=2)
    torch.testing.assert_close(nearest(x[:2], x[2:])[0].double(), far[:, 2:].min(1).values)
