"""Checks of labels that are dropped, of guidance, warm averages and flow matching."""

from functools import partial

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.draws import drawn
from dlcourse.checks.probes import judge
from dlcourse.checks.words import kind_of

_normal = partial(drawn, dtype=torch.float64)


def _model(xt, t, y=None):
    """A denoiser that can be computed by head; a third more where no label is given."""
    told = torch.full((len(xt),), -3.0) if y is None else y.double()
    return xt * (told + 0.1 * t)[:, None, None, None].to(xt)


def _other_model(xt, t, y=None):
    """Another one, for any shape."""
    told = torch.full((len(xt),), 0.5) if y is None else 2.0 - y.double()
    return (xt.flatten(1) ** 2 * (told * (1 + t))[:, None].to(xt)).reshape(xt.shape)


guide = Check(
    "guide",
    reference=lambda model, xt, t, y, scale: scale * model(xt, t, y) + (1 - scale) * model(xt, t),
    rtol=1e-4,
    atol=1e-6,
    fallback="dlcourse.methods.ddim:guide",
    cases=lambda: [
        case(f"scale {scale}", _model, _normal(2, 1, 3, 2), torch.tensor([0, 5]),
             torch.tensor([1, 4]), scale)
        for scale in (1.0, 0.0, 3.0)
    ] + [
        case("scale 2.5, another model, colour images in float32", _other_model,
             drawn(3, 3, 2, 4, seed=7), torch.tensor([1, 0, 2]), torch.tensor([0, 3, 1]), 2.5),
        case("a single image", _other_model, drawn(1, 1, 3, 1, seed=8), torch.tensor([2]),
             torch.tensor([4]), 1.5),
    ],
    mistakes=[
        Mistake("the paper's w",
                "Here scale 1 follows the labels and no more; the paper's w is scale − 1.",
                lambda m, x, t, y, s: (1 + s) * m(x, t, y) - s * m(x, t)),
        Mistake("away from the label",
                "The step goes from the answer without a label towards the one with it.",
                lambda m, x, t, y, s: m(x, t) + s * (m(x, t) - m(x, t, y))),
        Mistake("no answer without a label", "Ask the model twice: with y, and without.",
                lambda m, x, t, y, s: s * m(x, t, y)),
    ],
)  # fmt: skip


def _dropped(function, y, none, share=None):
    """What must hold whichever labels were dropped."""
    args = (y, none) if share is None else (y, none, share)
    share = 0.1 if share is None else share
    first, second = function(*args), function(*args)
    if first is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(first, torch.Tensor):
        raise Untouched(f"{kind_of(first)}: a tensor is asked for")
    if first.shape != y.shape:
        raise Untouched(f"a tensor of shape {tuple(first.shape)}, not {tuple(y.shape)}")
    # Five standard deviations
    gone, slack = (
        first == none,
        5 * (share * (1 - share) / len(y)) ** 0.5,
    )
    found = gone.double().mean().item()
    return {
        "shape": list(first.shape),
        "dtype": str(first.dtype),
        "a new tensor": first.data_ptr() != y.data_ptr(),
        "share of labels that became `none`": share if abs(found - share) <= slack else found,
        "the others stay": bool((first == y)[~gone].all()),
        "the dropped ones stand among the others": bool(gone.diff().sum() > 1),
        "others are dropped at the next call": bool((first != second).any()),
    }


def _mask(y, share):
    return torch.rand(y.shape) < share


def _seeded(y):
    return torch.rand(y.shape, generator=torch.Generator().manual_seed(0))


def _in_place(y, none, share=0.1):
    y[_mask(y, share)] = none
    return y


