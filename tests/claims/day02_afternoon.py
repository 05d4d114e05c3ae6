"""Day 02's afternoon: paired seeds, leakage, and what else its experiments say."""

import numpy as np

from dlcourse.release.claims.registry import claim

AFTERNOON = "Day02-DL_concepts_afternoon"


@claim(
    AFTERNOON,
    "The pairs made the error smaller, at no cost other than using the same seeds.",
    trivial="pairs ignored",
)
def pairs_make_the_error_smaller(nb, seed):
    seeds = range(1000 * seed, 1000 * seed + 8)  # the eight runs of one comparison
    wide, narrow = ([nb.score_units(hidden, one) for one in seeds] for hidden in (48, 24))
    alone = [nb.mean_and_error(values)[1] for values in (wide, narrow)]
    return {
        "paired": nb.paired_comparison(wide, narrow)[1],
        "paired with the next seed": nb.paired_comparison(wide, narrow[1:] + narrow[:1])[1],
        "pairs ignored": (alone[0] ** 2 + alone[1] ** 2) ** 0.5,
    }


@claim(
    AFTERNOON,
    "Softmax regression ends at a much higher training loss, but the test accuracies are close. In "
    "eight seeds (not shown) each MLP is ahead by 0.004 ± 0.003 (mean and standard error), which "
    "section 6 will show to be too little to tell.",
    better="higher",
    by=-0.012,  # close: with 95 % confidence it loses by no more than about a point
)
def a_hidden_layer_gains_little(nb, seed):
    def score(sizes, kind, rate):
        return nb.share_right(nb.trained(sizes, kind, rate, seed)[0], nb.x_test, nb.y_test)

    return {
        "softmax regression": score([64, 10], nb.SGD, 2.0),
        "MLP, SGD": score([64, 64, 10], nb.SGD, 0.5),
        "MLP, AdamW": score([64, 64, 10], nb.AdamW, 0.005),
    }


@claim(
    AFTERNOON,
    'When the columns are chosen on all of the data, the model "predicts" coin tosses with about '
    "95 % accuracy, because the held-out labels have helped to choose the columns.",
    better="higher",
    by=0.3,
    trivial="a coin",
)
def choosing_columns_leaks(nb, seed):
    """The stated cause is taken away in the third side: same columns' count, chosen inside."""
    outside, normalised, inside = nb.leaky_scores(seed).values()
    return {"chosen on all data": outside, "normalised on all data": normalised,
            "inside": inside, "a coin": 0.5}  # fmt: skip


@claim(
    AFTERNOON,
    "**Centring the pixels is the stronger cure**: it takes one line, no unit is dead at rate 3, "
    "and at rate 10 about four in ten are still alive.",
    by=0.1,
    trivial="pixels as they are",
)
def centring_keeps_units_alive(nb, seed):
    with np.errstate(all="ignore"):
        return {
            "centred": nb.dead_after(10.0, seed, nb.centred),
            "batch norm": nb.dead_after(10.0, seed, nb.x_train, normed=True),
            "pixels as they are": nb.dead_after(10.0, seed, nb.x_train),
        }


@claim(
    AFTERNOON,
    "Batch norm keeps nearly all units alive at rate 3, but hardly any at rate 10.",
    by=0.5,
)
def batch_norm_keeps_units_alive_at_rate_3(nb, seed):
    with np.errstate(all="ignore"):
        return {
            "batch norm": nb.dead_after(3.0, seed, nb.x_train, normed=True),
            "pixels as they are": nb.dead_after(3.0, seed, nb.x_train),
            "batch norm at rate 10": nb.dead_after(10.0, seed, nb.x_train, normed=True),
        }


def suggestion(nb, kind, seed):
    """The suggested rate's accuracy against those of rates far off, after five epochs."""
    factors = {"suggested": 1, "a thirtieth of it": 1 / 30, "thirty times it": 30}
    return {name: nb.after_five_epochs(kind, seed, factor) for name, factor in factors.items()}


SUGGESTED = (
    "For both optimisers the suggested rate is far better than one that is thirty times smaller "
    "or larger."
)


