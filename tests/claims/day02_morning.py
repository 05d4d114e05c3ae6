"""Day 02, morning: the learning rate against the optimiser's name, batch norm and its modes, and
whether dropout adds anything to early stopping."""

import math

import numpy as np

from dlcourse.release.claims.registry import claim

MORNING = "Day02-DL_concepts_morning"
DECADE = 2  # steps of the notebook's grid of rates, two of which make a factor of ten


@claim(
    MORNING,
    "The learning rate matters more than the optimiser's name: a rate that is wrong by a factor of "
    "ten costs more than the choice among these four.",
    trivial="guessing",
)
def rate_matters(nb, seed):
    """The worst choice of an optimiser, at its best rate, against the best one at a wrong rate."""
    grid = 10.0 ** (np.arange(-7, 3) / 2)
    losses = {kind: [nb.last_loss(kind, rate, seed) for rate in grid] for kind in nb.kinds}
    best = {kind: int(np.argmin(row[DECADE:-DECADE])) + DECADE for kind, row in losses.items()}
    return {
        "worst of four, each at its best rate": max(losses[k][i] for k, i in best.items()),
        "best of four, ten times too low": min(losses[k][i - DECADE] for k, i in best.items()),
        "best of four, ten times too high": min(losses[k][i + DECADE] for k, i in best.items()),
        "guessing": math.log(10),
    }


def last_steps(nb, norm, std, seed):
    """Mean training loss of the last ten of 150 steps."""
    return float(np.mean(nb.fit_deep(norm, std, seed)[1][-10:]))


@claim(
    MORNING,
    "With batch norm it learns from weights of the same size, and so does the plain network from "
    "Kaiming's weights",
    by=1.0,  # nats
    trivial="guessing",
)
def either_cure(nb, seed):
    cures = [last_steps(nb, True, 0.02, seed), last_steps(nb, False, nb.kaiming, seed)]
    return {
        "the worse of the two cures": max(cures),
        "plain, σ = 0.02": last_steps(nb, False, 0.02, seed),
        "guessing": math.log(10),
    }


@claim(
    MORNING,
    "In batches of two, training mode is far less accurate than evaluation mode; in batches of 64 "
    "or more, the difference hardly shows.",
    better="higher",
    by=-0.02,  # hardly
    trivial="commonest class",
)
def modes(nb, seed):
    """The sentence's second half, and its first as the side that loses by far."""
    two, large, larger, evaluation = nb.both_modes(seed, sizes=(2, 64, 256))
    return {
        "training mode, batches of 64 or more": min(large, larger),
        "evaluation mode": evaluation,
        "training mode, batches of 2, and 0.3": two + 0.3,
        "commonest class": nb.y_test.bincount().max() / len(nb.y_test),
    }


def losses(nb, n, p, seed):
    """Test loss after the last step, and with early stopping."""
    return nb.coast_scores(n, p, seed)[:, 0]


def accuracies(nb, n, p, seed):
    return nb.coast_scores(n, p, seed)[:, 1]


@claim(
    MORNING,
    "the wrong answers are given with more and more confidence",
    better="higher",
    by=0.05,
    every_seed=True,
    trivial="guessing",
)
def surer_where_wrong(nb, seed):
    """Mean probability of the answers that are wrong, on the other continents."""
    found = {}
    for steps in (600, 300, 120):
        model, _ = nb.fit_coast(lambda: nb.coast_net(0.0), 200, 1e-4, seed, steps)
        with nb.torch.no_grad():
            p, answer = model(nb.x_far).softmax(1).max(1)
        found[f"after {steps} steps"] = p[answer != nb.y_far].mean().item()
    return found | {"guessing": 0.5}


@claim(
    MORNING,
    "Early stopping nearly halves the test loss",
    every_seed=True,
    trivial="guessing",
)
def stopping_halves(nb, seed):
    last, stopped = losses(nb, 200, 0.0, seed)
    return {
        "stopped early": stopped,
        "two thirds of the last step": last * 2 / 3,  # nearly half
        "guessing": math.log(2),
    }


@claim(
    MORNING,
    "With 200 tiles, dropout lowers the loss after the last step, from 0.82 to 0.62.",
    trivial="guessing",
)
def dropout_without_stopping(nb, seed):
    return {
        "last step, dropout": losses(nb, 200, 0.5, seed)[0],
        "last step": losses(nb, 200, 0.0, seed)[0],
        "guessing": math.log(2),
    }


@claim(
    MORNING,
    "But early stopping alone gives 0.48, and together with it dropout adds nothing.",
    by=-0.01,  # nats: nothing that is worth it
    trivial="guessing",
)
def dropout_adds_nothing(nb, seed):
    """Not the notebook's p alone: its rivals are weaker and stronger dropout, too."""
    found = {"stopped early": losses(nb, 200, 0.0, seed)[1]}
    for p in (0.2, 0.5, 0.8):
        history = nb.fit_coast(lambda p=p: nb.coast_net(p), 200, 1e-4, seed)[1]
        found[f"stopped early, dropout {p}"] = history[nb.best_row(history), 2]
    return found | {"guessing": math.log(2)}


@claim(
    MORNING,
    "Logistic regression comes within 0.02 nats of the network, and counting the pixels around the "
    "hole is more accurate than both.",
    better="higher",
    trivial="commonest answer",
)
def counting_wins(nb, seed):
    found = {
        "network": accuracies(nb, 200, 0.0, seed)[1],
        "network, dropout": accuracies(nb, 200, 0.5, seed)[1],
        "logistic regression": accuracies(nb, 200, None, seed)[1],
    }
    counted = (nb.counted == nb.y_far).float().mean().item()
    commonest = (nb.y_far == nb.commonest).float().mean().item()
    return {"counting": counted} | found | {"commonest answer": commonest}


@claim(
    MORNING,
    "Logistic regression comes within 0.02 nats of the network",
    by=-0.02,
    trivial="guessing",
)
def linear_comes_close(nb, seed):
    return {
        "logistic regression": losses(nb, 200, None, seed)[1],
        "network": losses(nb, 200, 0.0, seed)[1],
        "guessing": math.log(2),
    }


@claim(
    MORNING,
    "There the network beats logistic regression, 0.405 against 0.440, and the three shares, too.",
    by=0.02,
    trivial="guessing",
)
def many_tiles(nb, seed):
    return {
        "network, stopped early": losses(nb, 6000, 0.0, seed)[1],
        "logistic regression": losses(nb, 6000, None, seed)[1],
        "three shares": nb.ring_scores(6000, seed)[1, 0],
        "guessing": math.log(2),
    }


@claim(
    MORNING,
    "Best of all is logistic regression on the three shares of land",
    by=0.01,  # nats
    trivial="guessing",
)
def three_shares(nb, seed):
    return {
        "three shares": nb.ring_scores(200, seed)[1, 0],
        "network, stopped early": losses(nb, 200, 0.0, seed)[1],
        "network, dropout, stopped early": losses(nb, 200, 0.5, seed)[1],
        "logistic regression": losses(nb, 200, None, seed)[1],
        "guessing": math.log(2),
    }


@claim(
    MORNING,
    "The average of sixty-four is as good as evaluation mode, which needs only one pass.",
    by=-0.005,  # nats
    trivial="guessing",
)
def thinned_average(nb, seed):
    one, many, evaluation = nb.thinned(seed, counts=(1, 64))
    return {
        "average of 64": many,
        "evaluation mode": evaluation,
        "one thinned network": one,
        "guessing": math.log(2),
    }
