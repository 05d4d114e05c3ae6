"""Check of the loss of deep Q-learning: its value, where its gradient goes, and that it leaves
both networks as they are."""

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.probes import judge


def _weights(network):
    return [p.detach().clone() for p in network.parameters()]


def _kept(before, network):
    if not all(part.training for part in network.modules()):
        return "its mode was switched, which is not the loss's task"
    if any(p.grad is not None for p in network.parameters()):
        return "have a .grad: backward was called, which is not the loss's task"
    same = all(map(torch.equal, before, network.parameters()))
    return "as before" if same else "changed, which is not the loss's task"


def _trained(network):
    """Name and weight; an answer may have frozen some."""
    return [(name, p) for name, p in network.named_parameters() if p.requires_grad]


def _watch(function, online, target, batch, gamma, double=None):
    """The loss, and the gradients that it sends into either network."""
    double = () if double is None else (double,)
    networks = {"online": online, "target": target}
    before = {name: _weights(network) for name, network in networks.items()}
    loss = function(online, target, batch, gamma, *double)
    if loss is None:
        raise Untouched("None: is `return` missing?")
    leaves = {f"the online network's {name}": p for name, p in _trained(online)}
    theirs = {f"the target network's {name}": p for name, p in _trained(target)}
    kept = {f"the weights of the {name} network": _kept(before[name], network)
            for name, network in networks.items()}  # fmt: skip
    found = kept | judge(loss, leaves | theirs)
    grads = [found.pop(f"gradient by {name}", "none") for name in theirs]
    reached = any(isinstance(grad, torch.Tensor) and bool(grad.any()) for grad in grads)
    return found | {"the target network": "has a gradient" if reached else "has none"}


def _dqn(online, target, batch, gamma, double=False, fault=None):
    """Transition by transition; `fault` names what is wrong, None is right."""
    losses = []
    values = online if fault in ("online only", "residual") else target
    chooser = {"no double": False, "roles": not double}.get(fault, double)
    values = online if fault == ("roles" if double else "online unless double") else values
    for s, a, r, after, end in zip(*batch, strict=True):
        q = online(s[None])[0]
        after = s if fault == "before" else after
        q_next = values(after[None])[0]
        choice = (online if chooser else target)((s if fault == "chooses" else after)[None])[0]
        best = choice.argmax() if double else q_next.argmax()
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
        case("double, one transition", *_networks(3, 2, 5), _batch(1, 3, 2, 3), 0.9, True),
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
        Mistake("without double the online network values s′",
                "Values of s′ come from the target network, with double and without.",
                _lost("online unless double")),
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
        Mistake("double chooses by the state before",
                "Asked for is the best action in next_obs: online(next_obs).argmax(1).",
                _lost("chooses")),
        Mistake("double with the roles exchanged",
                "The online network chooses, the target network values.", _lost("roles")),
    ],
)  # fmt: skip
