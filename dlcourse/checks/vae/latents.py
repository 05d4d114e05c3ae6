"""Checks of what is done with latents:
codes of a data set, a grid over the prior, a walk, what each one carries."""

import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from dlcourse.checks.core import Check, Mistake, Untouched, case


class _Encoder(nn.Module):
    """q's mean is linear in x and its ln σ² is not small; with dropout, which only training mode
    uses. It keeps the numbers of images it was asked about."""

    def __init__(self, latents):
        super().__init__()
        self.linear = nn.Linear(6, 2 * latents)
        generator = torch.Generator().manual_seed(latents)
        with torch.no_grad():
            for one in self.parameters():
                one.copy_(torch.randn(one.shape, generator=generator))
        self.drop, self.asked = nn.Dropout(0.5), []

    def encode(self, x):
        self.asked.append(len(x))
        return self.drop(self.linear(x.flatten(1))).chunk(2, dim=1)


def _codes(model, x, size=500, what="mean", mode="eval"):
    before = {one: one.training for one in model.modules()}
    model.train(mode == "train")
    with torch.no_grad():
        parts = [model.encode(rows) for rows in x.split(len(x) if mode == "at once" else size)]
    if mode == "root":
        model.train(before[model])
    elif mode != "stays in eval":
        for one, training in before.items():
            one.training = training
    mu, log_var = (torch.cat(one) for one in zip(*parts, strict=True))
    sample = mu + (0.5 * log_var).exp() * torch.randn(mu.shape)
    return {"mean": mu, "sample": sample, "log_var": log_var}[what]


def _codes_and_mode(function, model, x, size):
    """size None: left out."""
    codes = function(model, x) if size is None else function(model, x, size)
    recording = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    if codes is None:
        raise Untouched("None: is `return` missing?")
    return {
        "codes": codes.detach(),
        "needs a gradient": codes.requires_grad,
        "sizes of the batches": model.asked,
        "in training mode afterwards: model, its layers": [one.training for one in model.modules()],
        "gradients are recorded afterwards": recording,
    }


def _resting(model):
    """In training mode, its dropout in eval mode."""
    model.drop.eval()
    return model


def _pictures(n, seed):
    return torch.randn(n, 1, 2, 3, generator=torch.Generator().manual_seed(seed))


codes = Check(
    "codes",
    reference=_codes,
    probe=_codes_and_mode,
    cases=lambda: [
        case("two images", _Encoder(2).eval(), _pictures(2, 0), 500),
        case("seven images in batches of three, in training mode before", _Encoder(3),
             _pictures(7, 1), 3),
        case("a view", _Encoder(1), _pictures(9, 2)[::2], 2),
        case("a single image", _Encoder(3), _pictures(1, 5), 4),
        case("the last batch is a single image", _Encoder(2), _pictures(5, 6), 2),
        case("600 images, size left out", _Encoder(2), _pictures(600, 3), None),
        case("in training mode, but for its dropout", _resting(_Encoder(3)), _pictures(4, 4), 3),
    ],
    rtol=1e-4,
    atol=1e-5,
    mistakes=[
        Mistake("a draw instead of the mean",
                "To *describe* an image take the middle of q, μ. "
                "A draw gives another code every time.",
                lambda *args: _codes(*args, what="sample")),
        Mistake("log_var instead of mu", "encode returns mu, log_var, in this order.",
                lambda *args: _codes(*args, what="log_var")),
        Mistake("the model is still in training mode",
                "Dropout acts there: use `with evaluating(model):`.",
                lambda *args: _codes(*args, mode="train")),
        Mistake("the model stays in eval mode",
                "Put the mode back: `with evaluating(model):` does.",
                lambda *args: _codes(*args, mode="stays in eval")),
        Mistake("every layer gets the model's own mode",
                "A layer may rest in eval mode while the others train: each one's mode comes back, "
                "as `with evaluating(model):` does it.",
                lambda *args: _codes(*args, mode="root")),
        Mistake("all images at once",
                "60,000 images may not fit into the memory: x.split(size).",
                lambda *args: _codes(*args, mode="at once")),
        Mistake("only the first batch", "All images, in order: torch.cat of the batches' codes.",
                lambda model, x, size=500: _codes(model, x[:size], size)),
    ],
)  # fmt: skip


def _grid(side, quantiles=None, density=False, transposed=False, flat=True):
    middles = (torch.arange(side) + 0.5) / side if quantiles is None else quantiles(side)
    values = (
        Normal(0.0, 1.0).icdf(middles) if not density else Normal(0.0, 1.0).log_prob(middles).exp()
    )
    first, second = values.repeat(side), values.repeat_interleave(side)
    z = torch.stack([second, first] if transposed else [first, second], 1)
    return z if flat else z.view(side, side, 2)


def _even(side):
    return Normal(0.0, 1.0).cdf(torch.linspace(-3, 3, side))


