"""The parts of a denoising U-Net and the whole, by torch's functions applied to their own weights.

`fault` names what is wrong with a network, None is right. All parameters of one shape get the same
numbers (`filled`), so it does not matter how a reference calls its own; blocks, which both call
`shift`, get numbers of their own.
"""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.diffusion import training as diffusion_training


def _weights(*shapes):
    return nn.ParameterList([torch.empty(shape) for shape in shapes])


class _TimeBlock(nn.Module):
    fault = None

    def __init__(self, inputs, outputs, size):
        super().__init__()
        self.norms = _weights((inputs,), (inputs,), (outputs,), (outputs,))
        self.convs = _weights(
            (outputs, inputs, 3, 3), (outputs,), (outputs, outputs, 3, 3), (outputs,)
        )
        self.shift = _weights((outputs, size), (outputs,))
        self.skip = _weights((outputs, inputs, 1, 1), (outputs,)) if inputs != outputs else None

    def half(self, x, number):
        x = F.group_norm(x, 8, *self.norms[2 * number : 2 * number + 2])
        return F.conv2d(F.silu(x), *self.convs[2 * number : 2 * number + 2], padding=1)

    def forward(self, x, time):
        shift = F.linear(time, *self.shift)[..., None, None]
        short = F.conv2d(x, *self.skip) if self.skip is not None else x
        hidden = self.half(x, 0)
        if self.fault == "late":
            return short + self.half(hidden, 1) + shift
        if self.fault == "active":
            shift = F.silu(shift)
        hidden = {"deaf": hidden, "scale": hidden * shift, "first": hidden + shift[:1]}.get(
            self.fault, hidden + shift
        )
        hidden = self.half(hidden, 1)
        return {"no skip": hidden, "hidden skip": self.half(x, 0) + hidden}.get(
            self.fault, short + hidden
        )


class _Attention(nn.Module):
    fault = None

    def __init__(self, channels):
        super().__init__()
        self.norm = _weights((channels,), (channels,))
        self.qkv = _weights((3 * channels, channels, 1, 1), (3 * channels,))
        self.out = _weights((channels, channels, 1, 1), (channels,))

    def forward(self, x):
        B, C, H, W = x.shape
        normed = x if self.fault == "no norm" else F.group_norm(x, 8, *self.norm)
        # Each (B, C, H·W)
        q, k, v = (one.flatten(2) for one in F.conv2d(normed, *self.qkv).chunk(3, dim=1))
        q, k, v = {"roles": (k, q, v), "values": (q, k, normed.flatten(2))}.get(
            self.fault, (q, k, v)
        )
        scale = {"scale": 1.0, "channels": C, "pixels": (H * W) ** 0.5}.get(self.fault, C**0.5)
        scores = torch.einsum("bci,bcj->bij", q, k) / scale
        weights = scores.softmax(1 if self.fault == "columns" else 2)
        mixed = torch.einsum(
            "bij,bcj->bic" if self.fault == "shape" else "bij,bcj->bci", weights, v
        )
        mixed = F.conv2d(mixed.reshape(B, C, H, W), *self.out)
        return mixed if self.fault == "no skip" else x + mixed


class _Denoiser(nn.Module):
    fault = None

    def __init__(self, width=32, classes=10, channels=1, times=64):
        super().__init__()
        self.times, self.none = times, classes
        self.clock = _weights((times, times), (times,), (times, times), (times,))
        self.label = nn.Parameter(torch.empty(classes + 1, times))
        self.stem = _weights((width, 4 * channels, 3, 3), (width,))
        self.down = _weights((2 * width, width, 3, 3), (2 * width,))
        self.up = _weights((width, 2 * width, 1, 1), (width,))
        self.head = _weights((width,), (width,), (4 * channels, width, 3, 3), (4 * channels,))
        sizes = [(width, width), (2 * width, 2 * width), (2 * width, 2 * width), (2 * width, width)]
        self.blocks = nn.ModuleList(_TimeBlock(*size, times) for size in sizes)
        self.attend = _Attention(2 * width)

    def told(self, t, y):
        wave = diffusion_training.time_embedding.reference(t.tolist(), self.times).to(self.label)
        wave = torch.zeros_like(wave) if self.fault == "no clock" else wave
        told = F.linear(F.silu(F.linear(wave, *self.clock[:2])), *self.clock[2:])
        y = torch.full((len(t),), self.none) if y is None or self.fault == "no label" else y
        if self.fault != "nothing for none" or (y != self.none).any():
            told = told + self.label[y]
        return told if self.fault == "linear" else F.silu(told)

    def forward(self, xt, t, y=None):
        told, (rows, columns) = self.told(t, y), xt.shape[2:]
        sides = (
            (0, columns % 2, 0, rows % 2)
            if self.fault != "front"
            else (columns % 2, 0, rows % 2, 0)
        )
        xt = F.pad(xt, sides, mode="constant" if self.fault == "zeros" else "replicate")
        fine = F.conv2d(F.pixel_unshuffle(xt, 2), *self.stem, padding=1)
        skip = self.blocks[0](fine, told)
        x = self.blocks[1](F.conv2d(skip, *self.down, stride=2, padding=1), told)
        x = x if self.fault == "inattentive" else self.attend(x)
        after = self.blocks[1 if self.fault == "one block" else 2]
        x = F.conv2d(after(x, told), *self.up)
        x = F.interpolate(x, size=skip.shape[2:])
        pair = {"no skip": (torch.zeros_like(skip), x), "order": (x, skip), "early": (fine, x)}
        x = self.blocks[3](torch.cat(pair.get(self.fault, (skip, x)), dim=1), told)
        x = F.conv2d(F.silu(F.group_norm(x, 8, *self.head[:2])), *self.head[2:], padding=1)
        x = F.pixel_shuffle(x, 2)
        return x if self.fault == "large" else x[..., :rows, :columns]
