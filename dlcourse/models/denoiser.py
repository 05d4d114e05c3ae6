"""Networks that are told how noisy their input is:
one for points in the plane, two for small images.

All are called as model(xt, t) with t (B,) whole numbers,
and return the shape of xt; the Denoiser takes labels too.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


def time_embedding(t, width, period=10_000.0):
    """Sines and cosines of t at width/2 frequencies from 1
    down to nearly 1/period, sines first: (B,) → (B, width).

    t: (B,), any real type. width: even. Frequency i is period^(−i / (width/2)). After Vaswani et
    al. (2017), section 3.5, there with sines and cosines in turn.
    """
    half = width // 2
    frequency = torch.exp(-math.log(period) * torch.arange(half, device=t.device) / half)  # (half,)
    angle = t[:, None] * frequency  # (B, half)
    return torch.cat([angle.sin(), angle.cos()], dim=1)  # (B, width)


class PointDenoiser(nn.Module):
    """Points (B, size) and times (B,) → (B, size), by three hidden layers that see both.

    Beside the coordinates it sees their sines and cosines at `waves` frequencies 1, 2, 4, …:
    without them a small network learns fine structure very slowly. After Tancik et al. (2020),
    "Fourier features", their frequencies random.
    """

    def __init__(self, size=2, width=128, times=32, waves=4):
        super().__init__()
        self.times = times
        self.register_buffer("frequency", 2.0 ** torch.arange(waves))  # (waves,)
        self.layers = nn.Sequential(
            nn.Linear(size + 2 * size * waves + times, width), nn.SiLU(),
            nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, size),
        )  # fmt: skip

    def forward(self, xt, t):
        angle = (xt[..., None] * self.frequency).flatten(1)  # (B, size, waves) → (B, size · waves)
        seen = torch.cat([xt, angle.sin(), angle.cos(), time_embedding(t, self.times)], dim=1)
        return self.layers(seen)  # (B, size)


class TimeBlock(nn.Module):
    """A residual block that is shifted by the time:
    x (B, inputs, H, W), time (B, size) → (B, outputs, H, W)."""

    def __init__(self, inputs, outputs, size):
        super().__init__()
        self.first = nn.Sequential(
            nn.GroupNorm(8, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1)
        )
        self.shift = nn.Linear(size, outputs)
        self.second = nn.Sequential(
            nn.GroupNorm(8, outputs), nn.SiLU(), nn.Conv2d(outputs, outputs, 3, padding=1)
        )
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, time):
        # (B, outputs) → (B, outputs, 1, 1)
        hidden = self.first(x) + self.shift(time)[..., None, None]
        return self.skip(x) + self.second(hidden)


class ImageDenoiser(nn.Module):
    """A small U-Net for grey images of even size: xt (B, 1, H, W), t (B,) → (B, 1, H, W).

    Two by two pixels are folded into channels first and unfolded last, so that it works at half the
    size: a quarter of the multiplications. width: channels there, a multiple of 8; twice as many at
    a quarter of the size. It returns 0 at first. H and W must be multiples of 4. After Ho et al.
    (2020), appendix B, much smaller.
    """

    def __init__(self, width=32, times=64):
        super().__init__()
        self.times = times
        self.clock = nn.Sequential(
            nn.Linear(times, times), nn.SiLU(), nn.Linear(times, times), nn.SiLU()
        )
        self.stem = nn.Conv2d(4, width, 3, padding=1)
        self.fine = TimeBlock(width, width, times)
        self.down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(TimeBlock(2 * width, 2 * width, times) for _ in range(2))
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.merge = TimeBlock(2 * width, width, times)
        self.head = nn.Sequential(
            nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, 4, 3, padding=1)
        )
        nn.init.zeros_(self.head[-1].weight)
        nn.init.zeros_(self.head[-1].bias)

    def forward(self, xt, t):
        time = self.clock(time_embedding(t, self.times))  # (B, times)
        # (B, 1, H, W) → (B, width, H/2, W/2)
        skip = self.fine(self.stem(F.pixel_unshuffle(xt, 2)), time)
        x = self.down(skip)  # → (B, 2 width, H/4, W/4)
        for block in self.coarse:
            x = block(x, time)
        # (B, 2 width, H/2, W/2) → (B, width, H/2, W/2)
        x = self.merge(torch.cat([skip, self.up(x)], dim=1), time)
        return F.pixel_shuffle(self.head(x), 2)  # (B, 4, H/2, W/2) → (B, 1, H, W)


class Attention(nn.Module):
    """Every pixel looks at every other one: x (B, channels, H, W) → same shape.
    It starts as the identity.

    softmax(q kᵀ / √channels) v over the H·W pixels, added to x.
    Vaswani et al. (2017), equation 1; one head.
    """

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        # Each (B, H·W, C)
        q, k, v = self.qkv(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=2)
        # (B, H·W, H·W), rows sum to 1
        weights = torch.softmax(q @ k.transpose(1, 2) / q.shape[2] ** 0.5, dim=2)
        # (B, H·W, C) → (B, C, H, W)
        mixed = (weights @ v).transpose(1, 2).unflatten(2, x.shape[2:])
        return x + self.out(mixed)


class Denoiser(nn.Module):
    """The image denoiser with labels, one block of attention,
    and any size of at least 2 × 2 pixels.

    width: channels at half the size, a multiple of 8, at least 16:
    GroupNorm with one channel in each group would take the shift by the time away again.
    classes: labels are 0 … classes − 1, and `classes` for "none".
    forward: xt (B, channels, H, W), t (B,), y (B,) or None for no labels at all → the shape of xt;
    0 at first. Ho et al. (2020), appendix B, much smaller; the label as in Ho & Salimans (2022).
    """

    def __init__(self, width=32, classes=10, channels=1, times=64):
        super().__init__()
        self.times, self.none = times, classes
        self.clock = nn.Sequential(nn.Linear(times, times), nn.SiLU(), nn.Linear(times, times))
        self.label = nn.Embedding(classes + 1, times)
        self.stem = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.fine = TimeBlock(width, width, times)
        self.down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(TimeBlock(2 * width, 2 * width, times) for _ in range(2))
        self.attend = Attention(2 * width)
        self.up = nn.Conv2d(2 * width, width, 1)
        self.merge = TimeBlock(2 * width, width, times)
        self.head = nn.Sequential(
            nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, 4 * channels, 3, padding=1)
        )
        nn.init.zeros_(self.head[-1].weight)
        nn.init.zeros_(self.head[-1].bias)

    def forward(self, xt, t, y=None):
        rows, columns = xt.shape[2:]
        xt = F.pad(xt, (0, columns % 2, 0, rows % 2), mode="replicate")  # an odd size becomes even
        y = torch.full_like(t, self.none, dtype=torch.long) if y is None else y
        told = F.silu(self.clock(time_embedding(t, self.times)) + self.label(y))  # (B, times)
        # (B, C, H, W) → (B, width, H/2, W/2)
        skip = self.fine(self.stem(F.pixel_unshuffle(xt, 2)), told)
        x = self.coarse[0](self.down(skip), told)  # → (B, 2 width, ⌈H/4⌉, ⌈W/4⌉)
        x = self.coarse[1](self.attend(x), told)
        x = F.interpolate(self.up(x), size=skip.shape[2:])  # nearest: on the skip's pixels
        # (B, 2 width, H/2, W/2) → (B, width, H/2, W/2)
        x = self.merge(torch.cat([skip, x], dim=1), told)
        return F.pixel_shuffle(self.head(x), 2)[..., :rows, :columns]  # without what was padded
