"""Checks of denoising networks, few-step sampling and guidance: unforeseen
errors, and other right ways."""

import copy
import math

import pytest
import torch
from answers import WARNINGS_ARE_ERRORS, assert_caught, assert_passes, message
from torch.nn import functional as F

from dlcourse.checks.image_diffusion import blocks as denoiser_blocks
from dlcourse.checks.image_diffusion import clinic as broken_generators
from dlcourse.checks.image_diffusion import ddim, guidance, neighbours
from dlcourse.methods.diffusion import cosine_betas, cumulative
from dlcourse.models import denoiser

pytestmark = WARNINGS_ARE_ERRORS


class ShiftByWidth(denoiser.TimeBlock):
    def forward(self, x, time):
        return self.skip(x) + self.second(
            self.first(x) + self.shift(time)[:, :, None, None].mean(1, keepdim=True)
        )


class HalfSkip(denoiser.TimeBlock):
    def forward(self, x, time):
        return 0.5 * self.skip(x) + self.second(self.first(x) + self.shift(time)[..., None, None])


class Shapeless(denoiser.TimeBlock):
    def forward(self, x, time):
        return self.skip(x) + self.second(self.first(x) + self.shift(time))


class HardAttention(denoiser.Attention):
    def forward(self, x):
        q, k, v = self.qkv(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=2)
        weights = F.one_hot((q @ k.transpose(1, 2)).argmax(2), q.shape[1]).to(x.dtype)
        return x + self.out((weights @ v).transpose(1, 2).unflatten(2, x.shape[2:]))


class Eager(denoiser.Denoiser):
    def forward(self, xt, t, y=None):
        return super().forward(xt, t, y) + xt


class SecondFirst(denoiser.Denoiser):
    """The same network with its coarse blocks exchanged."""

    def forward(self, xt, t, y=None):
        twin = copy.deepcopy(self)
        twin.coarse = torch.nn.ModuleList([self.coarse[1], self.coarse[0]])
        return denoiser.Denoiser.forward(twin, xt, t, y)


class FirstTwice(denoiser.Denoiser):
    def forward(self, xt, t, y=None):
        twin = copy.deepcopy(self)
        twin.coarse = torch.nn.ModuleList([self.coarse[0], self.coarse[0]])
        return denoiser.Denoiser.forward(twin, xt, t, y)


def unclamped(x0, eps, now, later, eta, noise):
    sigma = eta * ((1 - later) / (1 - now) * (1 - now / later)).sqrt()
    return later.sqrt() * x0 + (1 - later - sigma**2).sqrt() * eps + sigma * noise


def wide_times(model, x, noise, u):
    share = u.reshape(-1, *[1] * (x.dim() - 1))
    return F.mse_loss(model(torch.lerp(noise, x, share), share), x - noise)


def without_a_floor(x, bank):
    x, bank = x.flatten(1), bank.flatten(1)
    squares = x.square().sum(1)[:, None] + bank.square().sum(1) - 2 * x @ bank.T
    return tuple(squares.sqrt().min(1))


