"""Convolutional networks for small images."""

from torch import nn


class LeNet(nn.Module):
    """LeNet-5 for images of 28 × 28 pixels: two convolutions, each followed by pooling, then three linear layers.

    classes: how many logits. forward: x (B, 1, 28, 28) → logits (B, classes). 61,706 parameters for ten classes.
    LeCun, Bottou, Bengio & Haffner (1998), "Gradient-based learning applied to document recognition", figure 2. Unlike
    there: ReLU instead of a scaled tanh, max-pooling instead of averages with trained factors, every map of the second
    convolution sees all six of the first, 28 × 28 pixels padded instead of 32 × 32, logits instead of distances.
    """

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),  # (B, 6, 14, 14)
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),  # (B, 16, 5, 5)
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes)
        )

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))  # (B, 16, 5, 5) → (B, 400) → (B, classes)
