"""Multi-layer perceptron."""

from itertools import pairwise

from torch import nn


class MLP(nn.Module):
    """Linear layers with a non-linearity between them;
    none after the last, so the output is logits.

    sizes: features of every layer, input first, e.g. (784, 256, 10). activation: a module class.
    forward: x of any shape (B, …) with sizes[0] numbers an example → (B, sizes[-1]).
    Raises ValueError for fewer than two sizes.
    Rumelhart, Hinton & Williams (1986); ReLU: Glorot et al. (2011).
    """

    def __init__(self, sizes, activation=nn.ReLU):
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(
                f"an MLP needs at least an input and an output size, not {tuple(sizes)}"
            )
        layers = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out), activation()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x):
        return self.layers(x.flatten(1))  # (B, …) → (B, sizes[0]) → (B, sizes[-1])
