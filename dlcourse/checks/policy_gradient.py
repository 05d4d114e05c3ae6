"""Checks of rewards-to-go, of the policy-gradient loss with a baseline, of advantages, and of PPO's clipped loss."""

import torch
from torch.distributions import Categorical

from dlcourse.checks.core import Check, Mistake, case


def _sums(rewards, ended, gamma, fault=None):
    """Every sum written out: from each t to the end of its episode."""
    flat, ends = rewards.reshape(len(rewards), -1), ended.reshape(len(rewards), -1)
    out = torch.zeros_like(flat)
    for n in range(flat.shape[1]):
        for t in range(len(flat)):
            steps = range(t, -1, -1) if fault == "reversed" else range(t, len(flat))
            for k in steps:
                if fault == "reversed" and k < t and ends[k, n]:
                    break
                if fault == "early" and ends[k, n]:
                    break
                power = {"no discount": 0, "from the start": k}.get(fault, abs(k - t))
                out[t, n] += gamma**power * flat[k, n]
                if fault not in ("across", "reversed") and ends[k, n]:
                    break
    if fault == "whole":
        out[:] = out[0]
    return out.reshape(rewards.shape)


def _summed(fault):
    return lambda *args: _sums(*args, fault=fault)


def _episodes(steps, players, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    rewards = torch.randn(steps, players, generator=generator, dtype=dtype)
    return rewards, torch.rand(steps, players, generator=generator) < 0.25


rewards_to_go = Check(
    "rewards_to_go",
    reference=_sums,
    fallback="dlcourse.methods.rl:rewards_to_go",
    cases=lambda: [
        case("three steps, one episode", torch.tensor([1.0, 2.0, 4.0]), torch.tensor([False, False, True]), 0.5),
        case("two episodes", torch.tensor([1.0, 1.0, 5.0, 1.0]), torch.tensor([False, True, False, True]), 0.5),
        case("cut in the middle of an episode, γ = 1", torch.tensor([1.0, 1.0, 1.0]), torch.zeros(3).bool(), 1.0),
        case("nine steps of four players, float64", *_episodes(9, 4, 0, torch.float64), 0.9),
    ],
    mistakes=[
        Mistake("rewards-to-go reversed",
                "What an action could still change lies after it: start at the last step and go backwards.",
                _summed("reversed")),
        Mistake("it runs across the end of an episode",
                "Another episode's rewards are not this action's doing: where ended[t], nothing follows.",
                _summed("across")),
        Mistake("the last reward of an episode is dropped",
                "ended[t] cuts what comes after step t; r_t itself still counts.", _summed("early")),
        Mistake("γ is missing", "A reward k steps later counts γᵏ times.", _summed("no discount")),
        Mistake("discounted from the start of time",
                "Count the steps from t: the reward of t itself has weight 1 in G_t.", _summed("from the start")),
        Mistake("the whole return for every step", "G_t leaves out what came before t.", _summed("whole")),
    ],
)  # fmt: skip


def _slopes(function, logits, actions, returns, baseline):
    """The loss and where its gradient goes."""
    loss = function(logits, actions, returns, baseline)
    if loss is None:
        return None
    loss.backward()
    found = {"logits": logits.grad, "baseline": baseline.grad}
    return {"loss": loss.detach()} | {
        f"gradient of the {name}": torch.zeros_like(part) if grad is None else grad
        for (name, grad), part in zip(found.items(), (logits, baseline), strict=True)
    }


def _surrogate(logits, actions, returns, baseline, fault=None):
    policy = Categorical(logits=logits.t() if fault == "axis" else logits)
    advantage = returns - baseline
    advantage = advantage if fault == "leak" else advantage.detach()
    advantage = returns if fault == "no baseline" else advantage
    weight = policy.probs.gather(1, actions[:, None])[:, 0] if fault == "no log" else policy.log_prob(actions)
    if fault == "all actions":
        weight = policy.logits.sum(1)
    total = weight * advantage
    return {"sign": total.mean(), "sum": -total.sum()}.get(fault, -total.mean())


def _steered(fault):
    return lambda *args: _surrogate(*args, fault=fault)


def _played(rows, actions, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, actions, generator=generator, dtype=dtype).requires_grad_()
    chosen = torch.randint(actions, (rows,), generator=generator)
    returns = 3 * torch.randn(rows, generator=generator, dtype=dtype)
    return logits, chosen, returns, torch.randn(rows, generator=generator, dtype=dtype).requires_grad_()


policy_gradient_loss = Check(
    "policy_gradient_loss",
    reference=_surrogate,
    probe=_slopes,
    fallback="dlcourse.methods.rl:policy_gradient_loss",
    cases=lambda: [
        case("two steps, two actions", *_played(2, 2, 0)),
        case("five steps, three actions", *_played(5, 3, 1)),
        case("six steps, two actions, float64", *_played(6, 2, 2, torch.float64)),
    ],
    mistakes=[
        Mistake("the baseline's gradient leaks",
                "The baseline only centres the returns; its own loss trains it: (returns − baseline).detach().",
                _steered("leak")),
        Mistake("uphill", "Descent makes the loss small, and the return is to be large: a minus sign.",
                _steered("sign")),
        Mistake("the probability in place of its logarithm",
                "The gradient of E[G] is E[G ∇ ln π]: the logarithm makes up for how often an action was drawn.",
                _steered("no log")),
        Mistake("all actions at once", "Only the action that was played has a return: gather its log-probability.",
                _steered("all actions")),
        Mistake("no baseline", "Weigh ln π by returns − baseline.", _steered("no baseline")),
        Mistake("the sum over the steps", "The mean is asked for: the learning rate should not depend on the batch.",
                _steered("sum")),
    ],
)  # fmt: skip


def _advantages(rewards, values, next_values, terminated, ended, gamma, lam, fault=None):
    """Σ_l (γλ)^l δ_{t+l}, written out."""
    follows = (ended if fault == "truncated" else terminated).to(rewards.dtype)
    follows = torch.zeros_like(follows) if fault == "through the end" else follows
    deltas = rewards + gamma * next_values * (1 - follows)
    deltas = deltas if fault == "no baseline" else deltas - values
    stops = terminated if fault == "across" else ended
    return _sums(deltas, stops, {"no lambda": gamma, "no gamma": lam, "one step": 0.0}.get(fault, gamma * lam))


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
    reference=_advantages,
    fallback="dlcourse.methods.rl:gae",
    rtol=1e-4,
    atol=1e-6,
    cases=lambda: [
        case("one step that goes on", _line(1.0), _line(2.0), _line(4.0), _line(False), _line(False), 0.5, 0.5),
        case("one step that ends", _line(1.0), _line(2.0), _line(4.0), _line(True), _line(True), 0.5, 0.5),
        case("two steps, stopped by a clock after the first", _line(1.0, 1.0), _line(2.0, 3.0), _line(4.0, 1.0),
             _line(False, False), _line(True, False), 0.5, 0.5),
        case("eight steps of three players", *_rollout(8, 3, 0), 0.99, 0.9),
        case("twelve steps of two, float64", *_rollout(12, 2, 1, torch.float64), 0.9, 0.7),
    ],
    mistakes=[
        Mistake("bootstrapping through a terminal", "δ = r − v(s) where terminated: ~terminated masks v(s').",
                _estimated("through the end")),
        Mistake("a stopped episode is treated as finished",
                "The clock ran out, the task goes on: v(s') counts in δ unless *terminated*.", _estimated("truncated")),
        Mistake("it runs across a stopped episode",
                "Another episode begins there: the sum over later δ stops wherever *ended*.", _estimated("across")),
        Mistake("λ is missing", "Later δ count (γλ)ˡ.", _estimated("no lambda")),
        Mistake("γ is missing in the sum", "Later δ count (γλ)ˡ: both factors.", _estimated("no gamma")),
        Mistake("v(s) is not subtracted", "An advantage is over what was expected: r + γ v(s') − v(s).",
                _estimated("no baseline")),
        Mistake("one step only", "δ alone is λ = 0: add the later ones, weighted by (γλ)ˡ.", _estimated("one step")),
    ],
)  # fmt: skip


