"""Networks of an agent: action values, and a policy with a value beside it."""

import math

from torch import nn


class QNet(nn.Module):
    """The value of every action in a state, from an MLP;
    dueling: one value of the state plus what each action adds.

    observations: numbers that describe a state.
    actions: how many there are. hidden: units of the two hidden layers.
    forward: (B, observations) → (B, actions), no activation at the end: a value may be any number.
    Mnih et al. (2015); dueling: Wang et al. (2016), equation 9.
    """

    def __init__(self, observations, actions, hidden=128, dueling=False):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(observations, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )  # fmt: skip
        self.advantage = nn.Linear(hidden, actions)
        self.value = nn.Linear(hidden, 1) if dueling else None

    def forward(self, obs):
        features = self.body(obs)  # (B, hidden)
        advantage = self.advantage(features)  # (B, A)
        if self.value is None:
            return advantage
        # (B, 1) + (B, A)
        return self.value(features) + advantage - advantage.mean(dim=1, keepdim=True)


class ActorCritic(nn.Module):
    """A policy and the value of the state, from two separate MLPs:
    forward (B, observations) → logits (B, A), (B,).

    The last layer of the policy starts small, so that all actions are almost
    equally likely at first. Orthogonal weights as in Andrychowicz et al. (2021),
    "What matters for on-policy deep actor-critic methods?".
    """

    def __init__(self, observations, actions, hidden=64):
        super().__init__()
        self.policy = _tanh_network(observations, hidden, actions, last=0.01)
        self.critic = _tanh_network(observations, hidden, 1, last=1.0)

    def forward(self, obs):
        return self.policy(obs), self.critic(obs)[:, 0]  # (B, A), (B, 1) → (B,)


def _tanh_network(inputs, hidden, outputs, last):
    sizes = [
        (inputs, hidden, math.sqrt(2)),
        (hidden, hidden, math.sqrt(2)),
        (hidden, outputs, last),
    ]
    layers = []
    for fan_in, fan_out, gain in sizes:
        layer = nn.Linear(fan_in, fan_out)
        nn.init.orthogonal_(layer.weight, gain)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.Tanh()]
    return nn.Sequential(*layers[:-1])
