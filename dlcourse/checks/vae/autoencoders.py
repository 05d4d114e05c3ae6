"""Checks of an autoencoder and of a variational one as modules, by what any right one must do."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _images(batch, seed=0):
    # So that codes spread
    return 3 * torch.randn(batch, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


def _bends(function, rows):
    """Whether a function is not an affine map:
    the middle of two arguments does not give the middle of the results."""
    a, b = rows, rows.flip(0)
    return not torch.allclose(
        function((a + b) / 2), (function(a) + function(b)) / 2, rtol=1e-3, atol=1e-4
    )


def _signs(values):
    return bool((values < 0).any()), bool((values > 0).any())


def _wake(model):
    """Weights of which every output depends strongly on every input,
    so that a cut-off shows; the same for each run."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for one in model.parameters():
            fan = one[0].numel() if one.dim() > 1 else 4
            one.copy_(torch.randn(one.shape, generator=generator) * (4 / fan) ** 0.5)


def _about_codes(codes, encode, x):
    return {
        "shape of each code": [tuple(one.shape) for one in codes],
        "negative, positive values in each code": [_signs(one) for one in codes],
        "the same code a second time": all(
            torch.equal(a, b) for a, b in zip(codes, encode(x), strict=True)
        ),
        "the code depends on its own image alone": all(
            torch.allclose(a[:1], b, atol=1e-4) for a, b in zip(codes, encode(x[:1]), strict=True)
        ),
        "a hidden layer that bends, in the encoder": _bends(lambda rows: encode(rows)[0], x),
    }


def _about_logits(model, x, latents):
    z = torch.randn(len(x), latents, generator=torch.Generator().manual_seed(1))
    logits = model.decode(5 * z)
    return {
        "shape of the logits": tuple(logits.shape),
        "negative, positive logits": _signs(logits),
        "logits beyond 1": bool((logits.abs() > 1).any()),
        "a hidden layer that bends, in the decoder": _bends(model.decode, z),
        "numbers in all parameters": sum(one.numel() for one in model.parameters()),
    }


def _autoencoder(network, latents, hidden, x):
    model = network(latents, hidden)
    _wake(model)
    with torch.no_grad():
        code = model.encode(x)
        if code is None:
            return None
        found = _about_codes([code], lambda rows: [model.encode(rows)], x) | _about_logits(
            model, x, latents
        )
        found["forward is decode(encode(x))"] = torch.allclose(
            model(x), model.decode(code), atol=1e-4
        )
    return found


def _vae(network, latents, hidden, x):
    model = network(latents, hidden)
    _wake(model)
    with torch.no_grad():
        codes = model.encode(x)
        if codes is None:
            return None
        if not isinstance(codes, (tuple, list)) or len(codes) != 2:
            raise TypeError("encode must return two tensors: mu, log_var")
        found = _about_codes(list(codes), model.encode, x) | _about_logits(model, x, latents)
        found["mu and log_var are different things"] = not torch.allclose(*codes)
    return found


class _Net(nn.Module):
    """Both kinds; `outputs` codes from the encoder, `fault` names what goes wrong."""

    outputs, fault = 1, ""

    def __init__(self, latents, hidden=400):
        super().__init__()
        width = latents * (1 if self.fault == "one head" else self.outputs)
        between = nn.Identity() if self.fault == "no ReLU" else nn.ReLU()
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(784, hidden), between, nn.Linear(hidden, width)
        )
        self.decoder = nn.Sequential(nn.Linear(latents, hidden), between, nn.Linear(hidden, 784))

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
        # (B, 784) → (B, 1, 28, 28)
        return x if self.fault == "flat" else x.unflatten(1, (1, 28, 28))

    def forward(self, x):
        return self.decode(self.encode(x))


def _kind(outputs, fault=""):
    return type(
        f"_Net{outputs}_{fault.replace(' ', '_')}", (_Net,), {"outputs": outputs, "fault": fault}
    )


def _cases():
    return [
        case("2 latents, 8 hidden units", 2, 8, _images(33)),
        case("7 latents, 30 hidden units", 7, 30, _images(20, 1)),
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
    cases=_cases,
    fallback="dlcourse.models.vae:VAE",
    mistakes=[
        *_common(2),
        Mistake("mu and log_var are the same tensor",
                "They are the two halves of 2·latents outputs, chunk(2, dim=1), "
                "or come from two linear layers.",
                _kind(2, "one head")),
        Mistake("log_var made positive",
                "ln σ² is negative wherever σ < 1: no softplus, no exp in encode.",
                _kind(2, "positive")),
    ],
)  # fmt: skip
