"""Checks of decisions made from losses:
the learning rate of a range test, early stopping that restores the best."""

from types import SimpleNamespace

import numpy as np
import torch

from dlcourse.checks.core import Check, Mistake, case


def _smoothed(losses, beta):
    """Bias-corrected exponential averages, as weighted means:
    the weight of loss s at step t is beta**(t − s)."""
    lags = torch.arange(len(losses))[:, None] - torch.arange(len(losses))
    weights = torch.where(
        lags >= 0, torch.tensor(float(beta), dtype=torch.float64) ** lags.clamp_min(0), 0.0
    )
    return (
        weights / weights.sum(1, keepdim=True) @ torch.tensor(losses, dtype=torch.float64)
    ).numpy()


def _finite(losses):
    return losses[
        : len(losses) if np.isfinite(losses).all() else int(np.argmin(np.isfinite(losses)))
    ]


def _suggest(rates, losses, beta=0.8):
    return float(rates[np.argmin(_smoothed(_finite(losses), beta))] / 10)


def _uncorrected(rates, losses, beta=0.8):
    kept, mean = _finite(losses), 0.0
    means = [mean := beta * mean + (1 - beta) * loss for loss in kept]
    return float(rates[np.argmin(means)] / 10)


def _never_left(rates, losses, beta=0.8):
    """As a loop without a stop does it."""
    mean, smoothed = 0.0, []
    for t, loss in enumerate(losses, start=1):
        mean = beta * mean + (1 - beta) * loss
        smoothed.append(mean / (1 - beta**t))
    return float(rates[np.argmin(smoothed)] / 10)


def _sweep(seed, n=60, noise=0.25):
    """Rates and the losses of a typical range test: flat, falling, exploding."""
    rates = np.geomspace(1e-4, 10, n)
    losses = 2.3 / (1 + (rates / 0.03) ** 0.8) + 0.05 * rates**3
    return rates, losses + noise * np.random.default_rng(seed).normal(size=n)


def _sweep_cases():
    short = np.array([1e-3, 1e-2, 1e-1, 1.0]), np.array([2.0, 1.5, 0.5, 9.0])
    dip = np.array([1e-3, 1e-2, 1e-1, 1.0, 10.0]), np.array([2.0, 0.9, 1.0, 0.95, 30.0])
    gap = np.array([1e-3, 1e-2, 1e-1, 1.0, 10.0]), np.array([2.0, 1.5, 1.8, np.nan, 0.1])
    rates, losses = _sweep(1)
    exploded = losses.copy()
    exploded[50], exploded[51:] = np.inf, np.nan
    return [
        case("four rates", *short, 0.0),
        case("one lucky batch", *dip, 0.5),
        case("sixty noisy losses", *_sweep(0), 0.8),
        case("the last losses are inf and NaN", rates, exploded, 0.9),
        case("NaN in between, the lowest losses after it", *gap, 0.3),
    ]


suggest_rate = Check(
    "suggest_rate",
    reference=_suggest,
    cases=_sweep_cases,
    mistakes=[
        Mistake("no smoothing",
                "One lucky batch decides. Average first, with weight beta on the past.",
                lambda rates, losses, beta=0.8: _suggest(rates, losses, 0.0)),
        Mistake("no bias correction",
                "The average starts at 0, so its first values are far too small "
                "and the first rate wins: divide by 1 − betaᵗ.",
                _uncorrected),
        Mistake("the rate of the lowest loss itself",
                "There the loss is about to explode. Go back by a factor of ten.",
                lambda rates, losses, beta=0.8: 10 * _suggest(rates, losses, beta)),
        Mistake("beta and 1 − beta exchanged",
                "beta is the weight of the past: mean = beta·mean + (1 − beta)·loss.",
                lambda rates, losses, beta=0.8: _suggest(rates, losses, 1 - beta)),
        Mistake("NaN taken for the lowest loss",
                "np.argmin returns the first NaN. "
                "Leave the loop at the first loss that is not finite.",
                _never_left),
        Mistake("NaN left out, and the loop goes on",
                "What comes after the first inf or NaN says nothing of a healthy run. "
                "Leave the loop there: break, not continue.",
                lambda rates, losses, beta=0.8: _suggest(rates[np.isfinite(losses)],
                                                         losses[np.isfinite(losses)], beta)),
        Mistake("the lowest loss instead of its rate",
                "argmin gives the position, the answer is rates[…] / 10.",
                lambda rates, losses, beta=0.8: float(_smoothed(_finite(losses), beta).min() / 10)),
    ],
)  # fmt: skip


