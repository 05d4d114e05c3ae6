"""Check of a new last layer: where its numbers lie, and whether the optimiser holds them."""

import copy

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.words import kind_of


def _held(function, model, classes, rate):
    """Whether the optimiser holds exactly the parameters that the model has now,
    and whether these lie together."""
    if model[0].weight.dtype == torch.float64:
        model = model.to("meta")  # a device that every machine has
    body = copy.deepcopy(model[:-1].state_dict())
    x = model[0].weight.detach().new_ones(2, model[0].in_features)
    optimiser = function(model, classes, rate)
    if optimiser is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(optimiser, torch.optim.Optimizer):
        raise TypeError(f"return the optimiser, not {kind_of(optimiser)}")
    held = {id(p) for group in optimiser.param_groups for p in group["params"]}
    own = {id(p): name for name, p in model.named_parameters()}
    rates = sorted({float(group["lr"]) for group in optimiser.param_groups})
    kinds = sorted({f"{p.dtype} on {p.device}" for p in model.parameters()})
    # first of all, for nn.LazyLinear has its shape after that
    outputs = model(x).shape[1] if len(kinds) == 1 else None
    kept = model[:-1].state_dict()
    return {"parameters are": " and ".join(kinds),
            "shapes of the head": [list(p.shape) for p in model[-1].parameters()],
            "the other layers are as they were": list(kept) == list(body) and all(
                torch.equal(kept[name], body[name]) for name in body if not body[name].is_meta),
            "parameters that need no gradient": [
                name for name, p in model.named_parameters() if not p.requires_grad],
            "optimiser": type(optimiser).__name__,
            "outputs": outputs,
            "parameters the optimiser lacks": sorted(own[one] for one in own.keys() - held),
            "strangers in the optimiser": len(held - own.keys()),
            "learning rates": rates}  # fmt: skip


def _swap(model, classes, rate, fault=None):
    make = lambda parameters: torch.optim.Adam(parameters, lr=rate)  # noqa: E731
    early = make(model.parameters())
    if fault == "copy":
        model = copy.deepcopy(model)
    if fault != "same":
        head, old = nn.Linear(model[-1].in_features, classes), model[-1].weight
        model[-1] = head if fault == "default" else head.to(old.device, old.dtype)
    if fault == "frozen":
        model[:-1].requires_grad_(False)
    return {"early": early, "head": make(model[-1].parameters())}.get(fault) or make(
        model.parameters()
    )


def _with(fault):
    return lambda model, classes, rate: _swap(model, classes, rate, fault)


def _network(*sizes):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [
            layer
            for pair in zip(sizes, sizes[1:], strict=False)
            for layer in (nn.Linear(*pair), nn.ReLU())
        ]
        return nn.Sequential(*layers[:-1])


swap_head = Check(
    "swap_head",
    reference=_swap,
    probe=_held,
    cases=lambda: [
        case("3 inputs, 2 new classes", _network(3, 5, 4), 2, 0.1),
        case("one layer, 5 new classes", _network(6, 10), 5, 0.01),
        case("as many classes as before", _network(4, 5, 6, 3), 3, 0.001),
        case("a model in float64, on the device \"meta\"", _network(4, 5, 3).double(), 6, 0.01),
    ],
    mistakes=[
        Mistake("the optimiser was made first",
                "It goes on holding the old head's parameters and never moves the new "
                "one's. First change the model, then make the optimiser.", _with("early")),
        Mistake("only the head is trained",
                "All of the model's parameters were asked for: model.parameters().",
                _with("head")),
        Mistake("the other layers are frozen",
                "All of the model's parameters are to be trained: leave requires_grad as it is.",
                _with("frozen")),
        Mistake("a copy was changed",
                "Assign to the model that was given: model[-1] = nn.Linear(…).", _with("copy")),
        Mistake("the head is the old one",
                "Replace model[-1] by a new nn.Linear with `classes` outputs.", _with("same")),
        Mistake("the new head is in float32 on the CPU",
                "That is where nn.Linear puts its weights unless it is told otherwise: pass it "
                "device=old.weight.device and dtype=old.weight.dtype.", _with("default")),
    ],
)  # fmt: skip
