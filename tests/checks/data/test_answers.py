"""The checks of Day 3's afternoon: wrong answers that no table of mistakes foresees, right ones
written in another way, and the judges themselves against torchvision and torch."""

import contextlib
import copy
import gzip
import hashlib
import math
import os

import numpy as np
import pytest
import torch
from answers import WARNINGS_ARE_ERRORS, assert_caught
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler

from dlcourse import checkpoint, schedule
from dlcourse.checks.data import (
    accumulation,
    augmentation,
    averaging,
    clipping,
    collating,
    hooks,
    idx_files,
    image_files,
    inpainting,
    resumable,
    sampling,
)

pytestmark = WARNINGS_ARE_ERRORS


def read_by_numpy(path):
    content = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    types = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in types:
        raise ValueError(f"not an idx file: {path}")
    if len(content) < 4 + 4 * content[3]:
        raise ValueError(f"no whole header: {path}")
    shape = np.frombuffer(content[4 : 4 + 4 * content[3]], ">u4").astype(int)
    body, kind = content[4 + 4 * content[3] :], np.dtype(types[content[2]])
    if len(body) != shape.prod() * kind.itemsize:
        raise ValueError(f"{path}: {len(body)} bytes of data")
    return torch.tensor(np.frombuffer(body, kind).reshape(shape).astype(kind.newbyteorder("=")))


def read_flat(path):
    return read_by_numpy(path).flatten()


def read_floats(path):
    return read_by_numpy(path).double()


class FloatItems(Dataset):
    """Division after float(): as right as the reference."""

    def __init__(self, images, labels, transform=None):
        self.images, self.labels = read_by_numpy(images), read_by_numpy(labels).long()
        if self.images.shape[0] != self.labels.shape[0]:
            raise ValueError("not the same number")
        self.transform = transform or (lambda x: x)

    def __len__(self):
        return self.labels.shape[0]

    def __getitem__(self, index):
        return self.transform(self.images[index].float().div(255).unsqueeze(0)), int(
            self.labels[index]
        )


class TensorLabels(FloatItems):
    def __getitem__(self, index):
        return super().__getitem__(index)[0], self.labels[index]


class NoTransform(FloatItems):
    def __getitem__(self, index):
        return self.images[index][None] / 255, int(self.labels[index])


class ByFile(FloatItems):
    def __len__(self):
        return 2


class Hashed(augmentation._Augmented):
    def __getitem__(self, index):
        seed = int.from_bytes(
            hashlib.sha256(f"{self.seed}/{self.epoch}/{index}".encode()).digest()[:4], "big"
        )
        x, y = self.data[index]
        return self.augment(x, torch.Generator().manual_seed(seed)), y


class GloballySeeded(Hashed):
    def __getitem__(self, index):
        generator = torch.manual_seed(hash((self.seed, self.epoch, index)) % 2**32)
        x, y = self.data[index]
        return self.augment(x, generator), y


class FirstImage(Hashed):
    def __getitem__(self, index):
        return self.data[0][0] + super().__getitem__(index)[0] - self.data[index][0], index % 7


class Python(Hashed):
    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(hash((self.seed, self.epoch, index)) % 2**63)
        x, y = self.data[index]
        return self.augment(x, generator), y


class Products(Hashed):
    def __getitem__(self, index):
        seed = (self.seed + 1) * (self.epoch + 1) * (index + 1)
        return self.augment(self.data[index][0], torch.Generator().manual_seed(seed)), self.data[
            index
        ][1]


def split_by_sorting(y, share, generator):
    shuffled = torch.randperm(len(y), generator=generator)
    order = shuffled[torch.argsort(y[shuffled], stable=True)]
    parts = order.split(torch.bincount(y).tolist())
    counts = [round(share * len(part)) for part in parts]
    return (
        torch.cat([part[count:] for part, count in zip(parts, counts, strict=True)]),
        torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)]),
    )


