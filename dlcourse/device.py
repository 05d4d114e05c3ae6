"""Where the work runs, and how to make it repeatable."""

import functools
import os
import platform
import random
import time

import numpy as np
import torch

KINDS = ("cpu", "cuda", "mps")


def get_device(name=None):
    """The device to work on: the fastest one that is there, or the one named.

    name: "cpu", "cuda", "cuda:1", "mps" or None (the environment variable DLCOURSE_DEVICE, else
    the fastest). Returns a torch.device. Raises ValueError for a name that means nothing,
    RuntimeError for one that is not here.
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
        raise ValueError(
            f"unknown device {name!r}: name one of {', '.join(KINDS)} (or 'cuda:1' for a second "
            "GPU)"
        )
    if not _is_here(device):
        raise RuntimeError(
            f"device {name!r} is not available here; this machine offers "
            f"{', '.join(_available())}. "
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
    """Seeds Python's, NumPy's and PyTorch's generators; returns a
    torch.Generator on the CPU with the same seed.

    cuDNN and its fast algorithms stay on: a run repeats on one machine,
    not to the last bit on every GPU.
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"a seed is a whole number from 0 to 2**32 - 1, not {seed!r}")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def get_rng_state():
    """The state of all generators that set_seed seeds, as a dict of plain values
    and tensors, for set_rng_state."""
    kind, keys, *rest = np.random.get_state()
    state = {
        "python": random.getstate(),
        "numpy": (kind, torch.from_numpy(keys.astype(np.int64)), *rest),
    }
    state["cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_rng_state(state):
    """Puts every generator back to where get_rng_state found it; what this
    machine lacks (a GPU) is left out."""
    kind, keys, *rest = state["numpy"]
    random.setstate(state["python"])
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["cpu"])
    if torch.cuda.is_available():
        for index, one in enumerate(state.get("cuda", [])[: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(one, index)
    if torch.backends.mps.is_available() and "mps" in state:
        torch.mps.set_rng_state(state["mps"])


def for_linalg(x, name="the matrix"):
    """x as native linear algebra can take it: on the CPU, in float64, every number finite.

    Before any of `torch.linalg`'s decompositions, and wherever float64 is wanted: Apple's GPUs have
    neither float64 nor all decompositions, and on a NaN or an infinite number `eigvals` ends the
    whole process with a segmentation fault, without a message. The graph of x is kept.
    x: real tensor of any shape; name: what the message calls it. Returns a tensor of x's shape.
    Raises ValueError where a number is not finite.
    """
    x = x.cpu().double()  # in this order: a GPU of Apple's cannot convert
    wrong = int((~x.isfinite()).sum())
    if wrong:
        raise ValueError(
            f"{name}, of shape {tuple(x.shape)}, holds {wrong:,} of {x.numel():,} numbers that are "
            "NaN or infinite. Most likely the run that they come from has diverged: look at its "
            "losses, then start it again with a lower learning rate"
        )
    return x


def autocast(device):
    """A context for the forward pass: convolutions and matrix products in bfloat16
    where that pays, else as always.

        with autocast(device):
            loss = F.cross_entropy(model(x), y)

    bfloat16 has float32's range with 8 bits of precision, so no loss scaling is needed. Weights,
    gradients and sums stay in float32. Micikevicius et al. (2018), "Mixed precision training";
    Kalamkar et al. (2019) on bfloat16.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16_pays(device.type))


@functools.cache
def bfloat16_pays(kind):
    """Whether this machine computes faster in bfloat16: GPUs from Ampere on; a
    CPU is timed, once, for some 50 ms.

    kind: "cpu", "cuda" or "mps" (always False). Many processors accept bfloat16
        and emulate it, ten times slower.
    """
    if kind == "cuda":
        return torch.cuda.get_device_capability() >= (8, 0)
    return kind == "cpu" and _convolution_seconds(torch.bfloat16) < 0.8 * _convolution_seconds(
        torch.float32
    )


def _convolution_seconds(dtype):
    images, kernels = torch.ones(32, 32, 14, 14, dtype=dtype), torch.ones(32, 32, 3, 3, dtype=dtype)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        torch.nn.functional.conv2d(images, kernels)
        seconds.append(time.perf_counter() - started)
    return min(seconds)  # the first one sets up, and any may be disturbed


def describe(device):
    """Prints one line, "Ready: …", that says what this notebook runs on: versions and device."""
    from dlcourse import __version__

    if device.type == "cuda":
        where = torch.cuda.get_device_name(device)
    else:
        threads = torch.get_num_threads()
        where = f"{device.type.upper()} with {threads} thread{'' if threads == 1 else 's'}"
    print(
        f"Ready: dlcourse {__version__} · Python {platform.python_version()} · PyTorch "
        f"{torch.__version__} · {where}"
    )
