"""Day 01, morning: the map of landforms, depth against width, handwritten digits."""

import functools

import torch

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


def linear(nb, x, seed, epochs):
    """As the notebook's `linear_attempt`, with more epochs."""
    nb.torch.manual_seed(seed)
    mean, spread = x[nb.train].mean(0), x[nb.train].std(0).clamp_min(1e-6)
    model = nb.nn.Linear(x.shape[1], 4)
    nb.fit(model, (x[nb.train] - mean) / spread, nb.truth[nb.train], epochs, size=256, lr=5e-3)
    right = model((x - mean) / spread).argmax(1) == nb.truth
    return {place: one.item() for place, one in nb.accuracies(right).items()}


@claim(
    MORNING,
    "a linear model that gets it beside the 121 heights (not shown) beats the network on both "
    "tests",
    better="higher",
    every_seed=True,
)
def slope_beats_the_network(nb, seed):
    """Accuracy on the test where its lead is smaller; both with four times the epochs."""
    heights = nb.inputs[RAW]
    with_slope = linear(nb, nb.torch.cat([heights, nb.slope[:, None]], 1), seed, epochs=40)
    network = accuracies(nb, RAW, seed, epochs=40, lr=1e-3)
    place = min(network, key=lambda place: with_slope[place] - network[place])
    return {"linear, with the slope": with_slope[place], "network": network[place]}


@claim(
    MORNING,
    "So the hidden layer adds little next door and more in the east.",
    better="higher",
    by=0.03,
    every_seed=True,
)
def the_hidden_layer_adds_more_in_the_east(nb, seed):
    network = accuracies(nb, RAW, seed, epochs=40, lr=1e-3)
    without = linear(nb, nb.inputs[RAW], seed, epochs=40)
    return {
        "gain in the east": network["elsewhere"] - without["elsewhere"],
        "gain next door": network["next door"] - without["next door"],
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
    "At equal size, both read these spirals almost without an error",
    better="higher",
    trivial="guessing",
)
def both_read_two_turns(nb, seed):
    return {
        "the worse of the two": min(at_its_best(nb, one, seed) for one in ((70,), (16, 16))),
        "0.98": 0.98,
        "guessing": 0.5,
    }


def on_three_turns(nb, hidden, seed):
    """Test accuracy after 100 epochs, at the better of two rates."""
    (x, y), (x_test, y_test) = (
        nb.toy.spirals(1000, turns=3, noise=0.02, seed=one) for one in (0, 1)
    )
    found = []
    for lr in (0.02, 0.03):
        nb.torch.manual_seed(seed)
        network = nb.plane_network(*hidden)
        nb.fit(network, x, y, epochs=100, lr=lr)
        found.append(nb.accuracy(network(x_test), y_test).item())
    return max(found)


@claim(
    MORNING,
    "With three turns instead of two (not shown) both make many errors, and there two layers of 16 "
    "are ahead",
    better="higher",
    trivial="guessing",
    seeds=20,
)
def two_layers_win_on_three_turns(nb, seed):
    return {
        "two layers of 16": on_three_turns(nb, (16, 16), seed),
        "one layer of 70": on_three_turns(nb, (70,), seed),
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


@functools.cache
def nearest_neighbour(x, y, x_new, y_new):
    """Accuracy of copying the label of the nearest training image."""
    half = x.square().sum(1) / 2
    nearest = [(half - part @ x.T).argmin(1) for part in x_new.split(1000)]
    return (y[torch.cat(nearest)] == y_new).float().mean().item()


@claim(
    MORNING,
    "the network, with 97.8 %, is ahead of that by less than one point",
    better="higher",
    trivial="always the same digit",
)
def the_network_beats_the_nearest_neighbour(nb, seed):
    hidden = nb.train_digits(lambda: nb.one_hidden(256), seed)
    return {
        "network": nb.accuracy(hidden(nb.x_new), nb.y_new).item(),
        "nearest neighbour": nearest_neighbour(nb.x_train, nb.y_train, nb.x_new, nb.y_new),
        "always the same digit": 0.1135,
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
