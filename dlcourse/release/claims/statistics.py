"""Whether measured numbers bear a claim out: paired differences, their interval and a verdict."""

from dataclasses import dataclass

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"
LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """What the first side gains over another: above 0 it wins, whichever numbers win."""

    rival: str
    gain: float  # mean of the paired differences
    low: float  # the ends of its 95 % interval
    high: float
    verdict: str


@dataclass(frozen=True)
class Judgement:
    """The verdict on a claim and what decided it."""

    verdict: str
    seeds: int
    strongest: Comparison  # of all sides but the trivial one, where there are others
    trivial: Comparison | None


def judge(values, better="lower", by=0.0, trivial=None, every_seed=False):
    """Judges {side: one number a seed}, the first side being the one that the claim favours.

    A comparison *holds* where the whole 95 % interval of the mean gain (Student's t on the paired
    differences, n − 1 degrees of freedom) lies above `by`, *fails* where none of it does, and is
    *undecided* in between. The claim is worth what its worst comparison is. every_seed: a gain of
    `by` or less on a single seed makes it fail, as the sentence says so. Returns a Judgement;
    raises ValueError for fewer than two sides or seeds, or a trivial side that is not there.
    """
    first, *others = values
    if not others or len(values[first]) < 2:
        raise ValueError("a comparison needs two sides and two seeds at least")
    if trivial is not None and trivial not in others:
        raise ValueError(f"no side {trivial!r} beside {first!r}: there are {', '.join(others)}")
    sign = 1 if better == "higher" else -1
    found = {}
    for other in others:
        pairs = zip(values[first], values[other], strict=True)
        found[other] = compare(other, [sign * (one - two) for one, two in pairs], by, every_seed)
    worst = max(found.values(), key=_badness)
    rivals = [one for name, one in found.items() if name != trivial] or list(found.values())
    return Judgement(
        worst.verdict, len(values[first]), max(rivals, key=_badness), found.get(trivial)
    )


def compare(rival, gains, by=0.0, every_seed=False):
    """The Comparison that follows from the gains of n ≥ 2 seeds."""
    import numpy as np
    from scipy.stats import t

    gains = np.asarray(gains, dtype=float)
    mean = float(gains.mean())
    error = float(gains.std(ddof=1)) / len(gains) ** 0.5
    width = float(t.ppf(0.5 + LEVEL / 2, len(gains) - 1)) * error
    low, high = mean - width, mean + width
    verdict = HOLDS if low > by else FAILS if high <= by else UNDECIDED
    if every_seed and gains.min() <= by:
        verdict = FAILS
    return Comparison(rival, mean, low, high, verdict)


def _badness(one):
    return (HOLDS, UNDECIDED, FAILS).index(one.verdict), -one.gain
