"""Day 2's checks: wrong answers that no table of mistakes foresees, right ones written in another
way, and the judges themselves against torch."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from answers import message
from torch import nn
from torch.nn import functional as F

from dlcourse import schedule
from dlcourse.checks.concepts import (
    adaptive,
    autograd,
    broadcasting,
    graphs,
    initialisation,
    normalisation,
    optimisers,
    regularisation,
    schedules,
    weight_decay,
)
from dlcourse.checks.concepts import clinic as deep_runs
from dlcourse.data import images
from dlcourse.pictures import training


def half_the_gradients(root):
    graphs.backward.reference(root)
    for node in graphs._order(root):
        node.grad /= 2


def leaves_only(root):
    graphs.backward.reference(root)
    for node in graphs._order(root):
        if node.parents:
            node.grad = 0.0


def in_place(w, g, v, rate, momentum=0.9):
    v.mul_(momentum).add_(g)
    return w - rate * v, v


def sign_descent(w, g, m, s, t, rate, decay=0.0):
    return w - rate * g.sign(), m, s


def without_mean(x, gamma, beta, mean, var, training, momentum=0.1, eps=1e-5):
    y, new_mean, new_var = normalisation.batch_norm.reference(
        x, gamma, beta, mean, var, training, momentum, eps
    )
    return y, mean, new_var


def keeps_the_roots_gradient(root):
    for node in graphs._order(root):
        if node.parents and node is not root:
            node.grad = 0.0
    root.grad = root.grad or 1.0
    for node in reversed(graphs._order(root)):
        for parent, slope in zip(node.parents, node.slopes, strict=True):
            parent.grad += slope * node.grad


def only_the_first_one(grad, shape):
    grad = grad.sum(tuple(range(grad.ndim - len(shape)))) if grad.ndim > len(shape) else grad
    return grad.sum(shape.index(1), keepdim=True) if 1 in shape else grad


def statistics_cut_off(x, gamma, beta, mean, var, training, momentum=0.1, eps=1e-5):
    _, new_mean, new_var = normalisation._batch_norm(
        x, gamma, beta, mean, var, training, momentum, eps
    )
    if training:
        mean, var = x.detach().mean(0), x.detach().var(0, correction=0)
    return gamma * (x - mean) / (var + eps).sqrt() + beta, new_mean.detach(), new_var.detach()


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "a number, no Value": (
        autograd.mul,
        lambda a, b: a.data * b.data,
        "2 and 3",
        "return a Value(data, parents",
    ),
    "the operator itself": (autograd.mul, lambda a, b: a * b, "2 and 3", "unsupported operand"),
    "one slope, no tuple": (
        autograd.mul,
        lambda a, b: autograd.Node(a.data * b.data, (a, b), (b.data)),
        "2 and 3",
        "parents and slopes are tuples",
    ),
    "an iterator": (
        graphs.topological_order,
        lambda root: reversed(graphs._order(root)[::-1]),
        "a product of two numbers",
        "return a list, not a list_reverseiterator",
    ),
    "the root's gradient kept": (
        graphs.backward,
        keeps_the_roots_gradient,
        "called for the result, then for a number on the way",
        "The largest difference is 15",
    ),
    "only the first axis of size 1": (
        broadcasting.unbroadcast,
        only_the_first_one,
        "two axes of size 1",
        "The shape should be (2, 1, 1)",
    ),
    "epsilon of its own": (
        adaptive.adam_step,
        lambda w, g, m, s, t, rate, betas=(0.9, 0.999), eps=1e-8: adaptive.adam_with_fault(
            w, g, m, s, t, rate, betas
        ),
        "four steps with betas = (0.8, 0.95), eps = 0.01",
        "Entry 'path' differs",
    ),
    "statistics cut off": (
        normalisation.batch_norm,
        statistics_cut_off,
        "training, two examples",
        "Entry 'gradient by x' differs",
    ),
    "whole channels": (
        regularisation.dropout,
        lambda x, p, training: (F.dropout2d if x.ndim == 4 else F.dropout)(x, p, training),
        "training, images",
        "'the mask repeats along an axis'",
    ),
    "copies as parents": (
        autograd.mul,
        lambda a, b: autograd.Node(
            a.data * b.data, (autograd.Node(a.data), autograd.Node(b.data)), (b.data, a.data)
        ),
        "2 and 3",
        "a stranger",
    ),
    "the root alone": (
        graphs.topological_order,
        lambda root: [root],
        "a product of two numbers",
        "missing",
    ),
    "half": (
        graphs.backward,
        half_the_gradients,
        "a product of two numbers",
        "0.5 times the expected one",
    ),
    "leaves only": (
        graphs.backward,
        leaves_only,
        "a product of two numbers",
        "Entry 'of the steps', item 1",
    ),
    "twice the sum": (
        broadcasting.unbroadcast,
        lambda grad, shape: 2 * grad.sum_to_size(shape),
        "a bias of 2",
        "2 times",
    ),
    "in place": (
        optimisers.momentum_step,
        in_place,
        "one step",
        "changed w, g or its state in place",
    ),
    "a tensor alone": (
        optimisers.momentum_step,
        lambda w, g, v, rate, momentum=0.9: w - rate * g,
        "one step",
        "got",
    ),
    "signs": (adaptive.adam_step, sign_descent, "one step", "Entry 'last state', item 1"),
    "signs with decay": (weight_decay.adamw_step, sign_descent, "one step", "differs"),
    "the weight itself": (
        initialisation.kaiming_std,
        lambda weight: weight,
        "3 inputs, 5 outputs",
        "should be a float, yours is a tensor",
    ),
    "mean forgotten": (
        normalisation.batch_norm,
        without_mean,
        "training, two examples",
        "Entry 'new running mean' differs",
    ),
    "Gaussian noise": (
        regularisation.dropout,
        lambda x, p, training: x * (1 + torch.randn(x.shape)) if training else x,
        "training, p = ½",
        "differs",
    ),
    "doubled": (
        regularisation.dropout,
        lambda x, p, training: 2 * F.dropout(x, p, training),
        "training, p = ½",
        "smallest factor",
    ),
    "looks back too far": (
        schedules.stop_early,
        lambda losses, patience: losses[-1] > losses[-1 - patience],
        "the first epoch",
        "IndexError",
    ),
    "a fault not listed": (
        deep_runs.diagnose,
        lambda: dict.fromkeys("ABC", "bad luck"),
        "curve A",
        "not on the list",
    ),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught_on_the_smallest_case(check, wrong, label, says):
    text = message(check, wrong)
    assert f": {label}" in text.splitlines()[0]
    assert says in text and "Likely cause" not in text


def engine_backward(root):
    order = graphs._order(root)
    for node in order:
        node.grad = node.grad if not node.parents else 0
    root.grad = 1
    for node in reversed(order):
        for parent, slope in zip(node.parents, node.slopes, strict=True):
            parent.grad = parent.grad + node.grad * slope


def by_waiting(root):
    """Kahn's order from the root down, turned round: another of the many right ones."""
    children = {}
    for node in graphs._order(root):
        for parent in node.parents:
            children[parent] = children.get(parent, 0) + 1
    order, ready = [], [root]
    while ready:
        order.append(ready.pop())
        for parent in order[-1].parents:
            children[parent] -= 1
            if children[parent] == 0:
                ready.append(parent)
    return order[::-1]


