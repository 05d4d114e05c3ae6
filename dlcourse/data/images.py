"""Labelled images, held as tensors in memory: the well-known sets, and what stands
in for them without a network."""

from typing import NamedTuple

import torch

from dlcourse.data import glyphs, scenes
from dlcourse.data.cache import cache_folder
from dlcourse.data.fetch import torchvision_sets


class Images(NamedTuple):
    """A data set of images. `name` says what it really is: "MNIST", or what stands in for it."""

    name: str
    x: torch.Tensor  # (N, C, H, W), uint8, or float32 in [0, 1]
    y: torch.Tensor  # (N,) int64
    x_test: torch.Tensor
    y_test: torch.Tensor
    classes: tuple[str, ...]


def mnist(fallback=True):
    """MNIST: 60,000 + 10,000 handwritten digits, 28×28, from the cache or through torchvision.

    fallback: where MNIST is neither cached nor reachable, say so and return procedural digits of
        the same shape; False raises ConnectionError instead. Returns Images with x (N, 1, 28, 28)
        uint8. Source: Y. LeCun, C. Cortes & C. J. C. Burges (1998).
    """
    return _load("MNIST", _digits, fallback)


def fashion_mnist(fallback=True):
    """Fashion-MNIST: 60,000 + 10,000 articles of clothing in ten classes, 28×28;
    procedural letters A to J stand in.

    fallback: as in mnist(). Returns Images with x (N, 1, 28, 28) uint8. Source: H.
        Xiao, K. Rasul & R. Vollgraf (2017).
    """
    return _load("FashionMNIST", _letters, fallback)


def cifar10(fallback=True):
    """CIFAR-10: 50,000 + 10,000 small photographs in ten classes,
    32×32; procedural textures stand in.

    fallback: as in mnist(). Returns Images with x (N, 3, 32, 32)
        uint8. Source: A. Krizhevsky (2009).
    """
    return _load("CIFAR10", _textures, fallback)


NAMES = {"MNIST": "MNIST", "FashionMNIST": "Fashion-MNIST", "CIFAR10": "CIFAR-10"}


def _load(name, stand_in, fallback):
    try:
        train, test = torchvision_sets(name)
    except ConnectionError as error:
        lack = f"{NAMES[name]} is neither cached in {cache_folder()} nor reachable"
        if not fallback:
            cure = (
                "connect to the network once, or leave out fallback=False for a procedural stand-in"
            )
            raise ConnectionError(f"{lack}: {cure}") from error
        images = stand_in()
        print(f"{lack}: standing in {len(images.x):,} {images.name}")
        return images
    classes = tuple("0123456789") if name == "MNIST" else tuple(train.classes)
    return Images(NAMES[name], *_tensors(train), *_tensors(test), classes)


def _tensors(dataset):
    x, y = torch.as_tensor(dataset.data), torch.as_tensor(dataset.targets, dtype=torch.int64)
    # (N, 28, 28) or (N, 32, 32, 3) → (N, C, H, W)
    x = x[:, None] if x.dim() == 3 else x.permute(0, 3, 1, 2)
    return x.contiguous(), y


# Test sets are drawn from another seed: with the same one they would be the first images of the
# training set.
def _digits():
    train, test = glyphs.digits(60_000, seed=0), glyphs.digits(10_000, seed=1)
    return Images("procedural digits", train.x, train.y, test.x, test.y, tuple("0123456789"))


def _letters():
    train, test = (
        glyphs.letters(n, seed, alphabet="ABCDEFGHIJ") for n, seed in ((60_000, 0), (10_000, 1))
    )
    return Images("procedural letters", train.x, train.y, test.x, test.y, tuple("ABCDEFGHIJ"))


def _textures():
    (x, y), (x_test, y_test) = scenes.textures(50_000, seed=0), scenes.textures(10_000, seed=1)
    return Images("procedural textures", x, y, x_test, y_test, tuple(scenes.PATTERNS))


def digits8(test=0.25, seed=0):
    """scikit-learn's 1,797 real handwritten digits of 8×8 pixels; they come with the
    library, so no network is needed.

    test: share of the images held out, the same share of every class. seed: of the
    split. Returns Images with x (N, 1, 8, 8) float32 in [0, 1]. Source: E. Alpaydin &
    C. Kaynak, UCI repository, 1998.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    if not 0 < test < 1:
        raise ValueError(f"test is the share of images held out, between 0 and 1, not {test!r}")
    digits = load_digits()
    x = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]  # (N, 8, 8) → (N, 1, 8, 8)
    y = torch.tensor(digits.target, dtype=torch.int64)
    train, held = train_test_split(range(len(y)), test_size=test, random_state=seed, stratify=y)
    return Images("8×8 digits", x[train], y[train], x[held], y[held], tuple("0123456789"))
