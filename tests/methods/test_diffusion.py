"""The equations of diffusion against independent computations: iterating, brute
force, autograd, densities at rest."""

import math

import pytest
import torch

from dlcourse.methods import diffusion, sampling

LINEAR = diffusion.cumulative(diffusion.linear_betas(250))
COSINE = diffusion.cumulative(diffusion.cosine_betas(250))
MEANS = torch.tensor([[1.0, 0.0], [-1.0, 0.5], [0.0, -1.5]])


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_schedules_run_from_clean_to_noise():
    papers = diffusion.linear_betas(1000)
    assert papers[0].item() == pytest.approx(1e-4) and papers[-1].item() == pytest.approx(0.02)
    for level in (LINEAR, COSINE):
        assert (
            level.shape == (250,)
            and (level.diff() < 0).all()
            and level[0] > 0.99
            and level[-1] < 1e-4
        )
    time = torch.arange(1, 250, dtype=torch.float64) / 250  # the last step is limited to 0.999
    wave = (
        torch.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2
        / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    )
    torch.testing.assert_close(COSINE[:249], wave)
    assert (COSINE[249] / COSINE[248]).item() == pytest.approx(0.001)


def test_abar_before_is_one_step_late():
    assert diffusion.abar_before(torch.tensor([0.9, 0.5, 0.1])).tolist() == pytest.approx(
        [1.0, 0.9, 0.5]
    )


def test_spread_gives_every_example_its_own_time():
    x = torch.zeros(3, 1, 3, 3, dtype=torch.float64)
    got = diffusion.spread(LINEAR, torch.tensor([0, 249, 9]), x)
    assert got.shape == (3, 1, 1, 1) and got.dtype == x.dtype
    assert torch.equal(got.flatten(), LINEAR[[0, 249, 9]])


@pytest.mark.parametrize("abar", [LINEAR, COSINE], ids=["linear", "cosine"])
@pytest.mark.parametrize("t", [1, 40, 200, 248])
def test_the_posterior_is_bayes_rule(abar, t):
    x0, xt = 0.7, -0.4
    place = torch.linspace(-8, 8, 400_001, dtype=torch.float64)
    alpha, before = abar[t] / abar[t - 1], abar[t - 1]
    weight = -((xt - alpha.sqrt() * place) ** 2) / (2 * (1 - alpha)) - (
        place - before.sqrt() * x0
    ) ** 2 / (2 * (1 - before))
    weight = weight.softmax(0)
    mean = (weight * place).sum()
    got = diffusion.posterior(
        torch.tensor([[x0]]).double(), torch.tensor([[xt]]).double(), torch.tensor([t]), abar
    )
    assert got[0].item() == pytest.approx(mean.item(), abs=1e-6)
    assert got[1].item() == pytest.approx((weight * (place - mean) ** 2).sum().item(), rel=1e-3)


def test_at_the_last_step_nothing_is_left_to_chance():
    x0, xt = drawn(4, 2), drawn(4, 2, seed=1)
    mean, variance = diffusion.posterior(x0, xt, torch.zeros(4, dtype=torch.int64), COSINE)
    torch.testing.assert_close(mean, x0)
    assert variance.shape == (4, 1) and not variance.any()


@pytest.mark.parametrize("kind", ["eps", "x0", "v", "score"])
def test_what_a_model_should_say_leads_back(kind):
    x0, eps, t = (
        drawn(6, 1, 3, 5),
        drawn(6, 1, 3, 5, seed=1),
        torch.tensor([0, 3, 60, 120, 200, 249]),
    )
    xt = diffusion.q_sample(x0, t, eps, LINEAR)
    back = diffusion.to_x0_eps(diffusion.target(x0, eps, t, LINEAR, kind), xt, t, LINEAR, kind)
    torch.testing.assert_close(back[0], x0)
    torch.testing.assert_close(back[1], eps)
    with pytest.raises(KeyError):
        diffusion.to_x0_eps(xt, xt, t, LINEAR, "noise")


def test_the_loss_of_saying_nothing_is_the_variance_of_the_target():
    torch.manual_seed(0)
    x0 = torch.randn(20_000, 2)
    for kind in ("eps", "x0", "v"):
        loss = diffusion.diffusion_loss(lambda xt, t: torch.zeros_like(xt), x0, COSINE, kind)
        assert loss.item() == pytest.approx(1.0, abs=0.03)


def test_the_exact_score_is_the_slope_of_the_log_density():
    x, t = drawn(5, 2).requires_grad_(), torch.tensor([0, 30, 100, 200, 249])
    level = COSINE[t][:, None]
    away = (x[:, None] - level.sqrt()[..., None] * MEANS).square().sum(2)
    log_density = torch.logsumexp(-away / (2 * (level * 0.2**2 + 1 - level)), 1)
    (slope,) = torch.autograd.grad(log_density.sum(), x)
    torch.testing.assert_close(
        sampling.mixture_score(x.detach(), t, MEANS.double(), 0.2, COSINE), slope
    )


def test_langevin_steps_rest_at_the_density_of_their_score():
    torch.manual_seed(0)
    x = torch.zeros(20_000, 1)
    for _ in range(300):
        x = sampling.langevin_step(x, -(x - 1.0) / 0.25, 0.01, torch.randn_like(x))
    assert x.mean().item() == pytest.approx(1.0, abs=0.02) and x.std().item() == pytest.approx(
        0.5, abs=0.02
    )


def gauss_back(step, abar, mean=2.0, std=0.5, n=4000):
    """Noise carried back by `step` for data N(mean, std²), whose score is a line."""
    torch.manual_seed(0)
    x = torch.randn(n, 1)
    for t in reversed(range(len(abar))):
        level = abar[t].item()
        score = -(x - level**0.5 * mean) / (level * std**2 + 1 - level)
        x = step(x, score, t)
    return x


def test_every_way_back_ends_at_the_data():
    abar = diffusion.cumulative(diffusion.linear_betas(500))
    ways = {
        "SDE": lambda x, s, t: sampling.sde_step(x, s, t, torch.randn_like(x), abar),
        "ODE": lambda x, s, t: sampling.ode_step(x, s, t, abar),
        "ancestral": lambda x, s, t: sampling.ancestral_step(
            lambda xt, times: s, x, t, torch.randn_like(x), abar, kind="score"
        ),
    }
    for name, step in ways.items():
        x = gauss_back(step, abar)
        assert x.mean().item() == pytest.approx(2.0, abs=0.06), name
        assert x.std().item() == pytest.approx(0.5, abs=0.04), name


def test_beta_at_gives_the_schedule_back():
    betas = diffusion.linear_betas(30)
    abar = diffusion.cumulative(betas)
    assert [sampling.beta_at(abar, t).item() for t in range(30)] == pytest.approx(betas.tolist())


def test_sampling_keeps_what_was_there_at_the_times_it_watches():
    model = lambda xt, t: torch.zeros_like(xt)  # noqa: E731  x0 = 0 throughout
    x = torch.randn(3, 1, 2, 2)
    way = sampling.sample(model, x, LINEAR, kind="x0", watch=(249, 100))
    assert way.shape == (3, 3, 1, 2, 2) and torch.equal(way[0], x) and not way[-1].any()
    assert sampling.sample(model, x, LINEAR, kind="x0").shape == x.shape
    high = sampling.sample(lambda xt, t: torch.full_like(xt, 5.0), x, LINEAR, kind="x0", limit=1.0)
    assert torch.allclose(high, torch.ones_like(high))