def masked(x, p, training):
    return x * torch.bernoulli(torch.full_like(x, 1 - p)) / (1 - p) if training else x.clone()


def batch_norm_by_rsqrt(x, gamma, beta, mean, var, training, momentum=0.1, eps=1e-5):
    m, v = (x.mean(0), x.var(0, correction=0)) if training else (mean, var)
    if training:
        mean = mean + momentum * (m - mean)
        var = var + momentum * (v * len(x) / (len(x) - 1) - var)
    return (x - m) * torch.rsqrt(v + eps) * gamma + beta, mean, var


def last_against_before(losses, patience):
    known = np.where(np.isnan(losses), math.inf, losses)
    return len(known) > patience and known[-patience:].min() >= known[:-patience].min()


ALSO_RIGHT = {
    "parents and slopes the other way round": (
        autograd.mul,
        lambda a, b: autograd.Node(a.data * b.data, (b, a), (a.data, b.data)),
    ),
    "a list of parents": (
        autograd.mul,
        lambda a, b: autograd.Node(a.data * b.data, [a, b], [b.data, a.data]),
    ),
    "backward without return": (graphs.backward, engine_backward),
    "another order": (graphs.topological_order, by_waiting),
    "sum_to_size": (
        broadcasting.unbroadcast,
        lambda grad, shape: grad.sum_to_size(*shape) if shape else grad.sum(),
    ),
    "velocity in one line": (
        optimisers.momentum_step,
        lambda w, g, v, rate, momentum=0.9: (w - rate * (momentum * v + g), momentum * v + g),
    ),
    "bernoulli": (regularisation.dropout, masked),
    "batch norm by rsqrt": (normalisation.batch_norm, batch_norm_by_rsqrt),
    "the last ones against those before": (schedules.stop_early, last_against_before),
}


