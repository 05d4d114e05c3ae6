"""Checks of networks that are told a condition.
Each is judged by what it computes with the networks it was given."""

import math

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, Untouched, case


class _Linear(nn.Module):
    """A small fixed network: what is given to the student's class. Strict, as layers are.
    takes, shape: of one row of the input and of the output, () for none."""

    def __init__(self, takes, shape, seed, power=1):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(
            torch.randn(math.prod(takes), math.prod(shape), generator=generator)
        )
        self.takes, self.shape, self.power = takes, shape, power

    def forward(self, x):
        if tuple(x.shape[1:]) != self.takes:
            wanted = ", ".join(["B", *map(str, self.takes)])
            raise ValueError(f"this network takes ({wanted}), it got {tuple(x.shape)}")
        return (x.flatten(1) ** self.power @ self.weight).unflatten(1, self.shape or (1,))


def _embed(classes, size, seed=3):
    layer = nn.Embedding(classes, size)
    layer.weight.data = torch.randn(classes, size, generator=torch.Generator().manual_seed(seed))
    return layer


class _Value(nn.Module):
    """Conditions that are numbers: y (B,), or (B, 2) whose second number counts, → (B, size)."""

    def __init__(self, size):
        super().__init__()
        self.slope = nn.Parameter(torch.linspace(-1, 2, size))

    def forward(self, y):
        y = y[:, 1] - y[:, 0] if y.dim() == 2 else y
        return y[:, None] * self.slope


