"""Checks of an autoencoder and of a variational one as modules, by what any right one must do."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.vae.probing import (
    bends,
    each_alone,
    given,
    passed_on,
    signs,
    through_relu,
    wake,
)


def _images(batch, seed=0, size=28):
    # So that codes spread
    return 3 * torch.randn(batch, 1, size, size, generator=torch.Generator().manual_seed(seed))


def _about_codes(model, encode, x):
    """encode(x) → list of codes."""
    codes = encode(x)
    return {
        "shape of each code": [tuple(one.shape) for one in codes],
        "shape of each code of a single image": [tuple(one.shape) for one in encode(x[:1])],
        "negative, positive values in each code": [signs(one) for one in codes],
        "each code changes from image to image": [bool((one.std(0) > 0).all()) for one in codes],
        "the same code a second time": all(
            torch.equal(a, b) for a, b in zip(codes, encode(x), strict=True)
        ),
        "the code depends on its own image alone": each_alone(encode, x),
        "a hidden layer that bends, in the encoder": bends(lambda rows: encode(rows)[0], x),
        "a ReLU after the hidden layer, in the encoder": through_relu(
            passed_on(model, lambda: encode(x))
        ),
    }


def _about_logits(model, latents, rows):
    z = torch.randn(rows, latents, generator=torch.Generator().manual_seed(1))
    logits = model.decode(5 * z)
    return {
        "shape of the logits": tuple(logits.shape),
        "shape of the logits of a single code": tuple(model.decode(z[:1]).shape),
        "negative, positive logits": signs(logits),
        "logits beyond 1": bool((logits.abs() > 1).any()),
        "the same logits a second time": torch.equal(logits, model.decode(5 * z)),
        "the logits depend on their own code alone": each_alone(lambda z: [model.decode(z)], z),
        "a hidden layer that bends, in the decoder": bends(model.decode, z),
        "a ReLU after the hidden layer, in the decoder": through_relu(
            passed_on(model, lambda: model.decode(z))
        ),
        "numbers in all parameters": sum(one.numel() for one in model.parameters()),
    }


def _made(network, arguments, x):
    """A woken model that has run once, in which lazy layers learn their sizes → model, latents."""
    model, latents = network(*arguments), arguments[0] if arguments else 20
    given(model.encode(x), "encode")
    given(model.decode(torch.zeros(2, latents)), "decode")
    wake(model)
    return model, latents


@torch.no_grad()
def _autoencoder(network, arguments, x):
    model, latents = _made(network, arguments, x)
    found = _about_codes(model, lambda rows: [model.encode(rows)], x)
    found |= _about_logits(model, latents, len(x))
    # codes of another shape have been told already, and decode may not take them
    fits = all(model.encode(rows).shape == (len(rows), latents) for rows in (x, x[:1]))
    whole = given(model(x), "forward") if fits else x
    again = model.decode(model.encode(x)) if fits else x
    found["shape of what forward gives"] = tuple(whole.shape)
    found["shape of what it gives for a single image"] = tuple(
        model(x[:1]).shape if fits else x[:1].shape
    )
    found["forward is decode(encode(x))"] = whole.shape == again.shape and torch.allclose(
        whole, again, atol=1e-4
    )
    return found


@torch.no_grad()
def _vae(network, arguments, x):
    model, latents = _made(network, arguments, x)
    codes = model.encode(x)
    if not isinstance(codes, (tuple, list)) or len(codes) != 2:
        raise TypeError("encode must return two tensors: mu, log_var")
    found = _about_codes(model, lambda rows: list(model.encode(rows)), x)
    found["mu and log_var are different things"] = not torch.allclose(*codes)
    found |= _about_logits(model, latents, len(x))
    decoder = getattr(model, "decoder", None)
    last = decoder[-1] if isinstance(decoder, nn.Sequential) and len(decoder) else None
    bias = getattr(last, "bias", None)
    found["numbers in decoder[-1].bias, of the last linear layer"] = (
        "there is none" if bias is None else bias.numel()
    )
    return found


class _Net(nn.Module):
    """Both kinds; `outputs` codes from the encoder, `fault` names what goes wrong."""

    outputs, fault = 1, ""

    def __init__(self, latents=20, hidden=400, size=28):
        super().__init__()
        self.size = 28 if self.fault == "28" else size
        pixels = self.size**2
        width = latents * (1 if self.fault == "one head" else self.outputs)
        between = nn.Identity() if self.fault == "no ReLU" else nn.ReLU()
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, hidden), between, nn.Linear(hidden, width)
        )
        self.decoder = nn.Sequential(nn.Linear(latents, hidden), between, nn.Linear(hidden, pixels))

    def encode(self, x):
        code = self.encoder(x)
        if self.fault == "ReLU":
            code = F.relu(code)
        if self.fault == "positive":
            code = torch.cat([code.chunk(2, 1)[0], F.softplus(code.chunk(2, 1)[1])], 1)
        if self.fault == "noise":
            code = code + torch.randn_like(code)
        if self.outputs == 1:
            return code
        return (code, code) if self.fault == "one head" else code.chunk(2, dim=1)

    def decode(self, z):
        x = self.decoder(z)
        if self.fault == "sigmoid":
            x = x.sigmoid()
        # (B, pixels) → (B, 1, size, size)
        return x if self.fault == "flat" else x.unflatten(1, (1, self.size, self.size))

    def forward(self, x):
        return self.decode(self.encode(x))


def _kind(outputs, fault=""):
    return type(
        f"_Net{outputs}_{fault.replace(' ', '_')}", (_Net,), {"outputs": outputs, "fault": fault}
    )


def _cases():
    return [
        case("2 latents, 8 hidden units", (2, 8), _images(33)),
        case("7 latents, 30 hidden units", (7, 30), _images(20, 1)),
        case("5 latents, hidden units left out", (5,), _images(12, 2)),
        case("a single latent", (1, 12), _images(25, 4)),
    ]


def _common(outputs):
    """Mistakes that either network may have."""
    return [
        Mistake("a ReLU on the code", "A code may be negative: the encoder ends in a linear layer.",
                _kind(outputs, "ReLU")),
        Mistake("probabilities instead of logits",
                "The loss does the sigmoid: the decoder ends in a linear layer.",
                _kind(outputs, "sigmoid")),
        Mistake("the picture stays flat",
                "decode gives images again, (B, 1, 28, 28): unflatten(1, (1, 28, 28)).",
                _kind(outputs, "flat")),
        Mistake("no ReLU", "Without a ReLU between its two layers each half is one linear map.",
                _kind(outputs, "no ReLU")),
        Mistake("noise inside encode",
                "encode says what it knows; the drawing is reparameterise's work.",
                _kind(outputs, "noise")),
    ]  # fmt: skip


Autoencoder = Check(
    "Autoencoder",
    reference=_kind(1),
    probe=_autoencoder,
    cases=_cases,
    mistakes=_common(1),
)

VAE = Check(
    "VAE",
    reference=_kind(2),
    probe=_vae,
    cases=lambda: [
        *_cases(),
        case("images of 14 × 14 pixels", (3, 9, 14), _images(12, 3, size=14)),
        case("images of 9 × 9 pixels", (2, 7, 9), _images(12, 5, size=9)),
        case("all arguments left out", (), _images(10, 4)),
    ],
    fallback="dlcourse.models.vae:VAE",
    mistakes=[
        *_common(2),
        Mistake("mu and log_var are the same tensor",
                "They are the two halves of 2·latents outputs, chunk(2, dim=1), "
                "or come from two linear layers.",
                _kind(2, "one head")),
        Mistake("28 × 28 pixels always",
                "size is an argument: size² numbers in, size² out, unflatten(1, (1, size, size)).",
                _kind(2, "28")),
        Mistake("log_var made positive",
                "ln σ² is negative wherever σ < 1: no softplus, no exp in encode.",
                _kind(2, "positive")),
    ],
)  # fmt: skip
