"""Check of reading raw files: the idx format of MNIST.

Format: two zero bytes, a type code, the number of axes, their lengths (4 bytes each, big-endian),
then the numbers, big-endian and row by row (Y. LeCun, C. Cortes & C. J. C. Burges, "The MNIST
database", 1998).
"""

import gzip
import math
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.words import kind_of

KINDS = {  # type code → letter of struct, bytes, torch's dtype
    0x08: ("B", 1, torch.uint8),
    0x09: ("b", 1, torch.int8),
    0x0B: ("h", 2, torch.int16),
    0x0C: ("i", 4, torch.int32),
    0x0D: ("f", 4, torch.float32),
    0x0E: ("d", 8, torch.float64),
}


@dataclass(frozen=True)
class Stored:
    """A file to be: its name, its bytes, and whether it must be refused."""

    name: str
    content: bytes
    damaged: bool = False

    def __repr__(self):
        return (
            f"{self.name}, {len(self.content)} bytes, beginning with {self.content[:16].hex(' ')}"
        )

    def write(self, folder):
        path = Path(folder) / self.name
        path.write_bytes(gzip.compress(self.content) if self.name.endswith(".gz") else self.content)
        return path


def encode(values, order=">"):
    """The bytes of an idx file that holds a tensor."""
    code, (letter, _, _) = next(
        (code, kind) for code, kind in KINDS.items() if kind[2] == values.dtype
    )
    head = bytes([0, 0, code, values.dim()]) + struct.pack(f"{order}{values.dim()}I", *values.shape)
    return head + struct.pack(f"{order}{values.numel()}{letter}", *values.flatten().tolist())


def _decode(
    path, order=">", body=">", typed=True, head=None, exact=True, magic=True, unzip=True, named=True
):
    """The tensor in an idx file; every option but the first is one thing to get wrong."""
    content = path.read_bytes()
    content = gzip.decompress(content) if unzip and path.suffix == ".gz" else content
    name = path.name if named else "the file"
    if magic and (len(content) < 4 or content[:2] != b"\0\0" or content[2] not in KINDS):
        raise ValueError(f"{name} is no idx file: it begins with {content[:4].hex(' ')}")
    letter, size, dtype = KINDS.get(content[2] if typed else 0x08, KINDS[0x08])
    start = head or 4 + 4 * content[3]
    shape = [
        int.from_bytes(content[i : i + 4], "big" if order == ">" else "little")
        for i in range(4, start, 4)
    ]
    shape, count = shape[: content[3]], math.prod(shape[: content[3]])
    if len(content) != start + count * size if exact else len(content) < start + count * size:
        raise ValueError(f"{name} should have {start + count * size} bytes, it has {len(content)}")
    numbers = struct.unpack_from(f"{body}{count}{letter}", content, start)
    return torch.tensor(numbers, dtype=dtype).reshape(shape)


def _unchecked(path):
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    letter, size, dtype = KINDS[content[2]]
    shape = struct.unpack(f">{content[3]}I", content[4 : 4 + 4 * content[3]])
    body = content[4 + 4 * content[3] :]
    body = body.ljust(math.prod(shape) * size, b"\0")
    return torch.tensor(
        struct.unpack_from(f">{math.prod(shape)}{letter}", body), dtype=dtype
    ).reshape(shape)


def _read(function, file):
    """What the function makes of a file:
    dtype, shape and numbers, or a ValueError that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = file.write(folder)
        try:
            values = function(path)
        except ValueError as error:
            if not file.damaged:
                raise
            return {
                "refused with a ValueError": True,
                "which names the file": path.name in str(error),
            }
    if values is None:
        raise Untouched("None: is `return` missing?")
    if not isinstance(values, torch.Tensor):
        raise TypeError(f"return a tensor, not {kind_of(values)}")
    if file.damaged:
        return {"refused with a ValueError": False, "which names the file": False}
    return {"dtype": str(values.dtype), "shape": list(values.shape), "numbers": values}


_small = torch.arange(6, dtype=torch.uint8).reshape(1, 2, 3)
_labels = (7 * torch.arange(300) % 256).to(torch.uint8)
_packed = encode(_small)
FILES = [
    case("one image of 2×3 pixels", Stored("images-idx3-ubyte", _packed)),
    case("300 labels: one axis, so a header of 8 bytes",
         Stored("labels-idx1-ubyte", encode(_labels))),
    case("compressed", Stored("images-idx3-ubyte.gz",
                              encode(torch.arange(24, dtype=torch.uint8).reshape(4, 3, 2)))),
    case("int16, negative numbers", Stored("heights-idx2-short",
                                           encode(torch.tensor([[1, -2], [300, 4]]).short()))),
    case("float64", Stored("traces-idx1-double",
                           encode(torch.tensor([0.5, -1e300], dtype=torch.float64)))),
    case("int32, four axes", Stored("cubes-idx4-int",
                                    encode(torch.arange(-9, 15).int().reshape(2, 3, 1, 4) * 9999))),
    case("float32", Stored("traces-idx1-float", encode(torch.tensor([0.5, -1e30, 3.0])))),
    case("the last two bytes are missing", Stored("images-idx3-ubyte", _packed[:-2], damaged=True)),
    case("three bytes too many", Stored("images-idx3-ubyte", _packed + b"abc", damaged=True)),
    case("a page of HTML, saved under the name of a data file",
         Stored("images-idx3-ubyte", b"<!DOCTYPE html>", damaged=True)),
    case("it begins with 1, not with 0",
         Stored("images-idx3-ubyte", b"\x01" + _packed[1:], damaged=True)),
    case("a type that is not in the table",
         Stored("images-idx3-ubyte", b"\0\0\x07" + _packed[3:], damaged=True)),
    case("cut off within the header", Stored("images-idx3-ubyte", _packed[:10], damaged=True)),
    case("two bytes in all", Stored("labels-idx1-ubyte", b"\0\0", damaged=True)),
]  # fmt: skip

read_idx = Check(
    "read_idx",
    reference=lambda path: _decode(path),
    probe=_read,
    cases=FILES,
    mistakes=[
        Mistake("the lengths are read little-endian",
                "The header stores the most significant byte first: "
                "int.from_bytes(four, 'big'), or the dtype >u4.",
                lambda path: _decode(path, order="<")),
        Mistake("the numbers are read in this machine's byte order",
                "They are big-endian like the header. For single bytes it makes no difference, for "
                "int16 it does: use the dtypes of TYPES, which begin with >.",
                lambda path: _decode(path, body="<")),
        Mistake("every file is taken for bytes",
                "The third byte says which type the numbers have: look it up in TYPES.",
                lambda path: _decode(path, typed=False, exact=False)),
        Mistake("a header of 16 bytes",
                "16 is right for three axes. In general it is 4 + 4 · axes.",
                lambda path: _decode(path, head=16)),
        Mistake("compressed files are not opened with gzip",
                "Look at path.suffix: gzip.open reads what ends in .gz.",
                lambda path: _decode(path, unzip=False)),
        Mistake("too long a file is accepted",
                "Compare the number of bytes for equality: "
                "bytes too many mean that something else was appended.",
                lambda path: _decode(path, exact=False)),
        Mistake("the length is not checked",
                "A download that broke off must not be filled up in silence: compare len(content) "
                "with what the header promises.",
                _unchecked),
        Mistake("the error does not say which file",
                "Put the path into the message: a course has many files.",
                lambda path: _decode(path, named=False)),
    ],
)  # fmt: skip
