"""Wrong answers that no table of mistakes foresees: the message still shows the
smallest failing case and why."""

import numpy as np
import pytest
import torch
from answers import message
from torch.nn import functional as F

from dlcourse import metrics
from dlcourse.checks.first_network import (
    activations,
    backprop,
    classification,
    loss_gradients,
    losses,
    networks,
    torch_training,
    training,
)
from dlcourse.checks.first_network import clinic as broken_loops


def one_entry_off(logits, y):
    gradient = loss_gradients.softmax_cross_entropy_backward.reference(logits, y)
    gradient[-1, -1] += 0.25
    return gradient


def momentum_instead(parameters, gradients, rate):
    return {name: value - rate * np.sign(gradients[name]) for name, value in parameters.items()}


def without_the_bias_step(x, y, parameters):
    loss, gradients = networks.loss_and_gradients.reference(x, y, parameters)
    return loss, gradients | {"b1": 0 * gradients["b1"]}


def open_at_zero(x, y, parameters):
    loss, gradients = networks.loss_and_gradients.reference(x, y, parameters)
    z, hidden, _ = networks._forward(x, parameters)
    grad = networks._logits_gradient(x, y, parameters) @ parameters["w2"].T * (z >= 0)
    return loss, gradients | {"w1": x.T @ grad, "b1": grad.sum(0)}


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "tanh": (activations.sigmoid, np.tanh, "three numbers", "at index [2]"),
    "rounded": (
        activations.sigmoid,
        lambda z: losses._softmax(np.stack([z, 0 * z], -1))[..., 0].round(3),
        "three numbers",
        "The largest difference is",
    ),
    "leaky": (
        networks.forward,
        lambda x, p: networks._forward(x, p, lambda z: F.leaky_relu(z, 0.01)),
        "one example, 2 → 3 → 2",
        "Item 2 of 3 differs",
    ),
    "two biases": (
        networks.forward,
        lambda x, p: networks._forward(x, p | {"b2": 2 * p["b2"]}),
        "one example, 2 → 3 → 2",
        "Item 3 of 3 differs",
    ),
    "list of columns": (
        losses.softmax,
        lambda z: losses._softmax(z).T,
        "one example, two classes",
        "The shape should be (1, 2), yours is (2, 1)",
    ),
    "sigmoid of each": (
        losses.softmax,
        lambda z: 1 / (1 + np.exp(-z)),
        "one example, two classes",
        "0.5",
    ),
    "bits": (
        losses.cross_entropy,
        lambda z, y: F.cross_entropy(torch.tensor(z), torch.tensor(y)).item() / np.log(2),
        "one example, two equal scores",
        "largest difference is 0.307",
    ),
    "a vector of losses": (
        losses.cross_entropy,
        lambda z, y: F.cross_entropy(torch.tensor(z), torch.tensor(y), reduction="none").numpy(),
        "one example, two equal scores",
        "should be a float, yours is a NumPy array",
    ),
    "labels as they are": (
        losses.one_hot,
        lambda y, classes: y,
        "one example of class 1",
        "The shape should be (1, 3)",
    ),
    "one entry off": (
        loss_gradients.softmax_cross_entropy_backward,
        one_entry_off,
        "one example",
        "at index [0, 1]",
    ),
    "half the slope": (
        backprop.numerical_gradient,
        lambda f, x, step: 0.5 * backprop._central(f, x),
        "f(x) = x²",
        "0.5 times the expected one",
    ),
    "a pair": (
        backprop.dense_backward,
        lambda grad, x, weight: (grad @ weight.T, x.T @ grad),
        "one example, 2 inputs",
        "The answer should have 3 items, yours has 2",
    ),
    "a name misspelt": (
        backprop.relu_backward,
        lambda grad, z: grad * (zz > 0),  # noqa: F821
        "one example: below, above",
        "NameError: name 'zz' is not defined",
    ),
    "only logits": (
        networks.forward,
        lambda x, p: networks._forward(x, p)[-1],
        "one example",
        "should be a tuple",
    ),
    "no bias step": (
        networks.loss_and_gradients,
        without_the_bias_step,
        "one example",
        "Item 2 of 2, entry 'b1' differs",
    ),
    "signs only": (training.sgd_step, momentum_instead, "one weight of 1", "0.9"),
    "half the rate": (
        training.fit,
        lambda x, y, p, rate, *rest: training.descend_with_fault(x, y, p, rate / 2, *rest),
        "one epoch of one batch",
        "entry 'w1' differs",
    ),
    "a fault not listed": (
        broken_loops.diagnose,
        lambda: dict.fromkeys("ABC", "bad luck"),
        "curve A",
        "not on the list",
    ),
    "percent": (
        classification.accuracy,
        lambda z, y: 100 * metrics.accuracy(z, y),
        "one example, right",
        "100 times",
    ),
    "one row short": (
        classification.confusion_matrix,
        lambda z, y, classes: metrics.confusion_matrix(z, y, classes)[:-1],
        "one example of class 0",
        "The shape should be (2, 2), yours is (1, 2)",
    ),
    "losses as tensors": (
        torch_training.fit_torch,
        lambda *args: torch.tensor(torch_training._fit_torch(*args)).unbind(),
        "one epoch of one batch",
        "Entry 'losses', item 1 of 1 differs. The answer should be a float, yours is a tensor",
    ),
    "a unit at exactly 0 counted as on": (
        networks.loss_and_gradients,
        open_at_zero,
        "an example that leaves every unit at exactly 0",
        "entry 'b1' differs",
    ),
    "half a dtype": (
        activations.sigmoid,
        lambda z: (0.5 * (1 + np.tanh(z / 2))).astype(np.float64),
        "a batch of two rows",
        "dtype should be float32, yours is float64",
    ),
    "rows of x only": (
        backprop.numerical_gradient,
        lambda f, x, step=1e-5: np.array(
            [backprop._half_width(f, x, i, step) / 2 for i in range(len(x))]
        ),
        "the sum of squares of a 2×3 array",
        "The shape should be (2, 3), yours is (2,)",
    ),
    "squared gaps": (
        classification.calibration_error,
        lambda z, y, bins=10: metrics.calibration_error(z, y, bins) ** 2,
        "one example, 0.75 sure",
        "0.25 times",
    ),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    text = message(check, wrong)
    assert f": {label}" in text.splitlines()[0]
    assert says in text and "Likely cause" not in text


