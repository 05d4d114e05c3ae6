"""Reinforcement learning: bandits, dynamic programming,
Q-learning with a network, policy gradients.

Symbols as in Sutton & Barto (2018), "Reinforcement learning":
states s, actions a, rewards r, discount γ (gamma), values v(s) and q(s, a).
A transition is (s, a, r, s', terminated); `terminated` means that the task has ended
there and nothing follows, not that somebody stopped looking (that is `truncated`).
"""

import math

import torch
from torch.nn import functional as F


def epsilon_greedy(values, epsilon, generator=None):
    """With probability epsilon any action (the best one included), otherwise the best of the row.

    values: (B, A) estimates. epsilon: 0 … 1.
    generator: torch.Generator or None. Returns actions (B,), int64.
    """
    greedy = values.argmax(dim=1)  # (B, A) → (B,)
    anything = torch.randint(values.shape[1], greedy.shape, generator=generator)
    explore = torch.rand(greedy.shape, generator=generator) < epsilon
    return torch.where(explore, anything, greedy)


def ucb(values, counts, t, c):
    """The action with the highest upper confidence bound,
    value + c √(ln t / n); what was never tried comes first.

    values, counts: (B, A) means so far and how many rewards are in them. t: total tries so far, at
    least 1. Returns actions (B,), int64. Auer, Cesa-Bianchi & Fischer (2002), UCB1 (there c = √2).
    """
    bonus = c * (math.log(t) / counts.clamp(min=1)).sqrt()
    return torch.where(counts > 0, values + bonus, torch.inf).argmax(dim=1)  # (B, A) → (B,)


def policy_value(P, R, policy, gamma):
    """Value of every state under a policy, from the linear system (I − γ P_π) v = r_π.
    Sutton & Barto (2018), eq. 4.4.

    P: (S, A, S) probabilities of what follows, a row of zeros where the task ends.
    R: (S, A) mean rewards.
    policy: (S, A), rows sum to 1. gamma: 0 … 1 (1 only where every policy ends). Returns v (S,).
    """
    r = (policy * R).sum(dim=1)  # (S, A) → (S,)
    p = torch.einsum("sa,sat->st", policy, P)  # (S, A) · (S, A, S) → (S, S)
    return torch.linalg.solve(torch.eye(len(r), dtype=r.dtype) - gamma * p, r)


def value_iteration(P, R, gamma, sweeps):
    """v after `sweeps` sweeps of v(s) ← max_a
    [R(s, a) + γ Σ_s' P(s, a, s') v(s')] from v = 0; all states at once.

    P: (S, A, S), R: (S, A) as in policy_value. Returns v (S,).
    Bellman (1957); Sutton & Barto (2018), eq. 4.10.
    """
    v = torch.zeros(len(R), dtype=R.dtype)
    for _ in range(sweeps):
        v = (R + gamma * P @ v).max(dim=1).values  # (S, A, S) @ (S,) → (S, A) → (S,)
    return v


def q_target(rewards, terminated, q_next, gamma):
    """What Q-learning wants q(s, a) to be:
    r + γ max_a' q(s', a'), or r alone where the task has ended.

    rewards: (B,), terminated: (B,) bool, q_next: (B, A) values in s'. Returns (B,). Watkins (1989).
    """
    return rewards + gamma * q_next.max(dim=1).values * ~terminated  # (B, A) → (B,)


def exploration(step, start, end, steps):
    """ε of a step: a straight line from `start` at step 0
    to `end` at `steps`, and `end` ever after. A float."""
    return start + (end - start) * min(step / steps, 1.0)


