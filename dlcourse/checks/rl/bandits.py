"""Checks of two ways to choose among bandits:
ε-greedy, judged by the shares of many draws, and the upper bound."""

import math

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.words import kind_of


def _shares(function, values, epsilon, seed):
    """How often the best action of a row, the one after it, … was chosen;
    the draws come from a seeded generator."""
    # not the stream that the values came from: draws would depend on them
    actions, same, other = (
        function(values, epsilon, torch.Generator().manual_seed(number + 1000))
        for number in (seed, seed, seed + 1)
    )
    if actions is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(actions, torch.Tensor):
        raise Untouched(f"{kind_of(actions)}: a tensor is asked for")
    told = {"shape": str(tuple(actions.shape)), "type": str(actions.dtype)}
    told |= dict.fromkeys(_SEEN)
    if tuple(actions.shape) != (len(values),) or actions.dtype != torch.int64:
        return told
    freely = function(values, epsilon), function(values, epsilon)
    going_on = torch.Generator().manual_seed(seed + 1000)
    later = function(values, epsilon, going_on), function(values, epsilon, going_on)
    found = [_from_best(actions, values), torch.equal(actions, same),
             not torch.equal(actions, other), not torch.equal(*later),
             not torch.equal(*freely)]  # fmt: skip
    return told | dict(zip(_SEEN, found, strict=True))


# of the actions, where they have the right shape and dtype
_SEEN = [
    "share of the actions, best first",
    "the same generator gives the same actions",
    "another generator gives others",
    "one generator goes on: others at the next call",
    "without a generator: others at each call",
]


def _from_best(actions, values):
    count = values.shape[1]
    after = (actions - values.argmax(dim=1)) % count
    return torch.bincount(after, minlength=count) / len(values)


def _choose(values, epsilon, generator=None, fault=None):
    rows, count = values.shape
    best = values.sort(dim=1).indices[:, -1]
    coins = torch.rand(1 if fault == "one coin" else rows, generator=generator)
    other = torch.randint(count, (rows,), generator=generator)
    if fault == "others only":
        other = (best + 1 + torch.randint(count - 1, (rows,), generator=generator)) % count
    if fault == "worst":
        best = values.argmin(dim=1)
    explores = coins >= epsilon if fault == "swapped" else coins < epsilon
    return torch.where(explores, other, best)


def _broken(fault):
    return lambda *args: _choose(*args, fault=fault)


def _table(rows, actions, seed, dtype=torch.float32):
    return torch.randn(rows, actions, generator=torch.Generator().manual_seed(seed), dtype=dtype)


epsilon_greedy = Check(
    "epsilon_greedy",
    reference=_choose,
    probe=_shares,
    fallback="dlcourse.methods.rl:epsilon_greedy",
    rtol=0,
    atol=0.03,
    cases=lambda: [
        case("four rows, ε = 0: always the best", 0.1 * _table(4, 3, 0), 0.0, 0),
        case("one row, ε = 0, an estimate far above the others",
             torch.tensor([[-2e6, 3e6, -1.0, 0.0]]), 0.0, 5),
        case("8000 rows of 4 actions, ε = 0.4", _table(8000, 4, 1), 0.4, 1),
        case("8000 equal rows, ε = 0.5", torch.tensor([0.0, 2.0, 1.0, -1.0]).expand(8000, 4), 0.5,
             4),
        case("8000 rows of 5 actions, ε = 1, float64", _table(8000, 5, 2, torch.float64), 1.0, 2),
        case("8000 rows of 3 actions, ε = 0.1, not contiguous", _table(3, 8000, 3).t(), 0.1, 3),
    ],
    mistakes=[
        Mistake("the maximum is taken over the wrong axis",
                "A row is one chooser, its columns are the actions: "
                "argmax(dim=1) gives one action a row.",
                lambda values, epsilon, generator=None: values.argmax(dim=0)),
        Mistake("ε and 1 − ε are exchanged",
                "ε is the probability of exploring: explore where the coin is below ε.",
                _broken("swapped")),
        Mistake("exploring leaves the best action out",
                "Here exploring means any of the actions, the best one included: "
                "torch.randint over all of them.",
                _broken("others only")),
        Mistake("one coin for all rows",
                "Every row decides for itself whether it explores: "
                "torch.rand needs one number a row.",
                _broken("one coin")),
        Mistake("the generator is not used",
                "Whatever draws takes generator=generator, or a run cannot be repeated.",
                lambda values, epsilon, generator=None: _choose(values, epsilon)),
        Mistake("the smallest value is taken for the best",
                "Values are to be large: argmax, not argmin.", _broken("worst")),
    ],
)  # fmt: skip


