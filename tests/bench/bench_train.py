"""`train` against the same loop written by hand: what the bookkeeping costs."""

import statistics
import time

import torch
from torch.nn import functional as F

from dlcourse.data.batches import Batches
from dlcourse.models.mlp import MLP
from dlcourse.train import descend, train


def by_hand(model, optimiser, batches):
    total, count = torch.zeros(()), 0
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.detach() * len(x)
        count += len(x)
    return (total / count).item()


def with_train(model, optimiser, batches):
    def step(x, y):
        loss = F.cross_entropy(model(x), y)
        descend(loss, optimiser)
        return {"loss": loss}

    return next(train(step, batches, progress=False))["loss"]


def seconds(loop, batches):
    torch.manual_seed(0)
    model = MLP((784, 256, 128, 10))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    start = time.perf_counter()
    loss = loop(model, optimiser, batches)
    return time.perf_counter() - start, loss


def main(rounds=15):
    x = torch.randint(0, 256, (30_000, 1, 28, 28), dtype=torch.uint8)
    batches = Batches(x, torch.randint(0, 10, (len(x),)), size=128)
    ratios = []
    for _ in range(rounds):  # in turn, so that a machine that slows down slows both
        (hand, a), (ours, b) = seconds(by_hand, batches), seconds(with_train, batches)
        assert abs(a - b) < 1e-6
        ratios.append(ours / hand)
    print(
        f"train / by hand, one epoch of 30,000: median {statistics.median(ratios):.3f} of {rounds} "
        "pairs"
    )


if __name__ == "__main__":
    main()
