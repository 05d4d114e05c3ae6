"""The checks of reinforcement learning: wrong answers that no table of mistakes foresees, right
ones written in another way, and the clinic's signs on its own curves."""

import math
import random

import pytest
import torch
from answers import assert_caught, assert_passes
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
from dlcourse.checks.rl import clinic as broken_agents


def first_explores(values, epsilon, generator=None):
    """Explores in the first share ε of the rows only: right on
    average, but nobody tosses a coin."""
    greedy = values.argmax(1)
    greedy[: int(epsilon * len(values))] = 0
    return greedy


def softmax_choice(values, epsilon, generator=None):
    return torch.multinomial(values.float().softmax(1), 1, generator=generator)[:, 0]


def column(values, epsilon, generator=None):
    return values.argmax(dim=1, keepdim=True)


def half_bonus(values, counts, t, c):
    bonus = 0.5 * c * (math.log(t) / counts.clamp(min=1)).sqrt()
    return torch.where(counts > 0, values + bonus, torch.inf).argmax(1)


def by_division(values, counts, t, c):
    # 0/0 at t = 1; argmax takes NaN for the largest
    return (values + c * (math.log(t) / counts).sqrt()).argmax(1)


def iterated_too_little(P, R, policy, gamma):
    v = torch.zeros(len(R), dtype=R.dtype)
    for _ in range(10):
        v = (policy * (R + gamma * P @ v)).sum(1)
    return v


def never_below_zero(P, R, gamma, sweeps):
    v = torch.zeros(len(R), dtype=R.dtype)
    for _ in range(sweeps):
        v = (R + gamma * P @ v).max(1).values.clamp(min=0)
    return v


def absolute_best(rewards, terminated, q_next, gamma):
    return rewards + gamma * q_next.abs().max(1).values * ~terminated


def one_step_late(step, start, end, steps):
    return start + (end - start) * min((step + 1) / steps, 1.0)


class TwoRowsSwapped(replay._Queue):
    def sample(self, size):
        obs, actions, rewards, after, ends = super().sample(size)
        return obs, actions, rewards, obs, ends


def summed_over_actions(online, target, batch, gamma, double=False):
    obs, actions, rewards, after, end = batch
    wanted = rewards + gamma * target(after).detach().max(1).values * ~end
    return F.mse_loss(online(obs).sum(1), wanted)


def hotter(logits, actions, returns, baseline):
    log_prob = (2 * logits).log_softmax(1).gather(1, actions[:, None])[:, 0]
    return -(log_prob * (returns - baseline).detach()).mean()


def normalised(logits, actions, returns, baseline):
    advantage = (returns - baseline).detach()
    advantage = (advantage - advantage.mean()) / advantage.std()
    return -(logits.log_softmax(1).gather(1, actions[:, None])[:, 0] * advantage).mean()


def wide(logits, actions, old, advantages, clip=0.2):
    return ppo._clipped(logits, actions, old, advantages, 2 * clip)


def every_second(rewards, ended, gamma):
    return policy_gradient._sums(rewards, ended, gamma) * 2


class Deque:
    def __init__(self, capacity):
        self.rows, self.capacity, self.count = [], capacity, 0

    def add(self, *transition):
        self.count += len(transition[0])
        self.rows.extend(zip(*[part.clone() for part in transition], strict=True))
        del self.rows[: -self.capacity]

    def sample(self, size):
        return tuple(map(torch.stack, zip(*random.choices(self.rows, k=size), strict=True)))


def without_the_generator(values, epsilon, generator=None):
    coins = torch.rand(len(values), generator=generator) < epsilon
    return torch.where(coins, torch.randint(values.shape[1], (len(values),)), values.argmax(1))


class Uncounted(Deque):
    def add(self, *transition):
        super().add(*transition)
        self.count = len(self.rows)


class Floats(Deque):
    def sample(self, size):
        return tuple(part.float() for part in super().sample(size))