def split_masks(y, share, generator):
    rest, held = split_by_sorting(y, share, generator)
    return torch.zeros(len(y)).bool().index_fill(0, rest, True), torch.zeros(
        len(y)
    ).bool().index_fill(0, held, True)


def split_lists(y, share, generator):
    return [part.tolist() for part in split_by_sorting(y, share, generator)]


def pad_by_hand(batch):
    longest = max(len(x) for x, _ in batch)
    x = torch.zeros(len(batch), longest, batch[0][0].shape[1], dtype=batch[0][0].dtype)
    mask = torch.zeros(len(batch), longest, dtype=torch.bool)
    for row, (signal, _) in enumerate(batch):
        x[row, : len(signal)], mask[row, : len(signal)] = signal, True
    return x, mask, torch.as_tensor([label for _, label in batch])


def pad_float_mask(batch):
    x, mask, y = pad_by_hand(batch)
    return x, mask.float(), y


def pad_sorted(batch):
    return pad_by_hand(sorted(batch, key=lambda item: -len(item[0])))


def mae_by_loop(output, target, hole):
    return sum((output[i] - target[i])[hole[i]].abs().mean() for i in range(len(output))) / len(
        output
    )


def mae_by_ratio(output, target, hole):
    weights = hole / hole.sum((1, 2, 3), keepdim=True)
    return (weights * (output - target).abs()).sum() / len(output)


def psnr_by_root(output, target, hole, floor=1e-10, extra=0.0):
    error = (((output - target) ** 2) * hole).flatten(1).sum(1) / hole.flatten(1).sum(1)
    return (20 * torch.log10(1 / (error.clamp(min=floor) + extra).sqrt())).mean()


def clip_in_torch(parameters, most):
    return nn.utils.clip_grad_norm_(list(parameters), most)


def clip_new_tensors(parameters, most):
    kept = [p for p in parameters if p.grad is not None]
    norm = torch.stack([p.grad.norm() for p in kept]).norm()
    for p in kept:
        p.grad = p.grad * (most / norm).clamp(max=1)
    return norm


def clip_by_joint_length(parameters, most):
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = sum(g.pow(2).sum() for g in gradients).sqrt()
    for g in gradients:
        g *= min(1.0, most / (norm.item() + 1e-12))
    return norm


def clip_and_say_nothing(parameters, most):
    clip_in_torch(parameters, most)


def average_by_data(average, model, decay):
    for own, other in zip(
        [*average.parameters(), *average.buffers()],
        [*model.parameters(), *model.buffers()],
        strict=True,
    ):
        own.data.copy_(
            decay * own.data + (1 - decay) * other.data if own.is_floating_point() else other.data
        )


def average_by_loading(average, model, decay):
    old, new = average.state_dict(), model.state_dict()
    average.load_state_dict(
        {
            k: decay * old[k] + (1 - decay) * new[k] if old[k].is_floating_point() else new[k]
            for k in old
        }
    )


def average_in_eval(average, model, decay):
    average_by_data(average.eval(), model, decay)


def average_half(average, model, decay):
    average_by_data(average, model, 0.5)


def record_with_stack(model, names, x):
    kept = {}

    def keep(name, module, inputs, output):
        kept[name] = output.clone().detach()

    with contextlib.ExitStack() as stack:
        for name in names:
            handle = dict(model.named_modules())[name].register_forward_hook(
                lambda *args, name=name: keep(name, *args)
            )
            stack.callback(handle.remove)
        model(x)
    return kept


def record_in_eval(model, names, x):
    return record_with_stack(model.eval(), names, x)


def record_and_clear(model, names, x):
    kept = record_with_stack(model, names, x)
    for module in model.modules():
        module._forward_hooks.clear()
    return kept


def record_one_by_one(model, names, x):
    return {name: record_with_stack(model, [name], x)[name] for name in names}


def record_arrays(model, names, x):
    return list(record_with_stack(model, names, x).values())


