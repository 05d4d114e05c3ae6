"""Wrong answers that no table of mistakes foresees, for the checks of the
tensor engine and of experiments."""

import inspect
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from answers import WARNINGS_ARE_ERRORS, message

from dlcourse.checks.experiments import (
    activations,
    adaptive_optimisers,
    gradients,
    model_selection,
    normalisation_backward,
    paired_seeds,
    reductions,
    search,
    stopping,
    tensor_engine,
    tensor_graph,
)
from dlcourse.checks.experiments import clinic as broken_runs

pytestmark = WARNINGS_ARE_ERRORS


def one_entry_off(grad, x, gamma, eps):
    grad_x, *rest = normalisation_backward.batch_norm_backward.reference(grad, x, gamma, eps)
    grad_x[-1, -1] += 0.5
    return grad_x, *rest


def half_way(root):
    """Gives every node but the leaves its gradient."""
    value = gradients.run_backward(root)
    for node in tensor_graph.order_by_counting(root):
        if not node.parents:
            node.grad = 0.5 * node.grad
    return value


def nearest_first(root):
    """From the result outwards, each node once."""
    root.grad, waiting, seen = np.ones_like(root.data), [root], set()
    for node in waiting:
        if id(node) not in seen and node.parents:
            seen.add(id(node))
            for parent, grad in zip(node.parents, node.pull(node.grad), strict=True):
                parent.grad = parent.grad + grad
                waiting.append(parent)
    return float(root.data)


class Signs(adaptive_optimisers.PlainAdamW):
    def step(self):
        for one in self.parameters:
            one.data = one.data * (1 - self.rate * self.decay) - self.rate * np.sign(one.grad)


class NoState(adaptive_optimisers.PlainRMSProp):
    def step(self):
        for one in self.parameters:
            one.data -= self.rate * one.grad / (self.second[0] + self.eps)


def scaled_by_the_largest(x, y, folds, score):
    return [score(x[a] / x[a].max(0), y[a], x[b] / x[a].max(0), y[b]) for a, b in folds]


def twice_the_epochs(parameters, epoch, validate, patience, most):
    def both():
        epoch(), epoch()

    return stopping.fit_with_patience.reference(parameters, both, validate, patience, most)


def one_trial_short(objective, ranges, trials, rng):
    return search.random_search.reference(objective, ranges, trials - 1, rng)


def one_axis_only(grad, a, axis=None):
    mask = a == a.max(axis=axis, keepdims=True)
    shape = list(a.shape)
    if axis is not None:
        shape[axis] = 1
    return mask / mask.sum(axis=axis, keepdims=True) * np.reshape(grad, shape if grad.ndim else ())


def with_a_higher_limit(root):
    sys.setrecursionlimit(20_000)
    return tensor_graph._recursive(root)


def shared_arrays(root):
    """Keeps the first array that arrives, and adds to it in place."""
    root.grad, met = np.ones_like(root.data), set()
    for node in reversed(tensor_graph.order_by_counting(root)):
        for parent, grad in zip(
            node.parents, node.pull(node.grad) if node.parents else (), strict=True
        ):
            if id(parent) in met or not parent.parents:
                parent.grad += grad
            else:
                parent.grad = grad
            met.add(id(parent))
    return float(root.data)


class FirstRate(adaptive_optimisers.PlainRMSProp):
    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.first = self.rate

    def step(self):
        self.rate = self.first
        super().step()


class NoStep(adaptive_optimisers.PlainAdamW):
    def step(self):
        pass


def a_little_added(x, y, folds, score):
    scaled = [(x - x[a].mean(0)) / (x[a].std(0) + 1e-8) for a, _ in folds]
    return [score(z[a], y[a], z[b], y[b]) for z, (a, b) in zip(scaled, folds, strict=True)]


