"""Rules over time, as plain functions: the learning rate of a step, a
range test for it, and when to stop.

for step, batch in enumerate(batches):
    for group in optimiser.param_groups:
        group["lr"] = cosine_with_warmup(step, steps=1000, warmup=100, peak=1e-3)
"""

import itertools
import math

import torch


def cosine_with_warmup(step, steps, warmup, peak, floor=0.0):
    """The learning rate of one step: a straight line up to `peak`, then
    half a cosine wave down to `floor`.

    step: 0 … steps − 1. warmup: steps of the way up, the first of them at peak/warmup; 0 for none.
    steps: length of the whole run, more than warmup. Returns a float. Loshchilov & Hutter (2017),
    "SGDR", equation 5, without restarts; warm-up: Goyal et al. (2017), section 2.2.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / (steps - warmup)
    return floor + (peak - floor) * 0.5 * (1 + math.cos(math.pi * done))


def range_test(step, batches, optimiser, lowest=1e-5, highest=10.0, steps=100):
    """Trains while the rate grows from `lowest` to `highest`; stops as soon as the loss explodes.

    step: takes a batch, trains on it, returns {"loss": positive scalar, …}. batches: walked
    through again and again. Returns (rates, losses), two lists of floats of the same length; the
    last loss may be NaN. The model has been trained afterwards: throw it away. L. N. Smith (2017),
    "Cyclical learning rates", section 3.3.
    """
    rates = [lowest * (highest / lowest) ** (i / (steps - 1)) for i in range(steps)]
    losses = []
    for rate, batch in zip(rates, itertools.cycle(batches), strict=False):
        for group in optimiser.param_groups:
            group["lr"] = rate
        losses.append(torch.as_tensor(step(*batch)["loss"]).item())
        if not losses[-1] < 4 * min(losses):  # NaN is not smaller than anything either
            break
    return rates[: len(losses)], losses


def stop_early(losses, patience):
    """Whether the last `patience` epochs brought no new best validation loss.

    losses: one float an epoch so far, at least one. A tie is no progress, nor is NaN. Returns a
    bool, for `if …: break`. Prechelt (1998), "Early stopping – but when?", with the
    criterion counted from the best epoch.
    """
    known = [math.inf if math.isnan(loss) else loss for loss in losses]
    return len(losses) - 1 - known.index(min(known)) >= patience
