"""Few-step sampling, guidance, averages and flow matching: what the formulas promise."""

import copy
import itertools

import pytest
import torch
from torch import nn

from dlcourse.methods import flow
from dlcourse.methods.ddim import (
    ddim,
    ddim_step,
    ddim_times,
    drop_labels,
    ema_decay,
    ema_update,
    guide,
    paste_known,
)
from dlcourse.methods.diffusion import cosine_betas, cumulative, posterior
from dlcourse.metrics import nearest
from dlcourse.models.denoiser import Denoiser

ABAR = cumulative(cosine_betas(250))


def test_eta_one_is_ddpm():
    x0, eps, z = torch.randn(3, 4, 5, dtype=torch.float64).unbind(0)
    for t in (1, 10, 100, 248):
        xt = ABAR[t].sqrt() * x0 + (1 - ABAR[t]).sqrt() * eps
        mean, variance = posterior(x0, xt, torch.full((4,), t), ABAR)
        ours = ddim_step(x0, eps, ABAR[t], ABAR[t - 1], 1.0, z)
        assert torch.allclose(ours, mean + variance.sqrt() * z, atol=1e-9)


def test_eta_zero_leaves_nothing_to_chance_and_odd_sizes_work():
    model, x = Denoiser(16), torch.randn(2, 1, 27, 30)
    assert torch.equal(ddim(model, x, ABAR, 4), ddim(model, x, ABAR, 4))
    assert guide(model, x, torch.tensor([1, 2]), torch.tensor([1, 2]), 2.0).shape == x.shape


@pytest.mark.parametrize(("kind", "eta"), list(itertools.product(("v", "eps", "x0"), (0.0, 1.0))))
def test_a_model_that_knows_the_data_ends_there(kind, eta):
    data = torch.tensor([[0.5, -0.2]]).expand(6, 2)

    def model(xt, t):
        signal, noise = ABAR[t].sqrt()[:, None].to(xt), (1 - ABAR[t]).sqrt()[:, None].to(xt)
        eps = (xt - signal * data) / noise
        return {"v": signal * eps - noise * data, "eps": eps, "x0": data}[kind]

    assert torch.allclose(ddim(model, torch.randn(6, 2), ABAR, 7, kind, eta=eta), data, atol=2e-3)


def test_times_start_at_the_last_and_end_where_noise_is_left():
    assert ddim_times(250, 250) == list(range(249, -1, -1))
    assert ddim_times(2, 250) == [249, 124] and ddim_times(1, 250) == [249]
    for steps in (3, 5, 10, 20, 32, 50, 100, 249):
        times = ddim_times(steps, 250)
        gaps = [a - b for a, b in itertools.pairwise([*times, -1])]  # the last step ends at -1
        assert len(times) == steps and times[0] == 249
        assert min(gaps) >= 1 and max(gaps) - min(gaps) <= 1


def test_the_last_of_two_steps_still_removes_noise():
    seen = []

    def model(xt, t):
        seen.append(int(t[0]))
        return torch.zeros_like(xt)

    ddim(model, torch.randn(2, 3), ABAR, 2)
    assert seen == [249, 124] and 1 - ABAR[seen[-1]] > 0.4


def test_what_is_known_is_there_in_the_end():
    known, mask = torch.rand(2, 1, 6, 6), (torch.arange(6) < 3).float()
    x = ddim(
        Denoiser(8),
        torch.randn(2, 1, 6, 6),
        ABAR,
        3,
        eta=1.0,
        after=lambda x, later: paste_known(x, known, mask, later.to(x), torch.randn_like(x)),
    )
    assert torch.equal(x[..., :3], known[..., :3]) and not torch.equal(x[..., 3:], known[..., 3:])


def test_labels_are_dropped_at_the_rate_asked_for():
    torch.manual_seed(0)
    y = torch.arange(20_000) % 10
    dropped = drop_labels(y, 10, 0.3)
    assert (dropped == 10).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(dropped[dropped != 10], y[dropped != 10]) and y.max() == 9


def test_the_start_has_no_weight_in_the_average():
    kept = torch.tensor([ema_decay(k) for k in range(1, 101)], dtype=torch.float64)
    share = (1 - kept) * torch.cat(
        [kept.flip(0).cumprod(0).flip(0)[1:], torch.ones(1, dtype=torch.float64)]
    )
    assert kept[0] == 0 and abs(share.sum() - 1) < 1e-12
    assert abs(share[49] / share[99] - 0.5**16) < 5e-4
    assert ema_decay(10**9) == 0.999


def test_an_average_follows_its_model_and_counts_with_it():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    average = copy.deepcopy(model).requires_grad_(False)
    before = model[0].weight.detach().clone()
    model(torch.randn(5, 2)).sum().backward()
    with torch.no_grad():
        model[0].weight += 1
    ema_update(average, model, 0.75)
    assert torch.allclose(average[0].weight, before + 0.25) and average[1].num_batches_tracked == 1


def test_the_nearest_image_is_found():
    bank = torch.randn(20, 1, 4, 4)
    distance, row = nearest(bank[[3, 7]] + torch.tensor(0.1), bank)
    assert row.tolist() == [3, 7] and torch.allclose(distance, torch.full((2,), 0.4), atol=1e-3)


def test_straight_paths_end_at_the_data_in_one_step():
    noise, shift = torch.randn(5, 2), torch.tensor([3.0, -1.0])
    constant = lambda x, u: shift.expand_as(x)  # noqa: E731  what moves every point by the same way
    assert flow.flow_loss(constant, noise + shift, noise, torch.rand(5)).item() < 1e-12
    for steps in (1, 4):
        assert torch.allclose(flow.euler(constant, noise, steps), noise + shift, atol=1e-5)
