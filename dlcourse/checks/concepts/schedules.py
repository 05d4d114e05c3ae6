"""Check of a rule over time: when to stop."""

import math

from dlcourse.checks.core import Check, Mistake, case


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
