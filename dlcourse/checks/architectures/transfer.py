"""Checks of freezing the body of a network,
and of learning rates that fall from the last stage to the first."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


class _Net(nn.Module):
    """A body with batch norm, and a head under one of several names;
    `kind` says what is special about it."""

    def __init__(self, kind):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 4), nn.BatchNorm1d(4)
        )
        self.top = nn.ModuleDict({"last": nn.Linear(4, 2)})
        self.head = (
            nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2))
            if kind == "norm in the head"
            else nn.Linear(4, 2)
        )
        self.requires_grad_(kind != "all frozen before")
        self.train(kind != "evaluation before")
        self.nested = kind == "nested"

    def forward(self, x):
        return (self.top["last"] if self.nested else self.head)(self.body(x).relu())


def _network(kind):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _Net(kind)


def _batch(rows):
    generator = torch.Generator().manual_seed(rows)
    return 2 + torch.randn(rows, 3, generator=generator), torch.randint(
        2, (rows,), generator=generator
    )


def _after_training(freeze, kind, head, rows):
    """What moves in three steps of AdamW, with weight decay,
    on the parameters that `freeze` returns."""
    model, (x, y) = _network(kind), _batch(rows)
    for one in model.parameters():
        one.grad = torch.ones_like(one)  # left over from the training before
    parameters = freeze(model, head)
    weights = dict(model.named_parameters())
    names = {id(one): name for name, one in weights.items()}
    given = [] if parameters is None else list(parameters)
    returned = ", ".join(sorted(names.get(id(one), "something else") for one in given))
    if not given or not all(isinstance(one, torch.Tensor) for one in given):
        given = [torch.zeros(1, requires_grad=True)]  # nothing that an optimiser could train
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        optimiser = torch.optim.AdamW(given, lr=0.1, weight_decay=0.5)
        for _ in range(3):
            optimiser.zero_grad(set_to_none=False)
            loss = F.cross_entropy(model(x), y)
            if loss.requires_grad:
                loss.backward()
            optimiser.step()
    moved = [
        name for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    ]
    inside = [name for name in moved if name.startswith(head)]
    outside = [name for name in moved if not name.startswith(head)]
    return {
        "what was returned": "nothing" if parameters is None else returned,
        "frozen weights that moved": sorted(set(outside) & set(weights)),
        "frozen statistics that moved": sorted(set(outside) - set(weights)),
        "frozen weights that still get gradients": sorted(
            name for name, one in weights.items() if one.requires_grad and not name.startswith(head)
        ),
        "what moved in the head": sorted(inside),
        "weights of the head without gradients": sorted(
            name for name, one in weights.items() if not one.requires_grad and name.startswith(head)
        ),
    }


def _freeze(
    model,
    head,
    eval_mode=True,
    gradients=False,
    everything=False,
    all_returned=False,
    head_too=False,
):
    part = model.get_submodule(head)
    inside = {id(one) for one in part.parameters()}
    for one in model.parameters():
        one.requires_grad = (id(one) in inside and not everything) or gradients
    for name, module in model.named_modules():
        module.training = name.startswith(head) and not head_too if eval_mode else True
    return [one for one in model.parameters() if all_returned or id(one) in inside]


def _option(**options):
    return lambda model, head: _freeze(model, head, **options)


freeze = Check(
    "freeze",
    reference=_freeze,
    probe=_after_training,
    cases=[
        case("a head of one layer", "plain", "head", 6),
        case("a batch norm in the head, which goes on learning", "norm in the head", "head", 5),
        case("a head inside another module", "nested", "top.last", 7),
        case("everything was frozen before", "all frozen before", "head", 4),
        case("the model was in evaluation mode", "evaluation before", "head", 6),
    ],
    mistakes=[
        Mistake("the running statistics move",
                "requires_grad = False stops gradients, not batch norm's running mean and "
                "variance: they follow every batch as long as the module is in training mode. "
                "Call eval() on what is frozen.",
                _option(eval_mode=False)),
        Mistake("frozen weights go to the optimiser, and decay pulls at them",
                "Weight decay needs no gradient of the loss: return the head's parameters only.",
                _option(all_returned=True)),
        Mistake("in evaluation mode, but not frozen",
                "eval() changes batch norm and dropout; gradients are still computed for every "
                "weight. Set requires_grad to False.",
                _option(gradients=True)),
        Mistake("the head is frozen too",
                "Give the head its gradients back: part.requires_grad_(True).",
                _option(everything=True)),
        Mistake("the head is left in evaluation mode",
                "Its own norms must go on learning: part.train().", _option(head_too=True)),
        Mistake("nothing is frozen",
                "model.requires_grad_(False) first, then give the head its gradients back.",
                _option(eval_mode=False, gradients=True)),
    ],
)  # fmt: skip


def _groups(stages, rate, factor):
    return [
        {"params": list(stage.parameters()), "lr": rate * factor ** (i - len(stages) + 1)}
        for i, stage in enumerate(stages)
    ]


def _rates(function, stages, rate, factor):
    """The learning rate that an optimiser made of these
    groups gives to every parameter, stage by stage."""
    before = list(stages)
    groups = function(stages, rate, factor)
    found, own = {}, {id(one) for stage in before for one in stage.parameters()}
    if groups is not None:
        optimiser = torch.optim.SGD(groups, lr=77.0)
        found = {id(one): group["lr"] for group in optimiser.param_groups
                 for one in group["params"]}  # fmt: skip
    missing = -1.0
    strangers = found.keys() - own
    rates = [[found.get(id(one), missing) for one in stage.parameters()] for stage in before]
    found = {f"rates in stage {number} (−1: in no group)": one for number, one in enumerate(rates)}
    same = len(stages) == len(before) and all(map(lambda a, b: a is b, stages, before))
    return found | {
        "`stages` is left in its order": same,
        "parameters of another call's stages": len(strangers),
    }


def _stages(count, width):
    return [nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width)) for _ in range(count)]


def _with_rates(rate_of):
    def groups(stages, rate, factor):
        return [{"params": list(stage.parameters()), "lr": rate_of(i, len(stages), rate, factor)}
                for i, stage in enumerate(stages)]  # fmt: skip

    return groups


rate_groups = Check(
    "rate_groups",
    reference=_groups,
    probe=_rates,
    cases=[
        case("two stages, factor 10", _stages(2, 2), 0.1, 10.0),
        case("one stage", _stages(1, 3), 0.02, 2.0),
        case("five stages, factor 2.6", _stages(5, 2), 1e-2, 2.6),
        case("factor 1: one rate for all", _stages(3, 2), 3e-3, 1.0),
    ],
    rtol=1e-6,
    atol=0,
    mistakes=[
        Mistake("the other way round",
                "The last stage knows most about the old task and must change most: it gets "
                "`rate`, the first one the smallest.",
                _with_rates(lambda i, n, rate, factor: rate / factor**i)),
        Mistake("multiplied instead of divided", "Earlier stages learn more slowly: divide.",
                _with_rates(lambda i, n, rate, factor: rate * factor ** (n - 1 - i))),
        Mistake("divided once more", "The last stage gets `rate` itself.",
                _with_rates(lambda i, n, rate, factor: rate / factor ** (n - i))),
        Mistake("divided by multiples of the factor",
                "A constant ratio from stage to stage: factor ** distance.",
                _with_rates(lambda i, n, rate, factor: rate / max(1, factor * (n - 1 - i)))),
        Mistake("no rate in the groups",
                "Each group is a dict with the keys \"params\" and \"lr\".",
                lambda stages, rate, factor:
                    [{"params": list(one.parameters())} for one in stages]),
        Mistake("one rate for all", "Divide by `factor` for every stage further from the end.",
                _with_rates(lambda i, n, rate, factor: rate)),
        Mistake("the first stage is left out",
                "Every stage belongs to a group: a parameter in none never moves.",
                lambda stages, rate, factor: _groups(stages, rate, factor)[1:]
                or _groups(stages, rate, factor)),
    ],
)  # fmt: skip
