"""The probe of a loss: value, dtype and shape are not enough, the gradient must flow as well."""

import torch

from dlcourse.checks.words import Remark


def with_gradient(*positions):
    """A probe that compares a loss and its gradient.

    positions: of the arguments (from 0) that the loss is trained through, by default the first.
    """
    positions = positions or (0,)

    def probe(function, *args):
        args = list(args)
        leaves = {}
        for position in positions:
            if isinstance(args[position], torch.Tensor):
                args[position] = leaves[position] = _leaf(args[position])
        return judge(function(*args), {f"argument {i + 1}": leaf for i, leaf in leaves.items()})

    probe.hands_on = True  # the function's own arguments, as a case has them
    return probe


def _leaf(value):
    """The same numbers and strides, with a gradient to come."""
    leaf = torch.empty_strided(value.size(), value.stride(), dtype=value.dtype)
    return leaf.copy_(value.detach()).requires_grad_()


def judge(loss, leaves):
    """What is compared of a loss: its value, and by name the gradients of the tensors it should
    reach. leaves: name → tensor."""
    cut = {f"gradient by {name}": Remark("none, the loss is cut off from it") for name in leaves}
    if not isinstance(loss, torch.Tensor):
        return {"loss": loss, **cut}
    if not loss.requires_grad:
        return {"loss": loss.detach(), **cut}
    grads = torch.autograd.grad(
        loss.sum(), list(leaves.values()), allow_unused=True, retain_graph=True
    )
    found = zip(cut, grads, strict=True)
    return {"loss": loss.detach()} | {key: cut[key] if g is None else g for key, g in found}
