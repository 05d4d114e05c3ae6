"""Day 02: paired seeds."""

from dlcourse.release.claims.registry import claim

AFTERNOON = "Day02-DL_concepts_afternoon"


def score(nb, hidden, seed):
    """Test accuracy of the opening's network; its loop stands in no function that could be had."""
    rows = nb.torch.randperm(len(nb.digits.x), generator=nb.set_seed(seed))[:200]
    model = nb.nn.Sequential(
        nb.nn.Flatten(), nb.nn.Linear(64, hidden), nb.nn.ReLU(), nb.nn.Linear(hidden, 10)
    )
    optimiser = nb.torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        nb.descend(nb.F.cross_entropy(model(nb.digits.x[rows]), nb.digits.y[rows]), optimiser)
    return nb.accuracy(model(nb.digits.x_test), nb.digits.y_test).item()


@claim(
    AFTERNOON,
    "The pairs made the error smaller, for nothing but using the same seeds.",
    trivial="pairs ignored",
)
def pairs_make_the_error_smaller(nb, seed):
    seeds = range(1000 * seed, 1000 * seed + 8)  # the eight runs of one comparison
    wide, narrow = ([score(nb, hidden, one) for one in seeds] for hidden in (48, 24))
    alone = [nb.mean_and_error(values)[1] for values in (wide, narrow)]
    return {
        "paired": nb.paired_comparison(wide, narrow)[1],
        "paired with the next seed": nb.paired_comparison(wide, narrow[1:] + narrow[:1])[1],
        "pairs ignored": (alone[0] ** 2 + alone[1] ** 2) ** 0.5,
    }