class ReplayBuffer:
    """The last `capacity` transitions, to be learnt from in random order.
    Lin (1992); Mnih et al. (2015)."""

    def __init__(self, capacity):
        self.capacity, self.count, self.stores = capacity, 0, None

    def add(self, *transition):
        """Copies N transitions in: tensors (N, …) of one length,
        e.g. obs, actions, rewards, next_obs, terminated."""
        if self.stores is None:
            self.stores = [
                torch.zeros(self.capacity, *part.shape[1:], dtype=part.dtype) for part in transition
            ]
        # The oldest are overwritten
        rows = (self.count + torch.arange(len(transition[0]))) % self.capacity
        for store, part in zip(self.stores, transition, strict=True):
            store[rows] = part
        self.count += len(rows)

    def sample(self, size):
        """`size` transitions drawn evenly, with replacement:
        a tuple of tensors (size, …), in the order of `add`."""
        rows = torch.randint(min(self.count, self.capacity), (size,))
        return tuple(store[rows] for store in self.stores)


def dqn_loss(online, target, batch, gamma, double=False):
    """Squared error of q(s, a) against q_target,
    whose values come from the target network and carry no gradient.

    online, target: networks, obs (B, D) → (B, A). batch: obs (B, D), actions (B,), rewards (B,),
    next_obs (B, D), terminated (B,) bool. double: the online network chooses the next action, the
    target network values it. Returns a 0-d tensor, the mean over the batch. Mnih et al. (2015), who
    also clip the error; double: van Hasselt, Guez & Silver (2016), equation 4.
    """
    obs, actions, rewards, next_obs, terminated = batch
    q = online(obs).gather(1, actions[:, None])[:, 0]  # (B, A) → (B, 1) → (B,)
    with torch.no_grad():
        q_next = target(next_obs)  # (B, A)
        if double:
            # (B, A) → (B, 1)
            q_next = q_next.gather(1, online(next_obs).argmax(dim=1, keepdim=True))
        wanted = q_target(rewards, terminated, q_next, gamma)
    return F.mse_loss(q, wanted)


def rewards_to_go(rewards, ended, gamma):
    """G_t = r_t + γ r_{t+1} + …, as far as the episode reaches.
    Sutton & Barto (2018), equation 3.8.

    rewards: (T, …) over time.
    ended: the same shape, bool: True at the last step of an episode. Returns (T, …).
    """
    returns, following = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following * ~ended[t]
        returns[t] = following
    return returns


def policy_gradient_loss(logits, actions, returns, baseline):
    """Its gradient is that of −E[return]: −mean of ln π(a|s) · (G − b),
    with a baseline b that stays out of it.

    logits: (B, A). actions: (B,). returns, baseline: (B,); no gradient flows into the baseline.
    Returns a 0-d tensor. Williams (1992), REINFORCE.
    """
    log_prob = logits.log_softmax(dim=1).gather(1, actions[:, None])[:, 0]  # (B, A) → (B,)
    return -(log_prob * (returns - baseline).detach()).mean()


def gae(rewards, values, next_values, terminated, ended, gamma, lam):
    """Generalised advantage estimates Â_t = δ_t + γλ Â_{t+1} within an episode,
    δ_t = r_t + γ v(s_{t+1}) − v(s_t).

    All (T, …) over time: values of s_t, next_values of s_{t+1} (of the state before any reset),
    terminated (nothing follows: v(s_{t+1}) counts 0) and ended (terminated or truncated: the sum
    stops). Returns (T, …). Schulman et al. (2016), equations 11–16.
    """
    deltas = rewards + gamma * next_values * ~terminated - values
    return rewards_to_go(deltas, ended, gamma * lam)


def ppo_loss(logits, actions, old_log_probs, advantages, clip=0.2):
    """−mean of min(ρ Â, clip(ρ, 1 − c, 1 + c) Â), ρ = π(a|s) / π_old(a|s).
    Schulman et al. (2017), equation 7.

    logits: (B, A) of the policy now. actions, old_log_probs, advantages: (B,), of when it was
    played; constants. Returns a 0-d tensor.
    """
    log_prob = logits.log_softmax(dim=1).gather(1, actions[:, None])[:, 0]  # (B, A) → (B,)
    ratio = (log_prob - old_log_probs).exp()
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()
