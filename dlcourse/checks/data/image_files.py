"""Check of a Dataset on top of two files, one of images and one of labels."""

import tempfile

import torch
from torch.utils.data import Dataset, default_collate

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.data.idx_files import Stored, _decode, encode


class _Files(Dataset):
    def __init__(self, images, labels, transform=None, fault=None):
        self.x, self.y = _decode(images), _decode(labels)
        self.transform, self.fault, self.paths = transform, fault, (images, labels)
        if len(self.x) != len(self.y) and fault != "lengths":
            raise ValueError(
                f"{images.name} holds {len(self.x)} images, {labels.name} {len(self.y)} labels"
            )
        if fault == "once" and transform is not None:
            self.ready = [transform(one[None] / 255) for one in self.x]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        x = (_decode(self.paths[0]) if self.fault == "reopens" else self.x)[index]
        x, y = x[None] / 255, int(self.y[index])
        x = {
            "bytes": lambda: self.x[index][None],
            "no channel": lambda: x[0],
            "signed": lambda: 2 * x - 1,
        }.get(self.fault, lambda: x)()
        if self.fault == "before":
            return self.transform(self.x[index][None]) / 255 if self.transform else x, y
        if self.fault == "once" and self.transform is not None:
            return self.ready[index], y
        x = x if self.transform is None else self.transform(x)
        return x, (self.y[index] if self.fault == "label" else y)


def _faulty(fault):
    return lambda images, labels, transform=None: _Files(images, labels, transform, fault)


def _items(data, indices):
    """These items; an error of a missing file without its name, which is another one each time."""
    try:
        return [data[index] for index in indices]
    except FileNotFoundError as error:
        words = "the files are gone by now: were they not read in __init__?"
        raise FileNotFoundError(words).with_traceback(error.__traceback__) from None


def _use(function, count, labels, transformed):
    """What a Dataset made from two files gives,
    with and without a transform; the files are gone by then."""
    seen = []

    def invert(x):
        seen.append(float(x.max()))
        return 1 - x + len(seen) * 10  # another one at every call

    with tempfile.TemporaryDirectory() as folder:
        x = (torch.arange(count * 6) * 9 % 256).to(torch.uint8).reshape(count, 2, 3)
        y = torch.arange(3, 3 + labels, dtype=torch.uint8)
        paths = [
            Stored(name, encode(one)).write(folder)
            for name, one in (("images.gz", x), ("labels", y))
        ]
        try:
            data = function(*paths, invert) if transformed else function(*paths)
        except ValueError:
            if count == labels:
                raise
            return "refused with a ValueError"
    if count != labels:
        return "accepted"
    items = _items(data, (0, count - 1, 0))
    x, y = default_collate(items)
    report = {
        "length": len(data),
        "shape of a batch": list(x.shape),
        "dtype": str(x.dtype),
        "images": x,
    }
    return report | {
        "labels": [label for _, label in items],
        "dtype of a batch of labels": str(y.dtype),
        "calls of transform": len(seen),
    }


ImageFiles = Check(
    "ImageFiles",
    reference=_Files,
    probe=_use,
    cases=[
        case("two images, no transform", 2, 2, False),
        case("five images, no transform", 5, 5, False),
        case("a transform that is another one at every call", 3, 3, True),
        case("three images and two labels", 3, 2, False),
        case("two images and three labels", 2, 3, False),
    ],
    mistakes=[
        Mistake("the images stay bytes", "Networks want float32 between 0 and 1: divide by 255.",
                _faulty("bytes")),
        Mistake("the channel axis is missing",
                "An image is (1, H, W): x[None] puts an axis in front.", _faulty("no channel")),
        Mistake("between −1 and 1", "Asked for was [0, 1]: divide by 255, no more.",
                _faulty("signed")),
        Mistake("the transform ran once for all",
                "Call it in __getitem__: an augmentation must come out differently in every epoch.",
                _faulty("once")),
        Mistake("the transform got bytes",
                "Scale first, transform then: it is given float32 between 0 and 1.",
                _faulty("before")),
        Mistake("the label stays a byte",
                "Return int(…): a batch of labels must be int64, "
                "or cross_entropy will not take it.",
                _faulty("label")),
        Mistake("the files are read at every access",
                "Read them once, in __init__: opening a file for each "
                "image is what makes loading slow.",
                _faulty("reopens")),
        Mistake("different lengths are accepted",
                "If one file has more entries than the other, some image has no label: "
                "raise ValueError.",
                _faulty("lengths")),
    ],
)  # fmt: skip
