"""Check of attention over a padded sequence: torch's scaled dot product judges it."""

import math

import torch
from torch.nn import functional as F

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn_each
from dlcourse.checks.sequences.slopes import through


def _by_torch(query, keys, lengths):
    real = (torch.arange(keys.shape[1]) < lengths[:, None])[:, None]  # (B, 1, T)
    weights = F.scaled_dot_product_attention(query[:, None], keys,
                                             torch.eye(keys.shape[1], dtype=keys.dtype).expand(
        len(keys), -1, -1), attn_mask=real)[:, 0]  # fmt: skip
    return F.scaled_dot_product_attention(query[:, None], keys, keys, attn_mask=real)[:, 0], weights


def _attend(query, keys, lengths, fault=None):
    scores = torch.einsum("bh,bth->bt", query, keys)
    scores = scores / {"unscaled": 1.0, "twice": query.shape[1]}.get(
        fault, math.sqrt(query.shape[1])
    )
    padding = torch.arange(keys.shape[1]) >= lengths[:, None]
    if fault in ("read", "zero"):
        scores = scores if fault == "read" else scores.masked_fill(padding, 0.0)
    elif fault != "after":
        scores = scores.masked_fill(padding, -math.inf)
    weights = scores.softmax(0 if fault == "batch" else 1)
    weights = weights.masked_fill(padding, 0.0) if fault == "after" else weights
    context = torch.einsum("bt,bth->bh", weights, keys)
    return (weights, context) if fault == "swapped" else (context, weights)


def _case(label, lengths, steps, hidden, seed, dtype=torch.float64, scale=1.0):
    query, keys = drawn_each(
        (len(lengths), hidden), (len(lengths), steps, hidden), seed=seed, dtype=dtype
    )
    return case(label, scale * query, keys, torch.tensor(lengths))


attend = Check(
    "attend",
    reference=_by_torch,
    probe=through(query=0, keys=1),
    rtol=1e-4,
    atol=1e-6,
    cases=lambda: [_case("two rows, all real", [2, 2], 2, 4, 0),
                   _case("3 rows with padding", [1, 4, 2], 5, 3, 1),
                   _case("one row with padding", [2], 4, 6, 3),
                   _case("large query, float32", [3, 2], 4, 5, 2, torch.float32, 300.0)],
    mistakes=[
        Mistake("the padding is read", "Set scores at and behind a row's length to −∞.",
                lambda *a: _attend(*a, fault="read")),
        Mistake("score 0 for the padding", "e⁰ = 1 is no small weight: −∞ before the softmax.",
                lambda *a: _attend(*a, fault="zero")),
        Mistake("masked after the softmax", "Then the weights do not sum to 1: mask the scores.",
                lambda *a: _attend(*a, fault="after")),
        Mistake("no scaling", "Divide the scores by √H.", lambda *a: _attend(*a, fault="unscaled")),
        Mistake("divided by H", "Divide by the root of H.", lambda *a: _attend(*a, fault="twice")),
        Mistake("softmax over the batch", "The weights of one row sum to 1 over time: dim=1.",
                lambda *a: _attend(*a, fault="batch")),
        Mistake("exchanged", "The context first, then the weights.",
                lambda *a: _attend(*a, fault="swapped")),
    ],
)  # fmt: skip
