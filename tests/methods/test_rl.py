"""Reinforcement learning: every method against an independent computation, and
agents in worlds of known values."""

import copy
import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from dlcourse.checks.rl import (
    bandits,
    dqn,
    dynamic_programming,
    policy_gradient,
    ppo,
    q_learning,
    replay,
)
from dlcourse.methods import rl
from dlcourse.methods.worlds import GridWorld, Players, probes
from dlcourse.models.qnet import ActorCritic, QNet
from dlcourse.train import descend

LIBRARY = {
    "epsilon_greedy": bandits.epsilon_greedy,
    "ucb": bandits.ucb,
    "policy_value": dynamic_programming.policy_value,
    "value_iteration": dynamic_programming.value_iteration,
    "q_target": q_learning.q_target,
    "exploration": q_learning.exploration,
    "dqn_loss": dqn.dqn_loss,
    "ReplayBuffer": replay.ReplayBuffer,
    "rewards_to_go": policy_gradient.rewards_to_go,
    "policy_gradient_loss": policy_gradient.policy_gradient_loss,
    "gae": ppo.gae,
    "ppo_loss": ppo.ppo_loss,
}


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_passes_its_own_checks(name, capfd):
    found = getattr(rl, name)
    LIBRARY[name](lambda *args: found(*args))
    assert capfd.readouterr().out.startswith("✓")


def small_world(seed):
    generator = torch.Generator().manual_seed(seed)
    P = torch.randn(4, 3, 4, generator=generator, dtype=torch.float64).softmax(dim=2)
    P[3] = 0.0
    R = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    R[3] = 0.0
    return P, R


@pytest.mark.parametrize("seed", range(3))
def test_value_iteration_finds_the_best_of_all_deterministic_policies(seed):
    P, R = small_world(seed)
    every = [
        rl.policy_value(P, R, F.one_hot(torch.tensor(choice), 3).double(), 0.9)
        for choice in itertools.product(range(3), repeat=4)
    ]
    best = torch.stack(every).max(dim=0).values
    assert torch.allclose(rl.value_iteration(P, R, 0.9, 400), best, atol=1e-9)


def test_a_corridor_is_worth_what_its_steps_cost():
    corridor = GridWorld(["S...G"], rewards={".": -1.0, "G": 10.0})
    v = rl.value_iteration(corridor.P, corridor.R, 0.5, 50)
    assert v.tolist() == pytest.approx(
        [-1 - 0.5 - 0.25 + 10 / 8, -1 - 0.5 + 10 / 4, -1 + 10 / 2, 10.0, 0.0]
    )


def test_a_map_has_probabilities_that_sum_to_one_where_it_goes_on():
    world = GridWorld(["S.#", "..x", "..G"], slip=0.3, rewards={"x": -1.0, "G": 1.0}, ends="Gx")
    ending = torch.zeros(9, 4, dtype=torch.float64)
    # from the middle: up, right, down, left slide into x or go there
    ending[4] = torch.tensor([0.15, 0.7, 0.15, 0.0])
    assert torch.allclose(world.P.sum(dim=2)[4], 1 - ending[4])
    assert torch.allclose(world.P.sum(dim=2)[0], torch.ones(4, dtype=torch.float64))
    # up is a wall
    assert world.P[0, 1, 1] == pytest.approx(0.7) and world.P[0, 1, 0] == pytest.approx(0.15)
    assert world.R[4, 1].item() == pytest.approx(-0.7)
    with pytest.raises(ValueError, match="slippery"):
        world.tables()
    with pytest.raises(ValueError, match="one length"):
        GridWorld(["S.", "G"])


def test_a_fall_sends_back_to_the_start_and_the_task_goes_on():
    cliff = GridWorld(["...", "SxG"], rewards={".": -1.0, "G": -1.0, "x": -100.0}, back="x")
    to, reward, end = cliff.tables()
    assert to[3, 1] == 3 and reward[3, 1] == -100 and not end[3, 1]
    assert to[2, 2] == 5 and end[2, 2] and reward[2, 2] == -1


@pytest.mark.slow
@pytest.mark.parametrize("double", [False, True])
def test_a_network_learns_the_values_of_every_probe(double):
    for name, (batch, _, states, values) in probes(0.7).items():
        torch.manual_seed(0)
        online = QNet(1, int(batch[1].max()) + 1, hidden=24)
        target, optimiser = copy.deepcopy(online), torch.optim.Adam(online.parameters(), 5e-3)
        for number in range(250):
            descend(rl.dqn_loss(online, target, batch, 0.7, double), optimiser)
            if number % 6 == 0:
                target.load_state_dict(online.state_dict())
        assert torch.allclose(online(states), values, atol=0.1), name


