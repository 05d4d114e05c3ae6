"""Checks of the two parts of PPO: advantages (GAE) and the clipped loss."""

import torch
from torch.distributions import Categorical

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.probes import with_gradient
from dlcourse.checks.rl.policy_gradient import _sums, doubled
from dlcourse.checks.sequences.slopes import steady


def _advantages(rewards, values, next_values, terminated, ended, gamma, lam, fault=None):
    """Σ_l (γλ)^l δ_{t+l}, written out."""
    follows = (ended if fault == "truncated" else terminated).to(rewards.dtype)
    follows = torch.zeros_like(follows) if fault == "through the end" else follows
    if fault == "next row":
        next_values = torch.cat([values[1:], next_values[-1:]])
    deltas = rewards + gamma * next_values * (1 - follows)
    deltas = deltas if fault == "no baseline" else deltas - values
    stops = terminated if fault == "across" else ended
    return _sums(
        deltas,
        stops,
        {"no lambda": gamma, "no gamma": lam, "one step": 0.0}.get(fault, gamma * lam),
        "first" if fault == "first" else None,
    )


def _estimated(fault):
    return lambda *args: _advantages(*args, fault=fault)


def _rollout(steps, players, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    rewards, values, next_values = torch.randn(3, steps, players, generator=generator, dtype=dtype)
    terminated, truncated = torch.rand(2, steps, players, generator=generator) < 0.2
    return rewards, values, next_values, terminated, terminated | truncated


def _line(*numbers):
    return torch.tensor(numbers)


gae = Check(
    "gae",
    probe=steady,
    single=False,
    reference=_advantages,
    fallback="dlcourse.methods.rl:gae",
    rtol=1e-4,
    atol=1e-6,
    cases=lambda: [
        case("one step that goes on", _line(1.0), _line(2.0), _line(4.0), _line(False),
             _line(False), 0.5, 0.5),
        case("one step that ends", _line(1.0), _line(2.0), _line(4.0), _line(True), _line(True),
             0.5, 0.5),
        case("two steps, stopped by a clock after the first", _line(1.0, 1.0), _line(2.0, 3.0),
             _line(4.0, 1.0), _line(False, False), _line(True, False), 0.5, 0.5),
        case("eight steps of three players", *_rollout(8, 3, 0), 0.99, 0.9),
        case("twelve steps of two, float64", *_rollout(12, 2, 1, torch.float64), 0.9, 0.7),
    ],
    mistakes=[
        Mistake("bootstrapping through a terminal",
                "δ = r − v(s) where terminated: ~terminated masks v(s').",
                _estimated("through the end")),
        Mistake("a stopped episode is treated as finished",
                "The clock ran out, the task goes on: v(s') counts in δ unless *terminated*.",
                _estimated("truncated")),
        Mistake("it runs across a stopped episode",
                "Another episode begins there: the sum over later δ stops wherever *ended*.",
                _estimated("across")),
        Mistake("λ is missing", "Later δ count (γλ)ˡ.", _estimated("no lambda")),
        Mistake("γ is missing in the sum", "Later δ count (γλ)ˡ: both factors.",
                _estimated("no gamma")),
        Mistake("v(s) is not subtracted",
                "An advantage is over what was expected: r + γ v(s') − v(s).",
                _estimated("no baseline")),
        Mistake("it stops after the last step",
                "`return` belongs behind the loop, not into it.", _estimated("first")),
        Mistake("v(s') is taken from the next row of values",
                "Where an episode has stopped, the next row belongs to another one: next_values "
                "hold what followed.", _estimated("next row")),
        Mistake("one step only", "δ alone is λ = 0: add the later ones, weighted by (γλ)ˡ.",
                _estimated("one step")),
    ],
)  # fmt: skip


def _clipped(logits, actions, old_log_probs, advantages, clip=0.2, fault=None):
    """Case by case: a good action is capped at 1 + clip, a bad one held at 1 − clip from below."""
    log_probs = Categorical(logits=logits).log_prob(actions)
    if fault == "standardised":
        advantages = (advantages - advantages.mean()) / advantages.std()
    if fault in ("two means", "logarithm"):
        return _clamped(log_probs - old_log_probs, advantages, clip, fault)
    if fault == "every pair":
        log_probs = log_probs.repeat_interleave(len(actions))
        old_log_probs, advantages = (x.repeat(len(actions)) for x in (old_log_probs, advantages))
    total = []
    for d, advantage in zip(log_probs - old_log_probs, advantages, strict=True):
        ratio = {"inverted": (-d).exp(), "no exponential": 1 + d}.get(fault, d.exp())
        bound = 1 + clip if (advantage > 0) != (fault == "maximum") else 1 - clip
        outside = ratio > bound if (advantage > 0) != (fault == "maximum") else ratio < bound
        if fault == "clip alone":
            bound, outside = (
                (1 + clip, True) if ratio > 1 + clip else (1 - clip, bool(ratio < 1 - clip))
            )
        total.append(
            (ratio if fault == "no clip" or not outside else ratio.detach() * 0 + bound) * advantage
        )
    mean = torch.stack(total).mean()
    return mean if fault == "sign" else -mean


def _clamped(d, advantages, clip, fault):
    """Two more ways to go wrong: the minimum comes too late, the clip too early."""
    if fault == "logarithm":
        inside = d.clamp(-clip, clip).exp()
        return -torch.minimum(d.exp() * advantages, inside * advantages).mean()
    inside = d.exp().clamp(1 - clip, 1 + clip)
    return -torch.minimum((d.exp() * advantages).mean(), (inside * advantages).mean())


def _bounded(fault):
    return lambda *args: _clipped(*args, fault=fault)


def _aged(rows, actions, seed, shift=0.6, dtype=torch.float32, scale=1.0):
    """Logits that have moved away from those of when the actions were played."""
    generator = torch.Generator().manual_seed(seed)
    old = scale * torch.randn(rows, actions, generator=generator, dtype=dtype)
    logits = (
        old + shift * torch.randn(rows, actions, generator=generator, dtype=dtype)
    ).requires_grad_()
    chosen = torch.randint(actions, (rows,), generator=generator)
    log_probs = old.log_softmax(1).gather(1, chosen[:, None])[:, 0]
    return logits, chosen, log_probs, torch.randn(rows, generator=generator, dtype=dtype)


def _weighed(function, logits, actions, old_log_probs, advantages, *clip):
    """The loss and its gradient, and first of all whether it is linear in the advantages."""
    rest = logits, actions, old_log_probs
    loss, twice = (function(*rest, factor * advantages, *clip) for factor in (1, 2))
    if loss is None:
        raise Untouched("None: is `return` missing?")
    found = {"twice the advantages: the loss": doubled(loss, twice)}
    return found | with_gradient(0)(function, *rest, advantages, *clip)


_weighed.hands_on = True


ppo_loss = Check(
    "ppo_loss",
    reference=_clipped,
    probe=_weighed,
    fallback="dlcourse.methods.rl:ppo_loss",
    rtol=1e-4,
    atol=1e-5,
    cases=lambda: [
        case("twelve steps, three actions", *_aged(12, 3, 1), 0.2),
        case("nothing has moved yet", *_aged(3, 2, 0, shift=0.0), 0.2),
        case("without a clip: 0.2", *_aged(9, 3, 5)),
        case("large logits: probabilities that underflow", *_aged(8, 4, 6, scale=80.0), 0.2),
        case("twenty steps, two actions, clip 0.1, float64", *_aged(20, 2, 2, dtype=torch.float64),
             0.1),
        case("far away", *_aged(30, 4, 3, shift=2.0), 0.3),
        case("one step", *_aged(1, 3, 7, shift=0.05), 0.2),
    ],
    mistakes=[
        Mistake("nothing is clipped",
                "min(ρ Â, clip(ρ) Â): without the second term a step has no bound.",
                _bounded("no clip")),
        Mistake("the clipped ratio alone",
                "A policy that has gone the *wrong* way must be able to come back: "
                "the minimum of both.",
                _bounded("clip alone")),
        Mistake("the minimum of two means",
                "Each step has a minimum of its own: torch.minimum first, then the mean.",
                _bounded("two means")),
        Mistake("the logarithm is clipped",
                "The bounds of ρ are 1 − c and 1 + c, not e^−c and e^c: exp first, then clamp.",
                _bounded("logarithm")),
        Mistake("the maximum instead of the minimum",
                "PPO is pessimistic: the smaller of the two, before the minus.",
                _bounded("maximum")),
        Mistake("every action against every advantage",
                "ln π of shape (B, 1) against (B,) is (B, B) by broadcasting: take [:, 0] after "
                "gather.", _bounded("every pair")),
        Mistake("standardised advantages",
                "That is the caller's choice: here advantages are used as they come.",
                _bounded("standardised")),
        Mistake("the ratio is upside down", "ρ = new / old = exp(log π − log π_old).",
                _bounded("inverted")),
        Mistake("the exponential is missing", "A difference of logarithms is ln ρ: take exp.",
                _bounded("no exponential")),
        Mistake("uphill", "The objective is to be large, a loss small: a minus sign.",
                _bounded("sign")),
    ],
)  # fmt: skip
