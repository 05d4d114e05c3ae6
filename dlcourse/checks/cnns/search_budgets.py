"""Checks of searching on a budget: a grid that fits into it, and successive halving."""

import itertools
import math

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.words import kind_of


def _axis(low, high, points, spacing="log"):
    if spacing == "linear":
        return [low + (high - low) * i / (points - 1) for i in range(points)]
    return [low * (high / low) ** (i / (points - 1)) for i in range(points)]


def _grid(ranges, budget, points=None, spacing="log", join=itertools.product):
    points = points or max(p for p in range(2, budget + 1) if p ** len(ranges) <= budget)
    axes = [_axis(low, high, points, spacing) for low, high in ranges.values()]
    return [dict(zip(ranges, values, strict=True)) for values in join(*axes)]


def _sorted_settings(function, ranges, budget):
    """How many settings, and all of their numbers; their order does not matter."""
    settings = function(ranges, budget)
    fits = isinstance(settings, (list, tuple)) and all(
        isinstance(one, dict) and set(one) == set(ranges) for one in settings
    )
    count, kinds, logs = None, None, None
    if fits:
        count = len(settings)
        kinds = " or ".join(sorted({kind_of(one) for each in settings for one in each.values()}))
        logs = sorted([math.log10(setting[name]) for name in ranges] for setting in settings)
    return {
        "a list of dicts, the names of `ranges` in each": fits,
        "how many settings": count,
        "what each value is": kinds,
        "sorted log₁₀ of the values": logs,
    }


def _interior(ranges, budget):
    settings = _grid(ranges, budget)
    ends = {name: set(bounds) for name, bounds in ranges.items()}
    return [s for s in settings if all(s[name] not in ends[name] for name in s)] or settings[:1]


TWO = {"rate": (1e-4, 1e-2), "decay": (1e-3, 1e1)}

grid_settings = Check(
    "grid_settings",
    reference=_grid,
    probe=_sorted_settings,
    rtol=1e-4,
    atol=1e-6,
    cases=[
        case("one range, 3 trials", {"rate": (1e-3, 1e-1)}, 3),
        case("two ranges, 9 trials", TWO, 9),
        case("two ranges, 11 trials", TWO, 11),
        case("three ranges, 64 trials", TWO | {"drop": (0.1, 0.9)}, 64),
        case("three ranges, 26 trials", TWO | {"drop": (0.1, 0.9)}, 26),
    ],
    mistakes=[
        Mistake("as many values of each as the whole budget allows",
                "Every value of one meets every value of the others: "
                "p values of k things are pᵏ trials.",
                # 64³ would take a second
                lambda ranges, budget: _grid(ranges, budget, min(budget, 12))),
        Mistake("equal steps, not equal ratios",
                "A rate acts by its ratios: np.geomspace(low, high, points).",
                lambda ranges, budget: _grid(ranges, budget, spacing="linear")),
        Mistake("the budget is overrun",
                "With 11 trials for two ranges three values of each are all: 4 · 4 is 16.",
                lambda ranges, budget: _grid(ranges, budget,
                                             max(2,
                                                 math.ceil(budget ** (1 / len(ranges)) - 1e-9)))),
        Mistake("the root came out a little too small",
                "64 ** (1/3) is 3.9999999999999996 and int cuts it to 3. Count up with whole "
                "numbers: while (points + 1) ** k <= budget.",
                lambda ranges, budget: _grid(ranges, budget,
                                             max(2, int(budget ** (1 / len(ranges)))))),
        Mistake("only the diagonal", "Combine all values with all: itertools.product, not zip.",
                lambda ranges, budget: _grid(ranges, budget,
                                             join=lambda *axes: zip(*axes, strict=True))),
        Mistake("the ends of the ranges are missing", "The grid starts at low and ends at high.",
                _interior),
    ],
)  # fmt: skip


