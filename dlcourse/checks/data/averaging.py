"""Check of exponential averages of weights,
against torch.optim.swa_utils (Polyak & Juditsky 1992)."""

import copy
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dlcourse.checks.core import Check, Mistake, Untouched, case


@dataclass(frozen=True)
class Setting:
    """How many updates with which decay, and of which network;
    frozen: the average's parameters need no gradient."""

    updates: int
    decay: float
    batch_norm: bool = False
    frozen: bool = False
    dtype: torch.dtype = torch.float32


def _update(average, model, decay):
    """What torch's AveragedModel does at its second update,
    and every later one; counters are copied."""
    torchs = AveragedModel(average, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    torchs.n_averaged.fill_(1)  # at its first update it would copy the weights
    torchs.update_parameters(model)
    found, newest = torchs.module.state_dict(), model.state_dict()
    average.load_state_dict(
        {key: old if old.is_floating_point() else newest[key] for key, old in found.items()}
    )


def _network(seed, norm, dtype):
    torch.manual_seed(seed)
    layers = [nn.Linear(3, 4), *([nn.BatchNorm1d(4)] if norm else []), nn.Tanh(), nn.Linear(4, 2)]
    model = nn.Sequential(*layers).to(dtype)
    for _ in range(1 + seed % 3):
        model(torch.randn(5, 3, dtype=dtype))  # in training mode: the running statistics move
    return model


def _follow(function, setting):
    """The average after some updates, with all that must not happen on the way."""
    with torch.random.fork_rng(devices=[]):
        networks = [
            _network(seed, setting.batch_norm, setting.dtype) for seed in range(2 + setting.updates)
        ]
    model, average, *models = networks
    average.requires_grad_(not setting.frozen)
    before, memory = (
        copy.deepcopy(average.state_dict()),
        [one.data_ptr() for one in average.state_dict().values()],
    )
    for newest in models:
        model.load_state_dict(newest.state_dict())
        returned = function(average, model, setting.decay)
    after = average.state_dict()
    if returned is None and all(torch.equal(after[key], before[key]) for key in before):
        raise Untouched("the average has not changed")
    theirs, newest = model.state_dict(), models[-1].state_dict()
    return {
        "average": dict(after),
        "the model's own weights": dict(theirs) if any(
            not torch.equal(theirs[key], newest[key]) for key in newest) else "as they were",
        "shares memory with the model": any(after[key].data_ptr() == theirs[key].data_ptr()
                                            for key in after),
        "the average is still the same tensors": [one.data_ptr() for one in after.values()]
        == memory,
        "modules in training mode": [sum(part.training for part in one.modules())
                                     for one in (average, model)],
        "keeps a graph": any(parameter.grad_fn is not None for parameter in average.parameters()),
    }  # fmt: skip


def _entries(average, model):
    theirs = model.state_dict()
    return [(own, theirs[key]) for key, own in average.state_dict().items()]


def _lerp(weight=None, parameters_only=False):
    """The rule with another weight of the new values, or for the parameters alone."""

    @torch.no_grad()
    def function(average, model, decay):
        share = 1 - decay if weight is None else weight(decay)
        pairs = zip(average.parameters(), model.parameters(), strict=True)
        for own, other in pairs if parameters_only else _entries(average, model):
            own.lerp_(other, share) if own.is_floating_point() else own.copy_(other)

    return function


def _with_graph(average, model, decay):
    for own, other in zip(average.parameters(), model.parameters(), strict=True):
        own.mul_(decay).add_((1 - decay) * other)


def _aliases(average, model, decay):
    for own, other in zip(average.parameters(), model.parameters(), strict=True):
        own.data = other.data


@torch.no_grad()
def _buffers_copied(average, model, decay):
    for own, other in zip(average.parameters(), model.parameters(), strict=True):
        own.lerp_(other, 1 - decay)
    for own, other in zip(average.buffers(), model.buffers(), strict=True):
        own.copy_(other)


@torch.no_grad()
def _counter_kept(average, model, decay):
    for own, other in _entries(average, model):
        if own.is_floating_point():
            own.lerp_(other, 1 - decay)


ema_update = Check(
    "ema_update",
    reference=_update,
    probe=_follow,
    cases=[
        case("one update, decay ½", Setting(1, 0.5)),
        case("an average that needs no gradient", Setting(1, 0.9, frozen=True)),
        case("three updates with batch norm", Setting(3, 0.8, batch_norm=True)),
        case("ten updates in float64", Setting(10, 0.95, batch_norm=True, frozen=True,
                                               dtype=torch.float64)),
    ],
    mistakes=[
        Mistake("decay and 1 − decay exchanged",
                "decay is the weight of the past: near 1, and the average is slow.",
                _lerp(lambda decay: decay)),
        Mistake("a plain copy",
                "Then the average is the model itself, one step old: mix, do not copy.",
                _lerp(lambda decay: 1.0)),
        Mistake("the buffers are forgotten",
                "Batch norm keeps running means and variances in buffers: "
                "averaged weights with statistics of long ago give nonsense in evaluation. "
                "Walk through state_dict(), it holds both.",
                _lerp(parameters_only=True)),
        Mistake("the running statistics are copied, not averaged",
                "Asked for was one rule for all floating-point entries: "
                "statistics that belong to averaged weights.",
                _buffers_copied),
        Mistake("the counter of batches stays behind",
                "num_batches_tracked is a whole number: it can't be averaged, so copy it.",
                _counter_kept),
        Mistake("recorded for backward",
                "In-place changes of parameters that need a gradient are refused, and others would "
                "keep the graph of every step. Put @torch.no_grad() above the function.",
                _with_graph),
        Mistake("the same tensors as the model",
                "own.data = other.data gives one storage two names: "
                "the average then follows every step at once.",
                _aliases),
    ],
)  # fmt: skip
