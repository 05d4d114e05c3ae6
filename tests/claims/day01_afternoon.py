"""Day 01, afternoon: batches, learning rate, width, start values, baselines and calibration."""

import functools
import math

from dlcourse.release.claims.registry import claim

AFTERNOON = "Day01_Intro_Colab_and_FFNs_afternoon"


def commonest(nb):
    """Share of the commonest class among the 8×8 test digits."""
    return nb.digits.y_test.bincount().max().item() / len(nb.digits.y_test)


def trained_on_leftovers(nb, seed, epochs=range(10), share=1.0):
    """The network of section 10 at a rate of 0.2, with a step on the leftovers in these epochs,
    at this share of the rate."""
    x, y, gradients_of, step = nb.x_train, nb.y_train, nb.loss_and_gradients, nb.sgd_step
    parameters, rng = nb.initialise(64, 64, 10, seed), nb.np.random.default_rng(seed)
    for epoch in range(10):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            rows = order[start : start + 32]
            if len(rows) < 32 and epoch not in epochs:
                continue
            _, gradients = gradients_of(x[rows], y[rows], parameters)
            parameters = step(parameters, gradients, 0.2 * (share if len(rows) < 32 else 1))
    return parameters


def leftovers(nb, seed, **options):
    return nb.test_accuracy(trained_on_leftovers(nb, seed, **options))


@claim(
    AFTERNOON,
    "With a full step on those three at the end of every epoch, the mean test accuracy of 24 seeds "
    "after ten epochs is 0.88 instead of 0.96",
    better="higher",
    by=0.03,
    trivial="commonest class",
    seeds=24,
)
def leftovers_hurt(nb, seed):
    return {
        "left out": nb.test_accuracy(nb.train_digits(seed, 0.2)[0]),
        "a full step on them": leftovers(nb, seed),
        "commonest class": commonest(nb),
    }


@claim(
    AFTERNOON,
    "The damage is done by the very last step: if the three are left out of the tenth epoch alone, "
    "the accuracy is 0.96 again.",
    better="higher",
    by=-0.005,  # as good as without them
    trivial="commonest class",
    seeds=24,
)
def the_last_step_does_the_damage(nb, seed):
    return {
        "left out of the tenth epoch": leftovers(nb, seed, epochs=range(9)),
        "left out": nb.test_accuracy(nb.train_digits(seed, 0.2)[0]),
        "in the tenth epoch alone, and 0.03": leftovers(nb, seed, epochs=[9]) + 0.03,
        "commonest class": commonest(nb),
    }


@claim(
    AFTERNOON,
    "A step shortened in proportion, to 3/32 of the rate, does no harm either.",
    better="higher",
    by=-0.005,
    trivial="commonest class",
    seeds=24,
)
def short_steps_do_no_harm(nb, seed):
    return {
        "shortened": leftovers(nb, seed, share=3 / 32),
        "left out": nb.test_accuracy(nb.train_digits(seed, 0.2)[0]),
        "commonest class": commonest(nb),
    }


@claim(
    AFTERNOON,
    "But the nearest neighbour is as good: this small set of clean images does not need a network.",
    better="higher",
    by=-0.005,  # as good: no more than half a point behind
    trivial="commonest class",
)
def nearest_neighbour_is_as_good(nb, seed):
    return {
        "nearest neighbour": (nb.y_train[nb.nearest] == nb.y_test).mean(),
        "network": nb.test_accuracy(nb.train_reader(seed)),
        "commonest class": commonest(nb),
    }


@claim(
    AFTERNOON,
    "Between 1 and 2 training breaks down: at 2 all eight seeds end at the level of guessing.",
    better="higher",
    by=0.5,
    trivial="commonest class",
    every_seed=True,
)
def edge_of_the_rates(nb, seed):
    return {
        "rate 1": nb.test_accuracy(nb.train_digits(seed, 1.0)[0]),
        "rate 2": nb.test_accuracy(nb.train_digits(seed, 2.0)[0]),
        "commonest class": commonest(nb),
    }


@claim(
    AFTERNOON,
    "A small rate is slow rather than bad: with ten times as many epochs, 0.01 gets as far as 0.1.",
    better="higher",
    by=-0.005,
    trivial="commonest class",
)
def small_rates_are_slow(nb, seed):
    return {
        "0.01, 100 epochs": nb.test_accuracy(nb.train_digits(seed, 0.01, epochs=100)[0]),
        "0.1, ten epochs": nb.test_accuracy(nb.train_digits(seed, 0.1)[0]),
        "commonest class": commonest(nb),
    }


@claim(
    AFTERNOON,
    "But a network whose units are all dead stays dead at a good rate, because a ReLU that is off "
    "for every image has gradient 0.",
    better="higher",
    by=0.5,
    trivial="commonest class",
)
def dead_networks_stay_dead(nb, seed):
    """The cause taken away: with hidden weights drawn anew the same network learns."""
    with nb.np.errstate(all="ignore"):
        killed, _ = nb.train_digits(seed, 10.0)
    fresh = nb.initialise(64, 64, 10, seed + 100)
    awake = killed | {name: fresh[name] for name in ("w1", "b1")}

    def after_ten_epochs(start):
        rng = nb.np.random.default_rng(seed)
        return nb.test_accuracy(nb.fit(nb.x_train, nb.y_train, start, 0.1, 10, 32, rng)[0])

    return {
        "hidden weights drawn anew": after_ten_epochs(awake),
        "as it was": after_ten_epochs(killed),
        "commonest class": commonest(nb),
    }