@claim(AFTERNOON, SUGGESTED, better="higher")
def suggested_rate_of_sgd(nb, seed):
    return suggestion(nb, nb.SGD, seed)


@claim(AFTERNOON, SUGGESTED, better="higher")
def suggested_rate_of_adamw(nb, seed):
    return suggestion(nb, nb.AdamW, seed)


@claim(AFTERNOON, "SGD does better still at ten times its suggestion", better="higher")
def sgd_at_ten_times_its_suggestion(nb, seed):
    scores = {factor: nb.after_five_epochs(nb.SGD, seed, factor) for factor in (10, 1)}
    return {"ten times": scores[10], "suggested": scores[1]}


@claim(
    AFTERNOON,
    "So does each of the two other changes, keeping the old averages or keeping the old rate, so "
    "the jump needs both causes.",
    by=0.2,
)
def the_jump_needs_both_causes(nb, seed):
    """In each side but the last one suspected cause, or the abrupt start, is taken away."""
    peaks = {"warm-up": {"warmup": 40}, "old averages": {"fresh": False},
             "old rate": {"rate": 0.002}, "both causes": {}}  # fmt: skip
    peak = {name: max(nb.restarted(seed, **options)) for name, options in peaks.items()}
    return {"the worst of three changes": max(list(peak.values())[:3]),
            "both causes": peak["both causes"]}  # fmt: skip


@claim(
    AFTERNOON,
    "But within some thirty steps the run without warm-up has caught up, and at the end of these "
    "sixty steps, of which warm-up takes forty, the run *without* warm-up has the lower loss",
)
def warm_up_does_not_end_lower(nb, seed):
    runs = {"without warm-up": {}, "with warm-up": {"warmup": 40}}
    return {name: np.mean(nb.restarted(seed, **options)[-20:]) for name, options in runs.items()}


@claim(AFTERNOON, "The old rate, which nothing forced us to change, ends lower than both.")
def the_old_rate_ends_lowest(nb, seed):
    runs = {"old rate": {"rate": 0.002}, "without warm-up": {}, "with warm-up": {"warmup": 40}}
    return {name: np.mean(nb.restarted(seed, **options)[-20:]) for name, options in runs.items()}


@claim(
    AFTERNOON,
    "In accuracy jitter is ahead by more than one percentage point, which is three standard "
    "errors.",
    better="higher",
    seeds=32,
    trivial="straight line",
)
def jitter_against_a_straight_line(nb, seed):
    """On seeds that neither of the notebook's two lists has."""
    fresh, at = nb.moon_points(2000, seed=99), 1000 + seed
    return {cure: nb.measure(nb.fit_moons(cure, at), *fresh)[0]
            for cure in ("jitter", "straight line")}  # fmt: skip


@claim(AFTERNOON, "All three cures lower the loss.", trivial="untreated")
def every_cure_lowers_the_loss(nb, seed):
    fresh = nb.moon_points(2000, seed=99)
    loss = {cure: nb.measure(nb.fit_moons(cure, seed), *fresh)[1]
            for cure in ("weight decay", "jitter", "early stopping", "untreated")}  # fmt: skip
    return {
        "the worst of three cures": max(list(loss.values())[:3]),
        "untreated": loss["untreated"],
    }


@claim(
    AFTERNOON,
    "On the images as they are, each of the three alone gains eight to eleven points, more than "
    "four standard errors.",
    better="higher",
    by=0.04,  # the interval's own width below eight points
    trivial="none",
)
def each_regulariser_helps(nb, seed):
    ways = ({"decay": 1.0}, {"drop": 0.5}, {"augment": nb.shift})
    return {"the least of the three": min(nb.regularised(seed, **one)[0] for one in ways),
            "none": nb.regularised(seed)[0]}  # fmt: skip


