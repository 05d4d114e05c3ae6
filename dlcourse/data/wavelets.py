"""Seismic-like traces: an echo of a known wavelet, buried in noise, of which the truth is known."""

import math
from typing import NamedTuple

import torch


class Echoes(NamedTuple):
    """Traces with one echo each."""

    trace: torch.Tensor  # (N, T) float32, in units of the echo's largest amplitude
    start: torch.Tensor  # (N,) int64, the sample at which the wavelet begins


def ricker(frequency, dt):
    """Ricker's wavelet, (1 − 2u) exp(−u) with u = (π · frequency · t)²: its largest
    value is 1, at t = 0, its mean 0.

    frequency: of the largest amplitude in its spectrum, in hertz. dt: seconds from one sample to
    the next. Returns w (K,) float32, K odd, the wavelet in the middle, cut where it has fallen
    below 10⁻⁴. Raises ValueError where a period has fewer than four samples. N. Ricker (1953).
    """
    if frequency * dt > 0.25:
        raise ValueError(
            f"{frequency} Hz at {dt} s a sample is too coarse: a period needs at least four samples"
        )
    half = math.ceil(1.2 / (frequency * dt))
    u = (math.pi * frequency * dt * torch.arange(-half, half + 1, dtype=torch.float64)) ** 2
    return ((1 - 2 * u) * torch.exp(-u)).float()


def echoes(n, samples, wavelet, noise=1.0, seed=0):
    """n traces in which the wavelet arrives once, at a random time, in white Gaussian noise.

    samples: length T of a trace, at least that of the wavelet (K,). noise: its
    standard deviation. Returns Echoes; the same seed gives the same traces. Raises
    ValueError where the wavelet does not fit.
    """
    if samples < len(wavelet):
        raise ValueError(
            f"a wavelet of {len(wavelet)} samples does not fit into a trace of {samples}"
        )
    generator = torch.Generator().manual_seed(seed)
    start = torch.randint(samples - len(wavelet) + 1, (n,), generator=generator)
    trace = noise * torch.randn(n, samples, generator=generator)
    where = start[:, None] + torch.arange(len(wavelet))  # (N, K)
    return Echoes(trace.scatter_add_(1, where, wavelet.expand(n, -1)), start)
