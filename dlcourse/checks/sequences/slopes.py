"""The probe of what is trained through: its value is not enough, gradients must flow as well.
And a probe of what must forget: two calls alike give the same."""

import torch

from dlcourse.checks.compare import clone, differs
from dlcourse.checks.core import Untouched


def steady(function, *args):
    """A probe: what a function returns, if it returns the same to a second call that is alike."""
    first = clone(function(*clone(args)))
    second = function(*args)
    if differs(second, first, 1e-5, 1e-7):
        raise Untouched(
            "something else at a second call with the same arguments: what is it that remains of "
            "the first, a list in the arguments' defaults or a variable outside?"
        )
    return second


steady.hands_on = True  # the function's own arguments, as a case has them


def through(**places):
    """A probe that compares what a function returns, a tensor or a tuple of them, and the gradients
    of a weighted sum of it.

    places: name → position (from 0) of each argument that is trained or differentiated through.
    """

    def probe(function, *args):
        args = list(args)
        for place in places.values():
            args[place] = args[place].detach().requires_grad_()
        found = steady(function, *args)
        if found is None:
            raise Untouched("None: is `return` missing?")
        parts = found if isinstance(found, (tuple, list)) else (found,)
        report = {"value": found}
        if not all(isinstance(part, torch.Tensor) for part in parts):
            return report
        total = sum((part * _weights(part)).sum() for part in parts)
        leaves = [args[place] for place in places.values()]
        names = [f"gradient by {name}" for name in places]
        return report | dict(zip(names, _gradients(total, leaves), strict=True))

    probe.hands_on = True  # the function's own arguments, as a case has them
    return probe


def _gradients(total, leaves):
    """A tensor for each leaf, or words that say why there is none."""
    if not total.requires_grad:
        return ["none: the value is cut off from the arguments"] * len(leaves)
    try:
        grads = torch.autograd.grad(total, leaves, allow_unused=True)
    except RuntimeError as error:
        return [f"backward fails: {str(error)[:120]}"] * len(leaves)
    return ["none: the value is cut off from it" if grad is None else grad for grad in grads]


def _weights(part):
    """Another weight for each number, or errors of the gradient might cancel."""
    return torch.linspace(0.5, 1.5, part.numel(), dtype=part.dtype).reshape(part.shape)
