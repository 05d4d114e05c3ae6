"""Check of how samples are drawn from a trained generator:
what they are, and what drawing leaves behind in it."""

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, Untouched, case


def _draw(generator, z):
    modes = [module.training for module in generator.modules()]
    with torch.no_grad():
        images = 0.5 + 0.5 * generator.eval()(z)
    for module, mode in zip(generator.modules(), modes, strict=True):
        module.training = mode
    return images


def _watch(function, generator, z):
    before = [value.clone() for value in generator.state_dict().values()]
    images = function(generator, z)
    recording = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    if images is None:
        raise Untouched("None: is `return` missing?")
    after = generator.state_dict().values()
    return {
        "images": images.detach(),
        "they carry a graph": images.requires_grad,
        "in training mode afterwards, module by module": [
            module.training for module in generator.modules()
        ],
        "gradients are recorded afterwards": recording,
        "drawing changed the generator": any(
            not torch.equal(a, b) for a, b in zip(before, after, strict=True)
        ),
    }


def _generator(latents, side, seed, training=True, dtype=torch.float32):
    """As after some training:
    the running statistics of its batch norm are not those of a fresh one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        norm = nn.BatchNorm2d(2)
        norm.running_mean.copy_(torch.tensor([0.5, -0.3]))
        norm.running_var.copy_(torch.tensor([0.4, 2.0]))
        layers = (
            nn.Unflatten(1, (latents, 1, 1)),
            nn.ConvTranspose2d(latents, 2, side),
            norm,
            nn.Conv2d(2, 1, 1),
        )
        return nn.Sequential(*layers, nn.Tanh()).to(dtype).train(training)


def _resting(generator):
    """In training mode, its batch norm in eval mode."""
    generator[2].eval()
    return generator


def _latents(n, d, seed, dtype=torch.float32):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def _straight(generator, z):
    """As the generator stands, batch norm on the statistics of the batch, with a graph."""
    return (generator(z) + 1) / 2


def _no_grad(generator, z):
    with torch.no_grad():
        return _straight(generator, z)


def _graph(generator, z):
    mode = generator.training
    images = _straight(generator.eval(), z)
    generator.train(mode)
    return images


def _one_mode(generator, z):
    mode = generator.training
    with torch.no_grad():
        images = _straight(generator.eval(), z)
    generator.train(mode)
    return images


def _stays(generator, z):
    with torch.no_grad():
        return _straight(generator.eval(), z)


draw = Check(
    "draw",
    reference=_draw,
    probe=_watch,
    rtol=1e-4,
    atol=1e-5,
    cases=lambda: [
        case("two latents, a generator in training", _generator(3, 2, 0), _latents(2, 3, 0)),
        case("a generator in eval mode already", _generator(3, 2, 0, training=False),
             _latents(2, 3, 0)),
        case("one latent", _generator(4, 3, 1), _latents(1, 4, 1)),
        case("seven latents in float64", _generator(2, 4, 2, dtype=torch.float64),
             _latents(7, 2, 2, torch.float64)),
        case("every second of six latents", _generator(5, 2, 3), _latents(6, 5, 3)[::2]),
        case("in training, but for its batch norm", _resting(_generator(3, 3, 4)),
             _latents(4, 3, 4)),
    ],
    mistakes=[
        Mistake("in training mode",
                "Batch norm then uses the statistics of this batch, "
                "so an image depends on its neighbours, and the running means move: "
                "eval mode, best by `with evaluating(generator):`.", _straight),
        Mistake("no_grad, but still in training mode",
                "torch.no_grad stops the graph and nothing else: batch norm goes on using the "
                "batch. `with evaluating(generator):` does both.", _no_grad),
        Mistake("a graph is kept",
                "Nobody will differentiate these images: torch.no_grad, or evaluating.", _graph),
        Mistake("the generator stays in eval mode",
                "It may have to train on: put its mode back, as evaluating does at its end.",
                _stays),
        Mistake("every module gets the generator's own mode",
                "A batch norm may rest in eval mode while the others train: each module's mode "
                "comes back, as evaluating does it.", _one_mode),
        Mistake("left in [−1, 1]",
                "tanh ends at ±1 and the judge looks at [0, 1]: add 1 and halve.",
                lambda generator, z: 2 * _draw(generator, z) - 1),
        Mistake("cut off at 0 instead of mapped",
                "Every dark pixel would be 0: map −1 to 0 and 1 to 1.",
                lambda generator, z: (2 * _draw(generator, z) - 1).clamp(0, 1)),
        Mistake("each batch stretched to [0, 1] by its own extremes",
                "Then a grey from one batch is another grey in the next: "
                "the map is the same for all, (y + 1)/2.",
                lambda generator, z: _stretch(_draw(generator, z))),
    ],
)  # fmt: skip


def _stretch(images):
    return (images - images.min()) / (images.max() - images.min())
