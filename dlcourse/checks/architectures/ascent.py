"""Check of climbing a score by changing the image."""

import torch

from dlcourse.checks.core import Check, Mistake, case


def _climb(score, x, steps, rate, fault=None):
    """Gradient ascent, image by image, with one fault."""
    images, piled = [x[i : i + 1].detach().clone() for i in range(len(x))], 0
    images = [x.detach().clone()] if fault == "together" else images
    done = []
    for one in images:
        piled = torch.zeros_like(one)
        for _ in range(steps):
            slope = torch.autograd.functional.vjp(lambda z: score(z).sum(), one)[1]
            piled = piled + slope if fault == "piled up" else slope
            length = piled.norm()
            length = {"raw": torch.ones(()), "no guard": length}.get(fault, length.clamp_min(1e-12))
            step = piled.sign() if fault == "sign" else piled / length
            one = one + (-rate if fault == "downhill" else rate) * step
            one = one if fault in ("free", "clamped at the end") else one.clamp(0, 1)
        done.append(one.clamp(0, 1) if fault == "clamped at the end" else one)
    return torch.cat(done)


def _watch_climb(function, score, x, steps, rate):
    result = function(score, x, steps, rate)
    return {
        "images": result,
        "keeps a graph": isinstance(result, torch.Tensor) and result.requires_grad,
        "x.requires_grad afterwards": x.requires_grad,
    }


def _to_the_middle(x):
    """Highest where every pixel is 0.6."""
    return -(x - 0.6).square().flatten(1).sum(1)


def _brightness(x):
    """Grows to the right, falls to the left."""
    return (x * torch.linspace(-1, 1, x.shape[-1], dtype=x.dtype)).flatten(1).sum(1)


def _constant(x):
    """The same for every image: its slope is 0."""
    return (0 * x).flatten(1).sum(1)


def _steep(x):
    """A thousand times as steep for bright images as for dark ones."""
    return torch.sin(x).pow(3).flatten(1).sum(1)


def _climb_cases():
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(3, 1, 4, 6, generator=generator)
    return [
        case("one step on one image", _brightness, torch.full((1, 1, 2, 3), 0.5), 1, 0.1),
        case("several steps, no pixel leaves [0, 1]", _brightness, x[:1], 6, 0.4),
        case("three images, a score with a summit", _to_the_middle, x, 5, 0.2),
        case(
            "a dark and a bright image: the same length of step",
            _steep,
            torch.cat([0.05 * x[:1], x[1:2]]),
            3,
            0.1,
        ),
        case("slope 0: the images stay", _constant, x, 2, 0.3),
        case("no step at all", _brightness, x, 0, 0.3),
        case(
            "float64, two channels, a view",
            _to_the_middle,
            x.double().reshape(1, 2, 6, 6)[..., ::2],
            4,
            0.1,
        ),
    ]


def _climbing(fault):
    return lambda *args: _climb(*args, fault=fault)


def _in_place(score, x, steps, rate):
    return x.copy_(_climb(score, x, steps, rate))


ascend = Check(
    "ascend",
    reference=_climb,
    probe=_watch_climb,
    cases=_climb_cases,
    rtol=1e-4,
    atol=1e-6,
    mistakes=[
        Mistake("downhill", "The score should grow: add the slope.", _climbing("downhill")),
        Mistake("the slope is not divided by its length",
                "Steps of one length, however steep the score: "
                "divide by the norm.", _climbing("raw")),
        Mistake("one norm for the whole batch", "Each image has its own: flatten(1).norm(dim=1).",
                _climbing("together")),
        Mistake("0/0 where the slope is 0", "Keep the norm above 0, e.g. clamp_min(1e-12).",
                _climbing("no guard")),
        Mistake("pixels leave [0, 1]", "clamp(0, 1) after every step.", _climbing("free")),
        Mistake("clamped only at the end",
                "The next slope must be taken at an image that can be: "
                "clamp after every step.", _climbing("clamped at the end")),
        Mistake("only the sign of the slope",
                "That is the step of the adversarial example; "
                "here the slope itself, divided by its norm.", _climbing("sign")),
        Mistake("slopes pile up",
                "Take a fresh slope each time: torch.autograd.grad adds nothing up.",
                _climbing("piled up")),
        Mistake("the caller's images are overwritten", "Work on a copy: x.detach().clone().",
                _in_place),
    ],
)  # fmt: skip