def _halve(
    settings,
    score,
    epochs=1,
    grow=2,
    worst=False,
    restart=False,
    again=True,
    ranked=True,
    last=False,
):
    trials, left, known = [], list(settings), {}
    while len(left) > 1 or (last and len(left) == 1):
        values = []
        for setting in left:
            if again or str(setting) not in known:
                known[str(setting)] = score(setting, epochs)
            values.append(known[str(setting)])
        trials += [(setting, epochs, value) for setting, value in zip(left, values, strict=True)]
        if len(left) == 1:
            break
        order = (
            sorted(range(len(left)), key=lambda i: values[i], reverse=not worst)
            if ranked
            else range(len(left))
        )
        half = len(left) // 2
        left = [left[i] for i in order][:half]
        epochs = int(epochs * grow)
    return left[0], trials


def _trials(function, settings, score, *epochs):
    """The winner, how many trials, calls and epochs it took, and what was tried;
    the order within a round does not matter."""
    calls = []

    def counted(setting, epochs):
        calls.append(epochs)
        return score(setting, epochs)

    answer = function(settings, counted, *epochs)
    pair = isinstance(answer, (tuple, list)) and len(answer) == 2
    winner, trials = answer if pair else (None, [])
    return {
        "a pair (setting, trials)": pair and isinstance(winner, dict) and isinstance(trials, list),
        "winner": winner["name"] if isinstance(winner, dict) else None,
        "trials": len(trials),
        "calls of score": len(calls),
        "epochs of all trials": sum(trial[1] for trial in trials),
        "what was tried": sorted((n, setting["name"], round(float(v), 6))
                                 for setting, n, v in trials),
    }  # fmt: skip


_trials.hands_on = True  # the function's own arguments, as a case has them


def _learner(final, speed):
    return {"name": f"{final:.2f} at {speed:g}", "final": final, "speed": speed}


def learning_curve(setting, epochs):
    """An accuracy that grows with the epochs, faster or slower, up to its final value."""
    return setting["final"] * (1 - math.exp(-setting["speed"] * epochs))


def late_start(setting, epochs):
    """An accuracy that the slow ones lead after a few epochs."""
    return setting["final"] * epochs / (epochs + setting["speed"])


def from_table(setting, epochs):
    """An accuracy on 20 examples; b and d tie after one epoch."""
    return {"a": 0.4, "b": 0.55, "c": 0.35, "d": 0.55}[setting["name"]] + 0.05 * (
        epochs > 1 and setting["name"] == "d"
    )


def _reuse(*args):
    return _halve(*args, again=False)


LEARNERS = [_learner(0.90, 0.5), _learner(0.99, 0.3), _learner(0.60, 3.0), _learner(0.70, 1.5),
            _learner(0.95, 0.2), _learner(0.80, 0.9), _learner(0.50, 4.0),
            _learner(0.85, 0.7)]  # fmt: skip

successive_halving = Check(
    "successive_halving",
    reference=_halve,
    probe=_trials,
    cases=[
        case("two settings, epochs not given", LEARNERS[2:4], learning_curve),
        case("four settings", LEARNERS[:4], learning_curve, 1),
        case("five settings: two are kept, then one", LEARNERS[:5], learning_curve, 2),
        case("eight settings", LEARNERS, learning_curve, 1),
        case("another score, seven settings", LEARNERS[1:], late_start, 1),
        case("two of four have equal accuracies, both are kept", [{"name": n} for n in "abcd"],
             from_table, 1),
        case("one setting: nothing to try", LEARNERS[:1], learning_curve, 1),
    ],
    mistakes=[
        Mistake("the worse half is kept", "score is an accuracy: sort from the highest down.",
                lambda *args: _halve(*args, worst=True)),
        Mistake("the epochs stay the same",
                "Half as many settings, twice as many epochs each: the rounds cost alike.",
                lambda *args: _halve(*args, grow=1)),
        Mistake("the first half is kept, whatever its score",
                "Sort by the score before you cut the list.",
                lambda *args: _halve(*args, ranked=False)),
        Mistake("scores of earlier rounds are used again",
                "A setting that was poor after one epoch may be the best after four: "
                "call score in every round.",
                _reuse),
        Mistake("the last one is scored as well", "Stop as soon as one setting is left.",
                lambda *args: _halve(*args, last=True)),
        Mistake("four times the epochs", "Twice as many in each round.",
                lambda *args: _halve(*args, grow=4)),
    ],
)  # fmt: skip
