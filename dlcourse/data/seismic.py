"""Seismic sections drawn by a program that knows what lies in the ground: where the
salt is, and where the faults are.

Layers of random thickness and impedance are bent by folds, cut by faults and pierced by salt; what
reflects is the change of impedance from one sample to the next, seen through a wavelet, blurred
sideways, fading with depth, in noise. It is the convolutional model of reflection seismology (e.g.
Yilmaz 2001, "Seismic Data Analysis", section 2.1): primary reflections at normal incidence, already
migrated; no multiples, no shear waves.
"""

import math
from typing import NamedTuple

import torch
from torch.nn import functional as F

from dlcourse.data.cache import cached
from dlcourse.data.glyphs import check_count, in_blocks, one_thread
from dlcourse.data.wavelets import ricker

VERSION = 1  # part of the name in the cache: raise it with any change that changes a section
SIDE = 64  # samples down (two-way time) and traces across
BLOCK = 100  # sections drawn at once
FINE = 4  # samples of the ground for each of the record
DT, DX = 0.008, 25.0  # seconds of two-way time from sample to sample, metres from trace to trace
SALT = 9.7  # impedance of salt in 10⁶ kg/(m² s): 4500 m/s times 2150 kg/m³
SHALLOW, DEEP = 4.2, 8.0  # mean impedance of the sediments at the top and at the bottom, same unit


class Sections(NamedTuple):
    """Seismic sections with what is known of the ground. Rows are
    two-way time, columns are traces."""

    x: torch.Tensor  # (N, 1, 64, 64) float32, amplitudes of root mean square 1 in each section
    salt: torch.Tensor  # (N, 1, 64, 64) bool; about a fifth of the sections have none
    fault: torch.Tensor  # (N, 1, 64, 64) bool: the samples next to a fault plane
    impedance: torch.Tensor  # (N, 1, 64, 64) float32, 10⁶ kg/(m² s)


def sections(n=600, seed=0):
    """n sections of 64 samples (8 ms apart) by 64 traces (25 m apart). The
    same seed gives the same sections.

    Returns Sections, cached from 500 on. Raises ValueError for n < 1 or a seed below 0.
    """

    def make():
        with one_thread():
            return in_blocks(_draw, n, seed, BLOCK)

    check_count(n, seed)
    return Sections(**(cached(f"seismic-{n}-{seed}-v{VERSION}", make) if n >= 500 else make()))


