"""Wrong answers that no table of mistakes foresees, for the checks of the
tensor engine and of experiments."""

import inspect

import numpy as np
import pytest
import torch
from answers import WARNINGS_ARE_ERRORS, message

from dlcourse import schedule
from dlcourse.checks.experiments import clinic as broken_runs
from dlcourse.checks.experiments import (
    gradient_check,
    layer_norm,
    log_softmax,
    model_selection,
    normalisation_backward,
    paired_seeds,
    reductions,
    schedules,
    search,
    stopping,
    tensor_engine,
)

pytestmark = WARNINGS_ARE_ERRORS


def one_entry_off(grad, x, gamma, eps):
    grad_x, *rest = normalisation_backward.batch_norm_backward.reference(grad, x, gamma, eps)
    grad_x[-1, -1] += 0.5
    return grad_x, *rest


def scaled_by_the_largest(x, y, folds, score):
    return [score(x[a] / x[a].max(0), y[a], x[b] / x[a].max(0), y[b]) for a, b in folds]


def twice_the_epochs(parameters, epoch, validate, patience, max_epochs):
    def both():
        epoch(), epoch()

    return stopping.fit_with_patience.reference(parameters, both, validate, patience, max_epochs)


def one_trial_short(objective, ranges, trials, rng):
    return search.random_search.reference(objective, ranges, trials - 1, rng)


def one_axis_only(grad, a, axis=None):
    mask = a == a.max(axis=axis, keepdims=True)
    shape = list(a.shape)
    if axis is not None:
        shape[axis] = 1
    return mask / mask.sum(axis=axis, keepdims=True) * np.reshape(grad, shape if grad.ndim else ())


def much_added(x, y, folds, score):
    scaled = [(x - x[a].mean(0)) / (x[a].std(0) + 0.5) for a, _ in folds]
    return [score(z[a], y[a], z[b], y[b]) for z, (a, b) in zip(scaled, folds, strict=True)]


def validated_twice(parameters, epoch, validate, patience, max_epochs):
    def both():
        validate()
        return validate()

    return stopping._stop(parameters, epoch, both, patience, max_epochs)


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
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
    "a step of its own": (
        gradient_check.gradient_check,
        lambda f, gradient, x, step=1e-5: gradient_check.error_by_differences(f, gradient, x),
        "cubes, the slope without the step's",
        "The largest difference is 0.0769",
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
    "much added to sigma": (
        model_selection.cross_validate,
        much_added,
        "4 examples, 1 feature",
        "Item 1 of 2 differs",
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
    "in bits": (
        log_softmax.log_softmax_backward,
        lambda grad, a: log_softmax.log_softmax_backward.reference(grad, a) / np.log(2),
        "one row, two equal scores",
        "1.4427 times",
    ),
    "cube root of the error": (
        gradient_check.gradient_check,
        lambda *args: gradient_check.gradient_check.reference(*args) ** (1 / 3),
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
    "a shift": (
        layer_norm.layer_norm,
        lambda x, gamma, beta, eps=1e-5: layer_norm.layer_norm.reference(x, gamma, beta, eps) + 0.5,
        "one example",
        "off by the constant 0.5",
    ),
    "always the peak": (
        schedules.cosine_with_warmup,
        lambda step, steps, warmup, peak, floor=0.0: peak,
        "the first of 10",
        "10 times the expected one",
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


def contiguous_after_a_shuffle(n, k, rng):
    order = rng.permutation(n)
    return [
        (np.array([i for i in order if i not in part]), part) for part in np.array_split(order, k)
    ]


ALSO_RIGHT = {
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


def test_the_judge_of_a_gradient_check_agrees_with_a_closed_form():
    x = np.array([1.0, -2.0, 4.0])
    for step in (0.5, 0.1):  # of a cube the central difference is 3 x² + h²
        error = gradient_check.error_by_differences(gradient_check.cubes, 3 * x**2, x, step)
        assert error == pytest.approx(max(step**2 / (3 * x**2 + step**2)))


def test_every_public_judge_is_documented():
    assert inspect.getdoc(broken_runs.broken_run)


def test_cosine_agrees_with_torch_and_with_the_judge():
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=40, eta_min=0.01)
    for step in range(40):
        ours = schedule.cosine_with_warmup(step, 40, 0, 0.3, 0.01)
        assert ours == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-6)
        assert ours == pytest.approx(schedules.cosine_with_warmup.reference(step, 40, 0, 0.3, 0.01))
        optimiser.step()
        cosine.step()
    assert schedules.cosine_with_warmup(schedule.cosine_with_warmup) is schedule.cosine_with_warmup


def test_trials_of_equal_value_must_not_compare_dicts():
    def by_pairs(*args):
        _, trials = search.random_search.reference(*args)
        return max((value, setting) for setting, value in trials)[1], trials

    text = message(search.random_search, by_pairs)
    assert "equal values" in text.splitlines()[0] and "TypeError: '>' not supported" in text
