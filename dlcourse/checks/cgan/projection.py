"""Check of the projection discriminator, judged by what it makes of the networks it was given."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.cgan.networks import _embed, _Linear, _look, _numbers, _Value
from dlcourse.checks.core import Check, Mistake, case


class _Projection(nn.Module):
    fault = ""

    def __init__(self, features, size, embed):
        super().__init__()
        self.features, self.embed = features, embed
        self.head = None if self.fault == "in forward" else nn.Linear(size, 1)

    def forward(self, x, y):
        phi, told = self.features(x), self.embed(y)
        match = (told * phi).sum(dim=1)
        if self.fault == "broadcast":
            return self.head(phi) + match
        if self.fault in ("mean of rows", "mean of columns"):
            return (self.head(phi) + match).mean(dim=int(self.fault == "mean of rows"))
        if self.fault == "in forward":
            return nn.Linear(phi.shape[1], 1)(phi).squeeze(1) + match
        alone = self.head(phi).squeeze(1)
        if self.fault == "all pairs":
            return alone + (phi @ told.T).sum(dim=1)
        if self.fault == "over the batch":
            return alone + (told * phi).sum(dim=0).mean()
        if self.fault == "head of both":
            return self.head(phi * told).squeeze(1)
        if self.fault == "class alone":
            return alone + self.head(told).squeeze(1)
        if self.fault == "cosine":
            return alone + F.cosine_similarity(told, phi)
        if self.fault == "mean":
            return alone + (told * phi).mean(dim=1)
        return match if self.fault == "no psi" else alone + match


def _projection(fault=""):
    return type(f"_Projection_{fault.replace(' ', '_')}", (_Projection,), {"fault": fault})


ProjectionDiscriminator = Check(
    "ProjectionDiscriminator",
    reference=_Projection,
    probe=_look,
    rtol=1e-4,
    cases=lambda: [
        case("4 images, 3 features", (_Linear((1, 2, 2), (3,), 0), 3, _embed(2, 3)),
             _numbers(4, 1, 2, 2), torch.tensor([1, 0, 1, 1])),
        case("5 images, 2 features", (_Linear((1, 2, 3), (2,), 1), 2, _embed(3, 2)),
             _numbers(5, 1, 2, 3), torch.tensor([2, 0, 1, 1, 2])),
        case("a condition that is a number", (_Linear((1, 3, 3), (4,), 2, power=2), 4, _Value(4)),
             _numbers(4, 1, 3, 3), _numbers(4, seed=1)),
        case("a condition of two numbers, (B, 2)", (_Linear((1, 2, 2), (3,), 4), 3, _Value(3)),
             _numbers(4, 1, 2, 2), _numbers(4, 2, seed=1)),
        case("a single image", (_Linear((1, 2, 2), (3,), 3), 3, _embed(2, 3)), _numbers(1, 1, 2, 2),
             torch.tensor([1])),
    ],
    fallback="dlcourse.models.cgan:ProjectionDiscriminator",
    mistakes=[
        Mistake("(B, 1) plus (B,)",
                "Broadcasting makes (B, B) of it, every image with every label; the loss takes its "
                "mean and says nothing. Flatten the head's output to (B,) first.",
                _projection("broadcast")),
        Mistake("(B, 1) plus (B,), then a mean over the labels",
                "Row i of that (B, B) is image i with every label: flatten the head's output to "
                "(B,) first, and no mean is needed.", _projection("mean of rows")),
        Mistake("(B, 1) plus (B,), then a mean over the images",
                "Column j of that (B, B) is label j with every image: flatten the head's output "
                "to (B,) first, and no mean is needed.", _projection("mean of columns")),
        Mistake("ψ is made in forward",
                "Then each call has another ψ, and no optimiser ever sees it: make it in __init__, "
                "self.head = nn.Linear(size, 1).", _projection("in forward")),
        Mistake("the part without the condition is missing",
                "ψ(φ(x)) judges whether x looks real at all: "
                "add self.head(phi).", _projection("no psi")),
        Mistake("every image meets every label",
                "A matrix product pairs all rows with all; e(y)·φ(x) is a product of "
                "row i with row i: (embed * phi).sum(dim=1).", _projection("all pairs")),
        Mistake("summed over the batch", "The dot product runs over the features, dim=1.",
                _projection("over the batch")),
        Mistake("the mean in place of the sum", "A dot product is a sum of products.",
                _projection("mean")),
        Mistake("the product goes through the head",
                "ψ sees φ(x) alone; the dot product is added to it.", _projection("head of both")),
        Mistake("label and image never meet",
                "ψ(e(y)) says how frequent a label is, not whether the image fits it: "
                "multiply e(y) and φ(x).", _projection("class alone")),
        Mistake("a cosine", "No lengths are divided out in e(y)·φ(x).", _projection("cosine")),
    ],
)  # fmt: skip
