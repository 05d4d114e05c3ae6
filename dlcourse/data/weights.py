"""Weights that others have trained, from the cache folder or from the network, and
checked before they are used."""

import hashlib
import socket
import urllib.parse
from typing import NamedTuple

import torch

from dlcourse.data import fetch
from dlcourse.data.cache import cache_folder, complain, set_aside


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
