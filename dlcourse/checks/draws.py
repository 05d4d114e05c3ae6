"""Seeded normal numbers for the cases of checks: the same on every run, whatever
the global generator has done."""

import torch


def drawn(*shape, seed=0, dtype=torch.float32):
    """Draws from N(0, 1) of this shape → tensor."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def drawn_each(*shapes, seed=0, scale=1.0, dtype=torch.float32):
    """Draws from N(0, scale²) of each shape, one after the other from
    one generator → list of tensors."""
    generator = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]
