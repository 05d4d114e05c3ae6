"""Checks of values in a known world:
of a policy, from a series of powers, and the best ones, sweep by sweep."""

import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.sequences.slopes import steady


def _reduced(P, R, policy):
    """P_π (S, S) and r_π (S,), entry by entry."""
    states, actions = R.shape
    p, r = torch.zeros(states, states, dtype=R.dtype), torch.zeros(states, dtype=R.dtype)
    for s in range(states):
        for a in range(actions):
            p[s] += policy[s, a] * P[s, a]
            r[s] += policy[s, a] * R[s, a]
    return p, r


def _series(p, r, gamma, doublings=40):
    """Σ_k (γP)^k r: every doubling takes as many terms again, v ← v + M v, M ← M²."""
    v, power = r.clone(), gamma * p
    for _ in range(doublings):
        v, power = v + power @ v, power @ power
    return v


def _policy_value(P, R, policy, gamma, fault=None):
    policy = torch.full_like(R, 1 / R.shape[1]) if fault == "policy ignored" else policy
    if fault == "likeliest":
        policy = torch.zeros_like(R).scatter(1, policy.argmax(1, keepdim=True), 1.0)
    p, r = _reduced(P, R, policy)
    p = p.t() if fault == "transposed" else p
    r = R.sum(1) if fault == "all rewards" else r
    if fault == "no discount":
        return torch.linalg.solve(torch.eye(len(r), dtype=r.dtype) - p, r)
    if fault == "one step":
        return r + gamma * p @ r
    if fault == "sign":
        return torch.linalg.solve(torch.eye(len(r), dtype=r.dtype) + gamma * p, r)
    return gamma * p @ _series(p, r, gamma) if fault == "reward of now" else _series(p, r, gamma)


def _valued(fault):
    return lambda *args: _policy_value(*args, fault=fault)


def _world(states, actions, seed, ends=(), dtype=torch.float64):
    """A random world with some states in `ends`,
    after which nothing follows, and a random policy."""
    generator = torch.Generator().manual_seed(seed)
    P = torch.randn(states, actions, states, generator=generator, dtype=dtype).mul(2).softmax(dim=2)
    R = torch.randn(states, actions, generator=generator, dtype=dtype)
    P[list(ends)], R[list(ends)] = 0.0, 0.0
    return P, R, torch.randn(states, actions, generator=generator, dtype=dtype).softmax(dim=1)


def _corridor(length):
    """One way, one action: −1 a step, then the end."""
    P = torch.zeros(length, 1, length, dtype=torch.float64)
    P[range(length - 1), 0, range(1, length)] = 1.0
    return (
        P,
        torch.full((length, 1), -1.0, dtype=torch.float64),
        torch.ones(length, 1, dtype=torch.float64),
    )


def _solved(function, P, R, policy, gamma):
    """v, and first of all whether it nearly solves the equation: then it was iterated, too short.

    Nearly: by no more than a hundredth of the largest reward, but visibly."""
    v = steady(function, P, R, policy, gamma)
    word = "yes"
    if isinstance(v, torch.Tensor) and v.shape == R[:, 0].shape and v.dtype == R.dtype:
        p, r = _reduced(P, R, policy)
        off = (r + gamma * p @ v - v).abs().max() / r.abs().max()
        if (3e-7 if R.dtype == torch.float32 else 1e-7) < off < 0.02:
            single = ", or is float32 used inside" if off < 1e-5 else ""
            word = f"nearly, {off:.1e} is left: did a loop stop too early{single}?"
    return {"v = r + γ P v": word, "v": v}


policy_value = Check(
    "policy_value",
    reference=_policy_value,
    probe=_solved,
    fallback="dlcourse.methods.rl:policy_value",
    rtol=1e-6,
    atol=1e-8,
    single=False,
    cases=lambda: [
        case("one state for ever, reward 1, γ = ½", torch.ones(1, 1, 1), torch.ones(1, 1),
             torch.ones(1, 1), 0.5),
        case("a one-way corridor of 3, γ = 1", *_corridor(3), 1.0),
        case("3 states, 2 actions, γ = 0.9", *_world(3, 2, 0), 0.9),
        case("5 states, 3 actions, two of them ends", *_world(5, 3, 1, ends=(1, 4)), 0.99),
        case("4 states, 5 actions, γ = 0", *_world(4, 5, 2), 0.0),
    ],
    mistakes=[
        Mistake("P is the wrong way round",
                "Row s of P_π says where one goes *from* s: v = r + γ P_π v, not γ P_πᵀ v.",
                _valued("transposed")),
        Mistake("the sign in front of γ P", "v = r + γ P v, so (I − γ P) v = r.", _valued("sign")),
        Mistake("the policy is not used",
                "Weigh rewards and transitions by policy[s, a], and sum over the actions.",
                _valued("policy ignored")),
        Mistake("only the likeliest action of the policy counts",
                "The policy draws its actions: weigh each by policy[s, a], not the argmax alone.",
                _valued("likeliest")),
        Mistake("the rewards of all actions are added", "r_π(s) = Σ_a π(a|s) R(s, a).",
                _valued("all rewards")),
        Mistake("one step ahead only", "v stands on both sides of the equation: solve for it.",
                _valued("one step")),
        Mistake("γ is left out", "What comes a step later counts γ times as much.",
                _valued("no discount")),
        Mistake("the reward of now is missing",
                "v(s) begins with the reward of this step: r + γ P v.", _valued("reward of now")),
    ],
)  # fmt: skip