def fit(train_epoch, validate, parts, path, epochs, patience, report, wrong=None):
    """Students' pattern, written another way: the best loss as a number, the best
    weights cloned, stop by a counter."""
    history, best, lowest, waited = [], None, math.inf, 0
    if path.exists():
        values = checkpoint.resume(path, **parts)
        history, best, lowest, waited = (
            values[key] for key in ("history", "best", "lowest", "waited")
        )
    while len(history) < epochs and waited < patience:
        row = {"epoch": len(history) + 1, **train_epoch(), **validate()}
        if wrong == "one entry":
            row.pop("accuracy")
        history.append(row)
        waited += 1
        if row["validation"] < lowest:
            lowest, waited = row["validation"], 0
            best = {name: value.clone() for name, value in parts["model"].state_dict().items()}
        parts["scheduler"].step()
        values = {
            "history": history,
            "best": best,
            "lowest": lowest,
            "waited": 0 if wrong == "waited" else waited,
        }
        if wrong == "no generator":
            checkpoint.save_checkpoint(path, **{**parts, "generator": torch.Generator()}, **values)
        else:
            checkpoint.save_checkpoint(path, **parts, **values)
        if wrong != "silent":
            report(history)
    if wrong != "not put back":
        parts["model"].load_state_dict(best)
    return history[-1:] if wrong == "last row" else history


def fit_wrongly(wrong):
    return lambda *args: fit(*args, wrong=wrong)


def squared(model, x, y, size):
    return accumulation._accumulate(model, x, y, size) ** 2


def halving(model, x, y, size):
    loss = accumulation._accumulate(model, x, y, size)
    for parameter in model.parameters():
        parameter.grad.mul_(0.5)
    return loss


def with_step(model, x, y, size):
    loss = accumulation._accumulate(model, x, y, size)
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    return loss


