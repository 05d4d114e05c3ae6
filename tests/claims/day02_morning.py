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
    "ten costs more, in these 150 steps, than the choice among these four.",
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
    "With batch norm it learns from the same small initial weights, and the plain network learns "
    "from Kaiming's initial weights",
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
    "or more mixed images, the difference hardly shows",
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


def left_in_training(nb, seed, size, rows):
    """Accuracy in training mode on these rows in batches, and in evaluation mode before, after."""
    model, _ = nb.fit_deep(True, nb.kaiming, seed, depth=3, steps=200)
    x, y = nb.x_test[:448][rows], nb.y_test[:448][rows]

    def share_right(parts):
        with nb.torch.no_grad():
            return (nb.torch.cat([model(one) for one in parts]).argmax(1) == y).float().mean()

    model.eval()
    before = share_right([x])
    model.train()
    training = share_right(x.split(size))
    model.eval()
    return training.item(), before.item(), share_right([x]).item()


@claim(
    MORNING,
    "with the images in the order of their classes (not shown), batches of 64 give about 35 %",
    better="higher",
    by=0.4,
    every_seed=True,
    trivial="commonest class",
)
def sorted_images_show_it(nb, seed):
    rows = nb.y_test[:448].argsort(stable=True)
    training, evaluation, _ = left_in_training(nb, seed, 64, rows)
    return {
        "evaluation mode": evaluation,
        "training mode, sorted": training,
        "commonest class": nb.y_test.bincount().max() / len(nb.y_test),
    }


@claim(
    MORNING,
    "After one pass in batches of two, even evaluation mode is about four points worse.",
    better="higher",
    by=0.02,
)
def the_damage_stays(nb, seed):
    _, before, after = left_in_training(nb, seed, 2, nb.torch.arange(448))
    return {"before": before, "after a pass in twos": after}


@claim(
    MORNING,
    "On the test images it is the other way round: at a rate of 0.003 (not shown), the network "
    "with "
    "batch norm is right for 96 % and the one with Kaiming's weights for 94 %.",
    better="higher",
    trivial="commonest class",
)
def batch_norm_wins_on_test(nb, seed):
    def accuracy(norm, std):
        nb.torch.manual_seed(seed)
        model = nb.deep(norm, std)
        optimiser = nb.torch.optim.Adam(model.parameters(), 3e-3)
        for _ in range(150):
            rows = nb.torch.randint(len(nb.x_train), (64,))
            loss = nb.F.cross_entropy(model(nb.x_train[rows]), nb.y_train[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return (model.eval()(nb.x_test).argmax(1) == nb.y_test).float().mean().item()

    return {
        "batch norm, σ = 0.02": accuracy(True, 0.02),
        "Kaiming": accuracy(False, nb.kaiming),
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
    "Early stopping lowers the test loss by more than a third",
    every_seed=True,
    trivial="guessing",
)
def stopping_saves_a_third(nb, seed):
    last, stopped = losses(nb, 200, 0.0, seed)
    return {
        "stopped early": stopped,
        "two thirds of the last step": last * 2 / 3,
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
    "There the network beats logistic regression on the pixels, 0.405 against 0.440, and on the "
    "three shares as well.",
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
    "After these 200 steps the average of sixty-four is as good as evaluation mode, which needs"
    " only "
    "one pass.",
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


@claim(
    MORNING,
    "Once the network overfits it is better: after 600 steps (not shown) the average has a test "
    "loss of 0.55, and evaluation mode 0.63.",
    by=0.03,  # nats
    trivial="guessing",
)
def thinned_average_of_an_overfitted_network(nb, seed):
    model, _ = nb.fit_coast(lambda: nb.coast_net(0.5), 200, 1e-4, seed)
    with nb.torch.no_grad():  # fit_coast leaves it in training mode
        mean = sum(model(nb.x_far).softmax(1) for _ in range(64)) / 64
    return {
        "average of 64": nb.F.nll_loss(mean.log(), nb.y_far).item(),
        "evaluation mode": nb.measure(model, nb.x_far, nb.y_far)[0],
        "guessing": math.log(2),
    }


@claim(
    MORNING,
    "a network with dropout that trains on all 400 tiles for 600 steps (not shown) does about as "
    "well, with a loss of 0.49.",
    by=-0.03,  # nats: about as well
    trivial="guessing",
)
def dropout_with_the_same_labels(nb, seed):
    """As many labels as early stopping uses, for training and for validation."""
    return {
        "dropout, 400 tiles": nb.fit_coast(lambda: nb.coast_net(0.5), 400, 1e-4, seed)[1][-1, 2],
        "stopped early, 200 and 200": losses(nb, 200, 0.0, seed)[1],
        "guessing": math.log(2),
    }
