"""The one table of the course: six generators of digits with equal seconds of
training, and one of them in fewer steps.

python tests/bench/bench_generative.py --seconds 40 --seeds 3

trains a VAE, a DCGAN, a WGAN-GP, two diffusion models and flow matching on MNIST. After each
(method, seed) it writes a row to generative.csv, and for the diffusion model without labels,
sampled in fewer and fewer steps, to diffusion_steps.csv; both lie in dlcourse/data/files, where
dlcourse.data.results reads them. A row that is there is not made again: a run that was stopped goes
on, and complete tables are only printed. --again begins from nothing.

Equal seconds: before anything is trained each method takes some steps in turn, several times over,
and gets as many updates as fit into --seconds of processor time at its fastest pace, on one thread.
So what else the machine does takes nothing from anyone, and the same number of updates makes the
same row. The methods are in contestants.py beside this.
"""

import argparse
import csv
import io
import os
import platform
import time
from pathlib import Path

import contestants
import torch

from dlcourse.data import images, results, tables
from dlcourse.data.cache import cached
from dlcourse.methods.judge import train_judge
from dlcourse.metrics import class_coverage
from dlcourse.models.cnn import CNN
from dlcourse.release.files import write_atomic

FILES = Path(results.__file__).parent / "files"
STEPS = (
    contestants.T,
    100,
    50,
    20,
    10,
    5,
)  # of the diffusion model: all of them are ancestral, fewer are DDIM
SHARED = (
    "samples",
    "distance",
    "floor",
    "classes",
    "seconds_per_1000",
    "data",
    "machine",
    "threads",
    "torch",
)
HEADS = {
    "generative": "Six generators of MNIST digits, trained for equally long; the columns: "
    "dlcourse.data.results.",
    "diffusion_steps": "The DDPM of generative.csv in fewer and fewer steps; the columns: "
    "dlcourse.data.results.",
}
COLUMNS = {
    "generative": (
        "method",
        "seed",
        "budget",
        "updates",
        "train_seconds",
        "parameters",
        "sampler",
        *SHARED,
    ),
    "diffusion_steps": ("seed", "steps", "sampler", *SHARED),
}


class Table:
    """A CSV file, whole after each row. Two rows are the same where their first two columns are."""

    def __init__(self, folder, name, again=False):
        self.path, self.head, self.columns = folder / f"{name}.csv", HEADS[name], COLUMNS[name]
        self.rows = []
        if self.path.exists() and not again:
            self.rows = tables.as_dicts(tables.parse(self.path.read_text(encoding="utf-8")))

    def has(self, *key):
        return any(
            [row[column] for column in self.columns[:2]] == [str(part) for part in key]
            for row in self.rows
        )

    def add(self, row):
        """Appends and saves: a run that is stopped leaves no half row behind."""
        self.rows.append({column: str(row[column]) for column in self.columns})
        text = io.StringIO(
            f"# {self.head}\n# Made by tests/bench/bench_generative.py, which says how.\n"
        )
        text.seek(0, io.SEEK_END)
        table = csv.DictWriter(text, self.columns, lineterminator="\n")
        table.writeheader()
        table.writerows(self.rows)
        write_atomic(self.path, text.getvalue().encode())
        print(
            " ".join(
                f"{column} {row[column]}" for column in self.columns[: self.columns.index("data")]
            ),
            flush=True,
        )


def paces(methods, data, burst, rounds=6):
    """Fewest seconds of processor time for one update, {name: …}, of `rounds`
    bursts of each method, in turn."""
    torch.manual_seed(0)
    steps = {name: contestants.METHODS[name](data, 10**6).step for name in methods}
    fastest = dict.fromkeys(methods, float("inf"))
    for _ in range(rounds):
        for name, step in steps.items():
            count, taken, start = 0, 0.0, time.process_time()
            while count == 0 or taken < burst:
                step()
                count, taken = count + 1, time.process_time() - start
            fastest[name] = min(fastest[name], taken / count)
    return fastest


def trained(name, seed, data, updates):
    """A contestant after `updates` updates from this seed, and the seconds of
    processor time that they took."""
    torch.manual_seed(seed)
    run = contestants.METHODS[name](data, updates)
    start = time.process_time()
    for _ in range(updates):
        run.step()
    return run, time.process_time() - start


