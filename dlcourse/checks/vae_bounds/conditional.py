"""Check of a VAE that is told the class, by what any right one must do."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.vae.probing import given, wake
from dlcourse.checks.vae_bounds.convolutional import (
    _about_codes,
    _about_images,
    _images,
    _joints,
    _latents,
)


@torch.no_grad()
def _conditional(network, arguments, x, y):
    """arguments: of the class, () for none."""
    model = network(*arguments)
    z = _latents(len(x), arguments[0] if arguments else 10)
    # the first calls, in which lazy layers learn their sizes
    given(model.encode(x, y), "encode")
    given(model.decode(z, y), "decode")
    wake(model.eval())
    found = _about_codes(lambda rows: model.encode(rows, y[: len(rows)]), x)
    found |= _about_images(lambda rows: model.decode(rows, y[: len(rows)]), z)
    found |= _joints(model, lambda: model.encode(x, y), lambda: model.decode(z, y))
    other, zeros = (y + 1) % 10, torch.zeros_like(z)
    changed = [model.decode(zeros, torch.full_like(y, k)) for k in range(10)]
    steps = torch.stack([(b - a).flatten() for a, b in zip(changed, changed[1:], strict=False)])
    return found | {
        "the encoder is told the class": not torch.allclose(
            model.encode(x, y)[0], model.encode(x, other)[0], atol=1e-4
        ),
        "the decoder is told the class": not torch.allclose(
            model.decode(z, y), model.decode(z, other), atol=1e-4
        ),
        "classes are names, not numbers on a line": bool(
            torch.linalg.matrix_rank(steps, rtol=1e-3) > 7
        ),
        "more hidden units, more parameters": _grows(network, arguments or (10,), x, y, z),
    }


def _grows(network, arguments, x, y, z):
    sizes = []
    for hidden in (20, 21):
        model = network(arguments[0], hidden)
        model.encode(x, y), model.decode(z, y)
        sizes.append(sum(one.numel() for one in model.parameters()))
    return sizes[1] > sizes[0]


class _Told(nn.Module):
    fault = ""

    def __init__(self, latents=10, hidden=128):
        super().__init__()
        extra, hidden = 1 if self.fault == "number" else 10, 50 if self.fault == "50" else hidden
        between = nn.Identity() if self.fault == "linear" else nn.ReLU()
        self.encoder = nn.Sequential(
            nn.Linear(196 + extra, hidden), between, nn.Linear(hidden, 2 * latents)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latents + extra, hidden), between, nn.Linear(hidden, 196)
        )

    def name(self, y, told=True):
        hot = y[:, None].float() if self.fault == "number" else F.one_hot(y, 10).float()
        return hot if told else torch.zeros_like(hot)

    def encode(self, x, y):
        told = self.name(y, self.fault != "decoder only")
        mu, log_var = self.encoder(torch.cat([x.flatten(1), told], 1)).chunk(2, dim=1)
        return mu, F.softplus(log_var) if self.fault == "positive" else log_var

    def decode(self, z, y):
        z = torch.zeros_like(z) if self.fault == "deaf" else z
        told = self.name(y, self.fault != "encoder only")
        image = self.decoder(torch.cat([z, told], 1)).unflatten(1, (1, 14, 14))
        return image.sigmoid() if self.fault == "sigmoid" else image


def _told(fault=""):
    return type(f"_Told_{fault.replace(' ', '_')}", (_Told,), {"fault": fault})


ConditionalVAE = Check(
    "ConditionalVAE",
    reference=_told(),
    probe=_conditional,
    cases=lambda: [
        case("3 latents", (3,), _images(33, size=14), torch.arange(33) % 10),
        case("8 latents, 30 hidden units", (8, 30), _images(20, 1, size=14),
             (3 * torch.arange(20)) % 10),
        case("all arguments left out, no 9 among the classes", (), _images(12, 2, size=14),
             torch.arange(12) % 5),
        case("a single latent", (1, 40), _images(25, 4, size=14), torch.arange(25) % 10),
    ],  # fmt: skip
    mistakes=[
        Mistake("the condition is fed to the encoder only",
                "A decoder that is not told the class cannot draw what is asked for: "
                "concatenate the one-hot class to z too.",
                _told("encoder only")),
        Mistake("the condition is fed to the decoder only",
                "q(z|x, y): an encoder that knows the class need not spend latents on it.",
                _told("decoder only")),
        Mistake("the class as a number", "7 is not more than 3 here: F.one_hot(y, 10).",
                _told("number")),
        Mistake("z is lost", "The decoder needs both, z and the class: torch.cat([z, …], 1).",
                _told("deaf")),
        Mistake("no activation between the layers",
                "Without a ReLU between its two layers each half is one linear map.",
                _told("linear")),
        Mistake("probabilities instead of logits",
                "The loss does the sigmoid: the decoder ends in a linear layer.",
                _told("sigmoid")),
        Mistake("the number of hidden units is not used",
                "hidden is an argument: nn.Linear(…, hidden), nn.ReLU(), nn.Linear(hidden, …).",
                _told("50")),
        Mistake("log_var made positive", "ln σ² is negative wherever σ < 1.", _told("positive")),
    ],
)  # fmt: skip
