"""Check of batches of items of different length: padding with a mask."""

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
