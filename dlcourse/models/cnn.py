"""Convolutional networks for small images."""

from itertools import pairwise

from torch import nn


def conv3x3(c_in, c_out, bias):
    """A 3 × 3 convolution that keeps height and width."""
    return nn.Conv2d(c_in, c_out, 3, padding=1, bias=bias)


class CNN(nn.Module):
    """Stages of convolution, 2×2 max-pooling, batch norm and ReLU, then dropout and a linear layer.

    channels: the input's and every stage's, e.g. (1, 16, 32, 64).
    size: height and width of the images.
    norm: with batch norm? drop: share of features dropped in training.
    conv: called as conv(c_in, c_out, bias=…).
    forward: x (B, channels[0], size, size) → logits (B, classes).
    """

    def __init__(self, channels, size=28, classes=10, norm=True, drop=0.0, conv=conv3x3):
        super().__init__()
        layers = []
        for c_in, c_out in pairwise(channels):
            layers += [conv(c_in, c_out, bias=not norm), nn.MaxPool2d(2)]
            layers += [nn.BatchNorm2d(c_out), nn.ReLU()] if norm else [nn.ReLU()]
            size //= 2
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Dropout(drop), nn.Linear(channels[-1] * size**2, classes)
        )

    def forward(self, x):
        return self.head(self.features(x))


class LeNet(nn.Module):
    """LeNet-5 for images of 28 × 28 pixels:
    two convolutions, each followed by pooling, then three linear layers.

    classes: how many logits. forward: x (B, 1, 28, 28) → logits (B, classes). 61,706 parameters for
    ten classes. LeCun, Bottou, Bengio & Haffner (1998), "Gradient-based learning applied to
    document recognition", figure 2. Unlike there: ReLU instead of a scaled tanh, max-pooling
    instead of averages with trained factors, every map of the second convolution sees all six of
    the first, 28 × 28 pixels padded instead of 32 × 32, logits instead of distances.
    """

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),  # (B, 6, 14, 14)
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),  # (B, 16, 5, 5)
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Linear(16 * 5 * 5, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, classes),
        )

    def forward(self, x):
        # (B, 16, 5, 5) → (B, 400) → (B, classes)
        return self.classifier(self.features(x).flatten(1))