UNFORESEEN = {  # check, wrong answer, the case it must be shown, what the message must say
    "one shift for all channels": (
        denoiser_blocks.TimeBlock,
        ShiftByWidth,
        "16 channels stay 16",
        "differ",
    ),
    "half a skip": (denoiser_blocks.TimeBlock, HalfSkip, "16 channels stay 16", "differ"),
    "no axes": (denoiser_blocks.TimeBlock, Shapeless, "16 channels stay 16", "Error"),
    "argmax": (denoiser_blocks.Attention, HardAttention, "8 channels, 2 × 3 pixels", "differ"),
    "the input added": (denoiser_blocks.Denoiser, Eager, "4 × 4 pixels", "differ"),
    "coarse blocks exchanged": (denoiser_blocks.Denoiser, SecondFirst, "4 × 4 pixels", "differ"),
    "one coarse block twice": (
        denoiser_blocks.Denoiser,
        FirstTwice,
        "4 × 4 pixels",
        "does the work of both",
    ),
    "no clamp": (ddim.ddim_step, unclamped, "just below 0", "inf or NaN"),
    "u as wide as x": (guidance.flow_loss, wide_times, "points", "shape of u"),
    "a velocity without a graph": (
        guidance.flow_loss,
        torch.no_grad()(guidance._flow),
        "points",
        "cut off",
    ),
    "one more than the largest label": (
        guidance.drop_labels,
        lambda y, none, share=0.1: torch.where(torch.rand(y.shape) < share, y.max() + 1, y),
        "more than half",
        "share of labels",
    ),
    "another share by default": (
        guidance.drop_labels,
        lambda y, none, share=0.2: torch.where(torch.rand(y.shape) < share, none, y),
        "without a share",
        "share of labels",
    ),
    "a straight line": (
        ddim.cosine_betas,
        lambda steps, offset=0.008: torch.linspace(0, 1, steps),
        "2 steps",
        "differ",
    ),
    "eps twice": (
        ddim.ddim_step,
        lambda x0, eps, now, later, eta, noise: later.sqrt() * x0 + 2 * (1 - later).sqrt() * eps,
        "η = 0",
        "differ",
    ),
    "no noise ever": (
        ddim.ddim_step,
        lambda x0, eps, now, later, eta, noise: later.sqrt() * x0 + (1 - later).sqrt() * eps,
        "η = 1",
        "differ",
    ),
    "the known alone": (
        ddim.paste_known,
        lambda x, known, mask, later, noise: known,
        "half-way",
        "differ",
    ),
    "constant": (guidance.ema_decay, lambda k, longest=0.999, gamma=16.0: 0.0, "the third", "0"),
    "every second": (
        guidance.drop_labels,
        lambda y, none, share=0.1: torch.where(torch.arange(len(y)) % 2 == 0, y, none),
        "a tenth",
        "share of labels",
    ),
    "floats": (
        guidance.drop_labels,
        lambda y, none, share=0.1: torch.where(torch.rand(len(y)) < share, float(none), y.float()),
        "ten classes",
        "torch.float32",
    ),
    "halfway": (
        guidance.guide,
        lambda m, xt, t, y, s: 0.5 * m(xt, t, y) + 0.5 * m(xt, t),
        "scale 1",
        "differ",
    ),
    "a sum": (
        guidance.flow_loss,
        lambda m, x, z, u: (m((1 - u)[:, None] * z + u[:, None] * x, u) - x + z).square().sum(),
        "points",
        "8 times",
    ),
    "no floor under the squares": (neighbours.nearest, without_a_floor, "a copy among", "NaN"),
    "the labels themselves where none is dropped": (
        guidance.drop_labels,
        lambda y, none, share=0.1: torch.where(torch.rand(len(y)) < share, none, y) if share else y,
        "no label is to be dropped",
        "a new tensor",
    ),
    "the data in place of xu": (
        guidance.flow_loss,
        lambda model, x, noise, u: (model(x, u) - (x - noise)).square().mean(),
        "points",
        "entry 'xu'",
    ),
    "rows only": (
        neighbours.nearest,
        lambda x, bank: torch.cdist(x.flatten(1), bank.flatten(1)).min(1).indices,
        "one image",
        "tuple",
    ),
    "a fault not listed": (
        broken_generators.diagnose_generators,
        lambda: dict.fromkeys("ABCD", "?"),
        "patient A",
        "not on the list",
    ),
}


@pytest.mark.parametrize(("check", "wrong", "label", "says"), UNFORESEEN.values(), ids=UNFORESEEN)
def test_an_unforeseen_error_is_caught(check, wrong, label, says):
    assert_caught(check, wrong, label, says)


class ByEinsum(denoiser.Attention):
    def forward(self, x):
        B, C, H, W = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(B, 3, C, H * W).unbind(1)
        mixed = F.scaled_dot_product_attention(q.mT, k.mT, v.mT).mT
        return x + self.out(mixed.reshape(B, C, H, W))


class Conditional(denoiser.TimeBlock):
    def forward(self, x, time):
        hidden = self.first(x)
        shift = self.shift(time).reshape(len(x), -1, 1, 1).expand_as(hidden)
        return self.second(torch.add(hidden, shift)).add(self.skip(x))


class OneByOne(denoiser.Denoiser):
    def forward(self, xt, t, y=None):
        y = [self.none] * len(xt) if y is None else y.tolist()
        rows = [
            denoiser.Denoiser.forward(self, xt[i : i + 1], t[i : i + 1], torch.tensor([y[i]]))
            for i in range(len(xt))
        ]
        return torch.cat(rows)


def by_variance(x0, eps, now, later, eta, noise):
    variance = eta**2 * (1 - later) * (later - now) / (later * (1 - now))
    return (
        torch.sqrt(later) * x0
        + torch.sqrt((1 - later - variance).clamp(min=0)) * eps
        + torch.sqrt(variance) * noise
    )


