"""Day 3's checks of the morning: wrong answers that no table of mistakes foresees,
right ones written otherwise."""

import copy
import math

import numpy as np
import pytest
import torch
from answers import message
from torch import nn
from torch.nn import functional as F
from torch.utils.data import get_worker_info

from dlcourse import train as library
from dlcourse.checks.pytorch import clinic as loop_runs
from dlcourse.checks.pytorch import (
    epochs,
    functions,
    loaders,
    modules,
    pixels,
    resuming,
    tensors,
)
from dlcourse.data import images
from dlcourse.metrics import accuracy


class SignLost(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.abs() + torch.log1p(torch.exp(-x.abs()))

    @staticmethod
    def backward(ctx, g):
        return g * torch.sigmoid(ctx.saved_tensors[0])


def zeros_go_with_all(a, b):
    def joined(p, q):
        if p > 1 and q > 1 and p != q:
            raise ValueError("these sizes do not go together")
        return q if p == 1 else p

    return tensors._by_pairs(a, b, joined)


class NoModule:
    def __init__(self, inputs, outputs):
        self.weight, self.bias = torch.ones(outputs, inputs), torch.zeros(outputs)


class OtherNames(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.w, self.b = (
            nn.Parameter(torch.randn(outputs, inputs)),
            nn.Parameter(torch.zeros(outputs)),
        )


class BiasTwice(nn.Linear):
    def forward(self, x):
        return super().forward(x) + self.bias


class OnlyMean(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.register_buffer("mean", data.mean(0))

    def forward(self, x):
        return x - self.mean


def clipped_epoch(model, batches, optimiser):
    model.train()
    total = count = 0
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimiser.step()
        total, count = total + loss.item() * len(x), count + len(x)
    return total / count


def skips_the_first(model, batches, optimiser):
    return epochs._train(model, list(batches)[1:] or batches, optimiser)


def sum_of_losses(model, batches, optimiser):
    return epochs._train(model, batches, optimiser) * sum(len(x) for x, _ in batches)


def eval_without_restoring_batch_norm(model, batches):
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    with torch.no_grad():
        return {
            "loss": sum(F.cross_entropy(model(x), y, reduction="sum").item() for x, y in batches)
            / sum(len(x) for x, _ in batches),
            "accuracy": 0.5,
        }


def epoch_off(snapshot, *parts):
    return resuming._put_back(snapshot, *parts) + 1


def no_momentum(model, optimiser, scheduler, generator, epoch):
    snapshot = resuming._snapshot(model, optimiser, scheduler, generator, epoch)
    for state in snapshot["optimiser"]["state"].values():
        for name, value in state.items():
            if isinstance(value, torch.Tensor):
                state[name] = torch.zeros_like(value)
    return snapshot


class Seeded(nn.Linear):
    def __init__(self, inputs, outputs):
        torch.manual_seed(0)
        super().__init__(inputs, outputs)


class PlainBias(nn.Linear):
    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, bias=False)
        self.bias = None
        del self._parameters["bias"]
        self.bias = torch.zeros(outputs)


class CutFromX(nn.Linear):
    def forward(self, x):
        return super().forward(x.detach())


class WithEps(modules._Statistics):
    def forward(self, x):
        return (x - self.mean) / (self.std + 1e-5)


def seed_random_state(worker_id):
    get_worker_info().dataset.rng = np.random.RandomState(torch.initial_seed() % 2**32)


def grad_off(model, batches):
    torch.set_grad_enabled(False)
    return epochs._validate(model, batches)


def root_mode(model, batches):
    mode = model.training
    found = epochs._validate(model.eval(), batches)
    model.training = mode
    return found


def seeded_snapshot(*args):
    torch.manual_seed(0)
    return resuming._snapshot(*args)


class Uniform(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(4 * torch.rand(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight.T + self.bias


def popping(snapshot, *parts):
    resuming._put_back(snapshot, *parts)
    return snapshot.pop("epoch")


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "only sizes above 1 are compared": (
        tensors.broadcast_shape,
        zeros_go_with_all,
        "an empty axis against",
        "a ValueError",
    ),
    "always the first": (tensors.broadcast_shape, lambda a, b: a, "a column and a row", "differs"),
    "a TypeError": (
        tensors.broadcast_shape,
        lambda a, b: tuple(np.broadcast_shapes(a, b)) if len(a) >= len(b) else None + 1,
        "a number and a matrix",
        "TypeError",
    ),
    "variance": (
        pixels.normalise_channels,
        lambda x, mean, std: (x - mean.view(-1, 1, 1)) / std.view(-1, 1, 1) ** 2,
        "one image",
        "difference",
    ),
    "shifted": (
        pixels.difference_image,
        lambda a, b: (a.float() - b.float()) / 255 + 0.5,
        "two pixels",
        "off by the constant 0.5",
    ),
    "half precision": (
        pixels.difference_image,
        lambda a, b: ((a.float() - b.float()) / 255).half(),
        "two pixels",
        "dtype should be float32",
    ),
    "the absolute value": (functions.Softplus, SignLost, "−2 … 2", "Entry 'value' differs"),
    "a plain bias": (modules.Affine, PlainBias, "2 inputs", "a plain tensor, not a parameter"),
    "the model by reference": (
        resuming.take_snapshot,
        lambda model, *rest: resuming._snapshot(model, *rest) | {"model": model.state_dict()},
        "AdamW",
        "[weights, buffers]",
    ),
    "one part too many": (
        resuming.take_snapshot,
        lambda *args: resuming._snapshot(*args) | {"loss": 0.5},
        "AdamW",
        "Entry 'parts' differs",
    ),
    "seeded": (modules.Affine, Seeded, "2 inputs", "two layers start with the same weights"),
    "cut from x": (modules.Affine, CutFromX, "2 inputs", "Entry 'gradients', entry 'x'"),
    "an ε beside the std": (modules.Standardise, WithEps, "three features", "Entry 'output'"),
    "an old NumPy generator": (
        loaders.seed_worker,
        seed_random_state,
        "two workers",
        "rng should be a NumPy Generator",
    ),
    "grad off for good": (epochs.validate, grad_off, "one batch", "gradients are recorded after"),
    "mode of the root": (epochs.validate, root_mode, "one batch", "modules in training mode"),
    "a tensor as mean": (
        epochs.train_epoch,
        lambda *args: torch.tensor(epochs._train(*args)),
        "one batch",
        "should be a float, yours is a tensor",
    ),
    "batches by index": (
        epochs.train_epoch,
        lambda model, batches, optimiser: epochs._train(
            model, [batches[i] for i in range(len(batches))], optimiser
        ),
        "one batch",
        "not subscriptable",
    ),
    "seeded in passing": (
        resuming.take_snapshot,
        seeded_snapshot,
        "AdamW",
        "changed by taking the snapshot",
    ),
    "no module": (modules.Affine, NoModule, "2 inputs", "this is no module"),
    "other names": (modules.Affine, OtherNames, "2 inputs", "parameters"),
    "bias twice": (modules.Affine, BiasTwice, "2 inputs", "Entry 'output' differs"),
    "mean alone": (modules.Standardise, OnlyMean, "one feature", "numbers in the state"),
    "clipped": (epochs.train_epoch, clipped_epoch, "one batch", "Entry 'weights', entry"),
    "first batch skipped": (
        epochs.train_epoch,
        skips_the_first,
        "three batches",
        "Entry 'batches in training mode'",
    ),
    "a sum": (epochs.train_epoch, sum_of_losses, "one batch", "4 times the expected one"),
    "dropout alone": (epochs.validate, eval_without_restoring_batch_norm, "one batch", "Entry"),
    "a tuple": (epochs.validate, lambda model, batches: (0.5, 0.5), "one batch", "return a dict"),
    "averages of 0": (resuming.take_snapshot, no_momentum, "AdamW", "optimiser's memory"),
    "one too many": (resuming.put_back, epoch_off, "AdamW", "Entry 'epoch' differs"),
    "emptied": (resuming.put_back, popping, "resumed twice", "KeyError"),
    "a fault not listed": (
        loop_runs.diagnose_loops,
        lambda: dict.fromkeys("ABCD", "bad luck"),
        "loop A",
        "not on the list",
    ),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    text = message(check, wrong)
    assert f": {label}" in text.splitlines()[0]
    assert says in text and "Likely cause" not in text


class ByTorch(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(
            x > 0, x + torch.log1p(torch.exp(-x)), torch.log1p(torch.exp(x.clamp_max(50)))
        )

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (1 + torch.tanh(x / 2)) / 2


class ByFunctional(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))

    def forward(self, x):
        return torch.einsum("...i,oi->...o", x, self.weight) + self.bias


class KeptAsRows(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.register_buffer("std", data.std(0, keepdim=True))
        self.register_buffer("mean", data.mean(0, keepdim=True))

    def forward(self, x):
        return x.sub(self.mean).div(self.std)


def zero_after_step(model, batches, optimiser):
    model.train(True)
    losses, sizes = [], []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.detach() * len(y))
        sizes.append(len(y))
    return (torch.stack(losses).sum() / sum(sizes)).item()


def by_the_library(model, batches):
    return library.evaluate(model, batches, loss=F.cross_entropy, accuracy=accuracy)


@torch.inference_mode()
def decorated(model, batches):
    mode = model.training
    model.train(False)
    outputs = [(model(x), y) for x, y in batches]
    model.train(mode)
    logits, y = torch.cat([o for o, _ in outputs]), torch.cat([y for _, y in outputs])
    return {"accuracy": accuracy(logits, y).item(), "loss": F.cross_entropy(logits, y).item()}


def cloned(model, optimiser, scheduler, generator, epoch):
    return {
        "epoch": epoch,
        "rng": torch.random.get_rng_state(),
        "generator": generator.get_state().clone(),
        "model": {k: v.clone() for k, v in model.state_dict().items()},
        "optimiser": copy.deepcopy(optimiser).state_dict(),
        "scheduler": dict(scheduler.state_dict()),
    }


def all_at_once(snapshot, model, optimiser, scheduler, generator):
    kept = copy.deepcopy(snapshot)
    generator.set_state(kept["generator"])
    torch.random.set_rng_state(kept["rng"])
    for name, part in {"model": model, "optimiser": optimiser, "scheduler": scheduler}.items():
        part.load_state_dict(kept[name])
    return kept["epoch"]


def seed_from_info(worker_id):
    info = get_worker_info()
    info.dataset.rng = np.random.default_rng([info.seed, worker_id])


ALSO_RIGHT = {
    "NumPy's rule, a list": (tensors.broadcast_shape, lambda a, b: list(np.broadcast_shapes(a, b))),
    "moved": (
        pixels.normalise_channels,
        lambda x, mean, std: ((x.movedim(1, 3) - mean) / std).movedim(3, 1),
    ),
    "true division": (pixels.difference_image, lambda a, b: a / 255 - b / 255),
    "by cases": (functions.Softplus, ByTorch),
    "einsum": (modules.Affine, ByFunctional),
    "rows": (modules.Standardise, KeptAsRows),
    "zero_grad after step": (epochs.train_epoch, zero_after_step),
    "the library's evaluate": (epochs.validate, by_the_library),
    "inference mode": (epochs.validate, decorated),
    "clones": (resuming.take_snapshot, cloned),
    "info.seed": (loaders.seed_worker, seed_from_info),
    "a copy of all": (resuming.put_back, all_at_once),
}


def test_a_first_weight_without_a_scale_is_told_so():
    text = message(modules.Affine, Uniform)
    assert "more than 2" in text and "should be a str" not in text
    assert "Likely cause: the start is not scaled" in text


@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_another_right_way_passes(check, answer):
    assert check(answer) is answer


def test_playing_a_worker_leaves_no_trace():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    assert loaders.seed_worker(seed_from_info) is seed_from_info
    assert get_worker_info() is None
    assert (
        torch.equal(before[0], torch.get_rng_state())
        and (before[1] == np.random.get_state()[1]).all()
    )


@pytest.mark.slow
def test_the_four_loops_show_their_signs_whatever_the_seed():
    digits = images.digits8()
    x, y = (digits.x.flatten(1) - 0.3) / 0.38, digits.y
    for seed in range(3):
        runs = {name: loop_runs.loop_run(name, x, y, seed) for name in ("healthy", *"ABCD")}
        healthy = runs["healthy"]["training loss"]
        assert (runs["A"]["training loss"][1:] < 0.75 * healthy[1:]).all()
        assert runs["A"]["training loss"][0] == healthy[0]
        assert runs["B"]["first layer moved"].max() == 0 == runs["B"]["last layer moved"].max()
        assert runs["C"]["last layer moved"].max() == 0 < runs["C"]["first layer moved"].min()
        assert np.ptp(runs["D"]["last layer moved"][2:]) < 1e-3 < runs["D"]["last layer moved"][0]
    with pytest.raises(KeyError, match="ask for one of A, B, C, D, or for 'healthy'"):
        loop_runs.loop_run("E", x, y)


def test_an_epoch_that_ends_after_its_first_batch_is_told_so():
    def early(model, batches, optimiser):
        return epochs.train_epoch.reference(model, [next(iter(batches))], optimiser)

    text = message(epochs.train_epoch, early)
    assert "three batches" in text.splitlines()[0] and "batches taken from" in text
