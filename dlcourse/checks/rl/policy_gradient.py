"""Checks of rewards-to-go, and of the policy-gradient loss with a baseline."""

import torch
from torch.distributions import Categorical

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.probes import judge
from dlcourse.checks.sequences.slopes import steady


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
    if fault == "first":
        out[:-1] = 0.0
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
    probe=steady,
    single=False,
    reference=_sums,
    fallback="dlcourse.methods.rl:rewards_to_go",
    cases=lambda: [
        case("three steps, one episode", torch.tensor([1.0, 2.0, 4.0]),
             torch.tensor([False, False, True]), 0.5),
        case("two episodes", torch.tensor([1.0, 1.0, 5.0, 1.0]),
             torch.tensor([False, True, False, True]), 0.5),
        case("cut in the middle of an episode, γ = 1", torch.tensor([1.0, 1.0, 1.0]),
             torch.zeros(3).bool(), 1.0),
        case("six steps of 2 × 3 players, γ = 0.7",
             *(part.reshape(6, 2, 3) for part in _episodes(6, 6, 1)), 0.7),
        case("nine steps of four players, float64", *_episodes(9, 4, 0, torch.float64), 0.9),
    ],
    mistakes=[
        Mistake("rewards-to-go reversed",
                "What an action could still change lies after it: "
                "start at the last step and go backwards.",
                _summed("reversed")),
        Mistake("it runs across the end of an episode",
                "Another episode's rewards are not this action's doing: "
                "where ended[t], nothing follows.",
                _summed("across")),
        Mistake("the last reward of an episode is dropped",
                "ended[t] cuts what comes after step t; r_t itself still counts.",
                _summed("early")),
        Mistake("γ is missing", "A reward k steps later counts γᵏ times.", _summed("no discount")),
        Mistake("discounted from the start of time",
                "Count the steps from t: the reward of t itself has weight 1 in G_t.",
                _summed("from the start")),
        Mistake("it stops after the last step",
                "`return` belongs behind the loop, not into it.", _summed("first")),
        Mistake("the whole return for every step", "G_t leaves out what came before t.",
                _summed("whole")),
    ],
)  # fmt: skip


def doubled(loss, twice):
    """Words: whether a loss is linear in the advantages, which standardising them would spoil."""
    if not all(isinstance(one, torch.Tensor) for one in (loss, twice)):
        return "doubles"  # what it is instead is said elsewhere
    if loss.shape == twice.shape and torch.allclose(
        2 * loss, twice, rtol=1e-3, atol=1e-6, equal_nan=True
    ):
        return "doubles"
    return "does not double, so it is no plain weighted mean of them"


def _slopes(function, logits, actions, returns, baseline):
    """The loss and where its gradient goes."""
    loss = function(logits, actions, returns, baseline)
    if loss is None:
        raise Untouched("None: is `return` missing?")
    twice = function(logits, actions, 2 * returns, 2 * baseline)
    found = {"twice the returns and the baseline: the loss": doubled(loss, twice)}
    found |= judge(loss, {"the logits": logits, "the baseline": baseline})
    if isinstance(found.get("gradient by the baseline"), str):
        found["gradient by the baseline"] = torch.zeros_like(baseline)
    return found


def _surrogate(logits, actions, returns, baseline, fault=None):
    policy = Categorical(logits=logits.t() if fault == "axis" else logits)
    advantage = returns - baseline
    advantage = advantage if fault == "leak" else advantage.detach()
    advantage = returns if fault == "no baseline" else advantage
    if fault == "standardised":
        advantage = (advantage - advantage.mean()) / advantage.std()
    weight = (
        policy.probs.gather(1, actions[:, None])[:, 0]
        if fault == "no log"
        else policy.log_prob(actions)
    )
    if fault == "all actions":
        weight = policy.logits.sum(1)
    if fault == "every pair":
        weight = weight[:, None]
    total = weight * advantage
    return {"sign": total.mean(), "sum": -total.sum()}.get(fault, -total.mean())


def _steered(fault):
    return lambda *args: _surrogate(*args, fault=fault)


def _played(rows, actions, seed, dtype=torch.float32, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(rows, actions, generator=generator, dtype=dtype)
    chosen = torch.randint(actions, (rows,), generator=generator)
    returns = 3 * torch.randn(rows, generator=generator, dtype=dtype)
    return (
        logits.requires_grad_(),
        chosen,
        returns,
        torch.randn(rows, generator=generator, dtype=dtype).requires_grad_(),
    )


def _far(logits, *rest):
    """Each row's logits far from the next row's, all of them by a constant."""
    shift = torch.linspace(200, -200, len(logits))[:, None]
    return (logits.detach() + shift).requires_grad_(), *rest


policy_gradient_loss = Check(
    "policy_gradient_loss",
    reference=_surrogate,
    probe=_slopes,
    fallback="dlcourse.methods.rl:policy_gradient_loss",
    rtol=1e-4,
    atol=1e-6,
    cases=lambda: [
        case("three steps, two actions", *_played(3, 2, 0)),
        case("five steps, three actions", *_played(5, 3, 1)),
        case("six steps, two actions, float64", *_played(6, 2, 2, torch.float64)),
        case("large logits: probabilities that underflow", *_played(7, 4, 3, scale=80.0)),
        case("logits around 200, around 0, around −200", *_far(*_played(3, 4, 5))),
        case("one step", *_played(1, 3, 4)),
    ],
    mistakes=[
        Mistake("the baseline's gradient leaks",
                "The baseline only centres the returns; its own loss trains it: "
                "(returns − baseline).detach().",
                _steered("leak")),
        Mistake("uphill",
                "Descent makes the loss small, and the return is to be large: a minus sign.",
                _steered("sign")),
        Mistake("the probability in place of its logarithm",
                "The gradient of E[G] is E[G ∇ ln π]: "
                "the logarithm makes up for how often an action was drawn.",
                _steered("no log")),
        Mistake("all actions at once",
                "Only the action that was played has a return: gather its log-probability.",
                _steered("all actions")),
        Mistake("no baseline", "Weigh ln π by returns − baseline.", _steered("no baseline")),
        Mistake("standardised advantages",
                "Scaling G − b scales the gradient, which is to be −∇J: weigh by G − b as it is.",
                _steered("standardised")),
        Mistake("every action against every return",
                "ln π of shape (B, 1) times (B,) is (B, B) by broadcasting: take [:, 0] after "
                "gather.", _steered("every pair")),
        Mistake("the sum over the steps",
                "The mean is asked for: the learning rate should not depend on the batch.",
                _steered("sum")),
    ],
)  # fmt: skip