def judged(judge, data, draw, count):
    """What the judge says of `count` samples, what they cost, and on what: the
    columns that both tables share."""
    start = time.process_time()
    x = torch.cat([draw(min(250, count - done)) for done in range(0, count, 250)])
    seconds = time.process_time() - start
    return {
        "samples": count,
        "distance": round(judge.distance(x).item(), 2),
        "floor": round(judge.distance(data.x[-count:]).item(), 2),  # as many training images
        "classes": class_coverage(judge.classes(x)),
        "seconds_per_1000": round(1000 * seconds / count, 3),
        "data": data.name,
        "machine": machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def machine():
    """Processor and cores as the operating system names them; not the name of the host."""
    name, info = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.split(":", 1)[1].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        name = models[0] if models else name
    return f"{name}, {os.cpu_count()} cores"


def updates_for(names, table, data, seconds):
    """{name: number of updates}: as in the table where it has the method already, else measured."""
    if any(float(row["budget"]) != seconds for row in table.rows):
        raise SystemExit(
            f"{table.path} has rows of another budget: give its --seconds, or --again to begin "
            "from nothing"
        )
    known = {row["method"]: int(row["updates"]) for row in table.rows}
    measured = paces(
        [name for name in names if name not in known], data, burst=min(0.5, seconds / 50)
    )
    return known | {name: max(2, int(seconds / pace)) for name, pace in measured.items()}


def missing(folder, seeds, again=False):
    """(both tables, [(method, seed), …] that lack a row in either, the first seed first)."""
    tables = [Table(folder, name, again) for name in COLUMNS]
    pairs = [(name, seed) for seed in range(seeds) for name in contestants.METHODS]
    return tables, [
        pair for pair in pairs if not tables[0].has(*pair) or steps_to_do(tables[1], *pair)
    ]


def steps_to_do(table, name, seed):
    """The numbers of steps that the table lacks; [] for methods that are not in it."""
    return [k for k in STEPS if name == "DDPM" and not table.has(seed, k)]


def compete(data, judge, tables, todo, seconds, samples):
    """Makes the rows that are missing. data: as images.mnist() gives it.
    tables, todo: from missing()."""
    table, fewer = tables
    updates = updates_for(dict(todo), table, data, seconds)
    for name, seed in todo:
        run, spent = trained(name, seed, data, updates[name])
        if not table.has(name, seed):
            row = {"method": name, "seed": seed, "budget": seconds, "updates": updates[name]}
            row |= {
                "train_seconds": round(spent, 1),
                "parameters": run.parameters,
                "sampler": run.sampler,
            }
            table.add(row | judged(judge, data, run.sample, samples))
        for k in steps_to_do(fewer, name, seed):
            row = {
                "seed": seed,
                "steps": k,
                "sampler": "ancestral" if k == contestants.T else "DDIM",
            }
            fewer.add(
                row | judged(judge, data, lambda n, k=k, run=run: run.steps(n, k), samples // 2)
            )


def show():
    """Prints both tables, means over the seeds and the spread."""
    for rows, group in ((results.generative(), "method"), (results.diffusion_steps(), "steps")):
        columns = {
            name: results.over_seeds(rows, group, name)
            for name in ("distance", "floor", "seconds_per_1000")
        }
        print(f"{group:22}{'distance (of seeds)':>28}{'floor':>8}{'s per 1000':>12}")
        for name, values in columns["distance"].items():
            each = ", ".join(f"{value:.0f}" for value in values)
            seconds = columns["seconds_per_1000"][name].mean()
            distance, floor = f"{values.mean():.1f} ({each})", columns["floor"][name][0]
            print(f"{name!s:22}{distance:>28}{floor:8.1f}{seconds:12.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--seconds", type=float, default=40.0, help="of training for each method and seed"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--samples", type=int, default=1000, help="that are judged; half as many for fewer steps"
    )
    parser.add_argument(
        "--again", action="store_true", help="make the rows that are there again, too"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    tables, todo = missing(FILES, options.seeds, options.again)
    if todo:
        data = images.mnist(fallback=False)
        judge = train_judge(CNN((1, 8, 16, 32)), data, keep=cached)
        compete(data, judge, tables, todo, options.seconds, options.samples)
    show()


if __name__ == "__main__":
    main()