def _pushed(function, logits, *rest):
    """The loss, and its gradient by the logits."""
    loss = function(logits, *rest)
    if loss is None:
        return None
    (found,) = torch.autograd.grad(loss, logits, allow_unused=True)
    return {"loss": loss.detach(), "gradient of the logits": torch.zeros_like(logits) if found is None else found}


def _clipped(logits, actions, old_log_probs, advantages, clip=0.2, fault=None):
    """Case by case: a good action is capped at 1 + clip, a bad one held at 1 − clip from below."""
    difference = Categorical(logits=logits).log_prob(actions) - old_log_probs
    total = []
    for d, advantage in zip(difference, advantages, strict=True):
        ratio = {"inverted": (-d).exp(), "no exponential": 1 + d}.get(fault, d.exp())
        bound = 1 + clip if (advantage > 0) != (fault == "maximum") else 1 - clip
        outside = ratio > bound if (advantage > 0) != (fault == "maximum") else ratio < bound
        if fault == "clip alone":
            bound, outside = (1 + clip, True) if ratio > 1 + clip else (1 - clip, bool(ratio < 1 - clip))
        total.append((ratio if fault == "no clip" or not outside else ratio.detach() * 0 + bound) * advantage)
    mean = torch.stack(total).mean()
    return mean if fault == "sign" else -mean


