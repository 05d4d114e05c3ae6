"""Checks of repaired snippets that draw random numbers:
judged by what must hold whatever was drawn.

The bounds are wide enough, five standard deviations or more,
that a right answer never fails by bad luck.
"""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.repairs.autograd import draw, yes
from dlcourse.checks.words import kind_of


def _dropout_judged(cls, features, hidden, p):
    """Dropout before a linear layer leaves the mean of the output as it is,
    and a spread that can be computed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = cls(features, hidden, p)
    x = draw(0, 1, features).expand(4000, features)
    found = {tuple(w.shape): w.detach() for w in model.parameters()}
    if missing := {(hidden, features), (hidden,), (1, hidden), (1,)} - set(found):
        raise ValueError(
            f"no parameter has the shape {min(missing)}; those registered have {sorted(found)}"
        )
    h = F.relu(F.linear(x[0], found[hidden, features], found[(hidden,)]))
    mean = h @ found[1, hidden][0] + found[(1,)][0]
    spread = ((h * found[1, hidden][0]).square().sum() * p / (1 - p)).sqrt()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model.eval()
        quiet = model(x)
        with torch.no_grad():
            silent = model(x)
        model.train()
        noisy, again = model(x).detach(), model(x).detach()
    ratio, shift = noisy.std() / spread, (noisy.mean() - mean).abs() / (spread / 4000**0.5)
    return {
        "shape": tuple(quiet.shape),
        "eval: nothing dropped": yes(torch.allclose(quiet, mean.expand_as(quiet), atol=1e-5)),
        "eval in no_grad: nothing dropped": yes(
            torch.allclose(silent, mean.expand_as(silent), atol=1e-5)
        ),
        "train: two passes differ": yes(not torch.equal(noisy, again)),
        "train: spread over the right one": 1.0 if 0.8 < ratio < 1.25 else round(ratio.item(), 3),
        "train: mean as in eval": yes(shift < 5),
    }


class _Dropped(nn.Module):
    """Two layers; `drop` is what subclasses do in between."""

    def __init__(self, features, hidden, p):
        super().__init__()
        self.first, self.last, self.p = nn.Linear(features, hidden), nn.Linear(hidden, 1), p

    def drop(self, h):
        return F.dropout(h, self.p)

    def forward(self, x):
        return self.last(self.drop(F.relu(self.first(x))))


def _dropped(name, drop):
    return type(name, (_Dropped,), {"drop": drop})


def _seeded(model, h):
    torch.manual_seed(0)
    return F.dropout(h, model.p)


class _DropoutReference(_Dropped):
    def __init__(self, features, hidden, p):
        super().__init__(features, hidden, p)
        self.mask = nn.Dropout(p)

    def drop(self, h):
        return self.mask(h)


DropoutNet = Check(
    "DropoutNet",
    reference=_DropoutReference,
    probe=_dropout_judged,
    cases=[
        case("2 features, 8 hidden units, p = ½", 2, 8, 0.5),
        case("5 features, 16 hidden units, p = 0.2", 5, 16, 0.2),
        case("3 features, 12 hidden units, p = 0.7", 3, 12, 0.7),
    ],
    mistakes=[
        Mistake("dropout is always on",
                "F.dropout does not know of model.eval() unless you say training=self.training. "
                "An nn.Dropout knows if __init__ made it, as a part of the model: one made in "
                "forward is new, and in train mode, at every call.",
                _dropped("AlwaysOn", lambda model, h: F.dropout(h, model.p))),
        Mistake("a seed freezes the mask",
                "Now every pass drops the same units: the answers agree and are still wrong, "
                "and every other random number of the program restarts too. "
                "Use training=self.training.",
                _dropped("Seeded", _seeded)),
        Mistake("dropout is gone from training too",
                "In train mode units must be dropped. Use training=self.training.",
                _dropped("Gone", lambda model, h: h)),
        Mistake("no_grad is taken for the switch",
                "torch.no_grad stops the recording, model.eval() stops dropout: two switches. "
                "Ask self.training.",
                _dropped("GradSwitch", lambda model, h:
                    F.dropout(h, model.p, torch.is_grad_enabled()))),
        Mistake("the switch is turned round",
                "self.training is True while training, and then units are dropped.",
                _dropped("TurnedRound", lambda model, h:
                    F.dropout(h, model.p, not model.training))),
        Mistake("the kept units are not scaled",
                "Divide what is kept by 1 − p, as F.dropout does, "
                "or train and eval differ in their mean.",
                _dropped("Unscaled", lambda model, h:
                    F.dropout(h, model.p, model.training) * (1 - model.p)
                         if model.training else h)),
    ],
)  # fmt: skip


def _flips_judged(function, images, generator):
    """Six calls in a row with one generator, and one more with the same generator wound back."""
    start = generator.get_state()
    function(images, generator)
    drawn = not torch.equal(generator.get_state(), start)
    generator.set_state(start)
    calls = [function(images, generator) for _ in range(6)]
    if calls[0] is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(calls[0], torch.Tensor):
        raise TypeError(f"return a tensor, not {kind_of(calls[0])}")
    if shapes := {tuple(call.shape) for call in calls} - {tuple(images.shape)}:
        raise ValueError(f"images of shape {tuple(images.shape)} come back as {shapes.pop()}")
    generator.set_state(start)
    repeated = function(images, generator)
    mirrored = torch.stack([(call == images.flip(-1)).flatten(1).all(1) for call in calls])
    kept = torch.stack([(call == images).flatten(1).all(1) for call in calls])
    share, slack = mirrored.double().mean().item(), 5 * (0.25 / mirrored.numel()) ** 0.5
    return {
        "dtype": str(calls[0].dtype),
        "draws from the generator": yes(drawn),
        "neither kept nor mirrored": (~(mirrored | kept)).sum().item(),
        "share mirrored": 0.5 if abs(share - 0.5) < slack else share,
        "calls with all or none": (mirrored.all(1) | ~mirrored.any(1)).sum().item(),
        "always as many": yes((mirrored.sum(1) == mirrored[0].sum()).all()),
        "second call draws anew": yes(not torch.equal(calls[0], calls[1])),
        "repeatable by generator": yes(torch.equal(calls[0], repeated)),
    }


def _flipped(images, flags):
    return torch.where(flags.reshape(-1, 1, 1), images.flip(-1), images)


def _flags(images, generator, low=0, high=2):
    return torch.randint(low, high, (len(images),), generator=generator).bool()


def _exactly_half(images, generator):
    return _flipped(images, torch.randperm(len(images), generator=generator) < len(images) // 2)


def _restarted(images, generator):
    return _flipped(images, _flags(images, generator.manual_seed(0)))


def _upside_down(images, generator):
    return torch.where(_flags(images, generator).reshape(-1, 1, 1), images.flip(1), images)


def _images(n, height, width, dtype=torch.float32):
    """No image, row or column is like another or its own mirror image."""
    return (torch.arange(n * height * width) % 251).reshape(n, height, width).to(dtype)


flip_some = Check(
    "flip_some",
    reference=lambda images, generator: _flipped(images,
                                                 torch.rand(len(images),
                                                            generator=generator) < 0.5),
    probe=_flips_judged,
    cases=lambda: [
        case("100 images, 2 × 3", _images(100, 2, 3), torch.Generator().manual_seed(0)),
        case("400 images, uint8", _images(400, 3, 5, torch.uint8),
             torch.Generator().manual_seed(1)),
        case("300 images, float64, not contiguous", _images(300, 4, 3, torch.float64).mT,
             torch.Generator().manual_seed(2)),
    ],
    mistakes=[
        Mistake("randint(0, 1) is always 0",
                "The upper end is not drawn: randint(0, 1) can only be 0. "
                "Draw from randint(0, 2), or rand(N) < 0.5.",
                lambda images, generator: _flipped(images, _flags(images, generator, 0, 1))),
        Mistake("every image is flipped",
                "randint(1, 2) is always 1: a constant has taken the place of another. "
                "Draw from randint(0, 2).",
                lambda images, generator: _flipped(images, _flags(images, generator, 1, 2))),
        Mistake("one flag for the whole batch",
                "Every image tosses a coin of its own: N flags, shape (N,).",
                lambda images, generator: _flipped(images, _flags(images[:1], generator))),
        Mistake("the generator is not used",
                "Draw with generator=generator: otherwise nobody can repeat your run.",
                lambda images, generator: _flipped(images, torch.rand(len(images)) < 0.5)),
        Mistake("the generator is restarted at each call",
                "The same images are flipped in every epoch: that is a fixed data set, no "
                "augmentation. Seed once, outside.",
                _restarted),
        Mistake("upside down",
                "Axis −1 runs from left to right, axis 1 from top to bottom.",
                _upside_down),
        Mistake("always exactly half",
                "A coin for each image: sometimes 47 of 100 are mirrored, sometimes 55.",
                _exactly_half),
        Mistake("not half of them",
                "randint(0, 3) has three values, and bool() makes True of two of them. "
                "Draw from randint(0, 2).",
                lambda images, generator: _flipped(images, _flags(images, generator, 0, 3))),
    ],
)  # fmt: skip
