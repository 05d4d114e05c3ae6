"""Checks of what Q-learning is made of: the target, and the schedule of ε."""

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.sequences.slopes import steady


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
    probe=steady,
    single=False,
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
    probe=steady,
    reference=lambda step, start, end, steps: float(np.interp(step, [0, steps], [start, end])),
    fallback="dlcourse.methods.rl:exploration",
    cases=[
        case("the first step", 0, 1.0, 0.1, 100),
        case("a quarter of the way", 25, 1.0, 0.1, 100),
        case("the last step of the slope", 100, 1.0, 0.1, 100),
        case("long after", 1000, 1.0, 0.1, 100),
        case("another slope", 30, 0.8, 0.2, 60),
        case("a line that rises", 15, 0.2, 0.8, 60),
        case("down to 0", 90, 0.5, 0.0, 100),
        case("one step", 1, 0.9, 0.3, 1),
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
        Mistake("`end` as a lower bound",
                "A line may rise as well: bound the share of the way, min(step / steps, 1).",
                lambda step, start, end, steps: max(end, start + (end - start) * step / steps)),
        Mistake("start and end are exchanged", "At step 0 ε is `start`.",
                lambda step, start, end, steps: end + (start - end) * min(step / steps, 1.0)),
        Mistake("an exponential in place of a line",
                "start + (end − start) · step / steps is a straight line.",
                lambda step, start, end, steps: start * (end / start) ** min(step / steps, 1.0)),
        Mistake("the way down is added", "The slope is end − start, a negative number.",
                lambda step, start, end, steps: start + (start - end) * min(step / steps, 1.0)),
    ],
)  # fmt: skip
