"""Day 05: depth with and without a way around."""

import math

from dlcourse.release.claims.registry import claim

MORNING = "Day05-CNNs_part2_morning"


def climb(nb, depth, kind, seed):
    """Training loss of the last epoch, no more than guessing pays twice over."""
    return min(nb.climb(depth, *nb.KINDS[kind], seed)[1], 2 * math.log(10))


@claim(
    MORNING,
    "Batch norm makes the plain tower *start* to learn, the skip makes it learn *well*, both "
    "together best, in every seed.",
    trivial="guessing",
    every_seed=True,
)
def residual_depth(nb, seed):
    kinds = ("residual, batch norm", "residual", "plain, batch norm", "plain")
    return {kind: climb(nb, 32, kind, seed) for kind in kinds} | {"guessing": math.log(10)}