def by_sums(model, x, y, size):
    model.zero_grad(set_to_none=False)
    losses = []
    for rows, targets in zip(x.split(size), y.split(size), strict=True):
        loss = F.cross_entropy(model(rows), targets, reduction="sum") / len(x)
        loss.backward()
        losses.append(loss.detach())
    return torch.stack(losses).sum().item()


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "flat": (idx_files.read_idx, read_flat, "one image of 2×3", "Entry 'shape' differs"),
    "floats": (idx_files.read_idx, read_floats, "one image of 2×3", "Entry 'dtype' differs"),
    "the transform is ignored": (image_files.ImageFiles, NoTransform, "a transform", "differs"),
    "a fixed length": (image_files.ImageFiles, ByFile, "five images", "Entry 'length' differs"),
    "products": (augmentation.Augmented, Products, "two items", "augmented alike"),
    "masks": (sampling.stratified_split, split_masks, "four of each", "return positions"),
    "lists": (sampling.stratified_split, split_lists, "four of each", "return two tensors"),
    "labels as tensors": (image_files.ImageFiles, TensorLabels, "two images", "should be an int"),
    "the global generator, seeded": (
        augmentation.Augmented,
        GloballySeeded,
        "one item",
        "draws from the global generator",
    ),
    "always the image in front": (
        augmentation.Augmented,
        FirstImage,
        "one item",
        "their own image",
    ),
    "only the validation loss": (
        resumable.fit_resumable,
        fit_wrongly("one entry"),
        "two epochs",
        "accuracies, of validate too",
    ),
    "somebody else's hook": (
        hooks.record_activations,
        record_and_clear,
        "the first layer",
        "one was there before",
    ),
    "a run for each name": (
        hooks.record_activations,
        record_one_by_one,
        "two layers",
        "times the model ran",
    ),
    "new tensors": (clipping.clip_gradients, clip_new_tensors, "(3, 4)", "still the same tensors"),
    "a float": (
        clipping.clip_gradients,
        lambda parameters, most: clip_in_torch(parameters, most).item(),
        "(3, 4)",
        "should be a tensor, yours is a float",
    ),
    "evaluation mode": (averaging.ema_update, average_in_eval, "one update", "training mode"),
    "a floor that is added": (
        inpainting.psnr,
        lambda *args: psnr_by_root(*args, floor=0.0, extra=1e-10),
        "almost perfectly",
        "difference",
    ),
    "ten times the share": (
        sampling.stratified_split,
        lambda y, share, generator: split_by_sorting(y, min(1, 2 * share), generator),
        "four of each",
        "held out of each class",
    ),
    "squares": (
        sampling.balanced_weights,
        lambda y: 1 / torch.bincount(y)[y].double() ** 2,
        "three of one",
        "differ",
    ),
    "a mask of floats": (
        collating.pad_collate,
        pad_float_mask,
        "lengths 2 and 1",
        "dtype should be bool",
    ),
    "sorted by length": (collating.pad_collate, pad_sorted, "lengths 1, 4 and 2", "differs"),
    "half": (
        inpainting.hole_mae,
        lambda *args: mae_by_loop(*args) / 2,
        "one image, two",
        "Entry 'loss' differs",
    ),
    "peak of 255": (
        inpainting.psnr,
        lambda *args: psnr_by_root(*args) + 20 * math.log10(255),
        "one image, two",
        "got",
    ),
    "nothing returned": (
        clipping.clip_gradients,
        clip_and_say_nothing,
        "(3, 4)",
        "is `return` missing?",
    ),
    "always one half": (averaging.ema_update, average_half, "needs no gradient", "differs"),
    "eval mode left on": (
        hooks.record_activations,
        record_in_eval,
        "the first layer",
        "Entry 'mode' differs",
    ),
    "a list": (
        hooks.record_activations,
        record_arrays,
        "the first layer",
        "Entry 'activations' differs",
    ),
    "the shuffling starts anew": (
        resumable.fit_resumable,
        fit_wrongly("no generator"),
        "breaks off",
        "differs",
    ),
    "patience starts anew": (
        resumable.fit_resumable,
        fit_wrongly("waited"),
        "patience runs across",
        "items",
    ),
    "no report": (
        resumable.fit_resumable,
        fit_wrongly("silent"),
        "two epochs",
        "lengths of the histories",
    ),
    "the last row alone": (
        resumable.fit_resumable,
        fit_wrongly("last row"),
        "two epochs",
        "epochs in the history",
    ),
    "a step as well": (accumulation.accumulate, with_step, "four rows", "weights are as they were"),
    "half gradients": (accumulation.accumulate, halving, "four rows", "Entry 'gradients', entry"),
    "another loss": (accumulation.accumulate, squared, "four rows", "Entry 'mean loss' differs"),
    "the last weights": (
        resumable.fit_resumable,
        fit_wrongly("not put back"),
        "not the last",
        "weight afterwards",
    ),
}


@pytest.mark.slow  # whole networks, whole runs
@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    assert_caught(check, wrong, label, says)


ALSO_RIGHT = {
    "NumPy": (idx_files.read_idx, read_by_numpy),
    "by float": (image_files.ImageFiles, FloatItems),
    "SHA-256": (augmentation.Augmented, Hashed),
    "Python's hash": (augmentation.Augmented, Python),
    "sorted": (sampling.stratified_split, split_by_sorting),
    "N over counts": (
        sampling.balanced_weights,
        lambda y: (len(y) / torch.bincount(y).clamp(min=1))[y],
    ),
    "in NumPy": (
        sampling.balanced_weights,
        lambda y: 1.0 / np.bincount(y.numpy())[y.numpy()].clip(1),
    ),
    "by hand": (collating.pad_collate, pad_by_hand),
    "a loop": (inpainting.hole_mae, mae_by_loop),
    "weights": (inpainting.hole_mae, mae_by_ratio),
    "20 log of the root": (inpainting.psnr, psnr_by_root),
    "torch's own": (clipping.clip_gradients, clip_in_torch),
    "joint length": (clipping.clip_gradients, clip_by_joint_length),
    "data": (averaging.ema_update, average_by_data),
    "loaded": (averaging.ema_update, average_by_loading),
    "ExitStack": (hooks.record_activations, record_with_stack),
    "a counter": (resumable.fit_resumable, fit),
    "sums": (accumulation.accumulate, by_sums),
}