drop_labels = Check(
    "drop_labels",
    reference=lambda y, none, share=0.1: y.masked_fill(_mask(y, share), none),
    probe=_dropped,
    fallback="dlcourse.methods.ddim:drop_labels",
    cases=lambda: [
        case("ten classes, a tenth", torch.arange(4000) % 10, 10, 0.1),
        case("three classes, a half", torch.arange(1500) % 3, 3, 0.5),
        case("without a share: a tenth", torch.arange(3000) % 7, 7),
        case("no label is to be dropped", torch.arange(300) % 3, 3, 0.0),
        case("more than half", torch.arange(4000)[::2] % 5, 8, 0.8),
    ],
    mistakes=[
        Mistake("the share is kept",
                "`share` is the share that loses its label: where rand < share.",
                lambda y, none, share=0.1: torch.where(torch.rand(y.shape) < share, y, none)),
        Mistake("one coin for the whole batch",
                "A random number for each label: torch.rand(y.shape).",
                lambda y, none, share=0.1: torch.where(torch.rand(1) < share, none, y)),
        Mistake("the labels themselves are changed",
                "y belongs to the data set: give back a new tensor, torch.where.", _in_place),
        Mistake("0 for no label", "0 is a class of its own: no label is the number `none`.",
                lambda y, none, share=0.1: torch.where(_mask(y, share), 0, y)),
        Mistake("a tenth whatever was asked", "Use `share`.",
                lambda y, none, share=0.1: torch.where(_mask(y, 0.1), none, y)),
        Mistake("always the same labels",
                "A seed inside the function drops the same labels in every batch: draw anew each "
                "time.",
                lambda y, none, share=0.1: y.masked_fill(_seeded(y) < share, none)),
        Mistake("the first labels of the batch",
                "Which labels are dropped is drawn anew each time.",
                lambda y, none, share=0.1: torch.where(torch.arange(len(y)) < share * len(y), none,
                                                       y)),
    ],
)  # fmt: skip


ema_decay = Check(
    "ema_decay",
    reference=lambda k, longest=0.999, gamma=16.0: min(((k - 1) / k) ** (gamma + 1), longest),
    fallback="dlcourse.methods.ddim:ema_decay",
    cases=[case("the first update", 1, 0.9, 8.0), case("the third", 3, 0.9, 1.0),
           case("late", 10_000, 0.99, 8.0), case("longest and γ as they are", 40),
           case("the same, late", 90_000),
           case("another longest and γ", 500, 0.95, 3.0)],
    mistakes=[
        Mistake("no warm-up",
                "With a constant decay the random start stays in the average for long.",
                lambda k, longest=0.999, gamma=16.0: longest),
        Mistake("γ for γ + 1", "The exponent is γ + 1.",
                lambda k, longest=0.999, gamma=16.0: min((1 - 1 / k) ** gamma, longest)),
        Mistake("the larger of the two", "`longest` is a ceiling: min.",
                lambda k, longest=0.999, gamma=16.0: max((1 - 1 / k) ** (gamma + 1), longest)),
    ],
)  # fmt: skip


class _Field:
    """A velocity with one weight, at other times another; keeps what it is given."""

    def __init__(self, weight):
        self.weight, self.seen = torch.tensor(weight, requires_grad=True), []

    def __call__(self, x, u):
        self.seen.append({"shape of xu": list(x.shape), "dtype of xu": str(x.dtype),
                          "xu": x.detach(), "shape of u": list(u.shape),
                          "u": u.detach().flatten()})  # fmt: skip
        return self.weight.to(x) * x * (1 + u.reshape(-1, *[1] * (x.dim() - 1))) + 0.5


def _learnt(function, weight, x, noise, u):
    model = _Field(weight)
    loss = function(model, x, noise, u)
    if loss is None:
        raise Untouched("None: is `return` missing?")
    return {"what the model is given": model.seen} | judge(
        loss, {"the model's weight": model.weight}
    )


def _flow(model, x, noise, u, fault=None):
    wide = u.reshape(-1, *[1] * (x.dim() - 1))
    place = x + wide * (noise - x) if fault == "backwards" else noise + wide * (x - noise)
    goal = {"to noise": noise - x, "the data": x}.get(fault, x - noise)
    return (model(place, u) - goal).pow(2).mean()


def _times(n):
    return torch.linspace(0, 1, n, dtype=torch.float64)


flow_loss = Check(
    "flow_loss",
    reference=_flow,
    probe=_learnt,
    rtol=1e-4,
    atol=1e-6,
    fallback="dlcourse.methods.flow:flow_loss",
    cases=lambda: [
        case("points", 0.7, _normal(4, 2), _normal(4, 2, seed=1), _times(4)),
        case("images", -0.4, _normal(3, 1, 2, 5), _normal(3, 1, 2, 5, seed=1),
             0.2 + _times(3) / 2),
        case("as many points as numbers, float32", 1.5, drawn(3, 3, seed=2), drawn(3, 3, seed=3),
             _times(3).flip(0).float()),
    ],
    mistakes=[
        Mistake("time runs backwards", "u = 0 is noise, u = 1 data.",
                lambda *a: _flow(*a, fault="backwards")),
        Mistake("the velocity points to the noise", "From noise to data: x − noise.",
                lambda *a: _flow(*a, fault="to noise")),
        Mistake("the data for the velocity", "A velocity is end minus start.",
                lambda *a: _flow(*a, fault="the data")),
    ],
)  # fmt: skip
