"""Day 04, afternoon: what helps a small network and for how long it must train to show it, what a
CNN needs fewer of, what breaks it, and whether a saliency map knows anything."""

from dlcourse.release.claims.registry import claim

AFTERNOON = "Day04-CNNs_part1_afternoon"


def commonest(y):
    return y.bincount().max().item() / len(y)


@claim(
    AFTERNOON,
    "**batch norm helps most**",
    better="higher",
    every_seed=True,
    trivial="commonest class",
)
def batch_norm_helps_most(nb, seed):
    """Against the best rate of those without, and with the other two ingredients in its place."""
    rates = (0.003, 0.01, 0.03)
    return {
        "batch norm": nb.ablation(True, False, False, 6, seed),
        "nothing, at its best rate": max(
            nb.ablation(False, False, False, 6, seed, rate) for rate in rates
        ),
        "dropout": nb.ablation(False, True, False, 6, seed),
        "augmentation": nb.ablation(False, False, True, 6, seed),
        "commonest class": commonest(nb.y_held),
    }


@claim(
    AFTERNOON,
    "dropout costs accuracy",
    better="higher",
    trivial="commonest class",
)
def dropout_costs(nb, seed):
    """After 120 steps, next to batch norm."""
    return {
        "without": nb.ablation(True, False, False, 6, seed),
        "with dropout": nb.ablation(True, True, False, 6, seed),
        "commonest class": commonest(nb.y_held),
    }


@claim(
    AFTERNOON,
    "augmentation changes little",
    better="higher",
    by=-0.005,
    trivial="commonest class",
)
def augmentation_early(nb, seed):
    """After 120 steps, next to batch norm: less than half a point lost."""
    return {
        "augmented": nb.ablation(True, False, True, 6, seed),
        "as they are": nb.ablation(True, False, False, 6, seed),
        "commonest class": commonest(nb.y_held),
    }


@claim(
    AFTERNOON,
    "augmentation alone adds about a point",
    better="higher",
    by=0.005,
    trivial="commonest class",
)
def augmentation_late(nb, seed):
    """After 600 steps, next to batch norm."""
    return {
        "augmented": nb.ablation(True, False, True, 30, seed),
        "as they are": nb.ablation(True, False, False, 30, seed),
        "commonest class": commonest(nb.y_held),
    }


@claim(
    AFTERNOON,
    "At the same number of parameters the ordinary network is more accurate than the separable "
    "one.",
    better="higher",
    by=0.01,
    trivial="commonest class",
)
def ordinary_beats_separable(nb, seed):
    return {
        "ordinary": nb.small_score("ordinary", seed),
        "separable": nb.small_score("separable", seed),
        "commonest class": commonest(nb.y_held),
    }


@claim(
    AFTERNOON,
    "With an ordinary first layer most of the difference is gone",
    trivial="the whole difference",
)
def first_layer_ordinary(nb, seed):
    """Half of the difference is the trivial answer's share."""
    kinds = ("ordinary", "separable", "separable,\nfirst ordinary")
    ordinary, separable, mixed = (nb.small_score(kind, seed) for kind in kinds)
    return {
        "what is left of the difference": ordinary - mixed,
        "half of the difference": (ordinary - separable) / 2,
        "the whole difference": ordinary - separable,
    }


@claim(
    AFTERNOON,
    "With 1,000 images the CNN makes less than half the errors of either rival.",
    every_seed=True,
    trivial="commonest class",
)
def half_the_errors(nb, seed):
    """The FFN also four times as wide, with more weight decay and its own rate."""
    x, y = nb.x_train[:1000], nb.y_train[:1000]
    wide = nb.fit(lambda: nb.MLP((784, 512, 10)), x, y, 16, seed, 0.003, 1.0)
    return {
        "twice the CNN's errors": 2 * (1 - nb.data_score("CNN", 1000, seed)),
        "FFN": 1 - nb.data_score("FFN", 1000, seed),
        "FFN, four times as wide": 1 - nb.score(wide, nb.x_held, nb.y_held),
        "nearest neighbour": 1 - nb.nearest_score(1000),
        "commonest class": 1 - commonest(nb.y_held),
    }