def trained_otherwise(nb, seed, decay=0.0, epochs=80, wrong=60, prepare=lambda x: x, **options):
    """As the notebook's `regularised`, with another number of random labels, or images prepared in
    some way, in training and in testing."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(nb.x_train))[:300]
    labels = np.concatenate([rng.integers(10, size=60)[:wrong], nb.y_train[rows[wrong:]]])
    parameters = nb.mlp([64, 64, 10], seed)
    optimiser, x = nb.AdamW(parameters, 0.01, decay=decay), prepare(nb.x_train[rows])
    for _ in range(epochs):
        nb.train_epoch(parameters, optimiser, x, labels, rng, size=50, **options)
    moved = nb.shift(nb.x_test, np.random.default_rng(99))
    return [nb.share_right(parameters, prepare(x), nb.y_test) for x in (nb.x_test, moved)]


@claim(
    AFTERNOON,
    "with 300 right ones (not shown), decay and dropout gain nothing.",
    better="higher",
    by=-0.012,  # nothing: about a point at most
)
def nothing_to_gain_from_right_labels(nb, seed):
    return {
        "none": trained_otherwise(nb, seed, wrong=0)[0],
        "decay": trained_otherwise(nb, seed, wrong=0, decay=1.0)[0],
        "dropout": trained_otherwise(nb, seed, wrong=0, drop=0.5)[0],
    }


def centred(x):
    """Images (B, 64) whose centre of mass is moved to the middle, by whole pixels."""
    images = x.reshape(-1, 8, 8) - x.min()
    places, mass = np.arange(8) - 3.5, images.sum((1, 2))
    down = np.rint((images.sum(2) @ places) / mass).astype(int)
    right = np.rint((images.sum(1) @ places) / mass).astype(int)
    moved = [
        np.roll(image, (-i, -j), (0, 1)) for image, i, j in zip(images, down, right, strict=True)
    ]
    return np.stack(moved).reshape(-1, 64) + x.min()


@claim(
    AFTERNOON,
    "moving the centre of mass of each image to the middle, and ten epochs, gain about forty (not "
    "shown).",
    better="higher",
    by=0.3,
)
def centring_gains_on_moved_images(nb, seed):
    return {
        "centred, ten epochs": trained_otherwise(nb, seed, epochs=10, prepare=centred)[1],
        "none": nb.regularised(seed)[1],
        "ten epochs": nb.regularised(seed, epochs=10)[1],
    }


@claim(
    AFTERNOON,
    "All three together, at full strength, do worse on the images as they are than any of them "
    "alone.",
    better="higher",
)
def all_three_are_too_much(nb, seed):
    full = {"decay": 1.0, "drop": 0.5, "augment": nb.shift}
    alone = [nb.regularised(seed, **{name: value})[0] for name, value in full.items()]
    return {"the least of the three alone": min(alone),
            "all three": nb.regularised(seed, **full)[0]}  # fmt: skip


@claim(
    AFTERNOON,
    "Three times the epochs do not help. With weaker decay and dropout the gain comes back, to "
    "about that of the best single method, not beyond.",
    better="higher",
    by=0.03,
)
def too_much_strength_not_too_little_time(nb, seed):
    full = {"decay": 1.0, "drop": 0.5, "augment": nb.shift}
    weaker = {"decay": 0.3, "drop": 0.2, "augment": nb.shift}
    return {"weaker": nb.regularised(seed, **weaker)[0],
            "three times the epochs": nb.regularised(seed, epochs=240, **full)[0],
            "all three": nb.regularised(seed, **full)[0]}  # fmt: skip


@claim(
    AFTERNOON,
    "On the images as they are, the plain network gains about ten points, too, if we merely stop "
    "it after ten epochs",
    better="higher",
    by=0.07,
)
def stopping_gains_as_well(nb, seed):
    return {"ten epochs": nb.regularised(seed, epochs=10)[0], "none": nb.regularised(seed)[0]}


@claim(
    AFTERNOON,
    "The peak moves with the number of examples",
    better="higher",
)
def the_peak_moves(nb, seed):
    """Where it is, by the width of the largest test loss."""
    widths = [4, 7, 10, 14, 20, 28, 40]
    losses = {n: [float(nb.test_loss([seed], n, one)) for one in widths] for n in (150, 75)}
    return {f"n = {n}": widths[int(np.argmax(found))] for n, found in losses.items()}