def _chosen(function, values, counts, t, c):
    """The action of each row;
    of a row with actions that were never tried only whether it is one of them."""
    actions = function(values, counts, t, c)
    if actions is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(actions, torch.Tensor):
        raise Untouched(f"{kind_of(actions)}: a tensor is asked for")
    told = {"shape": str(tuple(actions.shape)), "type": str(actions.dtype), "actions": None}
    if tuple(actions.shape) != (len(values),) or actions.dtype != torch.int64:
        return told
    untried = counts == 0
    fresh = untried.gather(1, actions[:, None])[:, 0]
    answers = [
        "one that was never tried" if fresh[i] else f"action {actions[i]}"
        for i in range(len(values))
    ]
    return told | {"actions": answers}


def _bounds(values, counts, t, c, fault=None):
    actions = []
    for row, tries in zip(values.tolist(), counts.tolist(), strict=True):
        scores = []
        for value, n in zip(row, tries, strict=True):
            if n == 0:
                scores.append({"untried": value, "fixed": value + 10.0}.get(fault, math.inf))
                continue
            wrong = {
                "no logarithm": t / n,
                "exchanged": math.log(max(n, 1)) / t,
                "inside": math.log(t) / n / c,
            }
            width = wrong.get(fault, math.log(t) / n)
            width = width if fault == "no root" else math.sqrt(width)
            scores.append(
                {"bonus only": 0.0}.get(fault, value) + (0.0 if fault == "greedy" else c * width)
            )
        actions.append(scores.index(max(scores)))
    return torch.tensor(actions)


def _bounds_with(fault):
    return lambda *args: _bounds(*args, fault=fault)


def _history(rows, actions, seed, lowest=1, highest=60):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, actions, generator=generator)
    return values, torch.randint(lowest, highest, (rows, actions), generator=generator).float()


ucb = Check(
    "ucb",
    reference=_bounds,
    probe=_chosen,
    fallback="dlcourse.methods.rl:ucb",
    cases=lambda: [
        case("equal means, one tried less", torch.tensor([[1.0, 1.0]]), torch.tensor([[9.0, 1.0]]),
             10, 1.0),
        case("one was never tried", torch.tensor([[5.0, 0.0, 4.0]]),
             torch.tensor([[3.0, 0.0, 2.0]]), 5, 1.0),
        case("one was never tried, estimates in the millions",
             torch.tensor([[5e6, -3e6, 4e6], [-5e6, -3e6, -2e6]]),
             torch.tensor([[3.0, 0.0, 2.0], [4.0, 1.0, 0.0]]), 6, 1.0),
        case("one was tried once, t = 1", torch.tensor([[9.0, 1.0]]), torch.tensor([[1.0, 0.0]]),
             1, 1.0),
        case("the first try of all", torch.zeros(2, 4), torch.zeros(2, 4), 1, 2.0),
        case("40 rows of 5", *_history(40, 5, 0), 150, 1.0),
        case("60 rows of 3, some never tried, c = 2", *_history(60, 3, 1, lowest=0, highest=8), 12,
             2.0),
        case("50 rows of 10, c = 0.3", *_history(50, 10, 2), 300, 0.3),
    ],
    mistakes=[
        Mistake("the logarithm is missing",
                "The bonus is c √(ln t / n): t itself grows so fast that one explores for ever.",
                _bounds_with("no logarithm")),
        Mistake("the root is missing",
                "The width of a mean shrinks like 1/√n: take the square root of ln t / n.",
                _bounds_with("no root")),
        Mistake("c stands under the root", "The bonus is c √(ln t / n): c times the root.",
                _bounds_with("inside")),
        Mistake("t and n have changed places",
                "ln of all tries t, divided by the tries n of this one action.",
                _bounds_with("exchanged")),
        Mistake("what was never tried does not come first",
                "Nothing is known of an action with n = 0: give it the score torch.inf.",
                _bounds_with("untried")),
        Mistake("a finite score for what was never tried",
                "Estimates may be larger than any number you choose: give it torch.inf.",
                _bounds_with("fixed")),
        Mistake("the means are left out",
                "Bound = mean + bonus: with the bonus alone all actions are tried alike.",
                _bounds_with("bonus only")),
        Mistake("no bonus", "Without c √(ln t / n) this is the greedy choice.",
                _bounds_with("greedy")),
    ],
)  # fmt: skip
