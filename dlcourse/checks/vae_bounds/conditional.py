"""Checks of a convolutional VAE and of one that is told the class,
by what any right one must do."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case


def _images(batch, seed=0, size=28):
    return 3 * torch.randn(batch, 1, size, size, generator=torch.Generator().manual_seed(seed))


def _wake(model):
    """Weights of which every output depends on every input,
    the same for each run; and eval mode."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for one in model.parameters():
            fan = one[0].numel() if one.dim() > 1 else 4
            one.copy_(torch.randn(one.shape, generator=generator) * (4 / fan) ** 0.5)
    return model.eval()


def _both_signs(values):
    return bool((values < 0).any() and (values > 0).any())


def _about_codes(codes, again, alone):
    if not isinstance(codes, (tuple, list)) or len(codes) != 2:
        raise TypeError("encode must return two tensors: mu, log_var")
    mu, log_var = codes
    return {
        "shapes of mu and log_var": (tuple(mu.shape), tuple(log_var.shape)),
        "mu and log_var take both signs": (_both_signs(mu), _both_signs(log_var)),
        "mu and log_var are different things": not torch.allclose(mu, log_var),
        "the same code a second time": torch.equal(mu, again[0]) and torch.equal(log_var, again[1]),
        "the code depends on its own image alone": torch.allclose(
            mu[:1], alone[0], rtol=1e-3, atol=1e-3
        ),
    }


def _conv_vae(network, latents, x):
    model = network(latents)
    if model is None:
        return None
    _wake(model)
    with torch.no_grad():
        codes = model.encode(x)
        if codes is None:
            return None
        found = _about_codes(codes, model.encode(x), model.encode(x[:1]))
        z = torch.randn(len(x), latents, generator=torch.Generator().manual_seed(1))
        image = model.decode(z)
        found |= {
            "shape of the image": tuple(image.shape),
            "the image takes both signs": _both_signs(image),
        }
        found["values beyond 1"] = bool((image.abs() > 1).any())
    kinds = [type(one) for one in model.modules()]
    down, up = kinds.count(nn.Conv2d), kinds.count(nn.ConvTranspose2d) + kinds.count(nn.Upsample)
    weights = sum(one.numel() for one in model.parameters())
    return found | {"convolves on the way down": down >= 2, "grows again by convolutions": up >= 2,
                    "at most 150,000 parameters": weights <= 150_000}  # fmt: skip


class _Conv(nn.Module):
    fault = ""

    def __init__(self, latents):
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
        self.down = nn.Sequential(nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1),
                                  nn.ReLU(), nn.Flatten(), nn.Linear(32 * 49, heads))  # fmt: skip
        self.up = nn.Sequential(nn.Linear(latents, 32 * 49), nn.ReLU(), nn.Unflatten(1, (32, 7, 7)),
                                nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(),
                                nn.ConvTranspose2d(16, 1, 4, 2, 1))  # fmt: skip
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
    cases=lambda: [case("3 latents", 3, _images(33)), case("10 latents", 10, _images(20, 1))],
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
        Mistake("mu and log_var are the same tensor",
                "2 · latents outputs, split by chunk(2, dim=1).", _conv("one head")),
        Mistake("log_var made positive", "ln σ² is negative wherever σ < 1.", _conv("positive")),
        Mistake("noise inside encode",
                "encode says what it knows; the drawing is reparameterise's work.", _conv("noise")),
    ],
)  # fmt: skip


def _conditional(network, latents, x, y):
    model = network(latents)
    if model is None:
        return None
    _wake(model)
    other = (y + 1) % 10
    with torch.no_grad():
        codes = model.encode(x, y)
        if codes is None:
            return None
        found = _about_codes(codes, model.encode(x, y), model.encode(x[:1], y[:1]))
        z = torch.randn(len(x), latents, generator=torch.Generator().manual_seed(1))
        image, zeros = model.decode(z, y), torch.zeros(len(x), latents)
        changed = [model.decode(zeros, torch.full_like(y, k)) for k in range(10)]
        steps = torch.stack([(b - a).flatten() for a, b in zip(changed, changed[1:], strict=False)])
        return found | {
            "shape of the logits": tuple(image.shape),
            "the encoder is told the class": not torch.allclose(
                codes[0], model.encode(x, other)[0], atol=1e-4
            ),
            "the decoder is told the class": not torch.allclose(
                image, model.decode(z, other), atol=1e-4
            ),
            "the decoder listens to z": not torch.allclose(
                image, model.decode(z.flip(0), y), atol=1e-4
            ),
            "classes are names, not numbers on a line": bool(
                torch.linalg.matrix_rank(steps, rtol=1e-3) > 7
            ),
        }


class _Told(nn.Module):
    fault = ""

    def __init__(self, latents):
        super().__init__()
        extra = 1 if self.fault == "number" else 10
        self.encoder = nn.Sequential(
            nn.Linear(196 + extra, 50), nn.ReLU(), nn.Linear(50, 2 * latents)
        )
        self.decoder = nn.Sequential(nn.Linear(latents + extra, 50), nn.ReLU(), nn.Linear(50, 196))

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
        return self.decoder(torch.cat([z, told], 1)).unflatten(1, (1, 14, 14))


def _told(fault=""):
    return type(f"_Told_{fault.replace(' ', '_')}", (_Told,), {"fault": fault})


ConditionalVAE = Check(
    "ConditionalVAE",
    reference=_told(),
    probe=_conditional,
    cases=lambda: [
        case("3 latents", 3, _images(33, size=14), torch.arange(33) % 10),
        case("8 latents", 8, _images(20, 1, size=14), (3 * torch.arange(20)) % 10),
    ],
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
        Mistake("log_var made positive", "ln σ² is negative wherever σ < 1.", _told("positive")),
    ],
)  # fmt: skip
