"""Checks of an epoch of training and of validation."""

import copy
import weakref

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.words import kind_of


class _Token:
    """Lives as long as the graph it was made for."""


class _Passes(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, alive):
        ctx.token = _Token()
        alive.add(ctx.token)
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g, None


class Watched(nn.Module):
    """A classifier that notes how it is called:
    mode, gradients, rows, and how many older graphs are still alive."""

    def __init__(self, model):
        super().__init__()
        self.model, self.alive, self.calls = model, weakref.WeakSet(), []

    def forward(self, x):
        self.calls.append((len(x), self.training, torch.is_grad_enabled(), len(self.alive)))
        return _Passes.apply(self.model(x), self.alive)


class _Stream:
    """Batches as a loader gives them: one after the other, without an index."""

    def __init__(self, batches):
        self.batches, self.taken = batches, set()

    def __iter__(self):
        for number, batch in enumerate(self.batches):
            self.taken.add(number)
            yield batch

    def __len__(self):
        return len(self.batches)


def classifier(inputs, classes, dtype=torch.float32, dropout=0.5):
    """A small network with batch norm and dropout; without both for dropout=0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        norm = [nn.BatchNorm1d(8), nn.Dropout(dropout)] if dropout else []
        return nn.Sequential(nn.Linear(inputs, 8), *norm, nn.ReLU(), nn.Linear(8, classes)).to(
            dtype
        )


def _data(seed, sizes, inputs, classes, dtype=torch.float32):
    """Batches of the given sizes;
    the last is unlike the others, so that it matters how it is weighed."""
    generator, batches = torch.Generator().manual_seed(seed), []
    for number, size in enumerate(sizes):
        x = torch.randn(size, inputs, generator=generator, dtype=torch.float64).to(dtype)
        batches.append((x * (3 if number == len(sizes) - 1 else 1),
                        torch.randint(classes, (size,), generator=generator)))  # fmt: skip
    return batches


def _train_probe(function, model, batches):
    """The mean loss that is returned, the weights that are left,
    and whether graphs of older batches live on."""
    watched = Watched(copy.deepcopy(model)).eval()  # as the validation before it leaves it
    optimiser = torch.optim.SGD(watched.parameters(), lr=0.2)
    stream = _Stream(batches)
    value = function(watched, stream, optimiser)
    if value is None:
        raise Untouched("None: is `return` missing?")
    return {
        "batches taken from `batches`": len(stream.taken),
        "batches in training mode": sum(call[1] for call in watched.calls),
        "mean loss": value.detach() if isinstance(value, torch.Tensor) else value,
        "weights": dict(watched.model.named_parameters()),
        "graphs of earlier batches are let go": max(call[3] for call in watched.calls) <= 2
        and not (isinstance(value, torch.Tensor) and value.requires_grad),
    }  # fmt: skip


def _train(model, batches, optimiser, fault=None):
    model.train(fault != "mode")
    total, count, kept = 0.0, 0, []
    for x, y in batches:
        logits = model(x)
        loss = F.cross_entropy(logits.softmax(1) if fault == "softmax" else logits, y)
        if fault not in ("between", "never"):
            optimiser.zero_grad()
        loss.backward()
        if fault == "between":
            optimiser.zero_grad()
        optimiser.step()
        kept += [loss] if fault == "graph" else []
        size = 1 if fault == "batches" else len(x)
        total, count = total + size * loss.item(), count + size
        if fault == "last":
            total, count = loss.item(), 1
    return total / count


def _broken(fault):
    return lambda model, batches, optimiser: _train(model, batches, optimiser, fault)


train_epoch = Check(
    "train_epoch",
    reference=_train,
    probe=_train_probe,
    cases=lambda: [
        case("one batch", classifier(2, 2), _data(0, [4], 2, 2)),
        case("three batches, the last one short", classifier(3, 4), _data(1, [4, 4, 2], 3, 4)),
        case("six batches, float64", classifier(5, 3, torch.float64),
             _data(2, [6] * 5 + [3], 5, 3, torch.float64)),
    ],
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("model.train() is missing",
                "The last validation left the model in eval mode, so dropout is off and "
                "batch norm is frozen: begin every epoch with model.train().", _broken("mode")),
        Mistake("zero_grad between backward and step",
                "That wipes out what backward has just computed, and step moves nothing. "
                "Before backward, or after step.", _broken("between")),
        Mistake("gradients pile up",
                "backward adds to .grad: optimiser.zero_grad() for every batch.", _broken("never")),
        Mistake("batch means are averaged",
                "A short last batch counts as much as a full one then. Add loss · len(x) "
                "and divide by the number of examples.", _broken("batches")),
        Mistake("the loss keeps its graph",
                "A loss that is stored as a tensor holds all that backward would need: "
                "add up loss.item() (or loss.detach()).", _broken("graph")),
        Mistake("softmax before cross_entropy",
                "F.cross_entropy takes logits and does log-softmax itself.", _broken("softmax")),
        Mistake("only the last batch is reported",
                "Add up over the batches, divide once after the loop.", _broken("last")),
    ],
)  # fmt: skip


def _validate_probe(function, model, batches, training):
    """Means, the model's mode afterwards, whether anything was recorded or changed."""
    watched = Watched(copy.deepcopy(model)).train(training)
    before = copy.deepcopy(watched.state_dict())
    recorded = torch.is_grad_enabled()
    try:
        stream = _Stream(batches)
        result = function(watched, stream)
    finally:
        left, _ = torch.is_grad_enabled(), torch.set_grad_enabled(recorded)
    if result is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(result, dict):
        raise TypeError(f'return a dict, {{"loss": …, "accuracy": …}}, not {kind_of(result)}')
    return {
        "batches taken from `batches`": len(stream.taken),
        **result,
        "batches with gradients recorded": sum(call[2] for call in watched.calls),
        "the model's state is unchanged": all(
            torch.equal(before[k], v) for k, v in watched.state_dict().items()
        ),
        "modules in training mode afterwards": sum(one.training for one in watched.modules()),
        "gradients are recorded afterwards": left,
        "parameters that need no gradient": sum(not p.requires_grad for p in watched.parameters()),
    }