ALSO_RIGHT = {
    "sigmoid by tanh": (activations.sigmoid, lambda z: 0.5 * (1 + np.tanh(z / 2))),
    "ReLU by where": (
        networks.forward,
        lambda x, p: networks._forward(x, p, lambda z: torch.where(z > 0, z, 0)),
    ),
    "one-hot from an identity matrix": (
        losses.one_hot,
        lambda y, classes: np.eye(classes, dtype=np.float32)[y],
    ),
    "mask from the output": (backprop.relu_backward, lambda grad, z: grad * (np.maximum(z, 0) > 0)),
    "a single number": (
        backprop.numerical_gradient,
        lambda f, x, step=1e-5: np.array(
            [backprop._half_width(f, x, i, step) / 2 for i in np.ndindex(x.shape)]
        ).reshape(x.shape),
    ),
    "gradients as a list": (backprop.dense_backward, lambda g, x, w: [g @ w.T, x.T @ g, g.sum(0)]),
    "accuracy of probabilities": (
        classification.accuracy,
        lambda z, y: metrics.accuracy(z.softmax(1), y),
    ),
}


@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_another_right_way_passes(check, answer):
    assert check(answer) is answer


def test_the_likelier_of_two_mistakes_is_named():
    # exp / sum overflows in one case and is right elsewhere; a single maximum fails in another one
    assert "the exponential overflows" in message(losses.softmax, lambda z: losses._exp_ratio(z))
    assert "one maximum for the whole batch" in message(
        losses.softmax, lambda z: losses._one_maximum(z)
    )


@pytest.mark.parametrize("kind", [np.float64, np.int64, bool])
def test_one_hot_rows_are_float32(kind):
    text = message(losses.one_hot, lambda y, classes: np.eye(classes, dtype=kind)[y])
    assert "dtype should be float32" in text