@claim(
    AFTERNOON,
    "the FFN needs about ten times the images",
    better="higher",
    trivial="commonest class",
)
def ten_times_the_images(nb, seed):
    """With three times the images it is behind; with ten times at most a point ahead."""
    return {
        "CNN, 1,000 images": nb.data_score("CNN", 1000, seed),
        "FFN, 3,000 images": nb.data_score("FFN", 3000, seed),
        "FFN, 10,000 images, less a point": nb.data_score("FFN", 10_000, seed) - 0.01,
        "commonest class": commonest(nb.y_held),
    }


def at_four(nb, kind, seed):
    return nb.score(nb.robust_model(kind, seed), nb.shifted(4), nb.y_thousand)


@claim(
    AFTERNOON,
    "A shift by 4 pixels costs the averaged network far less than the CNN",
    better="higher",
    by=0.08,
    trivial="commonest class",
)
def averaging_keeps_shifts(nb, seed):
    return {
        "averaged": at_four(nb, "CNN, averaged", seed),
        "CNN": at_four(nb, "CNN", seed),
        "FFN, augmented": at_four(nb, "FFN, augmented", seed),
        "commonest class": commonest(nb.y_thousand),
    }


@claim(
    AFTERNOON,
    "having seen shifts by up to 2 pixels helps at 4 as well",
    better="higher",
    by=0.05,
    trivial="commonest class",
)
def seen_shifts_help(nb, seed):
    return {
        "augmented": at_four(nb, "CNN, augmented", seed),
        "as they are": at_four(nb, "CNN", seed),
        "commonest class": commonest(nb.y_thousand),
    }


@claim(
    AFTERNOON,
    "The FFN falls further, even with augmentation.",
    better="higher",
    trivial="commonest class",
)
def ffn_falls_further(nb, seed):
    return {
        "CNN": at_four(nb, "CNN", seed),
        "FFN": at_four(nb, "FFN", seed),
        "FFN, augmented": at_four(nb, "FFN, augmented", seed),
        "commonest class": commonest(nb.y_thousand),
    }


@claim(
    AFTERNOON,
    "At σ = 0.4 the CNN without batch norm is ahead of the FFN and of the CNN with batch norm",
    better="higher",
    trivial="commonest class",
)
def without_norm_lasts(nb, seed):
    """The FFN at two rates."""
    x, y = nb.noisy(0.4), nb.y_thousand
    slow = nb.fit(
        lambda: nb.MLP((784, 128, 10)), nb.x_train[:1000], nb.y_train[:1000], 16, seed, 0.003
    )
    kinds = {"CNN without batch norm": "CNN, no batch norm", "FFN": "FFN", "CNN": "CNN"}
    sides = {name: nb.score(nb.robust_model(kind, seed), x, y) for name, kind in kinds.items()}
    return sides | {"FFN, smaller rate": nb.score(slow, x, y), "commonest class": commonest(y)}


@claim(
    AFTERNOON,
    "With the statistics of the batch the same weights recover most of what they had lost.",
    better="higher",
    trivial="commonest class",
)
def batch_statistics_recover(nb, seed):
    """Most: more than half of the way back to clean images, at σ = 0.4."""
    model, y = nb.robust_model("CNN", seed), nb.y_thousand
    clean, noisy = (nb.score(model, nb.noisy(sigma), y) for sigma in (0.0, 0.4))
    return {
        "statistics of the batch": nb.score_by_batch(model, nb.noisy(0.4), y),
        "half of the way back": (clean + noisy) / 2,
        "averages from training": noisy,
        "commonest class": commonest(y),
    }


def small_best(nb, seed):
    """The medium network, trained on 10,000 images: the notebook's takes too long for a ledger."""
    x, y = nb.x_train[:10_000], nb.y_train[:10_000]
    return nb.fit(lambda: nb.CNN((1, 16, 32, 64)), x, y, 2, seed, size=100, augment=nb.augment)


@claim(
    AFTERNOON,
    "The 15 pixels of the trained map cost far more than any other choice",
    by=0.1,
    trivial="random ink",
)
def map_finds_pixels(nb, seed):
    return nb.saliency_test(small_best(nb, seed), seed)


@claim(
    AFTERNOON,
    "occlusion finds the more important pixels",
    trivial="random ink",
)
def occlusion_finds_better(nb, seed):
    model = small_best(nb, seed)
    x, y = nb.x_held[:50] / 255, nb.y_held[:50]
    nb.set_seed(seed)
    random = nb.remaining(model, x, y, nb.scattered(x))
    return nb.occlusion_test(model) | {"random ink": random}