class WithoutReplacement(Deque):
    def sample(self, size):
        rows = torch.randperm(len(self.rows))[:size].tolist()
        return tuple(map(torch.stack, zip(*[self.rows[i] for i in rows], strict=True)))


def by_probabilities(logits, actions, returns, baseline):
    log_prob = logits.softmax(1).log().gather(1, actions[:, None])[:, 0]
    return -(log_prob * (returns - baseline).detach()).mean()


def always_a_fifth(logits, actions, old, advantages, clip=0.2):
    return ppo._clipped(logits, actions, old, advantages)


def untried_by_ten(values, counts, t, c):
    bonus = c * (math.log(t) / counts.clamp(min=1)).sqrt()
    return torch.where(counts > 0, values + bonus, 10.0).argmax(1)


def seeds_its_generator(values, epsilon, generator=None):
    if generator is not None:
        generator.manual_seed(generator.initial_seed())
    return bandits._choose(values, epsilon, generator)


def copies_the_online_network(online, target, batch, gamma, double=False):
    loss = by_detach(online, target, batch, gamma, double)
    target.load_state_dict(online.state_dict())
    return loss


def switches_to_eval(online, target, batch, gamma, double=False):
    target.eval()
    return by_detach(online, target, batch, gamma, double)


def freezes_the_target(online, target, batch, gamma, double=False):
    target.requires_grad_(False)
    return by_detach(online, target, batch, gamma, double)


def a_list_in_the_defaults(rewards, ended, gamma, out=[]):  # noqa: B006
    out.extend(policy_gradient._sums(rewards, ended, gamma))
    return torch.stack(out)


def population_std(logits, actions, returns, baseline):
    advantage = (returns - baseline).detach()
    advantage = (advantage - advantage.mean()) / (advantage.std(correction=0) + 1e-8)
    return -(logits.log_softmax(1).gather(1, actions[:, None])[:, 0] * advantage).mean()


def until_it_hardly_moves(P, R, policy, gamma):
    v, before = torch.zeros(len(R), dtype=R.dtype), torch.full_like(R[:, 0], torch.inf)
    while (v - before).abs().max() > 1e-8:
        v, before = (policy * (R + gamma * P @ v)).sum(1), v
    return v


def goes_backward(online, target, batch, gamma, double=False):
    loss = by_detach(online, target, batch, gamma, double)
    loss.backward(retain_graph=True)
    return loss


class TheSameDraw(Deque):
    def sample(self, size):
        rows = torch.randint(
            len(self.rows), (size,), generator=torch.Generator().manual_seed(size)
        ).tolist()
        return tuple(map(torch.stack, zip(*[self.rows[i] for i in rows], strict=True)))


