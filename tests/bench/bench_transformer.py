"""A GPT against an LSTM with as many parameters, on the device that is there:
bits a character at equal seconds.

python tests/bench/bench_transformer.py [seconds a run, default 60] [seeds, default 3]. Both read
random pieces of the manual, and learn at a rate that falls to 0 by the end of their time. Where a
GPU is there the wider pairs show where the lines cross; on a CPU only the first pair is run.
"""

import math
import statistics
import sys
import time

import torch
from torch.nn import functional as F

from dlcourse.data import text
from dlcourse.device import describe, get_device
from dlcourse.models.rnn import CharacterLSTM
from dlcourse.models.transformer import GPT
from dlcourse.schedule import cosine_with_warmup
from dlcourse.train import descend

PAIRS = {
    "narrow": (64, 124, 6e-3),
    "middle": (192, 438, 2e-3),
    "wide": (512, 1220, 5e-4),
}  # widths, GPT's rate
LENGTH, ROWS = 64, {"cpu": 16, "cuda": 64}


def held_out_bits(read, ids):
    x, y = (
        ids[: len(ids) // 65 * 65].view(-1, 65)[:, :-1],
        ids[: len(ids) // 65 * 65].view(-1, 65)[:, 1:],
    )
    with torch.no_grad():
        return F.cross_entropy(read(x).flatten(0, 1), y.flatten()).item() / math.log(2)


def race(read, parameters, training, held_out, budget, peak, seed):
    """(characters read, bits at the end, {seconds: bits} on the way)
    of one run of `budget` seconds."""
    torch.manual_seed(seed)
    rows = ROWS.get(training.device.type, 64)
    optimiser = torch.optim.Adam(parameters, betas=(0.9, 0.98))
    spent, steps, seen = 0.0, 0, {}
    while spent < budget:
        started = time.perf_counter()
        at = min(spent / budget, 0.999)
        optimiser.param_groups[0]["lr"] = min(1.0, (steps + 1) / 100) * cosine_with_warmup(
            at, 1.0, 0, peak
        )
        starts = torch.randint(len(training) - LENGTH, (rows, 1))
        piece = training[(starts + torch.arange(LENGTH + 1)).to(training.device)]
        loss = F.cross_entropy(read(piece[:, :-1]).flatten(0, 1), piece[:, 1:].flatten())
        descend(loss, optimiser, clip=1.0)
        loss.item()  # waits for a GPU
        spent, steps = spent + time.perf_counter() - started, steps + 1
        for share in (0.125, 0.25, 0.5):
            if spent >= share * budget and share not in seen:
                seen[share] = held_out_bits(read, held_out)
    return steps * rows * LENGTH, held_out_bits(read, held_out), seen


def main(budget=60.0, seeds=3):
    device = get_device()
    describe(device)
    corpus = text.encode(text.manual())
    cut, vocabulary = 9 * len(corpus.ids) // 10, len(corpus.characters)
    training, held_out = corpus.ids[:cut].to(device), corpus.ids[cut:].to(device)
    for pair, (width, hidden, peak) in PAIRS.items():
        if device.type == "cpu" and pair != "narrow":
            continue
        for name in ("GPT", "LSTM"):
            runs = []
            for seed in range(seeds):
                torch.manual_seed(seed)
                model = (
                    GPT(vocabulary, width)
                    if name == "GPT"
                    else CharacterLSTM(vocabulary, hidden=hidden)
                )
                model = model.to(device)
                read = model if name == "GPT" else lambda x, model=model: model(x)[0]
                rate = peak if name == "GPT" else 8e-3 * (124 / hidden) ** 0.5
                runs.append(race(read, model.parameters(), training, held_out, budget, rate, seed))
            report(
                f"{pair:7} {name:5} {sum(p.numel() for p in model.parameters()):10,} parameters",
                runs,
                budget,
            )


def report(title, runs, budget):
    read = statistics.mean(characters for characters, _, _ in runs) / 1e6
    shares = [share for share in runs[0][2] if all(share in seen for *_, seen in runs)]
    way = [
        f"{share * budget:.0f} s {statistics.mean(seen[share] for *_, seen in runs):.2f},"
        for share in shares
    ]
    ends = [f"{bits:.2f}" for _, bits, _ in runs]
    print(
        f"{title} · {read:7.1f} million characters · bits:",
        *way,
        f"{budget:.0f} s",
        *ends,
        flush=True,
    )


if __name__ == "__main__":
    main(*(kind(value) for kind, value in zip((float, int), sys.argv[1:], strict=False)))