def validated_twice(parameters, epoch, validate, patience, most):
    def both():
        validate()
        return validate()

    return stopping._stop(parameters, epoch, both, patience, most)


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "only a reshape": (
        tensor_engine.unbroadcast,
        lambda grad, shape: grad.reshape(-1)[: int(np.prod(shape))].reshape(shape),
        "a row (3,) used for 2 rows",
        "at index [2]",
    ),
    "a difference": (
        tensor_engine.add_backward,
        lambda grad, a, b: (grad, -grad),
        "two numbers",
        "Item 2 of 2 differs. Your answer has the opposite sign",
    ),
    "one gradient": (
        tensor_engine.mul_backward,
        lambda grad, a, b: grad * b,
        "two numbers",
        "expected",
    ),
    "a list for the engine": (
        tensor_engine.add_backward,
        lambda *args: [*tensor_engine.add_backward.reference(*args)],
        "two numbers",
        "return a tuple: the engine takes a list for a single gradient",
    ),
    "only b's copies": (
        tensor_engine.matmul_backward,
        lambda grad, a, b: (
            grad @ b.swapaxes(-1, -2),
            tensor_engine._unbroadcast(a.swapaxes(-1, -2) @ grad, b.shape),
        ),
        "one matrix (4, 3) @ a stack",
        "The shape should be (4, 3), yours is (5, 4, 3)",
    ),
    "one axis only": (
        reductions.max_backward,
        one_axis_only,
        "3 × 3 × 4 over the last two axes",
        "TypeError",
    ),
    "a limit raised": (
        tensor_graph.topological_order,
        with_a_higher_limit,
        "the sum of x",
        "the limit was raised",
    ),
    "one array for two parents": (
        gradients.backward,
        shared_arrays,
        "a diamond",
        "Entry 'gradient of z * x' differs",
    ),
    "a step of its own": (
        gradients.gradient_check,
        lambda f, gradient, x, step=1e-5: gradients.error_by_differences(f, gradient, x),
        "cubes, the slope without the step's",
        "The largest difference is 0.0769",
    ),
    "the first rate for ever": (
        adaptive_optimisers.RMSProp,
        FirstRate,
        "the rate is set anew",
        "parameter 1 after step 2",
    ),
    "not a step": (
        adaptive_optimisers.AdamW,
        NoStep,
        "one step from 1",
        "no parameter has moved",
    ),
    "NaN skipped": (
        stopping.suggest_rate,
        lambda rates, losses, beta: stopping._suggest(
            rates[np.isfinite(losses)], losses[np.isfinite(losses)], beta
        ),
        "NaN in between",
        "got:          1",
    ),
    "validated twice": (
        stopping.fit_with_patience,
        validated_twice,
        "better in each of 3",
        "'calls of validate' differs",
    ),
    "a generator of its own": (
        model_selection.k_fold,
        lambda n, k, rng: model_selection._folds(n, k, np.random.default_rng(7)),
        "9 examples, 3 folds",
        "'another rng gives others'",
    ),
    "a little added to sigma": (
        model_selection.cross_validate,
        a_little_added,
        "a feature that is the same in training alone",
        "Item 1 of 1 differs",
    ),
    "arrays only": (
        paired_seeds.paired_comparison,
        lambda a, b: paired_seeds._error(a - b),
        "lists of four",
        "TypeError",
    ),
    "einsum typo": (
        tensor_engine.matmul_backward,
        lambda grad, a, b: np.einsum("ij,jk->ij", grad, b),
        "a row (1, 2)",
        "got",
    ),
    "a mean of a mean": (
        reductions.sum_backward,
        lambda grad, a, axis=None: np.full(a.shape, 0.5),
        "a row to a",
        "0.25 times the expected one",
    ),
    "soft maximum": (
        reductions.max_backward,
        lambda grad, a, axis=None: torch.softmax(torch.tensor(a), 0).numpy(),
        "a row to a number",
        "The largest difference is",
    ),
    "leaky": (
        activations.relu_backward,
        lambda grad, a: grad * np.where(a > 0, 1, 0.01),
        "below and above",
        "at index [0]",
    ),
    "in bits": (
        activations.log_softmax_backward,
        lambda grad, a: activations.log_softmax_backward.reference(grad, a) / np.log(2),
        "one row, two equal scores",
        "1.4427 times",
    ),
    "only the leaves": (
        tensor_graph.topological_order,
        lambda root: [
            n for n in tensor_graph.order_by_counting(root) if n is root or not n.parents
        ],
        "x * x: one parent twice",
        "missing",
    ),
    "names misspelt": (
        tensor_graph.topological_order,
        lambda root: [root, *root.parent],
        "the sum of x",
        "AttributeError",
    ),
    "leaves halved": (gradients.backward, half_way, "the sum of x", "0.5 times"),
    "cube root of the error": (
        gradients.gradient_check,
        lambda *args: gradients.gradient_check.reference(*args) ** (1 / 3),
        "one entry of three",
        "expected",
    ),
    "one entry off": (
        normalisation_backward.batch_norm_backward,
        one_entry_off,
        "2 examples, 1 feature",
        "Item 1 of 3 differs",
    ),
    "a pair": (
        normalisation_backward.layer_norm_backward,
        lambda *args: normalisation_backward.layer_norm_backward.reference(*args)[:2],
        "1 example, 2 features",
        "The answer should have 3 items, yours has 2",
    ),
    "signs only": (
        adaptive_optimisers.AdamW,
        Signs,
        "two steps, two parameters",
        "parameter 1 after step 1",
    ),
    "no such state": (
        adaptive_optimisers.RMSProp,
        NoState,
        "one step from 1",
        "no attribute 'second'",
    ),
    "the first rate": (
        stopping.suggest_rate,
        lambda rates, losses, beta: rates[0],
        "four rates",
        "0.1 times",
    ),
    "two epochs at a time": (
        stopping.fit_with_patience,
        twice_the_epochs,
        "better in each of 3",
        "Entry 'losses', item 1",
    ),
    "k + 1 folds": (
        model_selection.k_fold,
        lambda n, k, rng: model_selection.k_fold.reference(n, k + 1, rng),
        "9 examples, 3 folds",
        "'folds'",
    ),
    "by the largest": (
        model_selection.cross_validate,
        scaled_by_the_largest,
        "4 examples, 1 feature",
        "expected",
    ),
    "half the range": (
        search.log_uniform,
        lambda low, high, size, rng: search.log_uniform.reference(low, high**0.5, size, rng),
        "5 draws",
        "The largest difference",
    ),
    "one trial short": (
        search.random_search,
        one_trial_short,
        "3 trials of one rate",
        "'number of",
    ),
    "a range": (
        paired_seeds.mean_and_error,
        lambda values: (np.mean(values), np.ptp(values)),
        "two seeds, 1 and 3",
        "Item 2 of 2 differs",
    ),
    "in per cent": (
        paired_seeds.paired_comparison,
        lambda a, b: tuple(100 * v for v in paired_seeds._paired(a, b)),
        "two seeds",
        "100 times",
    ),
    "a fault not listed": (
        broken_runs.diagnose_runs,
        lambda: dict.fromkeys("ABCDEF", "bad luck"),
        "run A",
        "not on the list",
    ),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says, capfd):
    text = message(check, wrong)
    assert f": {label}" in text.splitlines()[0]
    assert says in text and "Likely cause" not in text
    assert capfd.readouterr().err == ""


