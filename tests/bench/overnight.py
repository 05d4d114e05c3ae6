"""What the scripts overnight_*.py share: they train networks of the course for much longer than a
notebook may, and leave the weights in dlcourse/data/files/overnight, where
dlcourse.data.weights.overnight reads them.

python tests/bench/overnight_vae.py --minutes 480

Minutes are those of the clock, on one thread: the learning rate follows the share of them that has
passed, so a run ends well whatever else the machine does. Each minute all of it is saved in the
cache folder; a run that was stopped goes on there. What is left is an average of the weights, in
half precision, measured as it will be read. A file that is better already is kept, but not with
--again.
"""

import argparse
import copy
import csv
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from bench_generative import machine

from dlcourse.checkpoint import resume, save_checkpoint
from dlcourse.data import images, tables, weights
from dlcourse.data.cache import cache_folder
from dlcourse.methods.ddim import ema_decay, ema_update
from dlcourse.release.files import write_atomic
from dlcourse.schedule import cosine_with_warmup
from dlcourse.train import descend

FOLDER = Path(weights.__file__).parent / "files" / weights.OVERNIGHT
LARGEST = 1_500_000  # bytes of one file
HEAD = """\
# Networks of the course after a long training; the columns: dlcourse.data.weights.overnight_table.
# Made by the scripts that it names.
"""
COLUMNS = (
    "name",
    "network",
    "script",
    "updates",
    "seconds",
    "threads",
    "machine",
    "torch",
    "data",
    "measure",
    "value",
)


class Night(NamedTuple):
    """What one script trains."""

    name: str  # of its file
    network: str  # the call that builds it, as students would write it
    model: torch.nn.Module
    loss: Callable  # loss() → a 0-d tensor, on a batch that it draws
    peak: float  # of the learning rate
    clip: float | None  # of the gradients' norm
    data: str
    measure: str  # what `value` says, with its unit
    value: Callable  # value(model) → a float, the smaller the better


class Training:
    """A model on its way: AdamW, a cosine schedule over the minutes, and an average of the
    weights."""

    def __init__(self, night, minutes):
        self.night, self.limit = night, 60 * minutes
        self.average = copy.deepcopy(night.model).requires_grad_(False)
        self.optimiser = torch.optim.AdamW(night.model.parameters(), weight_decay=1e-4, fused=True)
        self.parts = {"model": night.model, "average": self.average, "optimiser": self.optimiser}
        self.done = {"updates": 0, "passed": 0.0, "seconds": 0.0}  # passed: on the clock

    def run(self, path):
        """Trains until the minutes are over; `path` is where it is saved."""
        if path.exists():
            self.done = resume(path, **self.parts)
            print(f"going on from {path}: {self.done['passed'] / 60:.1f} minutes are done")
        clock = time.monotonic() - self.done["passed"]
        processor = time.process_time() - self.done["seconds"]
        losses, saved = [], self.done["passed"]
        while self.done["passed"] < self.limit:
            losses.append(self.step())
            self.done["passed"] = time.monotonic() - clock
            self.done["seconds"] = time.process_time() - processor
            if self.done["passed"] - saved > 60 or self.done["passed"] >= self.limit:
                save_checkpoint(path, **self.parts, **self.done)
                mean, saved = torch.stack(losses).mean(), self.done["passed"]
                print(f"{saved / 60:.1f} min {self.done['updates']} updates {mean:.4f}", flush=True)
                losses = []

    def step(self):
        """One update; returns the loss."""
        point = int(10_000 * self.done["passed"] / self.limit)
        for group in self.optimiser.param_groups:
            group["lr"] = cosine_with_warmup(point, 10_000, 200, self.night.peak)
        loss = self.night.loss()
        descend(loss, self.optimiser, clip=self.night.clip)
        self.done["updates"] += 1
        ema_update(self.average, self.night.model, ema_decay(self.done["updates"]))
        return loss.detach()


def pack(state):
    """A state dict as the bytes of a file, numbers in half precision."""
    buffer = io.BytesIO()
    halves = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    halves = {k: v.contiguous() for k, v in halves.items()}
    torch.save(halves, buffer)
    if len(buffer.getvalue()) > LARGEST:
        raise SystemExit(f"{len(buffer.getvalue()):,} bytes: a file may have {LARGEST:,}")
    return buffer.getvalue()


def leave(training, script, folder, again=False):
    """Measures the average, and writes its file and its row where they are better than what is
    there. Returns the row."""
    night, packed = training.night, pack(training.average.state_dict())
    model = copy.deepcopy(training.average)
    model.load_state_dict(torch.load(io.BytesIO(packed), weights_only=True))
    row = {
        "name": night.name,
        "network": night.network,
        "script": f"tests/bench/{Path(script).name}",
        "updates": training.done["updates"],
        "seconds": round(training.done["seconds"]),
        "threads": torch.get_num_threads(),
        "machine": machine(),
        "torch": torch.__version__,
        "data": night.data,
        "measure": night.measure,
        "value": round(night.value(model), 2),
    }
    print(*(f"{column}: {row[column]}" for column in COLUMNS), sep="\n")
    path, rows = folder / f"{weights.OVERNIGHT}.csv", []
    if path.exists():
        rows = tables.as_dicts(tables.parse(path.read_text(encoding="utf-8")))
    before = {one["name"]: float(one["value"]) for one in rows}
    if not again and before.get(night.name, float("inf")) <= row["value"]:
        print(f"{folder / night.name}.pt has {before[night.name]}: it is kept")
        return row
    rows = [one for one in rows if one["name"] != night.name] + [row]
    text = io.StringIO(HEAD)
    text.seek(0, io.SEEK_END)
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(sorted(rows, key=lambda one: one["name"]))
    write_atomic(folder / f"{night.name}.pt", packed)
    write_atomic(path, text.getvalue().encode())
    return row


def main(make, script, arguments=None):
    """The command of a script: make(data) → a Night, data as images.mnist() gives it."""
    parser = argparse.ArgumentParser(description=f"Trains overnight: {Path(script).name}")
    parser.add_argument("--minutes", type=float, default=480.0, help="of the clock")
    parser.add_argument("--again", action="store_true", help="replace a file that is better, too")
    parser.add_argument("--to", type=Path, default=FOLDER, help="the folder for file and table")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    night = make(images.mnist(fallback=False))
    training, path = Training(night, options.minutes), cache_folder() / f"overnight-{night.name}.pt"
    training.run(path)
    row = leave(training, script, options.to, options.again)
    path.unlink()  # what it was for is done
    return row
