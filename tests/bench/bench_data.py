"""Seconds for a pass over 60,000 images of 28×28, by several loaders, and for drawing that many.

Run it by hand: python tests/bench/bench_data.py (about a minute; it uses a temporary cache folder).
"""

import os
import tempfile
import time

import torch
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

from dlcourse.data import glyphs
from dlcourse.data.batches import Batches

N = 60_000


class InMemory(MNIST):
    """torchvision's MNIST with images of ours: the same path from an item to
    a tensor, without a download."""

    def __init__(self, x, y):
        self.data, self.targets = x[:, 0], y
        self.transform, self.target_transform = ToTensor(), None


def seconds(walk, repeats):
    """Fewest seconds of several passes: what else the machine does only adds to them."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        rows = sum(len(batch[0]) for batch in walk)
        best = min(best, time.perf_counter() - start)
        assert rows == N
    return best


def main():
    # two that wait for each other would measure what else the machine does
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLCOURSE_DATA"] = folder
        start = time.perf_counter()
        x, y, _ = glyphs.digits(N)
        drawn = time.perf_counter() - start
        start = time.perf_counter()
        glyphs.digits(N)
        read = time.perf_counter() - start

    rows = [
        (
            "torchvision + ToTensor + DataLoader, 0 workers",
            seconds(DataLoader(InMemory(x, y), batch_size=128), 1),
        ),
        (
            "TensorDataset + DataLoader, 0 workers",
            seconds(DataLoader(TensorDataset(x, y), batch_size=128), 2),
        ),
        ("Batches, shuffled", seconds(Batches(x, y, shuffle=True), 5)),
        ("Batches", seconds(Batches(x, y), 5)),
    ]
    print(f"{N:,} images, batches of 128, one thread")
    print(f"{'one pass':<48}{'seconds':>9}{'speed-up':>10}")
    for name, taken in rows:
        print(f"{name:<48}{taken:9.3f}{rows[0][1] / taken:9.0f}×")
    print(f"{'drawing the digits':<48}{drawn:9.2f}")
    print(f"{'reading them from the cache':<48}{read:9.2f}")


if __name__ == "__main__":
    main()
