"""Checks of repaired snippets about autograd:
a change in place that backward trips over, gaps that become NaN."""

import math

import torch

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.probes import with_gradient

# Both are RuntimeErrors in torch. Told apart here, so that each is explained by its own hint.
SecondBackward = type("RuntimeError", (RuntimeError,), {})
ChangedInPlace = type("RuntimeError", (RuntimeError,), {})
KINDS = {
    "second time": SecondBackward,
    "inplace operation": ChangedInPlace,
    "in-place operation": ChangedInPlace,
}


def told_apart(function, *args):
    """function(*args); a RuntimeError of autograd comes out as one of KINDS,
    with the student's own traceback."""
    try:
        return function(*args)
    except RuntimeError as error:
        kind = next((kind for words, kind in KINDS.items() if words in str(error)), None)
        if kind is None:
            raise
        raise kind(str(error).split("Hint:")[0].strip()).with_traceback(
            error.__traceback__
        ) from None


def value_and_gradients(function, *args, **wrt):
    """What function(*args) gives and the slopes of its sum, weighted 1, 2, 3 …

    wrt: name=i for the slope with respect to args[i]; it is 0 where autograd finds no way there.
    Returns {"value": …, "gradient of name": …}. Raises TypeError where the value is no tensor.
    """
    args = list(args)
    for i in wrt.values():
        args[i] = args[i].detach().requires_grad_()
    value = function(*args)
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"backward starts from a tensor, and this is a {type(value).__name__}")
    slopes = [None] * len(wrt)
    if value.requires_grad:
        weights = torch.arange(1, value.numel() + 1, dtype=value.dtype).reshape(value.shape)
        slopes = torch.autograd.grad(
            value, [args[i] for i in wrt.values()], weights, allow_unused=True
        )
    found = {"value": value.detach()}
    for (name, i), slope in zip(wrt.items(), slopes, strict=True):
        found[f"gradient of {name}"] = torch.zeros_like(args[i]) if slope is None else slope
    return found


def yes(condition):
    """A truth as a word, which reads better in a message."""
    return "yes" if condition else "no"


def draw(seed, *shape, dtype=torch.float32):
    """Normal numbers that are the same at each call."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def _block_judged(function, x, weight):
    found = told_apart(lambda: value_and_gradients(function, x, weight, x=0, weight=1))
    with torch.no_grad():
        function(x, weight)  # x itself: whoever adds to it in place is found out
    return found


def _in_place(x, weight):
    h = torch.tanh(x @ weight)
    h += x
    return h


def _behind_the_back(x, weight):
    h = torch.tanh(x @ weight)
    h.data += x
    return h


residual_block = Check(
    "residual_block",
    reference=lambda x, weight: torch.add(x, torch.tanh(torch.mm(x, weight))),
    probe=_block_judged,
    cases=lambda: [
        case("one number", torch.tensor([[0.5]]), torch.tensor([[2.0]])),
        case("3 examples of 2", draw(0, 3, 2), draw(1, 2, 2)),
        case("float64, x not contiguous", draw(2, 3, 4, dtype=torch.float64).T,
             draw(3, 3, 3, dtype=torch.float64)),
        case("large inputs: tanh is flat", 40 * draw(4, 2, 3), draw(5, 3, 3)),
    ],
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("h is changed in place",
                "The slope of tanh is 1 − h²: backward needs h as it was. "
                "Make a new tensor: h = h + x.",
                _in_place),
        Mistake("the change is hidden from autograd",
                "With .data the error is gone and the gradient is wrong: "
                "backward takes the slope 1 − h² from the changed h. "
                "An error message was better than that. Make a new tensor: h = h + x.",
                _behind_the_back),
        Mistake("h is cut from its graph",
                "After .detach() no gradient reaches weight any more, so it never learns. A new "
                "tensor, h + x, is all that is needed.",
                lambda x, weight: torch.tanh(x @ weight).detach() + x),
        Mistake("x is cut from its graph",
                "The shortcut is there to carry gradients back to earlier layers: add x itself.",
                lambda x, weight: torch.tanh(x @ weight) + x.detach()),
        Mistake("the shortcut is gone", "Add x: without it this is an ordinary layer.",
                lambda x, weight: torch.tanh(x @ weight)),
        Mistake("x is added before tanh",
                "The shortcut passes by the non-linearity: tanh(x @ weight) + x.",
                lambda x, weight: torch.tanh(x @ weight + x)),
    ],
)  # fmt: skip


def _gap_reference(prediction, target):
    """Mean over the observed entries, gathered one by one."""
    where = [i for i, value in enumerate(target.reshape(-1).tolist()) if not math.isnan(value)]
    return (prediction.reshape(-1)[where] - target.reshape(-1)[where]).square().mean()


def _with_gaps(seed, *shape, dtype=torch.float32, every=3):
    prediction, target = draw(seed, *shape, dtype=dtype), draw(seed + 1, *shape, dtype=dtype)
    target.view(-1)[1::every] = torch.nan
    return prediction, target


def _filled(prediction, target, fill):
    return (prediction - torch.where(target.isnan(), fill, target)).square()


def _multiplied_away(prediction, target):
    observed = ~target.isnan()
    return ((prediction - target) ** 2 * observed).sum() / observed.sum()


def _hidden_gaps(prediction, target):
    return torch.where(target.isnan(), 0.0, (prediction - target).square())


gap_loss = Check(
    "gap_loss",
    reference=_gap_reference,
    probe=with_gradient(0),
    cases=lambda: [
        case("three months, one gap", torch.tensor([1.0, 2.0, 4.0]),
             torch.tensor([0.0, torch.nan, 1.0])),
        case("2 stations, 5 months", *_with_gaps(0, 2, 5)),
        case("no gap at all, float64", draw(3, 4, dtype=torch.float64),
             draw(4, 4, dtype=torch.float64)),
        case("3 axes, every other one a gap", *_with_gaps(5, 4, 3, 2, every=2)),
    ],
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("NaN times 0",
                "NaN · 0 is NaN: a gap cannot be multiplied away. Leave it out, "
                "prediction[observed], or put a number in its place before you subtract.",
                _multiplied_away),
        Mistake("the loss is healed, its gradient is not",
                "The NaN was made before it was hidden: on the way back 0 · NaN is NaN. Take the "
                "gaps out before the difference is squared.",
                lambda prediction, target: _hidden_gaps(prediction,
                                                        target).sum() / (~target.isnan()).sum()),
        Mistake("gaps count as zeros",
                "A gap filled with 0 pulls the prediction to 0 there. "
                "Leave gaps out of the sum and of the count.",
                lambda prediction, target: _filled(prediction, target, 0.0).mean()),
        Mistake("gaps are filled with the mean",
                "An invented observation pulls as hard as a real one. "
                "Leave gaps out of the sum and of the count.",
                lambda prediction, target: _filled(prediction, target, target.nanmean()).mean()),
        Mistake("gaps are left out of the sum but not of the count",
                "Divide by the number of observed entries, observed.sum(), "
                "or a record with many gaps looks good.",
                lambda prediction, target: _filled(prediction, target, prediction).mean()),
        Mistake("a sum in place of the mean",
                "Divide by the number of observed entries.",
                lambda prediction, target: _filled(prediction, target, prediction).sum()),
        Mistake("the graph is cut",
                "The loss must be a tensor that backward can start from: "
                "no .item(), .detach() or .data.",
                lambda prediction, target: _gap_reference(prediction.detach(), target)),
    ],
)  # fmt: skip
