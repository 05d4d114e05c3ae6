"""Day 01, morning: the map of landforms, depth against width, handwritten digits."""

from dlcourse.release.claims.registry import claim

MORNING = "Day01_Intro_Colab_and_FFNs_morning"
FEET = 1 / 0.3048  # in a metre
RAW, HEIGHT = "raw heights around", "height"
SMALL, GOOD = "slope, height above 7 × 7", "slope, height above 21 × 21"


def accuracies(nb, x, seed, **training):
    """{"next door": …, "elsewhere": …} of one of the notebook's inputs, or of another one."""
    x = nb.inputs[x] if isinstance(x, str) else x.flatten(1)
    answers = nb.attempt(x, seed, **training)(x).argmax(1)
    return {place: one.item() for place, one in nb.accuracies(answers == nb.truth).items()}


def commonest(nb):
    right = nb.truth == nb.truth[nb.train].mode().values
    return {place: one.item() for place, one in nb.accuracies(right).items()}


def good_against_raw(nb, seed, place, x=RAW):
    return {
        "two numbers, 21 × 21": accuracies(nb, GOOD, seed)[place],
        "network": accuracies(nb, RAW, seed)[place],
        "network, four times as long": accuracies(nb, x, seed, epochs=40, lr=1e-3)[place],
        "commonest class": commonest(nb)[place],
    }


@claim(
    MORNING,
    "by a little next door",
    better="higher",
    trivial="commonest class",
    every_seed=True,
)
def good_features_win_next_door(nb, seed):
    return good_against_raw(nb, seed, "next door")


@claim(
    MORNING,
    "But the same features with 21 × 21 surroundings beat the network",
    better="higher",
    by=0.04,
    trivial="commonest class",
    every_seed=True,
)
def good_features_win_in_the_east(nb, seed):
    all_441 = nb.windows - nb.height[:, None, None]  # the network sees 121 of these heights
    return good_against_raw(nb, seed, "elsewhere", x=all_441)


@claim(
    MORNING,
    "The network on raw heights is far better than the height alone",
    better="higher",
    by=0.2,
    trivial="commonest class, its better test",
    every_seed=True,
)
def the_network_beats_bad_features(nb, seed):
    return {
        "network, its worse test": min(accuracies(nb, RAW, seed).values()),
        "height alone, its better test": max(accuracies(nb, HEIGHT, seed).values()),
        "two numbers, 7 × 7, their better test": max(accuracies(nb, SMALL, seed).values()),
        "commonest class, its better test": max(commonest(nb).values()),
    }


def lost(of_one):
    return of_one["next door"] - of_one["elsewhere"]


@claim(
    MORNING,
    "The height alone loses most accuracy on moving east.",
    better="higher",
    trivial="commonest class",
)
def height_alone_loses_most(nb, seed):
    of_all = {name: lost(accuracies(nb, name, seed)) for name in (HEIGHT, SMALL, GOOD, RAW)}
    return of_all | {"commonest class": lost(commonest(nb))}


def stated_and_wrong(nb, name, seed, factor):
    """In the east: the mean stated probability, and the share of wrong answers."""
    x = nb.inputs[name]
    stated, answers = nb.attempt(x, seed)(x * factor).softmax(1).max(1)
    east = nb.tests["elsewhere"]
    return stated[east].mean().item(), (answers != nb.truth)[east].float().mean().item()


@claim(MORNING, "The network is wrong more often", better="higher", by=0.1, every_seed=True)
def feet_make_the_network_wrong(nb, seed):
    return {
        "in feet": stated_and_wrong(nb, RAW, seed, FEET)[1],
        "in metres": stated_and_wrong(nb, RAW, seed, 1.0)[1],
    }


@claim(MORNING, "it states a higher probability", better="higher", by=0.03, every_seed=True)
def feet_make_the_network_sure(nb, seed):
    return {
        "in feet": stated_and_wrong(nb, RAW, seed, FEET)[0],
        "in metres": stated_and_wrong(nb, RAW, seed, 1.0)[0],
    }


@claim(
    MORNING,
    "With these random weights, four layers of 8 have fewer pieces than one layer of 32",
    every_seed=True,
)
def random_depth_buys_no_pieces(nb, seed):
    return {
        "four layers of 8": nb.count_pieces(nb.patterns((2, 8, 8, 8, 8), seed)),
        "one layer of 32": nb.count_pieces(nb.patterns((2, 32), seed)),
    }


def at_its_best(nb, hidden, seed):
    return max(nb.spiral_score(hidden, lr, seed) for lr in (0.01, 0.03, 0.1))


@claim(
    MORNING,
    "At equal width, two layers beat one, each at the best of these three rates.",
    better="higher",
    by=0.03,
    trivial="guessing",
    every_seed=True,
)
def two_layers_beat_one_of_their_width(nb, seed):
    return {
        "two layers of 16": at_its_best(nb, (16, 16), seed),
        "one layer of 16": at_its_best(nb, (16,), seed),
        "guessing": 0.5,
    }


@claim(
    MORNING,
    "At equal size, one wide layer does as well as two narrow ones.",
    better="higher",
    by=-0.01,
    trivial="guessing",
)
def one_wide_layer_is_as_good(nb, seed):
    return {
        "one layer of 70": at_its_best(nb, (70,), seed),
        "two layers of 16": at_its_best(nb, (16, 16), seed),
        "guessing": 0.5,
    }


@claim(
    MORNING,
    "The hidden layer removes more than half of its errors.",
    trivial="half of always the same digit's",
    every_seed=True,
)
def a_hidden_layer_halves_the_errors(nb, seed):
    def wrong(model):
        return 1 - nb.accuracy(model(nb.x_new), nb.y_new).item()

    hidden = nb.train_digits(lambda: nb.one_hidden(256), seed)
    linear = nb.train_digits(lambda: nb.nn.Linear(784, 10), seed)
    half = wrong(linear) / 2
    nb.fit(linear, nb.x_train, nb.y_train, epochs=6, size=256, lr=2e-3)
    return {
        "hidden layer": wrong(hidden),
        "half of the linear model's": half,
        "half of the linear model's after six more epochs": wrong(linear) / 2,
        "half of always the same digit's": 0.45,
    }


@claim(
    MORNING,
    "From width 32 to width 512 the test accuracy rises",
    better="higher",
    trivial="always the same digit",
    every_seed=True,
)
def width_raises_the_accuracy(nb, seed):
    return {
        "width 512": nb.few_digits(512, seed)["test accuracy"],
        "width 32": nb.few_digits(32, seed)["test accuracy"],
        "always the same digit": 0.1135,
    }


@claim(MORNING, "and the test loss stays about the same.", by=-0.02)
def width_does_not_raise_the_loss(nb, seed):
    return {
        "width 512": nb.few_digits(512, seed)["test loss"],
        "width 32": nb.few_digits(32, seed)["test loss"],
    }