def _numbers(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def _look(network, given, x, y):
    """What an object of the student's class gives; `given`: the arguments it is made with."""
    model = network(*given)
    if model is None:
        raise Untouched("None: is `return` missing?")
    modules = [one for one in given if isinstance(one, nn.Module)]
    parts = {id(p): tuple(p.shape) for one in modules for p in one.parameters()}
    before = list(model.parameters())  # what an optimiser would be given
    if model(x, y) is None:  # the first call, in which a lazy layer learns its sizes
        raise Untouched("forward gives None: is `return` missing?")
    own = [p for p in model.parameters() if id(p) not in parts]
    known = {id(p) for p in model.parameters()}
    missing = sorted(shape for key, shape in parts.items() if key not in known)
    for p in own:  # a layer of its own gets weights that the reference gets too
        p.data = torch.linspace(-0.5, 1, p.numel()).reshape(p.shape)
    output, weights = model(x, y), list(model.parameters())
    slopes = [None] * len(weights)
    if output.requires_grad and weights:
        slopes = torch.autograd.grad(output.sum(), weights, allow_unused=True)
    return {
        # first what points at the cause
        "shape of the output": tuple(output.shape),
        "weights given to you that parameters() misses": missing,
        "weights made in forward, which no optimiser knows": _count_new(weights, before),
        "weights of your own": sorted(tuple(p.shape) for p in own),
        "a row of the output depends on its own x and y alone": _each_alone(model, x, y, output),
        "output": output.detach(),
        "weights that get no gradient": sum(slope is None for slope in slopes),
    }


def _count_new(weights, before):
    return len({id(p) for p in weights} - {id(p) for p in before})


@torch.no_grad()
def _each_alone(model, x, y, output):
    """Whether the other rows' outputs stay as they are without the last row."""
    # a batch of one is a case of its own, and another number of rows has been told already
    if len(x) < 3 or output.shape[:1] != x.shape[:1]:
        return True
    fewer = model(x[:-1], y[:-1])
    same = fewer.shape == output[:-1].shape
    return same and torch.allclose(fewer, output[:-1], rtol=1e-4, atol=1e-5)


class _Generator(nn.Module):
    fault = ""

    def __init__(self, draw, embed):
        super().__init__()
        self.draw = draw.forward if self.fault == "lists" else draw
        self.embed = [embed] if self.fault in ("list", "lists") else embed

    def forward(self, z, y):
        told = (self.embed[0] if self.fault in ("list", "lists") else self.embed)(y)
        if self.fault == "number":
            told = y.float().view(len(y), -1)[:, -1:].expand(-1, told.shape[1])
        if self.fault == "deaf":
            told = torch.zeros_like(told)
        if self.fault == "detached":
            told = told.detach()
        if self.fault == "batch":
            return self.draw(torch.cat([z, told], dim=0))
        return self.draw(torch.cat([told, z] if self.fault == "first" else [z, told], dim=1))


def _generator(fault=""):
    return type(f"_Generator_{fault}", (_Generator,), {"fault": fault})


ConditionalGenerator = Check(
    "ConditionalGenerator",
    reference=_Generator,
    probe=_look,
    cases=lambda: [
        case("3 latents, 2 classes, images of 2 × 2", (_Linear((5,), (1, 2, 2), 0), _embed(2, 2)),
             _numbers(4, 3), torch.tensor([0, 1, 1, 0])),
        case("as many latents as numbers for the class", (_Linear((8,), (1, 3, 2), 1),
             _embed(3, 4)), _numbers(5, 4), torch.tensor([2, 0, 1, 1, 2])),
        case("a condition that is a number", (_Linear((6,), (2, 1, 3), 2), _Value(4)),
             _numbers(6, 2), _numbers(6, seed=1)),
        case("a condition of two numbers, (B, 2)", (_Linear((5,), (1, 2, 2), 4), _Value(3)),
             _numbers(4, 2), _numbers(4, 2, seed=1)),
        case("one image", (_Linear((3,), (1, 2, 2), 3), _embed(4, 1)), _numbers(1, 2),
             torch.tensor([3])),
    ],
    fallback="dlcourse.models.cgan:ConditionalGenerator",
    mistakes=[
        Mistake("the class as a number", "7 is not more than 3 here: pass y through self.embed.",
                _generator("number")),
        Mistake("the condition comes first",
                "The task asks for (z, embed(y)): torch.cat([z, self.embed(y)], dim=1).",
                _generator("first")),
        Mistake("the condition is never used", "Join both: torch.cat([z, self.embed(y)], dim=1).",
                _generator("deaf")),
        Mistake("joined along the batch",
                "dim=0 puts rows below rows; each latent gets its own condition with dim=1.",
                _generator("batch")),
        Mistake("the embedding is kept where PyTorch cannot find it",
                "Assign the module itself, self.embed = embed: in a list or behind a function it "
                "is missing from parameters() and never learns.",
                _generator("list")),
        Mistake("both networks are kept where PyTorch cannot find them",
                "Assign the modules themselves, self.draw = draw: in a plain dictionary or list, "
                "or behind a function, they are missing from parameters() and never learn.",
                _generator("lists")),
    ],
)  # fmt: skip


class _Concat(nn.Module):
    fault = ""

    def __init__(self, layers, embed):
        super().__init__()
        self.layers, self.embed = layers, embed

    def forward(self, x, y):
        told = self.embed(y)
        plane = told.unflatten(1, (1, *x.shape[2:]))
        if self.fault == "transposed":
            plane = told.unflatten(1, (1, *x.shape[:1:-1])).transpose(2, 3)
        if self.fault == "number":
            plane = y.float().view(len(y), -1)[:, -1, None, None, None].expand_as(plane)
        if self.fault == "same":
            plane = plane[:1].expand_as(plane)
        if self.fault == "added":
            return self.layers(torch.cat([x, x[:, :1] + plane], dim=1)).flatten()
        logits = self.layers(torch.cat([plane, x] if self.fault == "first" else [x, plane], dim=1))
        if self.fault == "probability":
            return logits.sigmoid().flatten()
        return logits if self.fault == "column" else logits.flatten()


def _concat(fault=""):
    return type(f"_Concat_{fault}", (_Concat,), {"fault": fault})


ConcatDiscriminator = Check(
    "ConcatDiscriminator",
    reference=_Concat,
    probe=_look,
    cases=lambda: [
        case("images of 2 × 2, 2 classes", (_Linear((2, 2, 2), (1, 1, 1), 0), _embed(2, 4)),
             _numbers(3, 1, 2, 2), torch.tensor([0, 1, 1])),
        case("images of 2 × 3", (_Linear((2, 2, 3), (1, 1, 1), 1), _embed(3, 6)),
             _numbers(4, 1, 2, 3), torch.tensor([2, 0, 1, 1])),
        case("a condition that is a number, layers that give (B, 1)",
             (_Linear((2, 3, 2), (1,), 2), _Value(6)), _numbers(5, 1, 3, 2), _numbers(5, seed=1)),
        case("images of three channels, a condition (B, 2)",
             (_Linear((4, 3, 2), (1, 1, 1), 4), _Value(6)), _numbers(4, 3, 3, 2),
             _numbers(4, 2, seed=1)),
        case("one image, not contiguous", (_Linear((2, 3, 2), (1, 1, 1), 3), _embed(4, 6)),
             _numbers(1, 1, 2, 3).transpose(2, 3), torch.tensor([3])),
    ],
    fallback="dlcourse.models.cgan:ConcatDiscriminator",
    mistakes=[
        Mistake("the condition's channel comes first",
                "The image first: torch.cat([x, plane], dim=1).", _concat("first")),
        Mistake("the class as a number",
                "A plane that holds y itself says that 9 is nine times 1: use self.embed(y).",
                _concat("number")),
        Mistake("every image gets the first one's condition",
                "Row i of embed(y) belongs to image i.", _concat("same")),
        Mistake("height and width exchanged", "Unflatten to (1, H, W) as x has them: x.shape[2:].",
                _concat("transposed")),
        Mistake("the condition is added to the image",
                "Then no pixel is only image and none only condition: "
                "concatenate along the channels.", _concat("added")),
        Mistake("a sigmoid at the end", "Losses take logits: no sigmoid here.",
                _concat("probability")),
        Mistake("the logits are not a vector", "One number for each image, shape (B,): .flatten().",
                _concat("column")),
    ],
)  # fmt: skip
