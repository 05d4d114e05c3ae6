"""Checks of a snapshot of a run and of putting it back:
whoever goes on must arrive at the same bits."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.words import kind_of

PARTS = ("model", "optimiser", "scheduler", "generator")


class _Run:
    """A small training run in which everything matters:
    momentum, a schedule, dropout, batch norm, shuffling."""

    def __init__(self, kind, seed=0):
        torch.manual_seed(seed)
        self.model = nn.Sequential(
            nn.Linear(3, 6), nn.BatchNorm1d(6), nn.Dropout(0.3), nn.ReLU(), nn.Linear(6, 2)
        )
        options = {"momentum": 0.9} if kind is torch.optim.SGD else {}
        self.optimiser = kind(self.model.parameters(), lr=0.05, **options)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimiser, step_size=2, gamma=0.5)
        self.generator = torch.Generator().manual_seed(seed)
        data = torch.Generator().manual_seed(7)
        self.x, self.y = torch.randn(12, 3, generator=data), torch.randint(2, (12,), generator=data)

    def parts(self):
        return [getattr(self, name) for name in PARTS]

    def go_on(self, epochs):
        for _ in range(epochs):
            for rows in torch.randperm(12, generator=self.generator).split(4):
                loss = F.cross_entropy(self.model(self.x[rows]), self.y[rows])
                self.optimiser.zero_grad()
                loss.backward()
                self.optimiser.step()
            self.scheduler.step()
        return self

    def state(self):
        """Copies of all that training can change."""
        return {
            "weights": [v.detach().clone() for v in self.model.parameters()],
            "buffers": [v.clone() for v in self.model.buffers()],
            "learning rate": self.optimiser.param_groups[0]["lr"],
            "optimiser's memory": [v.clone() if isinstance(v, torch.Tensor) else v
                                   for one in self.optimiser.state_dict()["state"].values()
                                   for v in one.values()],
            "scheduler": self.scheduler.last_epoch,
            "data order": self.generator.get_state(),
            "dropout's generator": torch.get_rng_state(),
        }  # fmt: skip


def _differences(one, other):
    """The names of what differs between two states."""
    return [name for name in one if not _equal(one[name], other[name])]


def _equal(one, other):
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def _snapshot(model, optimiser, scheduler, generator, epoch):
    states = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "scheduler": scheduler.state_dict(),
    }
    return copy.deepcopy(states) | {
        "generator": generator.get_state(),
        "rng": torch.get_rng_state(),
        "epoch": epoch,
    }


def _put_back(snapshot, model, optimiser, scheduler, generator, leave=(), keep=copy.deepcopy):
    for name, part in zip(PARTS[:3], (model, optimiser, scheduler), strict=True):
        if name not in leave:
            part.load_state_dict(keep(snapshot[name]))
    if "generator" not in leave:
        generator.set_state(snapshot["generator"])
    if "rng" not in leave:
        torch.set_rng_state(snapshot["rng"])
    return snapshot["epoch"]


def _take_probe(function, optimiser, epochs):
    """What the snapshot holds, and what differs when
    another run goes on from it after the first has gone on."""
    with torch.random.fork_rng(devices=[]):
        first = _Run(optimiser).go_on(epochs)
        here = first.state()
        snapshot = function(*first.parts(), epochs)
        if snapshot is None:
            raise Untouched("None: is `return` missing?")
        if not isinstance(snapshot, dict):
            raise TypeError(f"return a dict, not {kind_of(snapshot)}")
        changed = _differences(here, first.state())
        names = sorted(snapshot)
        if names != sorted([*PARTS, "rng", "epoch"]):
            rest = ("epoch", "changed by taking the snapshot", "not as it was",
                    "not the same two epochs later")  # fmt: skip
            return {"parts": names} | dict.fromkeys(rest, "not looked at")
        end = first.go_on(2).state()
        second = _Run(optimiser, seed=99)
        _put_back(snapshot, *second.parts())
        return {"parts": names, "epoch": snapshot["epoch"],
                "changed by taking the snapshot": changed,
                "not as it was": _differences(here, second.state()),
                "not the same two epochs later": _differences(end,
                                                              second.go_on(2).state())}  # fmt: skip


def _lacks(*names):
    return lambda *args: {
        name: part for name, part in _snapshot(*args).items() if name not in names
    }


def _references(model, optimiser, scheduler, generator, epoch):
    return {"model": model.state_dict(), "optimiser": optimiser.state_dict(),
            "scheduler": scheduler.state_dict(),
            "generator": generator.get_state(), "rng": torch.get_rng_state(),
            "epoch": epoch}  # fmt: skip


def _parameters_only(model, *rest):
    with torch.random.fork_rng(devices=[]):
        fresh = nn.Sequential(
            nn.Linear(3, 6), nn.BatchNorm1d(6), nn.Dropout(0.3), nn.ReLU(), nn.Linear(6, 2)
        )
    state = copy.deepcopy(dict(model.named_parameters()))
    return _snapshot(model, *rest) | {"model": fresh.state_dict() | state}


def _first_seed(model, optimiser, scheduler, generator, epoch):
    states = _snapshot(model, optimiser, scheduler, generator, epoch)
    return states | {
        "generator": torch.Generator().manual_seed(generator.initial_seed()).get_state()
    }


def _cases():
    return [
        case("AdamW, after one epoch", torch.optim.AdamW, 1),
        case("SGD with momentum, after three", torch.optim.SGD, 3),
        case("RMSprop, before the first", torch.optim.RMSprop, 0),
    ]


take_snapshot = Check(
    "take_snapshot",
    reference=_snapshot,
    probe=_take_probe,
    cases=_cases,
    mistakes=[
        Mistake("references instead of copies",
                "state_dict() hands out the tensors themselves, and training goes on "
                "changing them: copy.deepcopy each state.", _references),
        Mistake("no state of the random generators",
                "Dropout and shuffling would go on with other numbers: torch.get_rng_state() under "
                "'rng', generator.get_state() under 'generator'.",
                _lacks("rng", "generator")),
        Mistake("the global generator is missing",
                "Dropout draws from it: torch.get_rng_state() under 'rng'.", _lacks("rng")),
        Mistake("only model and epoch",
                "The optimiser remembers (momentum, Adam's averages) and the scheduler counts: "
                "store their state_dict() too.",
                _lacks("optimiser", "scheduler", "rng", "generator")),
        Mistake("parameters without buffers",
                "Batch norm's running averages are no parameters: "
                "store model.state_dict().", _parameters_only),
        Mistake("the seed instead of the state",
                "initial_seed() leads back to the first epoch's order. "
                "Store generator.get_state(), where it stands now.", _first_seed),
    ],
)  # fmt: skip


def _put_probe(function, optimiser, epochs, earlier=0):
    """What differs after a snapshot was put back into other objects, at once and two epochs
    later; earlier: how many other runs have gone on from it before."""
    with torch.random.fork_rng(devices=[]):
        first = _Run(optimiser).go_on(epochs)
        snapshot, here = _snapshot(*first.parts(), epochs), first.state()
        end = first.go_on(2).state()
        for seed in range(earlier):
            other = _Run(optimiser, seed=seed)
            function(snapshot, *other.parts())
            other.go_on(2)
        second = _Run(optimiser, seed=99)
        torch.rand(5)
        before = second.state()
        epoch = function(snapshot, *second.parts())
        if not _differences(before, second.state()) and epoch is None:
            raise Untouched("nothing was put back, and no epoch is returned")
        return {"epoch": epoch, "not as it was": _differences(here, second.state()),
                "not the same two epochs later": _differences(end,
                                                              second.go_on(2).state())}  # fmt: skip


def _without(*names):
    return lambda *args: _put_back(*args, leave=names)


def _no_epoch(*args):
    _put_back(*args)


def _used_up(*args):
    return _put_back(*args, keep=lambda state: state)


put_back = Check(
    "put_back",
    reference=_put_back,
    probe=_put_probe,
    cases=lambda: [
        *_cases(),
        case("resumed twice from the same snapshot", torch.optim.AdamW, 1, 1),
    ],
    mistakes=[
        Mistake("only the weights",
                "The optimiser's memory, the scheduler and both generators belong to the run too.",
                _without("optimiser", "scheduler", "generator", "rng")),
        Mistake("the optimiser starts afresh",
                "optimiser.load_state_dict(snapshot['optimiser']): momentum and Adam's "
                "averages are worth epochs of work.", _without("optimiser")),
        Mistake("the scheduler starts afresh", "It would begin its schedule again: "
                "scheduler.load_state_dict(snapshot['scheduler']).", _without("scheduler")),
        Mistake("the data come in another order", "generator.set_state(snapshot['generator']).",
                _without("generator")),
        Mistake("dropout draws other masks", "torch.set_rng_state(snapshot['rng']), last of all.",
                _without("rng")),
        Mistake("the epoch is not returned",
                "Whoever goes on wants to know where: return snapshot['epoch'].", _no_epoch),
        Mistake("the snapshot is used up",
                "The optimiser takes over the tensors it is given, and training changes them: "
                "load copy.deepcopy(snapshot['optimiser']).", _used_up),
    ],
)  # fmt: skip
