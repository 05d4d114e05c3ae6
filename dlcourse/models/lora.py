"""Low-rank adaptation (LoRA): fine-tune a few numbers beside frozen weights. Hu et al. (2022)."""

import torch
from torch import nn


class LoRA(nn.Module):
    """A frozen linear layer plus a trained product of thin matrices:
    W x + b + scale · B A x. Hu et al., equation 3.

    base: nn.Linear; it is frozen. rank: rows of A (rank, inputs), drawn at random;
    B (outputs, rank) is 0 at first, so that nothing changes at first.
    merged(): one nn.Linear that computes the same.
    """

    def __init__(self, base, rank=4, scale=1.0):
        super().__init__()
        self.base, self.scale = base.requires_grad_(False), scale
        self.A = nn.Parameter(
            torch.randn(rank, base.in_features, device=base.weight.device) / base.in_features**0.5
        )
        self.B = nn.Parameter(torch.zeros(base.out_features, rank, device=base.weight.device))

    def forward(self, x):
        # (…, inputs) → (…, rank) → (…, outputs)
        return self.base(x) + self.scale * (x @ self.A.T) @ self.B.T

    def merged(self):
        layer = nn.utils.skip_init(
            nn.Linear, self.base.in_features, self.base.out_features, self.base.bias is not None
        )
        layer.load_state_dict(
            {**self.base.state_dict(), "weight": self.base.weight + self.scale * self.B @ self.A}
        )
        return layer.to(self.base.weight.device)


def add_lora(model, rank=4, scale=1.0):
    """Freezes a model and puts a LoRA around each nn.Linear inside it, in place.
    Returns the parameters to train."""
    model.requires_grad_(False)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and not isinstance(parent, LoRA):
                setattr(parent, name, LoRA(child, rank, scale))
    return [p for p in model.parameters() if p.requires_grad]