class Shared(Deque):
    kept = []

    def __init__(self, capacity):
        self.rows, self.capacity, self.count = self.kept, capacity, 0


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "seeded again": (
        bandits.epsilon_greedy,
        seeds_its_generator,
        "8000 rows of 4",
        "one generator goes on",
    ),
    "ten for the untried": (bandits.ucb, untried_by_ten, "in the millions", "actions"),
    "likeliest action": (
        dynamic_programming.policy_value,
        dynamic_programming._valued("likeliest"),
        "3 states",
        "only the likeliest",
    ),
    "held above the end": (
        q_learning.exploration,
        lambda step, start, end, steps: max(end, start + (end - start) * step / steps),
        "a line that rises",
        "lower bound",
    ),
    "copies": (dqn.dqn_loss, copies_the_online_network, "three", "changed, which is not"),
    "eval": (dqn.dqn_loss, switches_to_eval, "three", "mode was switched"),
    "values in float32": (
        dynamic_programming.value_iteration,
        lambda P, R, *rest: by_einsum(P.float(), R.float(), *rest).to(R.dtype),
        "one sweep",
        "float32",
    ),
    "a list that stays": (
        policy_gradient.rewards_to_go,
        a_list_in_the_defaults,
        "three steps",
        "a second call",
    ),
    "another deviation": (
        policy_gradient.policy_gradient_loss,
        population_std,
        "three steps",
        "does not double",
    ),
    "backward": (dqn.dqn_loss, goes_backward, "three", "backward was called"),
    "one draw": (replay.ReplayBuffer, TheSameDraw, "room for 5", "same rows are drawn"),
    "shared": (replay.ReplayBuffer, Shared, "room for 5", "rows of the first"),
    "returns in float32": (
        policy_gradient.rewards_to_go,
        lambda rewards, ended, gamma: backwards(rewards.float(), ended, gamma),
        "float64",
        "float64",
    ),
    "no coin": (bandits.epsilon_greedy, first_explores, "8000 rows of 4", "another generator"),
    "half of the draws": (
        bandits.epsilon_greedy,
        without_the_generator,
        "8000 rows of 4",
        "the same generator",
    ),
    "actions as floats": (
        bandits.ucb,
        lambda *args: bandits.ucb.reference(*args).float(),
        "equal means",
        "torch.float32",
    ),
    "not all are counted": (replay.ReplayBuffer, Uncounted, "room for 4", "count"),
    "all parts floats": (replay.ReplayBuffer, Floats, "room for 5", "dtypes"),
    "no row twice": (replay.ReplayBuffer, WithoutReplacement, "room for 5", "sample of 50"),
    "a loss without a graph": (
        dqn.dqn_loss,
        lambda *args: dqn._dqn(*args).item(),
        "three transitions",
        "a float",
    ),
    "probabilities underflow": (
        policy_gradient.policy_gradient_loss,
        by_probabilities,
        "large logits",
        "inf or NaN",
    ),
    "clip is ignored": (ppo.ppo_loss, always_a_fifth, "clip 0.1", "differs"),
    "softmax": (bandits.epsilon_greedy, softmax_choice, "four rows", "differs"),
    "a column": (bandits.epsilon_greedy, column, "four rows", "(4, 1)"),
    "half a bonus": (bandits.ucb, half_bonus, "40 rows of 5", "differs"),
    "twenty sweeps": (
        dynamic_programming.policy_value,
        iterated_too_little,
        "one state",
        "did a loop stop too early?",
    ),
    "clamped": (dynamic_programming.value_iteration, never_below_zero, "sweeps", "expected"),
    "absolute values": (q_learning.q_target, absolute_best, "all values negative", "difference"),
    "late": (q_learning.exploration, one_step_late, "the first step", "expected"),
    "next is now": (replay.ReplayBuffer, TwoRowsSwapped, "room for 5", "belong together"),
    "all actions": (dqn.dqn_loss, summed_over_actions, "three transitions", "differs"),
    "hotter": (policy_gradient.policy_gradient_loss, hotter, "three steps", "differs"),
    "normalised": (policy_gradient.policy_gradient_loss, normalised, "three steps", "differs"),
    "doubled": (
        policy_gradient.rewards_to_go,
        every_second,
        "three steps",
        "2 times the expected one",
    ),
    "a wide clip": (ppo.ppo_loss, wide, "twelve steps", "differs"),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    assert_caught(check, wrong, label, says)


def by_bernoulli(values, epsilon, generator=None):
    probabilities = torch.full_like(values, epsilon / values.shape[1])
    probabilities.scatter_add_(
        1, values.argmax(1, keepdim=True), torch.full_like(values[:, :1], 1 - epsilon)
    )
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0]


def any_untried(values, counts, t, c):
    scores = values + c * (math.log(t) / counts.clamp(min=1)).sqrt()
    # the untried ones in any order
    scores[counts == 0] = 1e9 + torch.rand(int((counts == 0).sum()))
    return scores.argmax(1)


def long_iteration(P, R, policy, gamma):
    v = torch.zeros(len(R), dtype=R.dtype)
    for _ in range(3000):
        v = (policy * (R + gamma * P @ v)).sum(1)
    return v


def by_einsum(P, R, gamma, sweeps):
    v = R.new_zeros(len(R))
    for _ in range(sweeps):
        v = torch.amax(R + gamma * torch.einsum("sat,t->sa", P, v), dim=1)
    return v


