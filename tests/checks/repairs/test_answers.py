"""The twelve broken snippets: originals and cosmetic repairs fail and are named, every right repair
passes, and wrong ones that no table foresees are caught."""

import copy
import math

import numpy as np
import pytest
import torch
from answers import WARNINGS_ARE_ERRORS, message
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parameters_to_vector

from dlcourse.checks.repairs import autograd as snippets_autograd
from dlcourse.checks.repairs import buckets as snippets_buckets
from dlcourse.checks.repairs import evaluation as snippets_evaluation
from dlcourse.checks.repairs import loops as snippets_loops
from dlcourse.checks.repairs import modules as snippets_modules
from dlcourse.checks.repairs import randomness as snippets_random
from dlcourse.checks.repairs import tensors as snippets_tensors

pytestmark = WARNINGS_ARE_ERRORS
image_change, channels_first = snippets_tensors.image_change, snippets_tensors.channels_first
squared_error, flip_some = snippets_tensors.squared_error, snippets_random.flip_some
DropoutNet, Tower = snippets_random.DropoutNet, snippets_modules.Tower
forecast_pairs, total_rmse = snippets_evaluation.forecast_pairs, snippets_evaluation.total_rmse
weight_movement, train_bucket = snippets_loops.weight_movement, snippets_buckets.train_bucket
residual_block, gap_loss = snippets_autograd.residual_block, snippets_autograd.gap_loss


def tower(kind, forward=None):
    """A Tower whose layers, head included, stand in kind(layers)."""

    class Tower(nn.Module):
        def __init__(self, widths):
            super().__init__()
            self.layers = kind([nn.Linear(a, b) for a, b in zip(widths, widths[1:], strict=False)])

        def forward(self, x):
            for number, layer in enumerate(self.layers):
                x = layer(F.relu(x) if number else x)
            return x

    return Tower