def _bounded(fault):
    return lambda *args: _clipped(*args, fault=fault)


def _aged(rows, actions, seed, shift=0.6, dtype=torch.float32):
    """Logits that have moved away from those of when the actions were played."""
    generator = torch.Generator().manual_seed(seed)
    old = torch.randn(rows, actions, generator=generator, dtype=dtype)
    logits = (old + shift * torch.randn(rows, actions, generator=generator, dtype=dtype)).requires_grad_()
    chosen = torch.randint(actions, (rows,), generator=generator)
    log_probs = old.log_softmax(1).gather(1, chosen[:, None])[:, 0]
    return logits, chosen, log_probs, torch.randn(rows, generator=generator, dtype=dtype)


ppo_loss = Check(
    "ppo_loss",
    reference=_clipped,
    probe=_pushed,
    fallback="dlcourse.methods.rl:ppo_loss",
    cases=lambda: [
        case("nothing has moved yet", *_aged(3, 2, 0, shift=0.0), 0.2),
        case("twelve steps, three actions", *_aged(12, 3, 1), 0.2),
        case("twenty steps, two actions, clip 0.1, float64", *_aged(20, 2, 2, dtype=torch.float64), 0.1),
        case("far away", *_aged(30, 4, 3, shift=2.0), 0.3),
    ],
    mistakes=[
        Mistake("nothing is clipped", "min(ρ Â, clip(ρ) Â): without the second term a step has no bound.",
                _bounded("no clip")),
        Mistake("the clipped ratio alone",
                "A policy that has gone the *wrong* way must be able to come back: the minimum of both.",
                _bounded("clip alone")),
        Mistake("the maximum instead of the minimum", "PPO is pessimistic: the smaller of the two, before the minus.",
                _bounded("maximum")),
        Mistake("the ratio is upside down", "ρ = new / old = exp(log π − log π_old).", _bounded("inverted")),
        Mistake("the exponential is missing", "A difference of logarithms is ln ρ: take exp.",
                _bounded("no exponential")),
        Mistake("uphill", "The objective is to be large, a loss small: a minus sign.", _bounded("sign")),
    ],
)  # fmt: skip
