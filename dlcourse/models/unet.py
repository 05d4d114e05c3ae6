"""U-Net: an image in, a value for every pixel out."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F


class DoubleConv(nn.Sequential):
    """Twice a 3 × 3 convolution, batch norm and ReLU: (B, inputs, H, W) → (B, outputs, H, W)."""

    def __init__(self, inputs, outputs):
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )  # fmt: skip


def join(x, skip):
    """The skip's channels, then those of x, on the skip's pixels.

    skip: (B, S, H, W). x: (B, C, h, w) with h ≤ H, w ≤ W, a row or a column short where an odd size
    was halved; its last row and column are repeated. Returns (B, S + C, H, W).
    """
    rows, columns = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
    x = F.pad(x, (0, columns, 0, rows), mode="replicate")
    return torch.cat([skip, x], dim=1)  # (B, S, H, W) and (B, C, H, W) → (B, S + C, H, W)


class UNet(nn.Module):
    """U-Net for images of any size of at least 2^levels pixels.

    channels, outputs: of the image and of the result. width: channels at full size; they double
    with each of the `levels` halvings. forward: x (B, channels, H, W) → (B, outputs, H, W), logits
    where it segments. Ronneberger, Fischer & Brox (2015), "U-Net", figure 1. Unlike there: batch
    norm; padded convolutions, so that the result is as large as the image; narrower.
    """

    def __init__(self, channels=1, outputs=1, width=8, levels=3):
        super().__init__()
        widths = [width * 2**level for level in range(levels + 1)]
        self.down = nn.ModuleList(
            DoubleConv(above, below) for above, below in pairwise([channels, *widths])
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(below, above, 2, stride=2) for above, below in pairwise(widths)
        )
        self.merge = nn.ModuleList(DoubleConv(2 * above, above) for above in widths[:-1])
        self.head = nn.Conv2d(width, outputs, 1)

    def forward(self, x):
        skips = []
        for block in self.down[:-1]:
            skips.append(block(x))
            x = F.max_pool2d(skips[-1], 2)  # (B, C, H, W) → (B, C, H // 2, W // 2)
        x = self.down[-1](x)
        for level in reversed(range(len(skips))):
            # (B, C, H, W) → (B, C / 2, 2 H, 2 W)
            x = self.merge[level](join(self.up[level](x), skips[level]))
        return self.head(x)