def with_loop(steps, offset=0.008):
    levels = [
        math.cos((k / steps + offset) / (1 + offset) * math.pi / 2) ** 2 for k in range(steps + 1)
    ]
    pairs = zip(levels, levels[1:], strict=False)
    return torch.tensor([min(1 - b / a, 0.999) for a, b in pairs]).double()


def dropped_by_bernoulli(y, none, share=0.1):
    gone = torch.bernoulli(torch.full(y.shape, share)).bool()
    y = y.clone()
    y[gone] = none
    return y


ALSO_RIGHT = {
    "torch's attention": (denoiser_blocks.Attention, ByEinsum),
    "expanded": (denoiser_blocks.TimeBlock, Conditional),
    "image by image": (denoiser_blocks.Denoiser, OneByOne),
    "the variance first": (ddim.ddim_step, by_variance),
    "a loop, float32": (ddim.cosine_betas, with_loop),
    "torch.where": (
        ddim.paste_known,
        lambda x, known, mask, later, noise: torch.where(
            mask == 1, later**0.5 * known + (1 - later) ** 0.5 * noise, x
        ),
    ),
    "bernoulli": (guidance.drop_labels, dropped_by_bernoulli),
    "a float from a tensor": (
        guidance.ema_decay,
        lambda k, longest=0.999, gamma=16.0: float(
            min(torch.tensor(1 - 1 / k, dtype=torch.float64) ** (gamma + 1), longest)
        ),
    ),
    "weights": (guidance.guide, lambda m, xt, t, y, s: torch.lerp(m(xt, t), m(xt, t, y), s)),
    "mse_loss": (
        guidance.flow_loss,
        lambda m, x, z, u: F.mse_loss(
            m(torch.lerp(z, x, u.view(-1, *[1] * (x.dim() - 1))), u), x - z
        ),
    ),
    "argmin": (
        neighbours.nearest,
        lambda x, bank: [
            (x.flatten(1)[:, None] - bank.flatten(1)).norm(dim=2).amin(1),
            (x.flatten(1)[:, None] - bank.flatten(1)).norm(dim=2).argmin(1),
        ],
    ),
}


@pytest.mark.parametrize(("check", "answer"), ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_another_right_way_passes(check, answer, capfd):
    assert_passes(check, answer, capfd)


@pytest.mark.parametrize("name", ["TimeBlock", "Attention", "Denoiser"])
def test_a_forward_that_is_still_blank_is_no_error(name, capfd):
    def forward(self, *args):
        raise NotImplementedError("your code here")

    blank = type(name, (getattr(denoiser, name),), {"forward": forward})
    assert getattr(denoiser_blocks, name)(blank) is getattr(denoiser, name)
    assert "not attempted" in capfd.readouterr().out
    nothing = type(name, (getattr(denoiser, name),), {"forward": lambda self, *args: None})
    assert "is `return` missing" in message(getattr(denoiser_blocks, name), nothing)


def test_the_clinic_shows_what_its_signs_say():
    angle = torch.arange(6) * math.pi / 3
    means, abar = 1.5 * torch.stack([angle.cos(), angle.sin()], 1), cumulative(cosine_betas(250))
    runs = {
        name: broken_generators.broken_generator(name, means, 0.35, abar)
        for name in ("healthy", *"ABCD")
    }

    def measures(run):
        own = means[run["wanted"]]
        obeyed = (
            (torch.cdist(run["samples"], means).argmin(1) == run["wanted"]).float().mean().item()
        )
        outwards = ((run["samples"] * own).sum(1) / own.norm(dim=1)).mean().item() / 1.5
        within = (
            torch.stack([run["samples"][run["wanted"] == k].std(0).mean() for k in range(6)])
            .mean()
            .item()
            / 0.35
        )
        return obeyed, outwards, within

    found = {name: measures(run) for name, run in runs.items()}
    assert found["healthy"][0] > 0.85 and found["healthy"][2] == pytest.approx(1, abs=0.25)
    assert found["A"][2] > 1.5 and found["B"][0] < 0.4
    assert found["C"][1] > 1.2 and found["C"][2] > 1.1
    assert found["D"][1] > 1.1 and found["D"][2] < 1 and found["D"][0] > found["healthy"][0]
    assert all(
        run["spread"].shape == (25,) and run["samples"].shape == (600, 2) for run in runs.values()
    )
    with pytest.raises(KeyError, match="ask for healthy"):
        broken_generators.broken_generator("E", means, 0.35, abar)
