"""One training step on several processes:
torchrun starts them, DistributedDataParallel averages their gradients.

    python -m torch.distributed.run --standalone --nproc-per-node 2 \\
        -m dlcourse.methods.distributed FOLDER

FOLDER holds task.pt, which `launch` writes; every process leaves its result there.
Needs no network and no GPU.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

from dlcourse.train import descend, train


def fit_digits(model, loader, epochs, rate):
    """Yields the rows of `train` for SGD on a classifier.
    It does not know how many processes there are.

    model: x (B, …) → logits (B, C).
    loader: of `shard`, batches of x and labels (B,). rate: learning rate.
    """
    optimiser = torch.optim.SGD(model.parameters(), lr=rate)

    def step(x, y):
        loss = F.cross_entropy(model(x), y)
        descend(loss, optimiser)
        return {"loss": loss}

    for row in train(step, loader, epochs=epochs, progress=False):
        loader.sampler.set_epoch(row["epoch"])  # a new order, the same in every process
        yield row


def shard(x, y, size, rank=0, world=1):
    """A DataLoader over this process's share of the rows:
    one in `world`, none of them twice in an epoch.

    x: (N, …), y: (N,). size: rows of a batch over all processes together. rank: 0 … world − 1.
    Where `world` does not divide N, the sampler fills up with rows that come twice. Raises
    ValueError where it does not divide `size`.
    """
    if size % world:
        raise ValueError(
            f"a batch of {size} rows cannot be shared evenly by {world} processes: "
            "choose a multiple"
        )
    sampler = DistributedSampler(range(len(x)), num_replicas=world, rank=rank, seed=0)
    return DataLoader(TensorDataset(x, y), batch_size=size // world, sampler=sampler)


def batch_gradient(model, loader):
    """The gradient (P,) of the mean loss on the loader's first batch,
    all parameters in one row; leaves none behind."""
    x, y = next(iter(loader))
    F.cross_entropy(model(x), y).backward()
    gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
    model.zero_grad()
    return gradient


def launch(model, x, y, processes=2, size=64, epochs=1, rate=0.1, timeout=120):
    """Trains copies of the model in several processes on this machine's CPU;
    returns one dict a process, by rank.

    model: a module that can be pickled, so of a class that can be imported; it stays as it is. The
    rest: as in `shard` and `fit_digits`. Each dict: rows (of `train`, on that share of the rows),
    local, by_hand and ddp (P,): gradients of the first batch on its own, averaged by all_reduce,
    and by DDP; weights: the state dict in the end. Raises ValueError where `processes` does not
    divide `size`, RuntimeError with the processes' last words where they do not start, break off,
    or do not come to an end in `timeout` seconds.
    """
    shard(x, y, size, 0, processes)  # says here, not in a process, what is wrong
    with tempfile.TemporaryDirectory() as folder:
        task = {"model": model, "x": x, "y": y, "size": size, "epochs": epochs, "rate": rate}
        torch.save(task, Path(folder) / "task.pt")
        run_quietly(command(processes, folder), timeout)
        files = [Path(folder) / f"rank{rank}.pt" for rank in range(processes)]
        return [torch.load(file, weights_only=True) for file in files]


def command(processes, folder):
    """What starts the processes, as a list of words; `torchrun` is short for its first three."""
    torchrun = [sys.executable, "-m", "torch.distributed.run"]
    return [
        *torchrun,
        "--standalone",
        "--nproc-per-node",
        str(processes),
        "-m",
        "dlcourse.methods.distributed",
        folder,
    ]


def run_quietly(words, timeout):
    """Runs the command quietly, one thread a process.
    Raises RuntimeError with what it said last where it fails."""
    one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    local = {"PET_LOCAL_ADDR": "127.0.0.1"}  # a laptop's own name need not be known to any network
    # PyTorch for Windows comes without libuv
    local |= {"USE_LIBUV": "0"} if sys.platform == "win32" else {}
    environment = os.environ | one_thread | local
    try:
        done = subprocess.run(
            words,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(
            f"the processes did not come to an end within {timeout} s; is the machine busy?"
        ) from error
    if done.returncode:
        # What follows is torchrun's report, without the reason
        own = done.stderr.partition("failed (exitcode")[0]
        raise RuntimeError(
            "the processes could not start or broke off; they said last:\n" + own[-1500:]
        )


def main(folder):
    """What each process runs: meet the others,
    take a share of the rows, train, leave the result in the folder."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")  # on GPUs: "nccl"
    try:
        rank, world = dist.get_rank(), dist.get_world_size()
        # Written by `launch` a moment ago, into a folder of its own: it holds a whole model, so it
        # cannot be read as tensors alone.
        task = torch.load(Path(folder) / "task.pt", weights_only=False)
        loader = shard(task["x"], task["y"], task["size"], rank, world)
        local = batch_gradient(task["model"], loader)
        by_hand = local.clone()
        dist.all_reduce(by_hand)  # in place: the sum over the processes, in each of them
        model = torch.nn.parallel.DistributedDataParallel(task["model"])
        ddp = batch_gradient(model, loader)
        rows = list(fit_digits(model, loader, task["epochs"], task["rate"]))
        result = {"rows": rows, "local": local, "by_hand": by_hand / world, "ddp": ddp}
        torch.save(result | {"weights": model.module.state_dict()}, Path(folder) / f"rank{rank}.pt")
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
