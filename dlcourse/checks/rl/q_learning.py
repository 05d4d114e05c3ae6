"""Checks of what Q-learning with a network is made of:
the target, the schedule of ε, and the loss."""

import numpy as np
import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.probes import judge


def _target(rewards, terminated, q_next, gamma, fault=None):
    if fault == "axis":
        return rewards + gamma * q_next.max(dim=0).values * ~terminated
    wanted = []
    for r, end, row in zip(rewards.tolist(), terminated.tolist(), q_next.tolist(), strict=True):
        best = {"mean": sum(row) / len(row), "first": row[0]}.get(fault, max(row))
        follows = {"through the end": True, "inverted": end}.get(fault, not end)
        value = {"reward lost": 0.0 if end else r, "discounted reward": gamma * r}.get(fault, r)
        wanted.append(value + (1.0 if fault == "no discount" else gamma) * best * follows)
    return torch.tensor(wanted, dtype=rewards.dtype)


def _aimed(fault):
    return lambda *args: _target(*args, fault=fault)


def _transitions(rows, actions, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    ends = torch.rand(rows, generator=generator) < 0.4
    q_next = torch.randn(rows, actions, generator=generator, dtype=dtype)
    return torch.randn(rows, generator=generator, dtype=dtype), ends, q_next


q_target = Check(
    "q_target",
    reference=_target,
    fallback="dlcourse.methods.rl:q_target",
    cases=lambda: [
        case("two that go on, two actions", torch.tensor([1.0, 0.0]), torch.tensor([False, False]),
             torch.tensor([[2.0, 5.0], [3.0, 1.0]]), 0.5),
        case("one of two ends", torch.tensor([1.0, 2.0]), torch.tensor([True, False]),
             torch.tensor([[7.0, 9.0], [4.0, -1.0]]), 0.5),
        case("all values negative", torch.tensor([-1.0, -1.0, 0.0]),
             torch.tensor([False, True, False]),
             -torch.tensor([[2.0, 5.0, 1.0], [3.0, 1.0, 4.0], [6.0, 2.0, 9.0]]), 1.0),
        case("seven transitions, three actions, float64", *_transitions(7, 3, 0, torch.float64),
             0.99),
        case("one action", *_transitions(5, 1, 1), 0.9),
        case("one transition, four actions", *_transitions(1, 4, 2), 0.7),
    ],
    mistakes=[
        Mistake("bootstrapping through a terminal",
                "Where the task has ended nothing follows: the target is the reward alone. "
                "Multiply the rest by ~terminated.", _aimed("through the end")),
        Mistake("the maximum is taken over the wrong axis",
                "Row i is the state after transition i: "
                "max(dim=1), over the actions, never over the batch.",
                _aimed("axis")),
        Mistake("the mask is inverted",
                "terminated is True where nothing follows: keep the rest where it is False.",
                _aimed("inverted")),
        Mistake("γ is missing", "The value of the next state counts γ times.",
                _aimed("no discount")),
        Mistake("the last reward is lost", "At an end the reward still counts: mask only γ max q.",
                _aimed("reward lost")),
        Mistake("the reward is discounted too", "r comes now and counts in full: r + γ max q.",
                _aimed("discounted reward")),
        Mistake("the mean over the actions",
                "Q-learning assumes the best action from there on: the maximum.", _aimed("mean")),
    ],
)  # fmt: skip


exploration = Check(
    "exploration",
    reference=lambda step, start, end, steps: float(np.interp(step, [0, steps], [start, end])),
    fallback="dlcourse.methods.rl:exploration",
    cases=[
        case("the first step", 0, 1.0, 0.1, 100),
        case("a quarter of the way", 25, 1.0, 0.1, 100),
        case("the last step of the slope", 100, 1.0, 0.1, 100),
        case("long after", 1000, 1.0, 0.1, 100),
        case("another slope", 30, 0.8, 0.2, 60),
    ],
    mistakes=[
        Mistake("a division without a rest",
                "step // steps stays 0 until the last step: "
                "step / steps moves ε from start to end.",
                lambda step, start, end, steps: start + (end - start) * min(step // steps, 1)),
        Mistake("ε never decays", "Take the share min(step / steps, 1) of the way to end.",
                lambda step, start, end, steps: start),
        Mistake("it goes on below the end", "After `steps` ε stays: min(step / steps, 1).",
                lambda step, start, end, steps: start + (end - start) * step / steps),
        Mistake("start and end are exchanged", "At step 0 ε is `start`.",
                lambda step, start, end, steps: end + (start - end) * min(step / steps, 1.0)),
        Mistake("an exponential in place of a line",
                "start + (end − start) · step / steps is a straight line.",
                lambda step, start, end, steps: start * (end / start) ** min(step / steps, 1.0)),
        Mistake("the way down is added", "The slope is end − start, a negative number.",
                lambda step, start, end, steps: start + (start - end) * min(step / steps, 1.0)),
    ],
)  # fmt: skip


def _watch(function, online, target, batch, gamma, double=None):
    """The loss, and the gradients that it sends into either network."""
    double = () if double is None else (double,)
    loss = function(online, target, batch, gamma, *double)
    if loss is None:
        raise Untouched("None: is `return` missing?")
    leaves = {f"the online network's {name}": p for name, p in online.named_parameters()}
    theirs = {f"the target network's {name}": p for name, p in target.named_parameters()}
    found = judge(loss, leaves | theirs)
    grads = [found.pop(f"gradient by {name}", "none") for name in theirs]
    reached = any(isinstance(grad, torch.Tensor) and bool(grad.any()) for grad in grads)
    return found | {"the target network": "has a gradient" if reached else "has none"}


def _dqn(online, target, batch, gamma, double=False, fault=None):
    """Transition by transition; `fault` names what is wrong, None is right."""
    losses = []
    values = online if fault in ("online only", "residual") else target
    chooser = {"no double": False, "roles": not double}.get(fault, double)
    values = online if fault == "roles" and double else values
    for s, a, r, after, end in zip(*batch, strict=True):
        q = online(s[None])[0]
        after = s if fault == "before" else after
        q_next = values(after[None])[0]
        best = (
            (online if chooser else target)(after[None])[0].argmax() if double else q_next.argmax()
        )
        follows = 1.0 if fault == "through the end" else 1.0 - end.to(q.dtype)
        wanted = r + gamma * q_next[best] * follows
        wanted = wanted if fault in ("residual", "undetached") else wanted.detach()
        losses.append((q.max() if fault == "best action" else q[a]) - wanted)
    errors = torch.stack(losses)
    if fault == "huber":
        return torch.where(errors.abs() < 1, 0.5 * errors**2, errors.abs() - 0.5).mean()
    return {"sum": errors.square().sum(), "half": 0.5 * errors.square().mean()}.get(
        fault, errors.square().mean()
    )


def _every_pair(online, target, batch, gamma, double=False):
    """q as a column against targets as a row: the difference of every pair."""
    obs, actions, rewards, after, end = batch
    q = online(obs).gather(1, actions[:, None])
    q_next = target(after).detach()
    best = online(after).argmax(1, keepdim=True) if double else q_next.argmax(1, keepdim=True)
    wanted = rewards + gamma * q_next.gather(1, best)[:, 0] * ~end
    return nn.functional.mse_loss(q.expand(-1, len(q)), wanted.expand(len(q), -1))


def _lost(fault):
    return lambda *args: _dqn(*args, fault=fault)


def _networks(features, actions, seed, dtype=torch.float32):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pair = [
            nn.Sequential(nn.Linear(features, 5), nn.Tanh(), nn.Linear(5, actions))
            for _ in range(2)
        ]
    return [network.to(dtype) for network in pair]


def _batch(rows, features, actions, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    obs, after = torch.randn(2, rows, features, generator=generator, dtype=dtype)
    chosen = torch.randint(actions, (rows,), generator=generator)
    rewards = 2 * torch.randn(rows, generator=generator, dtype=dtype)
    return obs, chosen, rewards, after, torch.rand(rows, generator=generator) < 0.4


dqn_loss = Check(
    "dqn_loss",
    reference=_dqn,
    probe=_watch,
    fallback="dlcourse.methods.rl:dqn_loss",
    cases=lambda: [
        case("three transitions, two actions", *_networks(1, 2, 0), _batch(3, 1, 2, 0), 0.9),
        case("eight transitions, three actions, float64", *_networks(4, 3, 1, torch.float64),
             _batch(8, 4, 3, 1, torch.float64), 0.99, False),
        case("double", *_networks(2, 4, 4), _batch(9, 2, 4, 2), 0.95, True),
    ],
    mistakes=[
        Mistake("the target is not detached",
                "The target is data: compute it under torch.no_grad(), "
                "or its gradient flows into the target network.",
                _lost("undetached")),
        Mistake("the online network makes its own target, gradient included",
                "Values of next_obs come from the target network, under torch.no_grad().",
                _lost("residual")),
        Mistake("the target network is not used",
                "Values of next_obs come from the target network.", _lost("online only")),
        Mistake("bootstrapping through a terminal",
                "Use q_target: where terminated, nothing follows.", _lost("through the end")),
        Mistake("the value of the best action instead of the one played",
                "Only the action in the batch was tried: online(obs).gather(1, actions[:, None]).",
                _lost("best action")),
        Mistake("every q against every target",
                "q of shape (B, 1) minus targets (B,) is (B, B) by broadcasting: "
                "take [:, 0] after gather.",
                _every_pair),
        Mistake("Huber's loss",
                "q is a mean, and squared errors are what aims at a mean: F.mse_loss.",
                _lost("huber")),
        Mistake("the state before in place of the state after",
                "The target values what follows: target(next_obs), and online(next_obs) if double.",
                _lost("before")),
        Mistake("half the squared error", "F.mse_loss has no factor of ½.", _lost("half")),
        Mistake("the sum over the batch", "The mean over the batch, as F.mse_loss does by default.",
                _lost("sum")),
        Mistake("double makes no difference",
                "With double=True the online network chooses the next action; "
                "the target network values it.",
                _lost("no double")),
        Mistake("double with the roles exchanged",
                "The online network chooses, the target network values.", _lost("roles")),
    ],
)  # fmt: skip
