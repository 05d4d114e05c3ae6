"""The earth mover's distance and the parts of a Wasserstein GAN, against closed forms."""

import pytest
import torch
from torch import nn

from dlcourse.checks.wgan import gradient_penalty as penalties
from dlcourse.checks.wgan import lipschitz, wasserstein
from dlcourse.checks.wgan import step as wgan
from dlcourse.methods import wgan as methods
from dlcourse.train import descend

LIBRARY = {
    "transport_plan": wasserstein.transport_plan,
    "critic_loss": wasserstein.critic_loss,
    "clip_weights": lipschitz.clip_weights,
    "largest_singular_value": lipschitz.largest_singular_value,
    "gradient_penalty": penalties.gradient_penalty,
    "wgan_step": wgan.wgan_step,
}


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_passes_its_own_checks(name, capfd):
    function = getattr(methods, name)
    LIBRARY[name](lambda *args: function(*args))
    assert capfd.readouterr().out.startswith("✓")


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 4), (12, 7)])
def test_the_programme_gives_scipys_distance_on_a_line(n, m):
    stats = pytest.importorskip("scipy.stats")
    generator = torch.Generator().manual_seed(n)
    a, b, p, q = (torch.randn(k, generator=generator, dtype=torch.float64) for k in (n, m, n, m))
    p, q, cost = p.softmax(0), q.softmax(0), (a[:, None] - b).abs()
    plan = methods.transport_plan(cost, p, q)
    assert plan.shape == (n, m) and plan.min() >= 0
    assert torch.allclose(plan.sum(1), p) and torch.allclose(plan.sum(0), q)
    assert (plan * cost).sum().item() == pytest.approx(
        stats.wasserstein_distance(a, b, p, q), abs=1e-9
    )


def test_the_penalty_of_a_plane_is_known_everywhere():
    plane = nn.Linear(3, 1)
    with torch.no_grad():
        plane.weight.copy_(torch.tensor([[2.0, -1.0, 2.0]]))  # length 3
    value = methods.gradient_penalty(plane, torch.randn(5, 3), torch.randn(5, 3))
    assert value.item() == pytest.approx(4.0, rel=1e-5)
    (slope,) = torch.autograd.grad(value, plane.weight)
    assert torch.allclose(slope, 2 * (3 - 1) * plane.weight.detach() / 3, atol=1e-4)


@pytest.mark.parametrize(("distance", "weight"), [(2.0, 10.0), (0.5, 1.0), (3.0, 5.0)])
def test_a_penalised_line_has_the_slope_that_the_notebook_states(distance, weight):
    line = nn.Linear(1, 1, bias=False)
    nn.init.constant_(line.weight, 0.5)
    optimiser = torch.optim.SGD(line.parameters(), 0.2 / weight)
    real, fake = torch.full((4, 1), distance), torch.zeros(4, 1)
    for _ in range(100):
        penalty = methods.gradient_penalty(line, real, fake)
        descend(methods.critic_loss(line(real), line(fake)) + weight * penalty, optimiser)
    assert line.weight.item() == pytest.approx(1 + distance / (2 * weight), abs=1e-3)
    estimate = -methods.critic_loss(line(real), line(fake)).item()
    assert estimate == pytest.approx(distance + distance**2 / (2 * weight), abs=1e-2)


def test_clipping_bounds_every_parameter_and_counts_what_it_moved():
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.5, -0.5], [0.05, 0.0]]))
        model.bias.zero_()
    assert methods.clip_weights(model, 0.1) == pytest.approx(2 / 6)
    assert torch.equal(model.weight.detach(), torch.tensor([[0.1, -0.1], [0.05, 0.0]]))
    assert methods.clip_weights(model, 0.1) == 0.0


def test_power_iteration_agrees_with_the_decomposition():
    weight = torch.randn(16, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert methods.largest_singular_value(weight, 300).item() == pytest.approx(
        torch.linalg.svdvals(weight)[0].item()
    )


@pytest.mark.parametrize(
    "rows",
    [
        [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]],  # Sobel
        [[1.0, -1.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
    ],
)
def test_power_iteration_where_a_vector_of_ones_would_give_nan(rows):
    weight = torch.tensor(rows)
    assert torch.equal(weight.sum(1), torch.zeros(len(rows)))
    assert methods.largest_singular_value(weight).item() == pytest.approx(
        torch.linalg.matrix_norm(weight, 2).item(), rel=1e-5, abs=1e-9
    )


def test_the_batches_of_x_say_how_often_the_critic_steps():
    generator, critic = nn.Linear(1, 2), nn.Linear(2, 1)
    optimisers = [torch.optim.SGD(model.parameters(), 0.1) for model in (generator, critic)]
    calls = []

    def penalty(critic, real, fake):
        calls.append(real.shape)
        assert not fake.requires_grad
        return methods.gradient_penalty(critic, real, fake)

    row = methods.wgan_step(
        generator, critic, *optimisers, torch.randn(4, 3, 2), torch.randn(5, 3, 1), penalty
    )
    assert calls == [torch.Size([3, 2])] * 4 and set(row) == {"distance", "G"}
