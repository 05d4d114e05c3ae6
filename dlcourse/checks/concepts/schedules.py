"""Checks of rules over time: the learning rate of a step, and when to stop."""

import math

from dlcourse.checks.core import Check, Mistake, case


def _cosine(step, steps, warmup, peak, floor=0.0):
    if step < warmup:
        return peak * (step + 1) / warmup
    half = 0.5 * math.pi * (step - warmup) / (steps - warmup)
    return floor + (peak - floor) * math.cos(half) ** 2


def _wrong(
    rise=lambda step, warmup: (step + 1) / warmup,
    done=lambda step, steps, warmup: (step - warmup) / (steps - warmup),
    fall=lambda p: 0.5 * (1 + math.cos(math.pi * p)),
    low=lambda floor: floor,
):
    def schedule(step, steps, warmup, peak, floor=0.0):
        if step < warmup:
            return peak * rise(step, warmup)
        return low(floor) + (peak - low(floor)) * fall(done(step, steps, warmup))

    return schedule


def _floor_added(step, steps, warmup, peak, floor=0.0):
    return _cosine(step, steps, warmup, peak) + (floor if step >= warmup else 0)


cosine_with_warmup = Check(
    "cosine_with_warmup",
    reference=_cosine,
    cases=[
        case("the first of 10 steps of warm-up", 0, 100, 10, 1.0),
        case("the last step of warm-up", 9, 100, 10, 1.0),
        case("in the middle of warm-up, with a floor", 3, 40, 8, 0.6, 0.2),
        case("right after warm-up", 10, 100, 10, 1.0),
        case("half-way down", 55, 100, 10, 1.0),
        case("the end", 100, 100, 10, 1.0),
        case("the end, with a floor", 100, 100, 10, 0.5, 0.1),
        case("a quarter of the way, with a floor", 25, 100, 0, 0.5, 0.1),
        case("60 steps, 10 of warm-up, floor 0.05", 20, 60, 10, 0.8, 0.05),
        case("warm-up of one step: its first is at the peak", 0, 30, 1, 0.2),
        case("no warm-up, the first step", 0, 100, 0, 0.3),
    ],
    mistakes=[
        Mistake("the first step has rate 0",
                "(step + 1)/warm-up, or the first step of all is wasted.",
                _wrong(rise=lambda step, warmup: step / warmup)),
        Mistake("the cosine does not wait for the end of warm-up",
                "The cosine's clock starts at warm-up: (step − warmup)/(steps − warmup).",
                _wrong(done=lambda step, steps, warmup: step / steps)),
        Mistake("the cosine has the length of the whole run",
                "After warm-up only steps − warmup are left: divide by that.",
                _wrong(done=lambda step, steps, warmup: (step - warmup) / steps)),
        Mistake("only a quarter of the wave",
                "cos goes from 1 to −1 over half a wave, π: "
                "½ (1 + cos πp) falls flat at both ends.",
                _wrong(fall=lambda p: math.cos(0.5 * math.pi * p))),
        Mistake("the ½ is missing", "1 + cos πp goes from 2 to 0: halve it.",
                _wrong(fall=lambda p: 1 + math.cos(math.pi * p))),
        Mistake("the floor is ignored", "At the end the rate is floor, not 0.",
                _wrong(low=lambda floor: 0)),
        Mistake("the floor is added on top",
                "It has to come down from peak to floor: "
                "floor + (peak − floor) · ½(1 + cos πp).", _floor_added),
        Mistake("a straight line", "½ (1 + cos πp): slow at the top, slow at the bottom.",
                _wrong(fall=lambda p: 1 - p)),
    ],
)  # fmt: skip


def _stop(losses, patience):
    best = min(range(len(losses)), key=lambda i: (math.isnan(losses[i]), losses[i], i))
    return len(losses) - 1 - best >= patience


def _rises(losses, patience):
    rising = [later > earlier for earlier, later in zip(losses, losses[1:], strict=False)]
    return len(rising) >= patience and all(rising[-patience:])


def _nan_as_best(losses, patience):
    return len(losses) - 1 - losses.index(min(losses)) >= patience


def _ties_count(losses, patience):
    best = len(losses) - 1 - losses[::-1].index(min(losses))
    return len(losses) - 1 - best >= patience


def _decided(function, losses, patience):
    stop = function(losses, patience)
    return None if stop is None else bool(stop)


stop_early = Check(
    "stop_early",
    reference=_stop,
    probe=_decided,
    cases=[
        case("the first epoch", [1.0], 2),
        case("still falling", [1.0, 0.8, 0.7], 2),
        case("one epoch since the best", [1.0, 0.8, 0.9], 2),
        case("two epochs since the best", [1.0, 0.8, 0.9, 0.95], 2),
        case("it falls again, and is no new best", [1.0, 0.8, 0.95, 0.9], 2),
        case("a new best after a bad one", [1.0, 0.9, 1.2, 0.7, 0.75], 2),
        case("worse once, then better than ever", [0.9, 1.0, 0.5], 1),
        case("a tie is no progress", [1.0, 0.8, 0.8, 0.8], 2),
        case("higher is worse", [0.5, 0.6, 0.7], 2),
        case("falling, but above the first loss", [0.5, 1.0, 0.9, 0.8], 2),
        case("above the loss of two epochs ago, one epoch after the best", [1.0, 0.6, 0.5, 0.7],
             2),
        case("nothing new for long", [1.0, 0.8, 0.9, 0.85, 0.9, 0.85, 0.9], 2),
        case("patience of 1, one without progress", [1.0, 0.8, 0.9], 1),
        case("patience of 3, three without progress", [1.0, 0.7, 0.9, 0.8, 0.75], 3),
        case("patience of 3, two without progress", [1.0, 0.7, 0.9, 0.8], 3),
        case("NaN first, then still falling", [math.nan, 0.9, 0.8, 0.7], 2),
        case("NaN is no progress", [1.0, math.nan, math.nan], 2),
        case("a new best after NaN", [1.0, math.nan, math.nan, 0.9], 2),
    ],
    mistakes=[
        Mistake("only rises in a row count",
                "The loss jumps up and down. What matters is how long ago the *best* one was, "
                "not whether the last ones rose.", _rises),
        Mistake("one epoch too early", "patience epochs must have passed *after* the best one.",
                lambda losses, patience: _stop(losses, patience - 1)),
        Mistake("one epoch too late",
                "With patience 2 stop when two epochs brought no new best: ≥, not >.",
                lambda losses, patience: _stop(losses, patience + 1)),
        Mistake("the largest counts as the best", "These are losses: the best is the smallest.",
                lambda losses, patience: _stop([-loss for loss in losses], patience)),
        Mistake("a tie counts as progress",
                "Only a loss below the best so far is progress: take the first minimum.",
                _ties_count),
        Mistake("NaN counts as the best",
                "min of a list that starts with NaN is NaN, since nothing is smaller. Look for the "
                "best among the other losses.",
                _nan_as_best),
        Mistake("the answer is always the same",
                "It depends on how long ago the best loss was: compare.",
                lambda losses, patience: False),
        Mistake("the answer is the wrong way round", "True means: stop now.",
                lambda losses, patience: not _stop(losses, patience)),
    ],
)  # fmt: skip