@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_another_right_way_passes(check, answer):
    assert check(answer) is answer


def test_the_judge_of_idx_files_agrees_with_torchvision(tmp_path):
    from torchvision.datasets.mnist import read_sn3_pascalvincent_tensor

    for number, dtype in enumerate(
        [torch.uint8, torch.int8, torch.int16, torch.int32, torch.float32, torch.float64]
    ):
        values = (torch.arange(24).reshape(2, 3, 4) * 5 - 3 * number).to(dtype)
        path = idx_files.Stored(f"file-{number}", idx_files.encode(values)).write(tmp_path)
        assert torch.equal(read_sn3_pascalvincent_tensor(str(path), strict=False), values)
        assert torch.equal(idx_files.read_idx.reference(path), values)


def test_a_plan_that_runs_through_equals_one_that_breaks_off():
    losses = (5.0, 4.0, 2.0, 3.0, 1.0)
    whole, *broken = (resumable._live(fit, resumable.Plan(losses, breaks_in=n)) for n in (0, 2, 4))
    for one in broken:
        same = ("epochs in the history", "validation losses", "checkpoint")
        assert [one[key] for key in same] == [whole[key] for key in same]
    ours = resumable._live(resumable.fit_resumable.reference, resumable.Plan(losses, breaks_in=4))
    assert torch.equal(ours["weight afterwards"], broken[1]["weight afterwards"])


def test_the_judge_of_resuming_works_where_a_smoke_run_is_on(monkeypatch):
    monkeypatch.setenv("DLCOURSE_SMOKE", "1")
    assert resumable.fit_resumable(fit) is fit
    assert os.environ["DLCOURSE_SMOKE"] == "1"


def student_loop(train_epoch, validate, parts, path, epochs, patience, report):
    """The solution of the notebook."""
    values = checkpoint.resume(path, **parts) if path.exists() else {"history": [], "best": None}
    history, best = values["history"], values["best"]
    for epoch in range(len(history) + 1, epochs + 1):
        if history and schedule.stop_early([row["validation"] for row in history], patience):
            break
        history.append({"epoch": epoch} | train_epoch() | validate())
        if history[-1]["validation"] == min(row["validation"] for row in history):
            best = copy.deepcopy(parts["model"].state_dict())
        parts["scheduler"].step()
        checkpoint.save_checkpoint(path, **parts, history=history, best=best)
        report(history)
    parts["model"].load_state_dict(best)
    return history


def test_the_notebooks_own_loop_passes():
    assert resumable.fit_resumable(student_loop) is student_loop


def test_averaging_needs_the_buffers_and_equals_torch():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    theirs.update_parameters(model)
    ours = copy.deepcopy(model)
    for _ in range(5):
        with torch.no_grad():
            model(torch.randn(6, 3))
            model[0].weight.add_(torch.randn(4, 3))
        averaging.ema_update.reference(ours, model, 0.9)
        theirs.update_parameters(model)
    for name, value in ours.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, theirs.module.state_dict()[name], atol=1e-6)


def test_balanced_weights_make_a_sampler_balanced():
    y = torch.tensor([0] * 900 + [1] * 90 + [2] * 10)
    weights = sampling.balanced_weights.reference(y)
    drawn = y[
        list(WeightedRandomSampler(weights, 6000, generator=torch.Generator().manual_seed(0)))
    ]
    assert (torch.bincount(drawn) - 2000).abs().max() < 5 * math.sqrt(6000 * 2 / 9)


def test_augmentation_is_the_same_in_whichever_order_items_are_asked_for():
    visits = augmentation.Visits((3,), (7,), (0,))
    data = Hashed(augmentation._Items(50), visits.augment, seed=3)
    data.epoch = 7
    there = torch.stack([data[i][0] for i in range(50)])
    back = torch.stack([data[i][0] for i in reversed(range(50))]).flip(0)
    batches = torch.cat([x for x, _ in DataLoader(data, batch_size=8)])
    assert torch.equal(there, back) and torch.equal(there, batches)
