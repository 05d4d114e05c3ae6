"""Checks of random search over log-uniform ranges."""

import numpy as np

from dlcourse.checks.core import Check, Mistake, case


def _log_uniform(low, high, size, rng):
    return low * (high / low) ** rng.random(size)


log_uniform = Check(
    "log_uniform",
    reference=_log_uniform,
    cases=lambda: [
        case("5 draws from 0.1 to 10", 0.1, 10.0, 5, np.random.default_rng(0)),
        case("3 draws from 10⁻⁶ to 1", 1e-6, 1.0, 3, np.random.default_rng(1)),
        case("4 draws from 2 to 3", 2.0, 3.0, 4, np.random.default_rng(2)),
        case("size None: a single number", 0.5, 20.0, None, np.random.default_rng(3)),
        case("size (2, 3)", 1e-3, 10.0, (2, 3), np.random.default_rng(4)),
    ],
    mistakes=[
        Mistake("uniform on the numbers themselves",
                "From 10⁻⁶ to 1, nine draws of ten are above 0.1. "
                "Draw the logarithm uniformly, then take exp.",
                lambda low, high, size, rng: rng.uniform(low, high, size)),
        Mistake("the exponential is missing", "Those are logarithms: take exp of them.",
                lambda low, high, size, rng: rng.uniform(np.log(low), np.log(high), size)),
        Mistake("two bases are mixed", "np.log belongs to np.exp, np.log10 to 10 ** ….",
                lambda low, high, size, rng: 10 ** rng.uniform(np.log(low), np.log(high), size)),
        Mistake("whole powers of ten only",
                "The exponent is any real number: rng.uniform, not rng.integers or round.",
                lambda *args: 10 ** np.round(np.log10(_log_uniform(*args)))),
    ],
)  # fmt: skip


def _search(objective, ranges, trials, rng, draw=_log_uniform, pick=max, shared=False):
    results = []
    for _ in range(trials):
        state = rng.bit_generator.state
        setting = {}
        for name, (low, high) in ranges.items():
            if shared:
                rng.bit_generator.state = state
            setting[name] = float(draw(low, high, None, rng))
        results.append((setting, objective(**setting)))
    return pick(results, key=lambda result: result[1])[0], results


def _name_by_name(objective, ranges, trials, rng):
    columns = {name: _log_uniform(low, high, trials, rng) for name, (low, high) in ranges.items()}
    settings = [{name: float(column[i]) for name, column in columns.items()} for i in range(trials)]
    results = [(setting, objective(**setting)) for setting in settings]
    return max(results, key=lambda result: result[1])[0], results


def _drawn_with_size_1(objective, ranges, trials, rng):
    results = []
    for _ in range(trials):
        setting = {name: _log_uniform(low, high, 1, rng) for name, (low, high) in ranges.items()}
        results.append((setting, objective(**setting)))
    return max(results, key=lambda result: result[1])[0], results


def _one_dict(objective, ranges, trials, rng):
    setting, results = {}, []
    for _ in range(trials):
        for name, (low, high) in ranges.items():
            setting[name] = float(_log_uniform(low, high, None, rng))
        results.append((setting, objective(**setting)))
    return max(results, key=lambda result: result[1])[0], results


def _searched(function, objective, ranges, trials, rng):
    """The two results; first of all whether the trials share a dict."""
    got = function(objective, ranges, trials, rng)
    if not isinstance(got, (tuple, list)) or len(got) != 2 or not isinstance(got[1], list):
        return got
    pairs = [one for one in got[1] if isinstance(one, (tuple, list)) and one]
    return {
        "number of trials": len(got[1]),
        "every trial has a dict of its own": len({id(one[0]) for one in pairs}) == len(got[1]),
        "list of (setting, value)": got[1],
        "best setting": got[0],
    }


def steps(rate, decay):
    """An accuracy that takes few values, so that trials tie."""
    return round(hill(rate, decay) / 8, 1)


def hill(rate, decay=1e-3):
    """Highest at rate 0.1 and decay 0.001, on logarithmic axes."""
    return -float(np.log10(rate / 0.1) ** 2 + np.log10(decay / 1e-3) ** 2)


def valley(*, decay, width):
    """Positive; lowest at width 40 and decay 0.01."""
    return float(1 + np.log10(width / 40) ** 2 + np.log10(decay / 0.01) ** 2)


RANGES = {"rate": (1e-4, 1.0), "decay": (1e-6, 1e-1)}

random_search = Check(
    "random_search",
    reference=_search,
    probe=_searched,
    cases=lambda: [
        case("3 trials of one rate", hill, {"rate": (1e-3, 1.0)}, 3, np.random.default_rng(0)),
        case("4 trials of two ranges", hill, RANGES, 4, np.random.default_rng(1)),
        case("20 trials", hill, RANGES, 20, np.random.default_rng(2)),
        case("other names, values above 0", valley, {"width": (4.0, 400.0), "decay": (1e-4, 1.0)},
             6, np.random.default_rng(3)),
        case("trials with equal values, below the best", steps, RANGES, 6,
             np.random.default_rng(1)),
    ],
    mistakes=[
        Mistake("the lowest value wins",
                "The objective is an accuracy: the highest value is the best.",
                lambda *args: _search(*args, pick=min)),
        Mistake("uniform on the numbers themselves",
                "Draw with your log_uniform, or small values are never tried.",
                lambda *args: _search(*args, draw=lambda low, high, size, rng:
                    rng.uniform(low, high))),
        Mistake("all ranges share one draw",
                "Rate and decay then move together along one line. "
                "Each name needs a draw of its own.",
                lambda *args: _search(*args, shared=True)),
        Mistake("drawn name by name",
                "Draw a whole setting, try it, draw the next: "
                "then 40 trials begin with the same 20 as 20 trials do.",
                _name_by_name),
        Mistake("drawn with size 1",
                "That is an array with one entry, not a number: "
                "log_uniform(low, high, None, rng), then float(…).",
                _drawn_with_size_1),
        Mistake("all trials share one dict",
                "The list then holds the last setting again and again. "
                "Make a new dict inside the loop over the trials.",
                _one_dict),
        Mistake("the value instead of the setting",
                "Return the best setting (a dict) first, then the list.",
                lambda *args: (max(value for _, value in _search(*args)[1]), _search(*args)[1])),
    ],
)  # fmt: skip