def kahn(root):
    return tensor_graph.order_by_counting(root)


def contiguous_after_a_shuffle(n, k, rng):
    order = rng.permutation(n)
    return [
        (np.array([i for i in order if i not in part]), part) for part in np.array_split(order, k)
    ]


def in_place(root):
    """As the notebook might: += on the parents' own arrays."""
    order = tensor_graph.order_by_counting(root)
    for node in order:
        if node.parents:
            node.grad[...] = 0
    root.grad[...] = 1
    for node in reversed(order):
        if node.pull is not None:
            for parent, grad in zip(node.parents, node.pull(node.grad), strict=True):
                parent.grad += grad
    return root.data.item()


ALSO_RIGHT = {
    "another order of the graph": (tensor_graph.topological_order, kahn),
    "gradients added in place": (gradients.backward, in_place),
    "folds with lists": (model_selection.k_fold, contiguous_after_a_shuffle),
    "powers of ten": (
        search.log_uniform,
        lambda low, high, size, rng: 10 ** rng.uniform(np.log10(low), np.log10(high), size),
    ),
    "gradients as a list": (
        normalisation_backward.layer_norm_backward,
        lambda *args: [*normalisation_backward.layer_norm_backward.reference(*args)],
    ),
    "floats of NumPy": (
        paired_seeds.mean_and_error,
        lambda v: np.array([np.mean(v), np.std(v, ddof=1) / np.sqrt(len(v))]).tolist(),
    ),
}


@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_another_right_way_passes(check, answer):
    assert check(answer) is answer


def test_a_right_subclass_passes_step_by_step():
    right = type("AdamW", (adaptive_optimisers.PlainAdamW,), {})
    assert adaptive_optimisers.AdamW(right) is right
    right = type("RMSProp", (adaptive_optimisers.PlainRMSProp,), {})
    assert adaptive_optimisers.RMSProp(right) is right


def test_a_queue_in_place_of_a_topological_order_is_caught():
    text = message(gradients.backward, nearest_first)
    assert "a short and a long way to one node" in text.splitlines()[0]
    assert "0.5 times the expected one" in text