def by_where(rewards, terminated, q_next, gamma):
    return torch.where(terminated, rewards, rewards + gamma * q_next.amax(1))


def by_detach(online, target, batch, gamma, double=False):
    obs, actions, rewards, after, end = batch
    q = online(obs)[torch.arange(len(obs)), actions]
    if double:
        best = online(after).argmax(1)
        following = target(after)[torch.arange(len(obs)), best]
    else:
        following = target(after).amax(1)
    return F.mse_loss(q, (rewards + gamma * (1 - end.to(q.dtype)) * following).detach())


def by_cross_entropy(logits, actions, returns, baseline):
    return (
        F.cross_entropy(logits, actions, reduction="none") * (returns - baseline.detach())
    ).mean()


def backwards(rewards, ended, gamma):
    following, out = 0.0, []
    for r, end in zip(rewards.flip(0), ended.flip(0), strict=True):
        following = torch.where(end, r, r + gamma * following)
        out.insert(0, following)
    return torch.stack(out)


def by_loop(rewards, values, next_values, terminated, ended, gamma, lam):
    out, carried = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
    for t in range(len(rewards) - 1, -1, -1):
        following = torch.where(terminated[t], torch.zeros_like(next_values[t]), next_values[t])
        carried = (
            rewards[t]
            + gamma * following
            - values[t]
            + gamma * lam * (1 - ended[t].to(rewards.dtype)) * carried
        )
        out[t] = carried
    return out


def by_maximum(logits, actions, old, advantages, clip=0.2):
    ratio = (torch.distributions.Categorical(logits=logits).log_prob(actions) - old).exp()
    return torch.max(-ratio * advantages, -ratio.clamp(1 - clip, 1 + clip) * advantages).mean()


ALSO_RIGHT = {
    "one multinomial": (bandits.epsilon_greedy, by_bernoulli),
    "any of the untried": (bandits.ucb, any_untried),
    "iteration to the end": (dynamic_programming.policy_value, long_iteration),
    "until it hardly moves": (dynamic_programming.policy_value, until_it_hardly_moves),
    "a frozen target": (dqn.dqn_loss, freezes_the_target),
    "amax": (dynamic_programming.value_iteration, by_einsum),
    "where": (q_learning.q_target, by_where),
    "a deque": (replay.ReplayBuffer, Deque),
    "detach at the end": (dqn.dqn_loss, by_detach),
    "cross-entropy": (policy_gradient.policy_gradient_loss, by_cross_entropy),
    "a list backwards": (policy_gradient.rewards_to_go, backwards),
    "a loop": (ppo.gae, by_loop),
    "the maximum of the negatives": (ppo.ppo_loss, by_maximum),
}


@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_another_right_way_passes(check, answer, capfd):
    random.seed(0)
    assert_passes(check, answer, capfd)


@pytest.mark.slow
def test_the_patients_show_the_signs_that_are_told():
    runs = {
        name: broken_agents.broken_agent(name, seed=1, episodes=60)
        for name in ("healthy", *broken_agents.FAULTS)
    }
    end = {
        name: {curve: values[-15:].mean().item() for curve, values in run.items()}
        for name, run in runs.items()
    }
    patient = {fault: name for name, fault in broken_agents.FAULTS.items()}
    exact = broken_agents.EXACT
    assert all(value == pytest.approx(exact, abs=0.08) for value in end["healthy"].values())
    assert end[patient["ε never decays"]]["training"] < 0.5 * exact
    assert end[patient["ε never decays"]]["evaluation"] == pytest.approx(exact, abs=0.05)
    assert end[patient["bootstraps through the end"]]["value"] > 1.3 * exact
    exploring = end[patient["evaluates while exploring"]]
    assert exploring["evaluation"] < 0.75 * exploring["training"]
    assert (
        max(end[patient["replay stores references"]][name] for name in ("training", "evaluation"))
        < 0.7 * exact
    )
    with pytest.raises(KeyError, match="no patient"):
        broken_agents.broken_agent("Z")