def _draw(generator):
    """One block: a dict of what Sections holds, each (BLOCK, 1, 64, 64)."""

    def draw(low, high, *shape):
        return low + (high - low) * torch.rand(BLOCK, *shape, generator=generator)

    z = torch.linspace(0, 1, SIDE * FINE)[:, None]  # depth and width of the section are 1
    x = torch.linspace(0, 1, SIDE)
    salt, lifted = _salt(z, x, draw)
    down, fault = _faults(z, x, draw)
    # where this point lay when it was laid down
    ground = z - _folds(x, draw) * (0.4 + 0.6 * z) - lifted - down
    impedance = _layers(ground, z, draw)
    impedance, fault = torch.where(salt, SALT, impedance), fault & ~salt
    record = _record(impedance, draw, generator)
    coarse = {"salt": salt, "fault": fault, "impedance": impedance}
    coarse = {name: values[:, FINE // 2 :: FINE][:, None] for name, values in coarse.items()}
    return {"x": record, **coarse}


def _folds(x, draw):
    """(B, 1, W): a dip and three waves, as fractions of the depth."""
    folds = draw(-0.12, 0.12, 1) * (x - 0.5)
    for waves in (0.7, 1.5, 3.0):
        folds = folds + draw(0, 0.05, 1) / waves * torch.sin(
            2 * math.pi * (waves * x + draw(0, 1, 1))
        )
    return folds[:, None]


def _faults(z, x, draw, most=3):
    """How far each point has slipped down, (B, H, W), and the samples at a fault
    plane. None to three faults each."""
    down, planes = (
        torch.zeros(BLOCK, len(z), len(x)),
        torch.zeros(BLOCK, len(z), len(x), dtype=torch.bool),
    )
    count = draw(0, most + 1, 1, 1).floor()
    for index in range(most):
        # across for each unit of depth
        lean = draw(0.25, 0.7, 1, 1) * torch.where(draw(-1, 1, 1, 1) > 0, 1.0, -1.0)
        side = x - draw(0.1, 0.9, 1, 1) - lean * (z - 0.5)  # (B, H, W): 0 on the plane
        hanging = side * lean.sign() > 0  # the block above the plane slides down along it
        there = index < count
        down = down + there * hanging * draw(0.02, 0.09, 1, 1)
        planes |= there & (side.abs() < 1.0 / len(x))
    return down, planes


def _salt(z, x, draw):
    """A dome or a wall of salt with a rough outline, (B, H, W) bool, and by how
    much its flanks are dragged up."""
    middle, half, top = draw(0.15, 0.85, 1, 1), draw(0.08, 0.26, 1, 1), draw(0.15, 0.7, 1, 1)
    steep, lean = draw(1.5, 5.0, 1, 1), draw(-0.25, 0.25, 1, 1)
    rough = sum(
        draw(-0.05, 0.05, 1, 1) * torch.sin(2 * math.pi * (k * x + draw(0, 1, 1, 1)))
        for k in (2, 4, 7)
    )
    across = ((x - middle - lean * (z - top)) / half).abs()
    roof = top + rough + (1 - top) * (across / 1.6) ** steep  # depth of the top of the salt
    there = draw(0, 1, 1, 1) < 0.8
    lifted = -0.12 * there * torch.exp(-(across**2)) * (z / (top + 0.1)).clamp(0, 1) ** 2
    return there & (z > roof), lifted


def _layers(ground, z, draw):
    """Impedance (B, H, W) at points that lay at depth `ground`: it jumps at each
    boundary, and grows with burial."""
    bins = 8 * FINE * SIDE // 2  # of the column from -0.5 to 1.5, which folds and faults may reach
    # a new layer every 12 to 40 bins: geometric thickness
    boundary = draw(0, 1, bins) < draw(0.025, 0.08, 1)
    number = boundary.long().cumsum(1)
    kinds = draw(-1, 1, bins).gather(1, number)  # one value for each layer
    # thick shale: hardly any contrast, as transparent as salt
    quiet = draw(0, 1, bins).gather(1, number) < 0.12
    contrast = torch.where(quiet, 0.1, 1.0) * draw(0.5, 1.3, 1) * kinds
    where = ((ground + 0.5) / 2 * bins).long().clamp(0, bins - 1)
    return SHALLOW + (DEEP - SHALLOW) * z + contrast.gather(1, where.flatten(1)).view(ground.shape)


def _record(impedance, draw, generator):
    """What the instruments see of the ground: (B, 1, 64, 64), root mean square 1."""
    above, below = impedance[:, :-1], impedance[:, 1:]
    # (B, H, W), zero at the surface
    reflectivity = F.pad((below - above) / (below + above), (0, 0, 1, 0))
    wavelet = _wavelets(draw(18, 32).tolist())  # (B, L)
    # (1, B·W, H): one channel a trace
    traces = reflectivity.permute(0, 2, 1).reshape(1, -1, SIDE * FINE)
    kernels = wavelet.repeat_interleave(SIDE, 0)[:, None]  # (B·W, 1, L)
    seen = F.conv1d(traces, kernels, padding=wavelet.shape[1] // 2, groups=traces.shape[1])
    seen = seen.view(BLOCK, SIDE, -1)[..., FINE // 2 :: FINE].permute(0, 2, 1)[
        :, None
    ]  # (B, 1, 64, 64)
    # what migration cannot resolve
    seen = _blur(seen, torch.tensor([0.2, 0.6, 0.2]).view(1, 1, 1, 3))
    seen = seen * torch.exp(-draw(0, 1.2, 1, 1, 1) * torch.linspace(0, 1, SIDE)[:, None])
    seen = seen / seen.square().mean((1, 2, 3), keepdim=True).sqrt()
    noise = torch.randn(seen.shape, generator=generator)
    # as wide a band as the signal's
    noise = _blur(noise, torch.tensor([0.25, 0.5, 0.25]).view(1, 1, 3, 1))
    noise = noise / noise.square().mean((1, 2, 3), keepdim=True).sqrt()
    seen = seen + draw(0.15, 0.6, 1, 1, 1) * noise
    return seen / seen.square().mean((1, 2, 3), keepdim=True).sqrt()


def _wavelets(frequencies):
    """One wavelet for each frequency in Hz, padded to the length of the longest: (B, L), L odd."""
    wavelets = [ricker(frequency, DT / FINE) for frequency in frequencies]
    half = max(len(wavelet) for wavelet in wavelets) // 2
    return torch.stack([F.pad(wavelet, [half - len(wavelet) // 2] * 2) for wavelet in wavelets])


def _blur(images, kernel):
    return F.conv2d(images, kernel, padding="same")