def _stop(
    parameters,
    epoch,
    validate,
    patience,
    max_epochs,
    restore=True,
    copy=True,
    ties=False,
    consecutive=True,
):
    best, kept, losses, waited = np.inf, None, [], 0
    for _ in range(max_epochs):
        epoch()
        losses.append(validate())
        better = losses[-1] <= best if ties else losses[-1] < best
        if better:
            best, kept = losses[-1], [one.data.copy() if copy else one.data for one in parameters]
        waited = (0 if consecutive else waited) if better else waited + 1
        if waited >= patience:
            break
    if restore and kept is not None:
        for one, data in zip(parameters, kept, strict=True):
            one.data = data
    return losses


def _scripted(function, losses, patience, max_epochs, new_arrays=False):
    """Runs it with weights that count the epochs, those of the second parameter in tens, and with
    validation losses from a script. new_arrays: an epoch replaces the arrays."""
    parameters = [SimpleNamespace(data=np.zeros(2)), SimpleNamespace(data=np.zeros((1, 1)))]
    trained, validated = [], []

    def epoch():
        trained.append(True)
        for one, much in zip(parameters, (1, 10), strict=True):
            if new_arrays:
                one.data = one.data + much
            else:
                one.data += much

    def validate():
        validated.append(True)
        return losses[min(len(trained), len(losses)) - 1]

    found = function(parameters, epoch, validate, patience, max_epochs)
    return {"losses": found, "calls of epoch": len(trained), "calls of validate": len(validated),
            "weights are those after epoch": parameters[0].data,
            "and of the second parameter, times 10": parameters[1].data}  # fmt: skip


def _with(**options):
    return lambda *args: _stop(*args, **options)


def _patience(change):
    return lambda *args: _stop(*args[:3], change(args[3]), args[4])


def _cut(*args):
    losses = _stop(*args)
    return losses[: int(np.argmin(losses)) + 1]


def _first_only(parameters, *args):
    losses = _stop(parameters[:1], *args)
    return losses


fit_with_patience = Check(
    "fit_with_patience",
    reference=_stop,
    probe=_scripted,
    cases=[
        case("better in each of 3 epochs", [3.0, 2.0, 1.0], 2, 3),
        case("patience 2: two bad epochs in a row", [3.0, 1.0, 2.0, 2.5, 0.5, 0.4], 2, 6),
        case("patience 2: one bad epoch, then better ones",
             [3.0, 2.0, 2.5, 1.0, 1.5, 0.8, 0.9, 0.95, 0.1], 2, 9),
        case("patience 2: no change", [2.0, 1.0, 1.0, 1.0, 1.0, 1.0], 2, 6),
        case("patience 1", [2.0, 3.0, 1.0], 1, 3),
        case("the last epochs are worse, but patience is not used up", [2.0, 1.0, 3.0, 4.0], 5, 4),
        case("NaN is no improvement", [2.0, np.nan, np.nan, 1.0], 2, 4),
        case("an epoch that replaces the arrays", [2.0, 1.0, 3.0, 4.0, 0.5], 2, 5, True),
    ],
    mistakes=[
        Mistake("the best weights are not restored",
                "After the loop the weights are those of the last epoch, "
                "which was not the best one: put the copies back.",
                _with(restore=False)),
        Mistake("a reference is kept instead of a copy",
                "kept = p.data is another name for the array that the optimiser goes on changing: "
                "p.data.copy().",
                _with(copy=False)),
        Mistake("a tie counts as an improvement",
                "No change is no improvement: better means strictly less.", _with(ties=True)),
        Mistake("bad epochs are counted in all",
                "Count those since the best one: an improvement sets it back to 0.",
                _with(consecutive=False)),
        Mistake("stopped one epoch late",
                "With patience 2 the second epoch without improvement is the last.",
                _patience(lambda patience: patience + 1)),
        Mistake("stopped at the first rise",
                "A single bad epoch may be noise: wait for `patience` of them.",
                _patience(lambda patience: 1)),
        Mistake("never stopped",
                "Leave the loop with break once `patience` epochs have brought nothing.",
                _patience(lambda patience: 10**9)),
        Mistake("the losses after the best epoch are left out",
                "Return all of them, the bad ones show the rise.", _cut),
        Mistake("only the first parameter is restored",
                "Copy and restore every one of the parameters.", _first_only),
    ],
)  # fmt: skip
