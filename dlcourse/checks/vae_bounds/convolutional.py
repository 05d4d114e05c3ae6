"""Check of a convolutional VAE, by what any right one must do."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.vae.probing import bare_joints, bends, each_alone, given, passed_on, wake


def _images(batch, seed=0, size=28):
    return 3 * torch.randn(batch, 1, size, size, generator=torch.Generator().manual_seed(seed))


def _both_signs(values):
    return bool((values < 0).any() and (values > 0).any())


def _about_codes(encode, x):
    codes = encode(x)
    if not isinstance(codes, (tuple, list)) or len(codes) != 2:
        raise TypeError("encode must return two tensors: mu, log_var")
    again, (mu, log_var) = encode(x), codes
    return {
        "shapes of mu and log_var": (tuple(mu.shape), tuple(log_var.shape)),
        "their shapes for a single image": [tuple(one.shape) for one in encode(x[:1])],
        "mu and log_var take both signs": (_both_signs(mu), _both_signs(log_var)),
        "mu and log_var are different things": not torch.allclose(mu, log_var),
        "log_var changes from image to image": bool((log_var.std(0) > 0).all()),
        "the same code a second time": torch.equal(mu, again[0]) and torch.equal(log_var, again[1]),
        "the code depends on its own image alone": each_alone(encode, x),
        "something that bends, in the encoder": bends(lambda rows: encode(rows)[0], x),
    }


def _about_images(decode, z):
    image = decode(z)
    return {
        "shape of the output": tuple(image.shape),
        "its shape for a single code": tuple(decode(z[:1]).shape),
        "the output takes both signs": _both_signs(image),
        "values beyond 1": bool((image.abs() > 1).any()),
        "the same output a second time": torch.equal(image, decode(z)),
        "the output depends on its own code": not torch.allclose(image, decode(z.flip(0))),
        "and on no other": each_alone(lambda rows: [decode(rows)], z),
        "something that bends, in the decoder": bends(decode, z),
    }


def _joints(model, encode, decode):
    pairs = passed_on(model, encode), passed_on(model, decode)
    return {
        "layers without an activation between them, encoder and decoder": [
            bare_joints(one) for one in pairs
        ]
    }


def _latents(rows, latents):
    return torch.randn(rows, latents, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def _conv_vae(network, arguments, x):
    """arguments: of the class, () for none."""
    model = network(*arguments)
    z = _latents(len(x), arguments[0] if arguments else 10)
    # the first calls, in which lazy layers learn their sizes
    given(model.encode(x), "encode")
    given(model.decode(z), "decode")
    wake(model.eval())
    found = _about_codes(model.encode, x) | _about_images(model.decode, z)
    found |= _joints(model, lambda: model.encode(x), lambda: model.decode(z))
    kinds = [type(one) for one in model.modules()]
    up = kinds.count(nn.ConvTranspose2d) + kinds.count(nn.Upsample)
    down = [one for one in model.modules() if isinstance(one, nn.Conv2d) and one.stride == (2, 2)]
    weights = sum(one.numel() for one in model.parameters())
    return found | {
        "two convolutions of stride 2 on the way down": len(down) >= 2,
        "two transposed convolutions on the way up": up >= 2,
        "at most 150,000 parameters": weights <= 150_000,
    }


class _Conv(nn.Module):
    fault = ""

    def __init__(self, latents=10):
        super().__init__()
        if self.fault == "dense":
            self.down = nn.Sequential(
                nn.Flatten(), nn.Linear(784, 80), nn.ReLU(), nn.Linear(80, 2 * latents)
            )
            self.up = nn.Sequential(
                nn.Linear(latents, 80), nn.ReLU(), nn.Linear(80, 784), nn.Unflatten(1, (1, 28, 28))
            )
            return
        heads = latents if self.fault == "one head" else 2 * latents
        one, two, three = (
            nn.Identity() if self.fault in ("linear", gap) else nn.ReLU()
            for gap in ("down", "no other", "up")
        )
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), one, nn.Conv2d(8, 16, 3, 2, 1),
                                  two, nn.Flatten(), nn.Linear(16 * 49, heads))  # fmt: skip
        self.up = nn.Sequential(nn.Linear(latents, 16 * 49), three, nn.Unflatten(1, (16, 7, 7)),
                                nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.ReLU(),
                                nn.ConvTranspose2d(8, 1, 4, 2, 1))  # fmt: skip
        self.last = {"ReLU": nn.ReLU(), "sigmoid": nn.Sigmoid()}.get(self.fault, nn.Identity())

    def encode(self, x):
        if self.fault == "one head":
            return self.down(x), self.down(x)
        mu, log_var = self.down(x).chunk(2, dim=1)
        if self.fault == "noise":
            mu = mu + torch.randn_like(mu)
        return mu, F.softplus(log_var) if self.fault == "positive" else log_var

    def decode(self, z):
        image = self.up(z)
        if self.fault == "flat":
            return image.flatten(1)
        return image if self.fault == "dense" else self.last(image)


def _conv(fault=""):
    return type(f"_Conv_{fault.replace(' ', '_')}", (_Conv,), {"fault": fault})


ConvVAE = Check(
    "ConvVAE",
    reference=_conv(),
    probe=_conv_vae,
    cases=lambda: [
        case("3 latents", (3,), _images(33)),
        case("10 latents", (10,), _images(20, 1)),
        case("latents left out", (), _images(9, 2)),
        case("a single latent", (1,), _images(25, 4)),
    ],
    mistakes=[
        Mistake("dense layers only",
                "Two convolutions of stride 2 on the way down, two transposed ones back up: fewer "
                "weights, and neighbours are neighbours.",
                _conv("dense")),
        Mistake("a sigmoid at the end",
                "The decoder ends in its last convolution: "
                "the likelihood decides what its output means.",
                _conv("sigmoid")),
        Mistake("a ReLU at the end",
                "The decoder ends in its last convolution, which may be negative.", _conv("ReLU")),
        Mistake("the picture stays flat", "decode gives images again, (B, 1, 28, 28).",
                _conv("flat")),
        Mistake("no activation between the two convolutions on the way down",
                "Two linear layers in a row are one: nn.ReLU() after each but the last.",
                _conv("down")),
        Mistake("no activation after the linear layer on the way up",
                "Two linear layers in a row are one: nn.ReLU() after each but the last.",
                _conv("up")),
        Mistake("mu and log_var are the same tensor",
                "2 · latents outputs, split by chunk(2, dim=1).", _conv("one head")),
        Mistake("log_var made positive", "ln σ² is negative wherever σ < 1.", _conv("positive")),
        Mistake("noise inside encode",
                "encode says what it knows; the drawing is reparameterise's work.", _conv("noise")),
    ],
)  # fmt: skip