def test_a_step_that_is_ignored_shows_at_a_cube():
    f, x, step = backprop.numerical_gradient.list_cases()[-1].args
    found = backprop.numerical_gradient.reference(f, x, step)
    assert found == pytest.approx(3 * x**2 + step**2, rel=1e-12)  # the closed form
    text = message(backprop.numerical_gradient, lambda f, x, step: backprop._central(f, x, 1e-4))
    assert "f(x) = x³" in text.splitlines()[0]


def test_edges_of_the_losses():
    text = message(losses.softmax, lambda z: losses._minus_mean(z))
    assert "far above" in text.splitlines()[0] and "the row's mean is subtracted" in text
    text = message(losses.cross_entropy, lambda z, y: losses._times_one_hot(z, y))
    assert "ruled out" in text.splitlines()[0] and "0 · (−inf) is NaN" in text

    def seen_classes_only(logits, y):
        return (losses._softmax(logits) - np.eye(y.max() + 1)[y]) / len(y)

    text = message(loss_gradients.softmax_cross_entropy_backward, seen_classes_only)
    assert "the last class absent" in text.splitlines()[0]


def test_a_floor_under_p_and_bins_with_the_wrong_end_are_named():
    def plus_a_little(logits, y):
        p = losses._softmax(logits)[np.arange(len(y)), y]
        return float(-np.log(p + 1e-12).mean())

    text = message(losses.cross_entropy, plus_a_little)
    assert "Likely cause: log of a probability with a floor under it" in text
    text = message(classification.calibration_error, lambda *a: classification._floor(*a))
    assert "exactly 0.5" in text.splitlines()[0] and "Likely cause: bins closed on the" in text


def test_a_broken_run_wants_a_known_patient():
    with pytest.raises(KeyError, match="ask for one of A, B, C"):
        broken_loops.broken_run("D", None, None, None, 0.1, 1, 1, 0)


def test_metrics_agree_with_scikit_learn_and_with_bins_by_hand():
    from sklearn.metrics import accuracy_score
    from sklearn.metrics import confusion_matrix as oracle

    torch.manual_seed(0)
    logits, y = torch.randn(500, 7), torch.randint(6, (500,))
    predicted = logits.argmax(1)
    assert metrics.accuracy(logits, y).item() == pytest.approx(accuracy_score(y, predicted))
    assert (
        metrics.confusion_matrix(logits, y, 7).numpy() == oracle(y, predicted, labels=range(7))
    ).all()
    confidence = torch.tensor([0.95, 0.85, 0.85, 0.55])
    y = torch.tensor([0, 0, 1, 1])
    # bins: (0.5, 0.6] 0 right at 0.55; (0.8, 0.9] half right at 0.85; (0.9, 1] right at 0.95
    by_hand = (0.55 + 2 * 0.35 + 0.05) / 4
    logits = torch.stack([confidence.log(), (1 - confidence).log()], 1)
    assert metrics.calibration_error(logits, y).item() == pytest.approx(by_hand, abs=1e-6)


def test_metrics_take_one_example_and_float64():
    logits, y = torch.tensor([[0.0, 500.0]], dtype=torch.float64), torch.tensor([1])
    assert metrics.accuracy(logits, y) == 1 and metrics.calibration_error(logits, y) == 0
    assert metrics.confusion_matrix(logits, y, 3).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_what_points_at_the_fault_of_a_loop_is_compared_first():
    def shuffled_by_torch(x, y, model, rate, epochs, size, rng):
        torch.manual_seed(0)
        other = np.random.default_rng(int(torch.randint(99, ())))
        return torch_training.fit_torch.reference(x, y, model, rate, epochs, size, other)

    assert "'rng' differs" in message(torch_training.fit_torch, shuffled_by_torch)

    def one_step_more(*args):
        weights, steps = training.fit.reference(*args)
        return weights, [*steps, 0.0]

    assert "'number of losses' differs" in message(training.fit, one_step_more)


def test_inputs_are_shown_where_a_probe_hands_them_through():
    assert "z:  " in message(activations.sigmoid, lambda z: np.tanh(z**2))