@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_another_right_way_passes(check, answer):
    assert check(answer) is answer


@pytest.mark.parametrize("seed", range(20))
def test_the_judge_of_backward_agrees_with_torch_on_the_formula_itself(seed):
    expression = autograd.random_expression(seed)
    nodes = [autograd.Node(number) for number in expression.numbers]
    tensors = [
        torch.tensor(number, dtype=torch.float64, requires_grad=True)
        for number in expression.numbers
    ]
    graphs.backward.reference(expression(*nodes))
    value = expression(*tensors)
    assert len(expression.steps) >= 6 and len(repr(expression)) > 10
    for node, grad in zip(nodes, torch.autograd.grad(value, tensors), strict=True):
        assert node.grad == pytest.approx(grad.item(), rel=1e-9, abs=1e-12)


def test_a_second_call_adds_at_the_leaves_and_starts_afresh_in_between():
    def first_edition(root):
        root.grad = 1.0
        for node in reversed(graphs._order(root)):
            for parent, slope in zip(node.parents, node.slopes, strict=True):
                parent.grad += slope * node.grad

    text = message(graphs.backward, first_edition)
    assert "called twice" in text.splitlines()[0]
    assert "Likely cause: what an earlier call left" in text
    for backward, total in ((engine_backward, 66), (first_edition, 72)):
        x = autograd.Node(3.0)
        s = x * x
        for result in (s.relu(), s * autograd.Node(10.0)):
            backward(result)
        assert x.grad == total
    t = torch.tensor(3.0, requires_grad=True)
    s = t * t
    s.relu().backward(retain_graph=True)
    (s * 10).backward()
    assert t.grad == 66


@pytest.mark.parametrize(
    ("wrong", "label"),
    [
        (lambda x, p: x[-1] >= x[-1 - p] if len(x) > p else False, "falling, but above the first"),
        (lambda x, p: schedules._stop(x, 2), "patience of 1"),
        (lambda x, p: len(x) - 1 - int(np.nanargmin(x)) >= p, None),
    ],
)
def test_when_to_stop_depends_on_the_best_loss_and_on_patience(wrong, label):
    if label is None:
        assert schedules.stop_early(wrong) is wrong
    else:
        assert label in message(schedules.stop_early, wrong).splitlines()[0]


def test_a_hundred_sums_deep_is_no_problem_and_far_deeper_neither():
    root = autograd.Node(1.0)
    for _ in range(5000):
        root = root + root.parents[0] if root.parents else root + autograd.Node(1.0)
    assert len(graphs._order(root)) == 5002
    graphs.backward.reference(root)
    assert root.grad == 1


def test_the_optimisers_judge_agrees_with_torch_run_as_a_whole():
    gradients = torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight = nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimiser = torch.optim.AdamW([weight], 0.02, weight_decay=0.5)
    for g in gradients:
        weight.grad = g.clone()
        optimiser.step()
    path = optimisers._follow(2, counted=True)(
        weight_decay.adamw_step.reference,
        torch.ones(3, dtype=torch.float64),
        gradients,
        0.02,
        {"decay": 0.5},
    )["path"]
    assert torch.allclose(path[-1], weight.detach(), rtol=1e-12, atol=0)


def test_initialisation_gives_what_torch_draws():
    torch.manual_seed(0)
    weight = torch.empty(400, 900)
    assert initialisation.kaiming_std.reference(weight) == pytest.approx(
        nn.init.kaiming_normal_(weight, nonlinearity="relu").std().item(), rel=0.01
    )


def test_cosine_agrees_with_torch():
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=40, eta_min=0.01)
    for step in range(40):
        ours = schedule.cosine_with_warmup(step, 40, 0, 0.3, 0.01)
        assert ours == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-6)
        optimiser.step()
        cosine.step()


