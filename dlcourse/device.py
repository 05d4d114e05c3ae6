"""Where the work runs, and how to make it repeatable."""

import os
import platform
import random

import numpy as np
import torch

KINDS = ("cpu", "cuda", "mps")


def get_device(name=None):
    """The device to work on: the fastest one that is there, or the one named.

    name: "cpu", "cuda", "cuda:1", "mps" or None (the environment variable DLCOURSE_DEVICE, else the fastest).
    Returns a torch.device. Raises ValueError for a name that means nothing, RuntimeError for one that is not here.
    """
    name = name or os.environ.get("DLCOURSE_DEVICE")
    if name is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in KINDS:
        raise ValueError(f"unknown device {name!r}: name one of {', '.join(KINDS)} (or 'cuda:1' for a second GPU)")
    if not _is_here(device):
        raise RuntimeError(
            f"device {name!r} is not available here; this machine offers {', '.join(_available())}. "
            "In Colab choose Runtime → Change runtime type → GPU."
        )
    return device


def _is_here(device):
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return True


def _available():
    return [kind for kind in KINDS if _is_here(torch.device(kind))]


def set_seed(seed=0):
    """Seeds Python's, NumPy's and PyTorch's generators; returns a torch.Generator on the CPU with the same seed.

    cuDNN and its fast algorithms stay on: a run repeats on one machine, not to the last bit on every GPU.
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"a seed is a whole number from 0 to 2**32 - 1, not {seed!r}")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def describe(device):
    """Prints one line that says what this notebook runs on: versions, device, threads."""
    from dlcourse import __version__

    if device.type == "cuda":
        where = torch.cuda.get_device_name(device)
    else:
        where = f"{device.type.upper()} with {torch.get_num_threads()} threads"
    print(f"dlcourse {__version__} · Python {platform.python_version()} · PyTorch {torch.__version__} · {where}")