class TowerByName(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.depth = len(widths) - 1
        for i in range(self.depth):
            self.add_module(f"layer{i}", nn.Linear(widths[i], widths[i + 1]))

    def forward(self, x):
        for i in range(self.depth - 1):
            x = getattr(self, f"layer{i}")(x).relu()
        return getattr(self, f"layer{self.depth - 1}")(x)


class TowerShared(nn.Module):
    """Layers of the same shape are one and the same."""

    def __init__(self, widths):
        super().__init__()
        found = {}
        pairs = zip(widths, widths[1:], strict=False)
        self.layers = nn.ModuleList([found.setdefault(pair, nn.Linear(*pair)) for pair in pairs])

    def forward(self, x):
        for number, layer in enumerate(self.layers):
            x = layer(F.relu(x) if number else x)
        return x


class TowerBroken(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.hidden = [nn.Linear(a, b) for a, b in zip(widths[:-2], widths[1:-1], strict=True)]
        self.head = nn.Linear(widths[-2], widths[-1])

    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.head(x)


class TowerDict(TowerBroken):
    def __init__(self, widths):
        super().__init__(widths)
        self.named = dict(enumerate(self.hidden))  # a dict is no Module either
        self.hidden = None

    def forward(self, x):
        for layer in self.named.values():
            x = F.relu(layer(x))
        return self.head(x)


class TowerOptimised(TowerBroken):
    """Hands the optimiser what it asks for, and changes nothing else."""

    def parameters(self, recurse=True):
        return iter(
            [*self.head.parameters(), *(p for layer in self.hidden for p in layer.parameters())]
        )


class TowerNormed(TowerByName):
    def forward(self, x):
        return F.layer_norm(
            super().forward(x), (getattr(self, f"layer{self.depth - 1}").out_features,)
        )


def dropout_net(drop, kind=nn.Dropout):
    class DropoutNet(nn.Module):
        def __init__(self, features, hidden, p):
            super().__init__()
            self.one, self.two, self.p, self.mask = (
                nn.Linear(features, hidden),
                nn.Linear(hidden, 1),
                p,
                kind(p),
            )

        def forward(self, x):
            return self.two(drop(self, F.relu(self.one(x))))

    return DropoutNet


def drop_by_hand(self, h):
    return h * (torch.rand_like(h) >= self.p) / (1 - self.p) if self.training else h


def always_on(self, h):
    return F.dropout(h, self.p)


def seeded_inside(self, h):
    torch.manual_seed(7)
    return F.dropout(h, self.p)


def dropout_sequential(features, hidden, p):
    return nn.Sequential(
        nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(p), nn.Linear(hidden, 1)
    )


def flip_one_by_one(images, generator):
    return torch.stack(
        [x.flip(1) if torch.rand((), generator=generator) < 0.5 else x for x in images]
    )


def flip_by_index(images, generator):
    out, flags = (
        images.clone(),
        torch.bernoulli(torch.full((len(images),), 0.5), generator=generator).bool(),
    )
    out[flags] = torch.flip(images[flags], dims=(2,))
    return out


def flip_broken(images, generator, low=0, high=1, count=None):
    flags = torch.randint(low, high, (count or len(images),), generator=generator).bool()
    return torch.where(flags[:, None, None], images.flip(-1), images)


def flip_every_second(images, generator):
    return torch.where((torch.arange(len(images)) % 2 == 0)[:, None, None], images.flip(-1), images)


def rmse_cat(model, batches):
    with torch.no_grad():
        return torch.cat([(model(x) - y).flatten() for x, y in batches]).pow(2).mean().sqrt().item()


def rmse_running(model, batches):
    total = count = 0
    model.eval()
    for x, y in batches:
        total += F.mse_loss(model(x).detach(), y, reduction="sum").item()
        count += y.numel()
    return math.sqrt(total / count)


def rmse_weighted_means(model, batches):
    means, sizes = zip(*[(F.mse_loss(model(x), y).item(), len(x)) for x, y in batches], strict=True)
    return float(np.sqrt(np.average(means, weights=sizes)))


def rmse_broken(model, batches):
    total, count = 0.0, 0
    with torch.no_grad():
        for x, y in batches:
            total += ((model(x) - y) ** 2).mean().sqrt().item() * len(x)
            count += len(x)
    return total / count


def take_step(model, x, y, rate):
    optimiser = torch.optim.SGD(model.parameters(), rate)
    optimiser.zero_grad()
    F.mse_loss(model(x), y).backward()
    optimiser.step()


def movement(snapshot):
    def weight_movement(model, x, y, rate):
        before = snapshot(model)
        take_step(model, x, y, rate)
        return (
            sum(
                ((p.detach() - b) ** 2).sum()
                for p, b in zip(model.parameters(), before, strict=True)
            )
            .sqrt()
            .item()
        )

    return weight_movement


def movement_of_a_copy(model, x, y, rate):
    before = copy.deepcopy(model)
    take_step(model, x, y, rate)
    return torch.dist(
        parameters_to_vector(model.parameters()), parameters_to_vector(before.parameters())
    ).item()


def movement_by_gradient(model, x, y, rate):
    take_step(model, x, y, rate)
    return rate * math.sqrt(sum(p.grad.square().sum().item() for p in model.parameters()))


def movement_with_adam(model, x, y, rate):
    before = [p.detach().clone() for p in model.parameters()]
    F.mse_loss(model(x), y).backward()
    torch.optim.Adam(model.parameters(), rate).step()
    return math.sqrt(
        sum(
            (p.detach() - b).square().sum() for p, b in zip(model.parameters(), before, strict=True)
        )
    )


def in_place(x, weight):
    h = torch.tanh(x @ weight)
    h += x
    return h


def in_place_without_grad(x, weight):
    h = torch.tanh(x @ weight)
    with torch.no_grad():
        h += x
    return h


def through_data(x, weight):
    h = torch.tanh(x @ weight)
    h.data.add_(x.data)
    return h


def gaps_filled_first(prediction, target):
    observed = ~torch.isnan(target)
    error = torch.where(observed, prediction - torch.where(observed, target, 0.0), 0.0)
    return (error**2).sum() / observed.sum()


def gaps_by_detached_prediction(prediction, target):
    gaps = target.isnan()
    return (
        F.mse_loss(prediction, torch.where(gaps, prediction.detach(), target), reduction="sum")
        / (~gaps).sum()
    )


def gap_loss_broken(prediction, target):
    observed = ~target.isnan()
    return ((prediction - target) ** 2 * observed).sum() / observed.sum()


def calibrated(carry, begin=torch.zeros, optimiser=torch.optim.SGD, retain=None):
    """train_bucket with carry(storage) at the end of the month."""

    def train_bucket(model, months, rate):
        steps, storage, losses = optimiser(model.parameters(), rate), begin(()), []
        for rain, observed in months:
            storage, runoff = model(storage, rain)
            loss = (runoff - observed).square().mean()
            steps.zero_grad()
            loss.backward(retain_graph=retain)
            steps.step()
            losses.append(loss.item())
            storage = carry(storage)
        return losses

    return train_bucket


def no_history_at_all(model, months, rate):
    optimiser, storage = torch.optim.SGD(model.parameters(), rate), torch.zeros(())
    for rain, observed in months:
        with torch.no_grad():
            storage, runoff = model(storage, rain)
        F.mse_loss(runoff, observed).backward()
        optimiser.step()
    return []


RIGHT = {
    "image_change in float": (
        image_change,
        lambda before, after: (after.float() - before.float()).abs(),
    ),
    "image_change in uint8": (
        image_change,
        lambda before, after: torch.maximum(after, before) - torch.minimum(after, before),
    ),
    "image_change by cases": (
        image_change,
        lambda before, after: torch.where(after > before, after - before, before - after),
    ),
    "image_change in NumPy": (
        image_change,
        lambda before, after: np.abs(after.numpy().astype(int) - before.numpy()),
    ),
    "channels_first by permute": (
        channels_first,
        lambda images: images.permute(0, 3, 1, 2).contiguous(),
    ),
    "channels_first by movedim": (channels_first, lambda images: torch.movedim(images, -1, 1)),
    "channels_first by two swaps": (
        channels_first,
        lambda images: images.transpose(2, 3).transpose(1, 2),
    ),
    "channels_first by stacking": (
        channels_first,
        lambda images: torch.stack(images.unbind(-1), 1),
    ),
    "squared_error by squeeze": (squared_error, lambda p, t: ((p.squeeze() - t) ** 2).mean()),
    "squared_error by a column": (squared_error, lambda p, t: F.mse_loss(p, t[:, None])),
    "squared_error by the diagonal": (
        squared_error,
        lambda p, t: ((p - t).diagonal() ** 2).sum() / len(t),
    ),
    "DropoutNet by nn.Dropout": (DropoutNet, dropout_net(lambda self, h: self.mask(h))),
    "DropoutNet by training=": (
        DropoutNet,
        dropout_net(lambda self, h: F.dropout(h, self.p, self.training)),
    ),
    "DropoutNet by hand": (DropoutNet, dropout_net(drop_by_hand)),
    "DropoutNet as Sequential": (DropoutNet, dropout_sequential),
    "Tower by ModuleList": (Tower, tower(nn.ModuleList)),
    "Tower by Sequential": (Tower, tower(lambda layers: nn.Sequential(*layers))),
    "Tower by name": (Tower, TowerByName),
    "Tower of lazy layers": (
        Tower,
        lambda widths: nn.Sequential(
            *[part for n in widths[1:-1] for part in (nn.LazyLinear(n), nn.ReLU())],
            nn.LazyLinear(widths[-1]),
        ),
    ),
    "flip_some one by one": (flip_some, flip_one_by_one),
    "flip_some by index": (flip_some, flip_by_index),
    "flip_some by randint": (
        flip_some,
        lambda images, generator: flip_broken(images, generator, 0, 2),
    ),
    "forecast_pairs trimmed": (
        forecast_pairs,
        lambda s, width: (s.unfold(0, width, 1)[:-1], s[width:]),
    ),
    "forecast_pairs cut from one window": (
        forecast_pairs,
        lambda s, width: (s.unfold(0, width + 1, 1)[:, :-1], s.unfold(0, width + 1, 1)[:, -1]),
    ),
    "forecast_pairs in a loop": (
        forecast_pairs,
        lambda s, width: (
            torch.stack([s[i : i + width] for i in range(len(s) - width)]),
            s[width:].clone(),
        ),
    ),
    "total_rmse of all": (total_rmse, rmse_cat),
    "total_rmse running": (total_rmse, rmse_running),
    "total_rmse of weighted means": (total_rmse, rmse_weighted_means),
    "weight_movement from clones": (
        weight_movement,
        movement(lambda m: [p.detach().clone() for p in m.parameters()]),
    ),
    "weight_movement from a deep state": (
        weight_movement,
        movement(lambda m: copy.deepcopy(m.state_dict()).values()),
    ),
    "weight_movement of a copy": (weight_movement, movement_of_a_copy),
    "weight_movement by the gradient": (weight_movement, movement_by_gradient),
    "residual_block by +": (residual_block, lambda x, weight: torch.tanh(x @ weight) + x),
    "residual_block on a clone": (
        residual_block,
        lambda x, weight: torch.tanh(x @ weight).clone().add_(x),
    ),
    "gap_loss by index": (gap_loss, lambda p, t: F.mse_loss(p[~t.isnan()], t[~t.isnan()])),
    "gap_loss by where": (gap_loss, gaps_filled_first),
    "gap_loss by its own prediction": (gap_loss, gaps_by_detached_prediction),
    "gap_loss by masked_select": (
        gap_loss,
        lambda p, t: (p - t.nan_to_num()).masked_select(t == t).pow(2).mean(),
    ),
    "train_bucket by detach": (train_bucket, calibrated(lambda storage: storage.detach())),
    "train_bucket by detach_": (train_bucket, calibrated(lambda storage: storage.detach_())),
    "train_bucket by a float": (
        train_bucket,
        calibrated(lambda storage: storage.item(), begin=lambda shape: 0.0),
    ),
    "train_bucket by data": (train_bucket, calibrated(lambda storage: storage.data.clone())),
}


@pytest.mark.parametrize(("check", "answer"), RIGHT.values(), ids=RIGHT)
def test_every_right_repair_passes(check, answer, capfd):
    assert check(answer) is answer
    assert capfd.readouterr().err == ""


# the originals and repairs that only look like one → (check, code, the mistake that must be named)
BROKEN = {
    "image_change": (image_change, lambda before, after: (after - before).abs(), "uint8 wraps"),
    "image_change, float too late": (
        image_change,
        lambda before, after: (after - before).float().abs(),
        "uint8 wraps",
    ),
    "image_change, reordered": (
        image_change,
        lambda before, after: (before - after).abs(),
        "the other way round",
    ),
    "image_change, int8": (
        image_change,
        lambda before, after: (after - before).to(torch.int8).abs(),
        "int8",
    ),
    "channels_first": (
        channels_first,
        lambda x: x.reshape(len(x), x.shape[3], *x.shape[1:3]),
        "are renumbered",
    ),
    "channels_first, view": (
        channels_first,
        lambda x: x.contiguous().view(len(x), -1, *x.shape[1:3]),
        "renumbered",
    ),
    "channels_first, swap": (channels_first, lambda x: torch.swapaxes(x, 1, 3), "height and width"),
    "squared_error": (squared_error, lambda p, t: ((p - t) ** 2).mean(), "with every target"),
    "squared_error, reordered": (
        squared_error,
        lambda p, t: (t - p).square().mean(0).mean(),
        "with every target",
    ),
    "squared_error, a row": (
        squared_error,
        lambda p, t: (t.reshape(1, -1) - p).pow(2).mean(),
        "with every target",
    ),
    "DropoutNet": (DropoutNet, dropout_net(always_on), "always on"),
    "DropoutNet, seeded": (DropoutNet, dropout_net(seeded_inside), "freezes the mask"),
    "DropoutNet, p = 0": (
        DropoutNet,
        dropout_net(lambda self, h: F.dropout(h, 0.0)),
        "gone from training",
    ),
    "Tower": (Tower, TowerBroken, "a Python list"),
    "Tower, tuple": (Tower, tower(tuple), "all layers stand in"),
    "Tower, dict": (Tower, TowerDict, "a Python list"),
    "Tower, cut short": (
        Tower,
        tower(lambda layers: nn.ModuleList(layers)[:-1]),
        "head is missing",
    ),
    "Tower, patched": (Tower, TowerOptimised, "parameters() is patched"),
    "flip_some": (flip_some, flip_broken, "randint(0, 1)"),
    "flip_some, always": (
        flip_some,
        lambda x, g: flip_broken(x, g, 1, 2),
        "every image is flipped",
    ),
    "flip_some, one coin": (
        flip_some,
        lambda x, g: flip_broken(x, g, 0, 2, count=1),
        "whole batch",
    ),
    "forecast_pairs": (
        forecast_pairs,
        lambda s, w: (s.unfold(0, w, 1), s[w - 1 :]),
        "of its own window",
    ),
    "forecast_pairs, trimmed": (
        forecast_pairs,
        lambda s, w: (s.unfold(0, w, 1)[:-1], s[w - 1 : -1]),
        "one pair fewer",
    ),
    "forecast_pairs, rolled": (
        forecast_pairs,
        lambda s, w: (s.unfold(0, w, 1)[:-2], s[w + 1 :]),
        "too far ahead",
    ),
    "total_rmse": (total_rmse, rmse_broken, "roots are averaged"),
    "weight_movement": (
        weight_movement,
        movement(lambda m: [p.detach() for p in m.parameters()]),
        "moves along",
    ),
    "weight_movement, .data": (
        weight_movement,
        movement(lambda m: [p.data for p in m.parameters()]),
        "moves along",
    ),
    "weight_movement, shallow": (
        weight_movement,
        movement(lambda m: m.state_dict().copy().values()),
        "moves along",
    ),
    "residual_block": (residual_block, in_place, "in place"),
    "residual_block, no_grad": (residual_block, in_place_without_grad, "in place"),
    "residual_block, add_": (
        residual_block,
        lambda x, weight: torch.tanh(x @ weight).add_(x),
        "in place",
    ),
    "residual_block, .data": (residual_block, through_data, "hidden from autograd"),
    "gap_loss": (gap_loss, gap_loss_broken, "NaN times 0"),
    "gap_loss, nanmean": (
        gap_loss,
        lambda p, t: torch.nanmean((p - t) ** 2),
        "its gradient is not",
    ),
    "gap_loss, nan_to_num": (
        gap_loss,
        lambda p, t: F.mse_loss(p, t.nan_to_num()),
        "count as zeros",
    ),
    "train_bucket": (train_bucket, calibrated(lambda storage: storage), "last month's graph"),
    "train_bucket, detached copy not used": (
        train_bucket,
        calibrated(lambda s: (s.detach(), s)[1]),
        "last month's",
    ),
    "train_bucket, cloned": (
        train_bucket,
        calibrated(lambda storage: storage.clone()),
        "last month's graph",
    ),
    "train_bucket, retained": (
        train_bucket,
        calibrated(lambda storage: storage, retain=True),
        "retain_graph",
    ),
    "train_bucket, dry": (train_bucket, calibrated(lambda storage: torch.zeros(())), "starts dry"),
}


@pytest.mark.parametrize(("check", "answer", "name"), BROKEN.values(), ids=BROKEN)
def test_the_original_and_cosmetic_repairs_fail_and_are_named(check, answer, name, capfd):
    assert name in message(check, answer).split("Likely cause: ")[1].split(". ")[0]
    assert capfd.readouterr().err == ""


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "relative change": (
        image_change,
        lambda before, after: (after / before - 1).abs(),
        "one pixel, a little",
        "got",
    ),
    "batch mean": (
        image_change,
        lambda before, after: (after.float() - before).abs().mean(),
        "one pixel",
        "shape",
    ),
    "flattened": (
        channels_first,
        lambda images: images.flatten(1),
        "1 image",
        "The shape should be (1, 3, 1, 2)",
    ),
    "float loss": (
        squared_error,
        lambda p, t: F.mse_loss(p[:, 0], t).item(),
        "2 examples",
        "should be a tensor, yours is a float",
    ),
    "half": (
        squared_error,
        lambda p, t: ((p[:, 0] - t) ** 2).mean() / 2,
        "5 examples",
        "0.5 times",
    ),
    "whole rows": (
        DropoutNet,
        dropout_net(
            lambda self, h: (
                h * (torch.rand(len(h), 1) >= self.p) / (1 - self.p) if self.training else h
            )
        ),
        "5 features",
        "spread over",
    ),
    "one mask a batch": (
        DropoutNet,
        dropout_net(lambda self, h: self.mask(h[:1]) * h / h[:1].clamp(1e-9)),
        "2 features",
        "differs",
    ),
    "no ReLU": (
        DropoutNet,
        lambda d, h, p: nn.Sequential(nn.Linear(d, h), nn.Dropout(p), nn.Linear(h, 1)),
        "2 features",
        "Entry 'eval: nothing dropped' differs",
    ),
    "a normed output": (Tower, TowerNormed, "2 → 3 → 1", "Entry 'output' differs"),
    "a wider layer": (
        DropoutNet,
        lambda d, h, p: dropout_sequential(d, 2 * h, p),
        "2 features",
        "no parameter has",
    ),
    "every second, without a coin": (
        flip_some,
        flip_every_second,
        "100 images",
        "Entry 'draws from the generator' differs",
    ),
    "back as float32": (
        flip_some,
        lambda images, generator: flip_by_index(images.float(), generator),
        "400 images, uint8",
        "Entry 'dtype' differs",
    ),
    "one layer for equal widths": (
        Tower,
        TowerShared,
        "3 → 3 → 3 → 3 → 2",
        "Entry 'registered shapes' differs",
    ),
    "a tensor of length": (
        weight_movement,
        lambda *args: torch.tensor(movement_of_a_copy(*args)),
        "1 weight",
        "should be a float, yours is a tensor",
    ),
    "losses as tensors": (
        train_bucket,
        lambda *args: [torch.tensor(x) for x in calibrated(lambda s: s.detach())(*args)],
        "2 months",
        "should be a float, yours is a tensor",
    ),
    "a part of them": (
        flip_some,
        lambda images, generator: flip_by_index(images[1:], generator),
        "100 images",
        "come back as (99, 2, 3)",
    ),
    "no bias": (
        Tower,
        lambda widths: nn.Sequential(
            *[nn.Linear(a, b, bias=False) for a, b in zip(widths, widths[1:], strict=False)]
        ),
        "2 → 3 → 1",
        "Entry 'registered shapes' differs",
    ),
    "turned by 180°": (
        flip_some,
        lambda x, g: torch.where(
            torch.rand((len(x), 1, 1), generator=g) < 0.5, x.rot90(2, (1, 2)), x
        ),
        "100 images",
        "Entry 'neither kept nor mirrored' differs",
    ),
    "target a window": (
        forecast_pairs,
        lambda s, w: (s.unfold(0, w, 1)[:-1], s[w:, None]),
        "3 values",
        "Item 2 of 2",
    ),
    "mean of all errors": (
        total_rmse,
        lambda model, batches: sum((model(x) - y).mean().item() for x, y in batches),
        "2 batches",
        "got",
    ),
    "Adam": (weight_movement, movement_with_adam, "1 weight", "Entry 'moved' differs"),
    "a snapshot in half precision": (
        weight_movement,
        movement(lambda m: [p.detach().half() for p in m.parameters()]),
        "3 → 4 → 2",
        "Entry 'moved' differs",
    ),
    "half the way": (
        weight_movement,
        lambda *args: movement_of_a_copy(*args) / 2,
        "1 weight",
        "0.5 times",
    ),
    "tanh of both": (
        residual_block,
        lambda x, weight: torch.tanh(x @ weight) + torch.tanh(x),
        "one number",
        "differs",
    ),
    "absolute": (
        gap_loss,
        lambda p, t: (p - t)[~t.isnan()].abs().mean(),
        "three months",
        "differs",
    ),
    "a vector as storage": (
        train_bucket,
        calibrated(lambda storage: storage.detach(), begin=lambda _: torch.zeros(1)),
        "2 months",
        "Entry 'losses', item",
    ),
    "Adam as well": (
        train_bucket,
        calibrated(lambda storage: storage.detach(), optimiser=torch.optim.Adam),
        "2 months",
        "Entry 'losses', item",
    ),
    "nothing recorded": (train_bucket, no_history_at_all, "2 months", "does not require grad"),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    text = message(check, wrong)
    assert f": {label}" in text.splitlines()[0]
    assert says in text and "Likely cause" not in text


def test_an_error_of_autograd_is_shown_with_the_students_own_line():
    text = message(residual_block, in_place)
    assert "got:          RuntimeError: one of the variables" in text and "Hint: " not in text


def test_the_bucket_by_hand_agrees_with_autograd():
    bucket = snippets_buckets._Bucket(0.7, torch.float64)
    rain = torch.rand(9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    storage, runoff = bucket(torch.tensor(2.0, dtype=torch.float64), rain)
    keep = torch.sigmoid(bucket.logit).item()
    ours, slopes, after = snippets_buckets._derivatives(keep, 2.0, rain)
    found = [torch.autograd.grad(one, bucket.logit, retain_graph=True)[0].item() for one in runoff]
    assert after == pytest.approx(storage.item()) and ours.tolist() == pytest.approx(
        runoff.tolist(), rel=1e-6
    )
    assert (slopes * keep * (1 - keep)).tolist() == pytest.approx(found, rel=1e-5)
    # no water is lost
    assert (storage + runoff.sum()).item() == pytest.approx(2 + rain.sum().item())


@pytest.mark.parametrize("seed", range(20))
def test_a_right_answer_that_draws_at_random_never_fails_by_bad_luck(seed):
    generator = torch.Generator()
    for one in flip_some.list_cases():
        expected = flip_some.probe(flip_some.reference, one.args[0], generator.manual_seed(0))
        assert flip_some.probe(flip_by_index, one.args[0], generator.manual_seed(seed)) == expected
