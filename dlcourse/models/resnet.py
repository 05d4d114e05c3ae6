"""Residual networks for small images."""

from torch import nn
from torch.nn import functional as F


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions whose result is added to their input; ReLU comes after the addition.

    inputs, outputs: channels. stride: of the first convolution. forward: x (B, inputs, H, W) → (B,
    outputs, ⌈H/stride⌉, ⌈W/stride⌉). Where the shape changes the shortcut is a 1 × 1 convolution
    with batch norm, elsewhere it is x itself. He, Zhang, Ren & Sun (2016), "Deep residual learning
    for image recognition", equations 1 and 2, option B.
    """

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        residual = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(residual + self.shortcut(x))


class PreActivationBlock(nn.Module):
    """A residual block with norm and ReLU before each convolution, and nothing after the addition.

    inputs, outputs, stride and shapes as in BasicBlock. Where the shape changes the shortcut is a
    bare 1 × 1 convolution of x. He, Zhang, Ren & Sun (2016), "Identity mappings in deep residual
    networks", figure 1b. Their own program lets that convolution see x after norm and ReLU.
    """

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        residual = self.conv1(F.relu(self.norm1(x)))
        residual = self.conv2(F.relu(self.norm2(residual)))
        return residual + self.shortcut(x)


class ResNet(nn.Module):
    """Stem, stages of BasicBlocks, global average pooling, one linear layer.

    blocks: how many in each stage; stage s has width · 2ˢ channels, and its first block has stride
    2. classes: how many logits. channels: of the images. forward: x (B, channels, H, W) of any size
    → logits (B, classes). He et al. (2016), section 4.2. Unlike there the first stage halves the
    image as well, and shortcuts are option B.
    """

    def __init__(self, blocks=(1, 1, 1), width=16, classes=10, channels=1):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.stages, inputs = nn.Sequential(), width
        for stage, count in enumerate(blocks):
            outputs = width * 2**stage
            first = BasicBlock(inputs, outputs, stride=2)
            self.stages.append(
                nn.Sequential(first, *(BasicBlock(outputs, outputs) for _ in range(count - 1)))
            )
            inputs = outputs
        self.head = nn.Linear(inputs, classes)

    def features(self, x):
        """The maps before pooling:
        (B, width · 2ˢ, about H/2ˢ⁺¹, W/2ˢ⁺¹) with s the number of the last stage."""
        return self.stages(self.stem(x))

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))  # (B, C, H, W) → (B, C) → (B, classes)