def _sweeps(P, R, gamma, sweeps, fault=None):
    states, actions = R.shape
    v, moves = [0.0] * states, P.tolist()
    for _ in range({"one more": sweeps + 1, "first": min(sweeps, 1)}.get(fault, sweeps)):
        old = v if fault == "in place" else list(v)
        for s in range(states):
            after = [sum(moves[s][a][t] * old[t] for t in range(states)) for a in range(actions)]
            options = [float(R[s, a]) + gamma * after[a] for a in range(actions)]
            v[s] = {
                "mean": sum(options) / actions,
                "two maxima": max(R[s].tolist()) + gamma * max(after),
                "no discount": max(float(R[s, a]) + after[a] for a in range(actions)),
                "greedy reward": options[int(R[s].argmax())],
            }.get(fault, max(options))
    return torch.tensor(v, dtype=R.dtype)


def _swept(fault):
    return lambda *args: _sweeps(*args, fault=fault)


def _temptation():
    """From state 0: 1 at once and the end, or 0 now and 5 a step later."""
    P, R = (
        torch.zeros(2, 2, 2, dtype=torch.float64),
        torch.tensor([[1.0, 0.0], [5.0, 0.0]], dtype=torch.float64),
    )
    P[0, 1, 1] = 1.0
    return P, R


def _decisions(*args, **kwargs):
    return _world(*args, **kwargs)[:2]


def _with_digits(function, P, R, gamma, sweeps):
    """v, and whether it has the digits of its dtype."""
    v, right = steady(function, P, R, gamma, sweeps), _sweeps(P, R, gamma, sweeps)
    exact = 1e-5 if R.dtype == torch.float32 else 1e-10
    found = {"v": v, "digits of v": "those of its dtype"}
    alike = isinstance(v, torch.Tensor) and (v.shape, v.dtype) == (right.shape, right.dtype)
    if alike and not torch.allclose(v, right, rtol=exact, atol=exact):
        found["digits of v"] = "some 7: is float32 used inside?"
    return found


value_iteration = Check(
    "value_iteration",
    reference=_sweeps,
    probe=_with_digits,
    fallback="dlcourse.methods.rl:value_iteration",
    rtol=1e-6,
    atol=1e-8,
    single=False,
    cases=lambda: [
        case("no sweep", *_decisions(2, 2, 0), 0.9, 0),
        case("one sweep: the best reward of now", *_decisions(2, 3, 1), 0.9, 1),
        case("1 now or 5 later, two sweeps", *_temptation(), 0.9, 2),
        case("two sweeps, 3 states, 2 actions", *_decisions(3, 2, 2), 0.8, 2),
        case("60 sweeps, 4 states, two of them ends", *_decisions(4, 3, 3, ends=(0, 3)), 0.9, 60),
        case("corridor of 5, γ = 1, seven sweeps", *_corridor(5)[:2], 1.0, 7),
        case("one state, one action, float32", torch.ones(1, 1, 1), -torch.ones(1, 1), 0.5, 3),
    ],
    mistakes=[
        Mistake("the mean over the actions",
                "The best action counts alone: max over the axis of the actions.", _swept("mean")),
        Mistake("one maximum for now, another for later",
                "One action gives both: max_a [R + γ P v], of the sum.", _swept("two maxima")),
        Mistake("the action is chosen by its reward of now",
                "What it leads to counts as well: maximise R + γ P v.", _swept("greedy reward")),
        Mistake("γ is missing", "γ stands in front of Σ P v, in every sweep.",
                _swept("no discount")),
        Mistake("new values are used in the sweep that makes them",
                "That converges too, but it is another algorithm: "
                "compute all states from the old v.",
                _swept("in place")),
        Mistake("it stops after the first sweep",
                "`return` belongs behind the loop, not into it.", _swept("first")),
        Mistake("one sweep too many", "0 sweeps give zeros: range(sweeps).", _swept("one more")),
    ],
)  # fmt: skip
