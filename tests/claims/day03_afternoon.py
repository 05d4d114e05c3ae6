"""Day 03, afternoon: rare classes, holes in digits and in coasts, a bad batch, averaged weights."""

import math
import tempfile
from pathlib import Path

from dlcourse.release.claims.registry import claim

AFTERNOON = "Day03-Intro_to_Pytorch_afternoon"


def mean_recall(nb, logits, classes=slice(None)):
    return nb.recall(logits)[classes].mean().item()


@claim(
    AFTERNOON,
    "The sampler finds more of them.",
    better="higher",
    trivial="commonest class",
)
def sampler_finds_rare(nb, seed):
    """Rare recall; the sides have the same network, the same number of steps."""
    return {
        "sampler": mean_recall(nb, nb.classifier(seed, balanced=True), nb.scarce),
        "plain": mean_recall(nb, nb.classifier(seed, balanced=False), nb.scarce),
        "commonest class": 0.0,
    }


@claim(
    AFTERNOON,
    "The corrected logits of the *plain* network find more still, but they also lose more of the "
    "common digits.",
    better="higher",
    trivial="commonest class",
)
def correction_finds_more(nb, seed):
    sampled, plain = (nb.classifier(seed, balanced=choice) for choice in (True, False))
    return {
        "corrected": mean_recall(nb, nb.correct(plain), nb.scarce),
        "sampler": mean_recall(nb, sampled, nb.scarce),
        "plain": mean_recall(nb, plain, nb.scarce),
        "commonest class": 0.0,
    }


TRADE_OFF = (
    "Where both find 90 % of the common digits, their mean recalls of the rare ones differ by "
    "0.01, less than two seeds of one method do."
)


def rare_recalls(nb, seed):
    """Recall of the rare digits where 90 % of the common ones are found: plain, sampler."""
    parts = nb.torch.linspace(-0.5, 1.5, 41)
    return [
        nb.rare_recall_at(nb.path(nb.classifier(seed, balanced=choice), parts), 0.9)
        for choice in (False, True)
    ]


@claim(AFTERNOON, TRADE_OFF, better="higher", by=-0.05, seeds=16)
def plain_is_no_worse(nb, seed):
    plain, sampler = rare_recalls(nb, seed)
    return {"plain": plain, "sampler": sampler}


@claim(AFTERNOON, TRADE_OFF, better="higher", by=-0.05, seeds=16)
def the_sampler_is_no_worse(nb, seed):
    plain, sampler = rare_recalls(nb, seed)
    return {"sampler": sampler, "plain": plain}


def digits_filled(nb, seed, epochs=None, laplace=False):
    """MAE on one draw of test holes: the network, its bar and its rivals; Laplace if asked for."""
    with tempfile.TemporaryDirectory() as folder:
        model, _ = nb.train_inpainter(
            seed, nb.x_train, nb.x_valid, Path(folder, "run.pt"), epochs or nb.epochs
        )
    hole = nb.holes(1000, nb.torch.Generator().manual_seed(100 + seed)).to(nb.device)
    truth, mean = nb.x_hidden, nb.constants(nb.x_train)["mean image"]
    nine = nb.nearest_images(truth, hole, nb.x_train, k=9)

    def score(filled):
        return nb.hole_mae(filled.expand_as(truth), truth, hole).item()

    return {
        "network": score(nb.fill(model, truth, hole)),
        "65 % of the mean image's": 0.65 * score(mean),
        "nearest image": score(nine[:, 0]),
        "median of nine": score(nine.median(1).values),
        "Laplace": score(nb.laplace(truth, hole)) if laplace else None,
        "median image": score(nb.constants(nb.x_train)["median image"]),
    }


@claim(
    AFTERNOON,
    "The network's MAE is more than 35 % below that of the mean image.",
    trivial="median image",
    every_seed=True,
)
def network_reaches_the_bar(nb, seed):
    scores = digits_filled(nb, seed)
    return {name: scores[name] for name in ("network", "65 % of the mean image's", "median image")}


@claim(AFTERNOON, "It also beats the single nearest image.", trivial="median image")
def network_beats_the_nearest(nb, seed):
    scores = digits_filled(nb, seed, laplace=True)
    return {name: scores[name] for name in ("network", "nearest image", "Laplace", "median image")}


@claim(
    AFTERNOON,
    "But 0.174 is more than the 0.163 of the median of nine, which was found without any training.",
    trivial="median image",
)
def median_of_nine_wins(nb, seed):
    scores = digits_filled(nb, seed)
    return {name: scores[name] for name in ("median of nine", "network", "median image")}


@claim(
    AFTERNOON,
    "After 20 epochs, not shown, the network has caught up.",
    by=-0.002,
    trivial="median image",
)
def the_network_catches_up(nb, seed):
    scores = digits_filled(nb, seed, epochs=20)
    return {name: scores[name] for name in ("network", "median of nine", "median image")}


def coasts_filled(nb, seed):
    """Share of hidden pixels that are wrong, on one draw of test holes."""
    with tempfile.TemporaryDirectory() as folder:
        model, _ = nb.train_inpainter(
            seed, nb.land_train, nb.land_valid, Path(folder, "run.pt"), nb.epochs
        )
    hole = nb.holes(1000, nb.torch.Generator().manual_seed(100 + seed)).to(nb.device)
    filled = nb.fill_coasts(model, nb.land_test, hole)
    return {name: nb.hole_mae(one, nb.land_test, hole).item() for name, one in filled.items()}


@claim(
    AFTERNOON,
    "Yet Laplace's equation makes fewer errors than the network, and fewer than the median of "
    "nine.",
    trivial="majority",
    every_seed=True,
)
def laplace_wins_on_coasts(nb, seed):
    scores = coasts_filled(nb, seed)
    names = ("Laplace", "network", "median of nine", "majority")
    return {name: scores[name] for name in names}


@claim(
    AFTERNOON,
    "Without a limit, one step throws the weights far away, and after 50 more steps the loss is "
    "still higher.",
    trivial="guessing",
)
def clipping_helps(nb, seed):
    """Means of the last ten losses."""
    clipped, free = (nb.glitch(seed, most) for most in (1.0, math.inf))
    return {
        "limit": sum(clipped[-10:]) / 10,
        "no limit": sum(free[-10:]) / 10,
        "guessing": math.log(10),
    }


@claim(
    AFTERNOON,
    "After three epochs, the average has a smaller error than the last weights of the same run, "
    "and a smaller one than the last weights of the run with the falling rate.",
    trivial="median image",
)
def averaging_helps(nb, seed):
    last, average = nb.averaged_run(seed, lowest=4e-3)
    hole = nb.holes(len(nb.x_valid), nb.torch.Generator().manual_seed(9))
    median = nb.constants(nb.x_train)["median image"].expand_as(nb.x_valid)
    return {
        "average": average,
        "last weights": last,
        "falling rate": nb.averaged_run(seed, lowest=0.0)[0],
        "median image": nb.hole_mae(median, nb.x_valid, hole).item(),
    }
