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


_FILLS = {"zero": 0.0, "hundred": -100.0}  # in place of −∞


def _attend(query, keys, lengths, fault=None):
    scores = torch.einsum("bh,bth->bt", query, keys)
    divisors = {"unscaled": 1.0, "twice": query.shape[1], "steps": math.sqrt(keys.shape[1])}
    scores = scores / divisors.get(fault, math.sqrt(query.shape[1]))
    padding = torch.arange(keys.shape[1]) >= lengths[:, None] + (fault == "one more")
    if fault in _FILLS:
        scores = scores.masked_fill(padding, _FILLS[fault])
    elif fault not in ("after", "read"):
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


def _below_every_floor():
    """All scores of a row around −30 000, of another around 30 000."""
    label = "real scores far below 0"
    query, keys, lengths = _case(label, [2, 4, 3], 4, 3, 4).args
    signs = torch.tensor([[-1.0], [1.0], [-1.0]], dtype=query.dtype)
    return case(label, 2e4 * signs * query.abs(), keys.abs(), lengths)


def _loud_padding():
    """Behind a row's end stand numbers next to which every real score is lost."""
    label = "large numbers in the padding"
    query, keys, lengths = _case(label, [2, 1, 4], 4, 3, 6).args
    behind = torch.arange(4) >= lengths[:, None]
    return case(label, query, torch.where(behind[..., None], 1e4 * query[:, None], keys), lengths)


attend = Check(
    "attend",
    single=False,
    reference=_by_torch,
    probe=through(query=0, keys=1),
    rtol=1e-4,
    atol=1e-6,
    cases=lambda: [_case("two rows, all real", [2, 2], 2, 4, 0),
                   _case("3 rows with padding", [1, 4, 2], 5, 3, 1),
                   _case("one row with padding", [2], 4, 6, 3),
                   _case("large query, float32", [3, 2], 4, 5, 2, torch.float32, 300.0),
                   _below_every_floor(),
                   _loud_padding(),
                   _case("two rows of one step, one unit", [1, 1], 1, 1, 5)],
    mistakes=[
        Mistake("the padding is read", "Set scores at and behind a row's length to −∞.",
                lambda *a: _attend(*a, fault="read")),
        Mistake("score 0 for the padding", "e⁰ = 1 is no small weight: −∞ before the softmax.",
                lambda *a: _attend(*a, fault="zero")),
        Mistake("a number such as −100 for the padding",
                "Where real scores are lower still, the padding wins: −∞ before the softmax.",
                lambda *a: _attend(*a, fault="hundred")),
        Mistake("one place of the padding is read",
                "Row b has places 0 … lengths[b] − 1: padding is where arange >= lengths.",
                lambda *a: _attend(*a, fault="one more")),
        Mistake("masked after the softmax", "Then the weights do not sum to 1: mask the scores.",
                lambda *a: _attend(*a, fault="after")),
        Mistake("no scaling", "Divide the scores by √H.", lambda *a: _attend(*a, fault="unscaled")),
        Mistake("divided by H", "Divide by the root of H.", lambda *a: _attend(*a, fault="twice")),
        Mistake("divided by √T", "A score sums over the H units, so divide by √H.",
                lambda *a: _attend(*a, fault="steps")),
        Mistake("softmax over the batch", "The weights of one row sum to 1 over time: dim=1.",
                lambda *a: _attend(*a, fault="batch")),
        Mistake("exchanged", "The context first, then the weights.",
                lambda *a: _attend(*a, fault="swapped")),
    ],
)  # fmt: skip