latent_grid = Check(
    "latent_grid",
    reference=_grid,
    cases=[case("side 1: the middle", 1), case("side 2", 2), case("side 5", 5)],
    rtol=1e-4,
    atol=1e-4,
    mistakes=[
        Mistake("even steps", "Even steps show the rare corners as large as the middle. "
                              "Step evenly in *probability* and send it through the inverse CDF.",
                lambda side: _grid(side, _even)),
        Mistake("both ends included",
                "The inverse CDF of 0 and of 1 is infinite. "
                "Take the middles of equal shares: (i + ½) / side.",
                lambda side: _grid(side, lambda n: torch.linspace(0, 1, n))),
        Mistake("i / side",
                "That starts at 0, where the inverse CDF is −∞. The middles are (i + ½) / side.",
                lambda side: _grid(side, lambda n: torch.arange(n) / n)),
        Mistake("(i + 1) / (side + 1)",
                "Equal shares of the probability have their middles at (i + ½) / side.",
                lambda side: _grid(side, lambda n: torch.arange(1, n + 1) / (n + 1))),
        Mistake("the density instead of the inverse CDF",
                "icdf turns a probability into a value of z.",
                lambda side: _grid(side, density=True)),
        Mistake("axes exchanged", "z[:, 0] grows along a row of pictures, z[:, 1] from row to row.",
                lambda side: _grid(side, transposed=True)),
        Mistake("three axes", "One row for each picture: (side², 2).",
                lambda side: _grid(side, flat=False)),
    ],
)  # fmt: skip


def _walk(a, b, steps, ends=(0.0, 1.0)):
    t = torch.linspace(*ends, steps, dtype=a.dtype)
    return torch.stack([(1 - one) * a + one * b for one in t])


def _points(d, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, d, generator=generator, dtype=dtype).unbind()


interpolate = Check(
    "interpolate",
    reference=_walk,
    cases=lambda: [
        case("from 0 to 1 in three steps", torch.zeros(1), torch.ones(1), 3),
        case("two steps: the ends", *_points(2, 0), 2),
        case("seven steps, five latents, float64", *_points(5, 1, torch.float64), 7),
        case("ends far apart: the last point is b itself", torch.tensor([1e6, -1e6]),
             torch.tensor([1.0, 0.25]), 3),
    ],
    mistakes=[
        Mistake("from b to a", "At t = 0 it is a, at t = 1 it is b: (1 − t) a + t b.",
                lambda a, b, steps: _walk(b, a, steps)),
        Mistake("the last point is missing",
                "Both ends belong to the walk: torch.linspace(0, 1, steps).",
                lambda a, b, steps: _walk(a, b, steps, (0.0, 1 - 1 / steps))),
        Mistake("the ends are missing",
                "Both ends belong to the walk: torch.linspace(0, 1, steps).",
                lambda a, b, steps: _walk(a, b, steps + 2)[1:-1]),
        Mistake("steps counted as gaps", "`steps` points, ends included, one a row.",
                lambda a, b, steps: _walk(a, b, steps + 1)),
        Mistake("a + t b", "The weights sum to 1: (1 − t) a + t b.",
                lambda a, b, steps: torch.stack([a + t * b
                                                 for t in torch.linspace(0, 1, steps,
                                                                         dtype=a.dtype)])),
    ],
)  # fmt: skip


def _each(mu, log_var):
    return kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0))


def _pair(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator), torch.randn(*shape, generator=generator)


kl_per_latent = Check(
    "kl_per_latent",
    reference=lambda mu, log_var: _each(mu, log_var).mean(0),
    cases=lambda: [
        case("one latent knows something, the other not", torch.tensor([[2.0, 0.0]]),
             torch.zeros(1, 2)),
        case("four examples, three latents", *_pair((4, 3), 0)),
        case("transposed views", *(one.T for one in _pair((5, 2), 1))),
        case("one latent known to 1e-9, the other hardly", _pair((3, 2), 2)[0],
             torch.tensor([[-41.4, 5.0]] * 3)),
        case("a single latent", *_pair((6, 1), 3)),
    ],
    mistakes=[
        Mistake("sum over the latents",
                "One value for each *latent*, (d,): the mean over the examples, axis 0.",
                lambda mu, log_var: _each(mu, log_var).sum(1)),
        Mistake("sum over the examples",
                "The mean over the examples, so that it does not depend on their number.",
                lambda mu, log_var: _each(mu, log_var).sum(0)),
        Mistake("the KL of the averages",
                "First the KL of each example, then the mean: μ averages to about 0.",
                lambda mu, log_var: _each(mu.mean(0), log_var.mean(0))),
        Mistake("the ½ is missing", "½ (μ² + σ² − ln σ² − 1).",
                lambda mu, log_var: 2 * _each(mu, log_var).mean(0)),
    ],
)  # fmt: skip
