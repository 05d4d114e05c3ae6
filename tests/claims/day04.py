"""Day 04: what the two beliefs of a convolution are worth, and what they cost where they are
wrong."""

from dlcourse.release.claims.registry import claim

MORNING = "Day04-CNNs_part1_morning"


def wide(nb):
    """Four times as many hidden units: the strongest rival among its like."""
    return nb.MLP((784, 312, 10))


@claim(
    MORNING,
    "As the pixels are, LeNet wins clearly.",
    better="higher",
    by=0.01,  # clearly: by more than a point
    trivial="commonest class",
)
def lenet_wins(nb, seed):
    return {
        "LeNet": nb.compare(nb.LeNet, seed),
        "MLP of its size": nb.compare(lambda: nb.MLP((784, 78, 10)), seed),
        "MLP, four times as wide": nb.compare(lambda: wide(nb), seed),
        "commonest class": nb.y_test[:5000].bincount().max() / 5000,
    }


@claim(
    MORNING,
    "Permuted, its advantage is **gone**, and more than that: a belief that does not hold costs "
    "something.",
    better="higher",
    trivial="commonest class",
)
def permuted_pixels(nb, seed):
    return {
        "MLP of its size": nb.compare(lambda: nb.MLP((784, 78, 10)), seed, nb.order),
        "LeNet": nb.compare(nb.LeNet, seed, nb.order),
        "commonest class": nb.y_test[:5000].bincount().max() / 5000,
    }