def test_the_library_stops_as_the_check_demands():
    assert schedules.stop_early(schedule.stop_early) is schedule.stop_early
    assert not schedule.stop_early([math.nan, 0.9, 0.8, 0.7], 2)
    assert schedule.stop_early([math.nan] * 3, 2)
    losses, epochs = [], 0
    for loss in [3.0, 2.0, 1.0, 1.5, 1.2, 1.1, 0.5]:
        losses.append(loss)
        epochs += 1
        if schedule.stop_early(losses, patience=3):
            break
    assert epochs == 6


def range_of(losses, steps=8):
    """What a range test makes of a model whose losses are these; and the
    rates that its optimiser had."""
    optimiser, had = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0), []
    remaining = iter(losses)

    def step(x):
        had.append(optimiser.param_groups[0]["lr"])
        return {"loss": next(remaining)}

    return *schedule.range_test(step, [(torch.zeros(1),)], optimiser, 1e-3, 1e4, steps), had


def test_a_range_test_raises_the_rate_by_a_constant_factor_until_the_loss_explodes():
    rates, losses, had = range_of([2.0, 1.5, torch.tensor(1.0), 1.0, 3.9, 4.1, 1.0, 1.0])
    assert rates == pytest.approx([1e-3, 1e-2, 1e-1, 1, 10, 100]) and had == rates
    assert losses[-1] == pytest.approx(4.1) and len(losses) == len(rates)
    assert all(isinstance(loss, float) for loss in losses)


def test_a_range_test_ends_at_nan_and_goes_to_the_end_where_nothing_explodes():
    rates, losses, _ = range_of([2.0, math.nan, 1.0])
    assert len(rates) == 2 and math.isnan(losses[1])
    assert range_of([1.0] * 8)[0][-1] == pytest.approx(1e4)


@pytest.mark.slow
def test_deep_runs_behave_as_their_names_say():
    digits = images.digits8()
    x, y = (digits.x.flatten(1) - 0.3) / 0.38, digits.y
    runs = {name: deep_runs.deep_run(name, x, y, seed=0, steps=100) for name in (*"ABC", "healthy")}
    assert (runs["B"] - math.log(10)).abs().max() < 0.1 and runs["C"].max() > 100
    assert runs["healthy"][-10:].mean() < 1 < runs["A"][-10:].mean() < runs["A"][:10].mean()
    with pytest.raises(KeyError, match="ask for one of A, B, C, healthy"):
        deep_runs.deep_run("D", x, y, 0)


def test_the_drawings_show_every_number_path_and_seed():
    a = autograd.Node(3.0)
    square = a * a
    graphs.backward.reference(root := square + a)
    texts = {text.get_text() for text in training.graph(root, {a: "a", root: "L"}).axes[0].texts}
    assert {"a\n3", "9", "L\n12", "× 3", "× 1", "grad 7", "grad 1"} <= texts
    ax = training.contour_paths(
        lambda x, y: x**2 + y**2, {"p": [[1, 1], [0, 0]], "q": [[0, 1]]}, (-1, 1), (-1, 1)
    )
    assert [line.get_label() for line in ax.lines] == ["p", "q"] and ax.get_legend() is not None
    ax = training.seeds({"one": np.array([1.0, 3.0]), "two": [2.0]}, "score")
    assert [len(dots.get_offsets()) for dots in ax.collections] == [2, 1]
    assert [bar.get_xdata()[0] for bar in ax.lines] == [2.0, 2.0]
    runs = {"one": torch.linspace(3, 1, 45).reshape(3, 15), "two": torch.full((3, 15), 5.0)}
    ax = training.four_runs(runs)
    assert [text.get_text() for text in ax.get_legend().get_texts()][-1] == "guessing, ln 10"
    tiles = np.zeros((3, 6, 6))
    tiles[1:, :, 2:] = 1
    seen = np.ones((6, 6), dtype=bool)
    seen[1:5, 1:5] = False
    axes = training.hidden_middle(tiles, seen).axes
    assert [ax.get_xlabel() for ax in axes[3:]] == ["sea", "land", "land"]
    assert [(ax.images[0].get_array() == 2).sum() for ax in axes] == [16] * 3 + [0] * 3
    plt.close("all")


def test_an_order_that_lives_on_in_a_default_argument_is_named():
    def order_of(root, order=[]):  # noqa: B006
        order += [node for node in graphs._order(root) if node not in order]
        return order

    assert "Likely cause: the list lives on" in message(graphs.topological_order, order_of)