def test_a_second_call_that_passes_on_what_the_first_one_left_is_caught():
    text = message(gradients.backward, lambda root: gradients.run_backward(root, clears="none"))
    assert "called twice" in text.splitlines()[0]
    assert "Likely cause: what an earlier call left" in text


def test_what_a_blank_optimiser_goes_on_with_takes_another_rate_and_other_arrays():
    # range tests set .rate, early stopping replaces .data: the stand-in must follow both
    one = SimpleNamespace(data=np.ones(3), grad=np.ones(3))
    stand_in = adaptive_optimisers.PlainAdamW([one], rate=0.1, decay=0.0)
    stand_in.step()
    assert np.allclose(one.data, 0.9)
    stand_in.rate, one.data = 0.5, np.full(3, 7.0)
    stand_in.step()
    assert np.allclose(one.data, 6.5)
    stand_in.zero_grad()
    assert not one.grad.any()


def test_a_broken_run_wants_a_known_patient():
    with pytest.raises(KeyError, match="ask for one of A, B, C, D, E, F, or for 'healthy'"):
        broken_runs.broken_run("G", None, None)


@pytest.mark.slow
def test_the_six_runs_show_what_their_signs_say():
    from dlcourse.data import images

    digits = images.digits8()
    x, y = torch.cat([digits.x, digits.x_test]).flatten(1), torch.cat([digits.y, digits.y_test])
    runs = {patient: broken_runs.broken_run(patient, x, y) for patient in ["healthy", *"ABCDEF"]}
    fault = {name: runs[patient] for patient, name in broken_runs.FAULTS.items()} | {
        "none": runs["healthy"]
    }
    again = {
        name: np.abs(run["validation"] - run["validation, measured again"]).max()
        for name, run in fault.items()
    }
    assert again["dropout in evaluation"] > 0.02 and sum(gap > 0 for gap in again.values()) == 1
    ahead = {
        name: (run["validation"] - run["fresh data"])[-10:].mean() for name, run in fault.items()
    }
    assert ahead["leakage"] > 0.05 and all(
        gap < 0.05 for name, gap in ahead.items() if name != "leakage"
    )
    last = {name: run["loss of the step"][-40:] for name, run in fault.items()}
    right = {name: run["fresh data"][-5:].mean() for name, run in fault.items()}
    assert last["softmax before the loss"].min() > 1.46 and right["softmax before the loss"] > 0.85
    assert right["rate too high"] < 0.2 and fault["rate too high"]["loss of the step"].max() > 20
    assert right["rate too low"] < 0.4 and np.ptp(fault["rate too low"]["loss of the step"]) < 0.5
    rhythm = {name: np.corrcoef(losses[:-10], losses[10:])[0, 1] for name, losses in last.items()}
    assert rhythm["no shuffling"] > 0.5 and all(
        r < 0.5 for name, r in rhythm.items() if name != "no shuffling"
    )
    repeated = broken_runs.broken_run("A", x, y)
    assert all((repeated[name] == values).all() for name, values in runs["A"].items())  # seeded


def test_the_judges_of_graphs_and_of_blanks_agree_with_one_another():
    for one in gradients.backward.cases:
        (ours, leaves), (theirs, others) = one.args[0](), one.args[0]()
        ours, theirs = (roots if isinstance(roots, tuple) else (roots,) for roots in (ours, theirs))
        for root, other in zip(ours, theirs, strict=True):
            value = gradients.backward.reference(other)
            assert gradients.run_backward(root) == pytest.approx(value)
        for one, other in zip(leaves.values(), others.values(), strict=True):
            assert np.allclose(one.grad, other.grad)


def test_the_judge_of_a_gradient_check_agrees_with_a_closed_form():
    x = np.array([1.0, -2.0, 4.0])
    for step in (0.5, 0.1):  # of a cube the central difference is 3 x² + h²
        error = gradients.error_by_differences(gradients.cubes, 3 * x**2, x, step)
        assert error == pytest.approx(max(step**2 / (3 * x**2 + step**2)))


def test_every_public_judge_is_documented():
    for function in (
        gradients.run_backward,
        tensor_graph.order_by_counting,
        broken_runs.broken_run,
    ):
        assert inspect.getdoc(function)


def test_trials_of_equal_value_must_not_compare_dicts():
    def by_pairs(*args):
        _, trials = search.random_search.reference(*args)
        return max((value, setting) for setting, value in trials)[1], trials

    text = message(search.random_search, by_pairs)
    assert "equal values" in text.splitlines()[0] and "TypeError: '>' not supported" in text