def _validate(model, batches, fault=None):
    mode = model.training
    if fault != "mode":
        model.eval()
    losses, hits, sizes = [], [], []
    with torch.set_grad_enabled(fault == "recorded"):
        for x, y in batches:
            logits = model(x)
            losses.append(F.cross_entropy(logits, y).item())
            hits.append((logits.argmax(1) == y).double().mean().item())
            sizes.append(1.0 if fault == "batches" else float(len(x)))
    model.train({"eval stays": False, "train always": True}.get(fault, mode))
    sizes = torch.tensor(sizes, dtype=torch.float64)
    loss, right = (
        float(torch.tensor(v, dtype=torch.float64) @ sizes / sizes.sum()) for v in (losses, hits)
    )
    return {"loss": loss, "accuracy": 100 * right if fault == "percent" else right}


def _faulty(fault):
    return lambda model, batches: _validate(model, batches, fault)


validate = Check(
    "validate",
    reference=_validate,
    probe=_validate_probe,
    cases=lambda: [
        case("one batch, model in training mode", classifier(2, 2), _data(3, [4], 2, 2), True),
        case("three batches, the last one short", classifier(3, 4), _data(4, [4, 4, 3], 3, 4),
             True),
        case("the model came in eval mode", classifier(3, 4), _data(5, [5, 2], 3, 4), False),
    ],
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("dropout and batch norm as in training",
                "Call model.eval() first: the score should not depend on chance, "
                "nor on which examples share a batch.", _faulty("mode")),
        Mistake("the model stays in eval mode",
                "Whoever trains on would train without dropout. Note model.training "
                "before, and model.train(that) afterwards.", _faulty("eval stays")),
        Mistake("the model is always put into training mode",
                "It came in eval mode and should go out so: "
                "model.train(mode) with the mode you found.", _faulty("train always")),
        Mistake("gradients are recorded",
                "Nobody calls backward here: torch.no_grad() saves time and memory.",
                _faulty("recorded")),
        Mistake("batch means are averaged",
                "Weigh every batch by len(x): the last one may be short.", _faulty("batches")),
        Mistake("a percentage", "The accuracy is a share, between 0 and 1.", _faulty("percent")),
    ],
)  # fmt: skip
