"""Day 03, morning: what an interruption costs, which part of a run it comes from, and what the loop
by hand reaches beside a linear classifier."""

import math

import numpy as np

from dlcourse.release.claims.registry import claim

MORNING = "Day03-Intro_to_Pytorch_morning"
HALVES = ("Adam's averages", "learning rate")


@claim(
    MORNING,
    "Then the loss of the resumed run jumps up, and in three epochs it does not come back",
    by=0.01,  # nats, of some 0.02
    every_seed=True,
    trivial="guessing",
)
def weights_are_not_the_run(nb, seed):
    """Epochs 10 and 12: the worse one of the whole run, the better one of the other."""
    whole = nb.run_losses(nb.x_digits, nb.y_digits, seed)
    cut = nb.run_losses(nb.x_digits, nb.y_digits, seed, cut=9)
    return {
        "uninterrupted, the higher of epochs 10 and 12": max(whole[9], whole[11]),
        "from the weights alone, the lower of epochs 10 and 12": min(cut[9], cut[11]),
        "guessing": math.log(10),
    }


@claim(
    MORNING,
    "the network classifies more test images correctly than the linear classifier",
    better="higher",
    by=0.03,
    every_seed=True,
    trivial="always the commonest digit",
)
def hidden_layer_wins(nb, seed):
    mnist = nb.images.mnist()
    return {
        "network": nb.test_accuracy(mnist, nb.device, (784, 256, 10), seed),
        "linear": nb.test_accuracy(mnist, nb.device, (784, 10), seed),
        "always the commonest digit": mnist.y_test.bincount().max().item() / len(mnist.y_test),
    }


def resumed(nb, seed, *missing):
    """Losses of epochs 10 to 12 for each missing part, or half of the optimiser: (parts, 3)."""
    snapshot = nb.snapshot_at_9(nb.x_digits, nb.y_digits, seed)
    losses = []
    for one in missing:
        resume = nb.resume_without_half if one in HALVES else nb.resume_without
        losses.append(resume(one, snapshot, nb.x_digits, nb.y_digits, seed))
    return np.array(losses)


@claim(
    MORNING,
    "Apart from the model, the optimiser's state matters most.",
    better="higher",  # loss of epoch 10
    by=0.02,
    every_seed=True,
    trivial="nothing",
)
def optimiser_matters_most(nb, seed):
    parts = ("optimiser", "scheduler", "generator", "rng", "nothing")
    return dict(zip(parts, resumed(nb, seed, *parts)[:, 0].tolist(), strict=True))


@claim(
    MORNING,
    "Losing one of the two costs little; the loss jumps when both are lost.",
    better="higher",  # how far the loss of epoch 10 lies above that of the whole run
    by=0.02,
    every_seed=True,
    trivial="nothing",
)
def both_together(nb, seed):
    """Both causes taken away one by one: their sum is the strongest rival."""
    losses = resumed(nb, seed, "nothing", "optimiser", *HALVES)[:, 0]
    both, averages, rate = losses[1:] - losses[0]
    return {
        "both": both,
        "averages plus rate": averages + rate,
        "only Adam's averages": averages,
        "only the learning rate": rate,
        "nothing": 0.0,
    }


@claim(
    MORNING,
    "give a different run, not a worse one",
    by=-0.003,  # nats: a twentieth of what the optimiser's state costs
    trivial="guessing",
)
def another_order_is_as_good(nb, seed):
    """Mean loss of epochs 10 to 12, over both kinds of a different run."""
    whole, order, masks, optimiser = resumed(
        nb, seed, "nothing", "generator", "rng", "optimiser"
    ).mean(1)
    return {
        "another order, or other masks": (order + masks) / 2,
        "the same run": whole,
        "without the optimiser's state": optimiser,
        "guessing": math.log(10),
    }


@claim(
    MORNING,
    "from the second epoch on, the training loss is far below the healthy one",
    every_seed=True,
    trivial="guessing",
)
def dropout_forgotten(nb, seed):
    """The largest ratio to the healthy run's loss in epochs 2 to 15, for each patient."""
    healthy = nb.loop_run("healthy", nb.x_digits, nb.y_digits, seed)["training loss"][1:]
    ratios = {
        name: (nb.loop_run(name, nb.x_digits, nb.y_digits, seed)["training loss"][1:] / healthy)
        for name in "ABCD"
    }
    return {
        "A, at its closest": ratios["A"].max(),
        "three quarters of the healthy loss": 0.75,
        "the best of B, C and D, at its best": min(ratios[one].min() for one in "BCD"),
        "guessing": (math.log(10) / healthy).min(),
    }