def by_width(nb, seed, widths):
    return {
        f"{width} units": nb.test_accuracy(nb.train_digits(seed, 0.2, width, epochs=20)[0])
        for width in widths
    }


@claim(
    AFTERNOON,
    "Sixteen units do better than any smaller number",
    better="higher",
    trivial="commonest class",
)
def sixteen_units_beat_fewer(nb, seed):
    return by_width(nb, seed, (16, 8, 4, 2, 1)) | {"commonest class": commonest(nb)}


@claim(
    AFTERNOON,
    "the next three doublings together gain less than 0.02",
    better="higher",
    by=-0.02,
    trivial="commonest class",
)
def more_units_gain_little(nb, seed):
    return by_width(nb, seed, (16, 32, 64, 128)) | {"commonest class": commonest(nb)}


def losses_from(nb, seed, names):
    starts = nb.make_starts(seed)
    return {name: nb.train_from(starts[name], seed)[0] for name in names}


@claim(
    AFTERNOON,
    "(c) A small difference is enough to break the symmetry, and the loss falls.",
    trivial="guessing",
)
def small_differences_break_the_symmetry(nb, seed):
    losses = losses_from(nb, seed, ("0.1 + random / 100", "all 0.1"))
    return losses | {"guessing": math.log(10)}


@claim(AFTERNOON, "(d) From our usual start it falls further.", trivial="guessing")
def usual_start_is_better(nb, seed):
    losses = losses_from(nb, seed, ("random", "0.1 + random / 100", "all 0.1"))
    return losses | {"guessing": math.log(10)}


@functools.cache
def nearest_on_mnist(nb):
    """Accuracy of copying the label of the nearest of the large training images."""
    half = (nb.x_large**2).sum(1) / 2
    nearest = [(half - part @ nb.x_large.T).argmin(1) for part in nb.np.split(nb.x_held, 20)]
    return (nb.mnist.y.numpy()[nb.np.concatenate(nearest)] == nb.mnist.y_test.numpy()).mean()


def train_linear(nb, seed, rate):
    """Softmax regression on the large digits, with the epochs and batches of `train_mnist`."""
    x, y, rng = nb.x_large, nb.mnist.y.numpy(), nb.np.random.default_rng(seed)
    dense, backward = nb.dense, nb.softmax_cross_entropy_backward
    weight, bias = nb.np.zeros((784, 10), nb.np.float32), nb.np.zeros(10, nb.np.float32)
    for _ in range(6):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - 64 + 1, 64):
            rows = order[start : start + 64]
            grad = backward(dense(x[rows], weight, bias), y[rows])
            weight, bias = weight - rate * x[rows].T @ grad, bias - rate * grad.sum(0)
    return weight, bias


@claim(
    AFTERNOON,
    "Here the hidden layer pays off: a linear model, trained in the same way, classifies only "
    "about 92 % of MNIST's test images correctly.",
    better="higher",
    by=0.04,
    trivial="commonest class",
)
def hidden_layer_pays_on_mnist(nb, seed):
    y = nb.mnist.y_test.numpy()

    def share_right(logits):
        return (logits.argmax(1) == y).mean()

    linear = {
        f"linear, rate {rate:g}": share_right(nb.dense(nb.x_held, *train_linear(nb, seed, rate)))
        for rate in (0.3, 0.1)
    }
    return {
        "hidden layer": share_right(nb.forward(nb.x_held, nb.train_mnist(seed))[-1]),
        **linear,
        "commonest class": nb.np.bincount(y).max() / len(y),
    }


@claim(
    AFTERNOON,
    "The nearest neighbour is right on 96.9 % there, so the network beats it, too, but only by "
    "about half a point.",
    better="higher",
    trivial="commonest class",
)
def the_network_beats_neighbours_on_mnist(nb, seed):
    y = nb.mnist.y_test.numpy()
    answers = nb.forward(nb.x_held, nb.train_mnist(seed))[-1].argmax(1)
    return {
        "network": (answers == y).mean(),
        "nearest neighbour": nearest_on_mnist(nb),
        "commonest class": nb.np.bincount(y).max() / len(y),
    }


@claim(
    AFTERNOON,
    "It gives every image the same probabilities, the frequencies of the digits in the training "
    "set, and yet its calibration error is as low as the network's.",
    by=-0.001,  # as low: no more than a thousandth above
)
def frequencies_are_calibrated(nb, seed):
    y = nb.mnist.y_test
    logits = nb.torch.from_numpy(nb.forward(nb.x_held, nb.train_mnist(seed))[-1])
    always = nb.frequency.log().expand(len(y), 10)
    return {"frequencies": nb.calibration_error(always, y)} | {
        f"logits × {factor:g}": nb.calibration_error(factor * logits, y)
        for factor in (0.25, 1.0, 4.0)
    }
