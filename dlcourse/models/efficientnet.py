"""EfficientNet-Lite0, a network for photographs that runs on a phone, and what it expects to see.

    model = EfficientNetLite0()
    model.load_state_dict(dlcourse.data.weights.imagenet_efficientnet())
    logits = model.eval()(prepare(photographs))

Tan & Le (2019), "EfficientNet: rethinking model scaling", table 1. The Lite family leaves out
squeeze-and-excitation and takes ReLU6 for swish, so that its numbers fit into 8 bits: Liu (2020),
"Higher accuracy on vision models with EfficientNet-Lite", blog of TensorFlow.
"""

import torch
from torch import nn
from torch.nn import functional as F

# blocks, kernel size, stride of the first one, expansion, channels that leave
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class SameConv(nn.Conv2d):
    """A convolution whose maps have ⌈H/stride⌉ × ⌈W/stride⌉ pixels, without bias.

    Where the zeros around an image cannot be as many on both sides, the right and lower side get
    one more: TensorFlow's rule, with which the weights were trained.
    """

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, x):
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        rows, columns = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[2:])
        around = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        return super().forward(F.pad(x, around))


def norm(channels):
    """Batch norm with the ε and the momentum that the weights were trained with."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class MBConv(nn.Module):
    """An inverted residual block: x (B, inputs, H, W) → (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉).

    1 × 1 to `expand` times the channels, a depthwise convolution, 1 × 1 down to `outputs` without
    a non-linearity; x is added where the shape has not changed. Sandler et al. (2018),
    "MobileNetV2: inverted residuals and linear bottlenecks", figure 3.
    """

    def __init__(self, inputs, outputs, kernel, stride, expand):
        super().__init__()
        inside = expand * inputs
        if expand > 1:
            self.expand_conv, self.bn0 = SameConv(inputs, inside, 1), norm(inside)
        self.depthwise_conv = SameConv(inside, inside, kernel, stride, groups=inside)
        self.bn1 = norm(inside)
        self.project_conv, self.bn2 = SameConv(inside, outputs, 1), norm(outputs)
        self.expands, self.adds = expand > 1, stride == 1 and inputs == outputs

    def forward(self, x):
        inside = F.relu6(self.bn0(self.expand_conv(x))) if self.expands else x
        inside = F.relu6(self.bn1(self.depthwise_conv(inside)))
        result = self.bn2(self.project_conv(inside))
        return x + result if self.adds else result


class EfficientNetLite0(nn.Module):
    """A stem, 16 MBConv blocks in seven stages, a head: 4.65 million parameters for 1000 classes.

    forward: x (B, 3, H, W) as `prepare` returns it → logits (B, classes). The training of Tan & Le
    also skipped whole blocks at random, which is left out here.
    """

    def __init__(self, classes=1000):
        super().__init__()
        self.conv_stem, self.bn0 = SameConv(3, 32, 3, stride=2), norm(32)
        self.blocks, inputs = nn.Sequential(), 32
        for count, kernel, stride, expand, outputs in STAGES:
            for number in range(count):
                first = number == 0
                self.blocks.append(MBConv(inputs, outputs, kernel, stride if first else 1, expand))
                inputs = outputs
        self.conv_head, self.bn1 = SameConv(inputs, 1280, 1), norm(1280)
        self.dropout, self.fc = nn.Dropout(0.2), nn.Linear(1280, classes)

    def features(self, x):
        """The maps before pooling: (B, 3, H, W) → (B, 1280, ⌈H/32⌉, ⌈W/32⌉)."""
        x = self.blocks(F.relu6(self.bn0(self.conv_stem(x))))  # (B, 320, ⌈H/32⌉, ⌈W/32⌉)
        return F.relu6(self.bn1(self.conv_head(x)))

    def forward(self, x):
        return self.fc(self.dropout(self.features(x).mean((2, 3))))  # (B, 1280) → (B, classes)


def prepare(images, size=224):
    """Photographs as the network was trained to see them: the shorter side brought to `size`
    pixels, the middle square cut out, (x − 127)/128 of x = 0 … 255.

    images: (N, 3, H, W), uint8 or floating point in [0, 1] → (N, 3, size, size) float32.
    Raises ValueError for another shape, TypeError for other whole numbers.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images must be (N, 3, H, W), not {tuple(images.shape)}")
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise TypeError(f"images must be uint8 or in [0, 1], not {images.dtype}: .to(torch.uint8)")
    x = images.float() if images.dtype == torch.uint8 else 255 * images.float()
    rows, columns = (max(size, round(size * n / min(x.shape[2:]))) for n in x.shape[2:])
    x = F.interpolate(x, (rows, columns), mode="bilinear", antialias=True, align_corners=False)
    top, left = (rows - size) // 2, (columns - size) // 2
    return (x[:, :, top : top + size, left : left + size] - 127) / 128
