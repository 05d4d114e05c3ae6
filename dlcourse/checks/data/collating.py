"""Checks of batches of items of different length:
padding with a mask, and a mean that does not see the padding."""

import torch
from torch.nn.utils.rnn import pad_sequence

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.words import kind_of


def _pad(batch, left=False, value=0.0, invert=False, axes=False, cut=False, most=None, spot=False):
    signals, labels = [x for x, _ in batch], torch.tensor([int(y) for _, y in batch])
    lengths = torch.tensor([len(x) for x in signals])
    if cut:
        signals, lengths = [x[: lengths.min()] for x in signals], lengths.clamp(max=lengths.min())
    x = pad_sequence(
        signals, batch_first=True, padding_value=value, padding_side="left" if left else "right"
    )
    if most:
        x = torch.cat([x, x.new_zeros(len(x), most, x.shape[2])], 1)[:, :most]
    mask = torch.arange(x.shape[1]) < lengths[:, None]
    mask = mask.flip(1) if left else mask
    mask = (x != 0).any(2) if spot else mask
    return x.transpose(0, 1) if axes else x, ~mask if invert else mask, labels


def _collated(function, batch):
    """x, mask and y of a batch by name."""
    result = function(batch)
    if result is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        many = f", with {len(result)} items" if isinstance(result, (tuple, list)) else ""
        raise TypeError(f"return x, mask and labels, a tuple of three, not {kind_of(result)}{many}")
    return dict(zip(("x", "mask", "y"), result, strict=True))


def _signal(length, channels=2, dtype=torch.float32):
    return torch.arange(1, length * channels + 1, dtype=dtype).reshape(length, channels)


def _silent():
    """A signal with real zeros in it: at the beginning, in the middle and at the end."""
    x = _signal(5)
    x[[0, 2, 4]] = 0
    return x


pad_collate = Check(
    "pad_collate",
    reference=_pad,
    probe=_collated,
    cases=lambda: [
        case("lengths 2 and 1", [(_signal(2, 1), 1), (_signal(1, 1), 0)]),
        case("lengths 1, 4 and 2, the longest in the middle",
             [(_signal(1), 2), (_signal(4), 0), (_signal(2), 1)]),
        case("one item", [(_signal(3), 5)]),
        case("a signal in which zeros were measured", [(_silent(), 0), (_signal(7), 1)]),
        case("float64, labels as tensors", [(_signal(2, 3, torch.float64), torch.tensor(4)),
                                            (_signal(3, 3, torch.float64), torch.tensor(2))]),
    ],
    mistakes=[
        Mistake("padded in front", "The signal begins at time 0, zeros follow its end.",
                lambda batch: _pad(batch, left=True)),
        Mistake("the mask is upside down",
                "True where a number was measured, False in the padding.",
                lambda batch: _pad(batch, invert=True)),
        Mistake("the mask marks what is not zero",
                "A zero may have been measured. Only the length knows: "
                "torch.arange(T) < lengths[:, None].",
                lambda batch: _pad(batch, spot=True)),
        Mistake("time before batch",
                "pad_sequence does that unless told batch_first=True: (B, T, C).",
                lambda batch: _pad(batch, axes=True)),
        Mistake("cut to the shortest", "That throws data away: pad to the longest of the batch.",
                lambda batch: _pad(batch, cut=True)),
        Mistake("padded to a fixed length",
                "The longest of *this* batch is enough; the rest would be wasted work.",
                lambda batch: _pad(batch, most=10)),
    ],
)  # fmt: skip


def _mean(x, mask):
    return torch.stack([one[keep].mean(0) for one, keep in zip(x, mask, strict=True)])


def _over_batch(x, mask):
    x = x.masked_fill(~mask[..., None], 0)
    return x.sum(1) / mask.sum() * len(x)


def _padded(lengths, channels=2, filler=0.0, dtype=torch.float32):
    batch = [(_signal(length, channels, dtype) - channels, 0) for length in lengths]
    return _pad(batch, value=filler)[:2]


masked_mean = Check(
    "masked_mean",
    reference=_mean,
    cases=lambda: [
        case("lengths 2 and 1", *_padded([2, 1], channels=1)),
        case("lengths 5, 1 and 3", *_padded([5, 1, 3])),
        case("a padding of 1000", *_padded([2, 4, 3], filler=1000.0)),
        case("a padding of NaN", *_padded([1, 4], 3, float("nan"))),
        case("gaps in the middle, float64", _signal(6, 4, torch.float64).expand(2, 6, 4),
             torch.tensor([[True, False, True, True, False, True],
                           [False, False, False, True, False, False]])),
    ],
    mistakes=[
        Mistake("the padding is counted", "Divide by the number of True of each row, not by T.",
                lambda x, mask: x.masked_fill(~mask[..., None], 0).mean(1)),
        Mistake("the padding is added", "Only the sum over True may enter.",
                lambda x, mask: x.sum(1) / mask.sum(1, keepdim=True)),
        Mistake("the mask is ignored", "x.mean(1) takes the padding for measurements.",
                lambda x, mask: x.mean(1)),
        Mistake("zero times NaN",
                "x * mask leaves NaN where the padding is NaN, because 0 · NaN is NaN. Choose "
                "instead of multiplying: x.masked_fill(~mask[..., None], 0) or torch.where.",
                lambda x, mask: (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)),
        Mistake("one divisor for the whole batch",
                "Each signal has its own length: mask.sum(1, keepdim=True), shape (B, 1).",
                _over_batch),
    ],
)  # fmt: skip
