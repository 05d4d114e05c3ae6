"""What a training step of two players leaves behind; the checks of all steps of GANs look here."""

from dlcourse.checks.core import Untouched
from dlcourse.checks.words import kind_of


def _visits(generator):
    """A list that grows by one whenever a gradient reaches the generator's first parameter."""
    seen = []
    next(generator.parameters()).register_hook(lambda gradient: seen.append(1))
    return seen


def _steps(optimisers):
    """A list that grows by the player's name whenever its optimiser steps."""
    taken = []
    for name, optimiser in zip(("generator", "discriminator"), optimisers, strict=True):
        optimiser.register_step_post_hook(lambda *_, name=name: taken.append(name))
    return taken


def observe(call, generator, discriminator, optimiser, steps):
    """What `steps` calls of a training step leave behind in both networks.

    call(optimiser of G, optimiser of D) → the losses; optimiser: makes one of parameters.
    """
    players, calls = (generator, discriminator), []
    optimisers = [optimiser(model.parameters()) for model in players]
    generator.register_forward_hook(lambda *_: calls.append(1))
    seen, steps_of, rows = _visits(generator), _steps(optimisers), []
    for _ in range(steps):
        row = call(*optimisers)
        if row is None:
            raise Untouched("None: is `return` missing?")
        if not isinstance(row, dict):
            raise TypeError(f"a dictionary of two losses is asked for, this is {kind_of(row)}")
        rows.append({name: float(value) for name, value in row.items()})
    weights = [[p.detach() for p in model.parameters()] for model in players]
    found = {
        # first what points at the cause
        "optimisers that stepped, in this order": ", ".join(steps_of),
        "gradients that reached the generator": len(seen),
        "losses": rows,
        "the discriminator's weights": weights[1],
        "the generator's weights": weights[0],
        # not the discriminator's: whether real or fake come first is free
        "running statistics of the generator": list(generator.buffers()),
        "in training mode afterwards": [model.training for model in players],
        "weights that take a gradient afterwards": [
            sum(p.requires_grad for p in model.parameters()) for model in players
        ],
    }
    return found, len(calls)