def test_the_values_of_the_probes_are_fixed_points():
    for name, (batch, truncated, states, values) in probes(0.9).items():
        obs, actions, rewards, next_obs, terminated = batch
        row = {state.item(): i for i, state in enumerate(states)}
        zero = torch.zeros_like(values[0])
        q_next = torch.stack([values[row[s.item()]] if s.item() in row else zero for s in next_obs])
        wanted = rl.q_target(rewards, terminated, q_next, 0.9)
        found = torch.stack([values[row[s.item()], a] for s, a in zip(obs, actions, strict=True)])
        assert torch.allclose(found, wanted), name
        assert not (truncated & terminated).any()


def test_the_policy_gradient_is_that_of_the_expected_return():
    logits = torch.tensor([0.3, -0.2, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    worth = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)
    (exact,) = torch.autograd.grad((logits.softmax(0) * worth).sum(), logits)
    # every action once, weighted by how often it is played: four losses of one row each
    parts = []
    for action, p in enumerate(logits.softmax(0).tolist()):
        loss = rl.policy_gradient_loss(
            logits[None], torch.tensor([action]), worth[[action]], worth.new_full((1,), 7.0)
        )
        parts.append(-p * torch.autograd.grad(loss, logits)[0])
    assert torch.allclose(sum(parts), exact)


def test_ppo_has_the_gradient_of_reinforce_before_anything_has_moved():
    torch.manual_seed(0)
    logits = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    actions, advantages = torch.randint(3, (6,)), torch.randn(6, dtype=torch.float64)
    old = logits.detach().log_softmax(1).gather(1, actions[:, None])[:, 0]
    (one,) = torch.autograd.grad(rl.ppo_loss(logits, actions, old, advantages), logits)
    (other,) = torch.autograd.grad(
        rl.policy_gradient_loss(logits, actions, advantages, torch.zeros_like(advantages)), logits
    )
    assert torch.allclose(one, other)


def test_ucb_never_forgets_an_action():
    torch.manual_seed(0)
    values, counts = torch.zeros(1, 3), torch.zeros(1, 3)
    for t in range(1, 200):
        (action,) = rl.ucb(values, counts, t, 1.0)
        counts[0, action] += 1
        values[0, action] += (float(action == 2) - values[0, action]) / counts[0, action]
    assert (
        counts.min() >= 2
        and counts.argmax() == 2
        and math.isclose(values[0, 2].item(), 1.0, abs_tol=1e-5)
    )


@pytest.mark.parametrize("dueling", [False, True])
def test_networks_reach_every_parameter_on_odd_sizes(dueling):
    net = QNet(3, 5, hidden=7, dueling=dueling)
    net(torch.randn(4, 3)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    model = ActorCritic(3, 4, hidden=9)
    logits, values = model(torch.randn(5, 3))
    assert logits.shape == (5, 4) and values.shape == (5,)
    (logits.square().sum() + values.sum()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_a_dueling_network_has_the_value_as_the_mean_of_its_actions():
    net, obs = QNet(3, 5, hidden=7, dueling=True), torch.randn(4, 3)
    assert torch.allclose(net(obs).mean(dim=1), net.value(net.body(obs))[:, 0], atol=1e-6)


def test_players_are_gymnasiums_carts_and_a_restart_is_no_transition():
    gymnasium = pytest.importorskip("gymnasium")
    players = Players("CartPole-v1", 3, seed=0, max_episode_steps=30)
    single = gymnasium.make("CartPole-v1").unwrapped
    single.reset(seed=0)
    lengths, alone = torch.zeros(3), 0
    for number in range(80):
        before = players.obs.clone()
        obs, rewards, next_obs, terminated, truncated, valid = players.step(
            torch.full((3,), number % 2)
        )
        assert torch.equal(obs, before) and torch.equal(next_obs, players.obs)
        assert (rewards[~valid] == 0).all() and not (terminated | truncated)[~valid].any()
        single.state = tuple(before[0].double().tolist())
        single.steps_beyond_terminated = None
        if valid[0]:
            expected, _, end, _, _ = single.step(number % 2)
            assert (
                torch.allclose(torch.from_numpy(expected), next_obs[0], atol=1e-5)
                and bool(terminated[0]) == end
            )
            alone += 1
        lengths += valid
        if (terminated | truncated).any():
            first = int((terminated | truncated).long().argmax())
            assert players.returns and lengths[first] in players.returns
            lengths[terminated | truncated] = 0
    assert alone > 50
