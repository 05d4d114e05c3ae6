"""Results of runs too long for a notebook, kept as two small tables.
tests/bench/bench_generative.py makes them anew.

All distances are squared Fréchet distances to the test images of MNIST, in the features
of the course's judge (dlcourse.methods.judge). Seconds are processor time of one thread
on the machine that the row names. The DDIM rows that are here were made when its times still
ended at t = 0; those of dlcourse.methods.ddim.ddim_times end earlier, and lose no call.

    away = over_seeds(generative(), "method", "distance")  # {"VAE": tensor (3,), …}
"""

import torch

from dlcourse.data.tables import as_dicts, read_table

TEXT = ("method", "sampler", "data", "machine", "torch")  # columns that are no numbers
WHOLE = ("seed", "updates", "parameters", "steps", "samples", "classes", "threads")


def generative():
    """Six generators of digits, trained for equally long: one dict a
    row, a row for each method and seed.

    method, seed; sampler: how its samples were drawn. budget: seconds of training, for each method
    as many updates as fit into them at its fastest pace; updates: their number, each a step of
    every network (WGAN-GP: three of the critic); train_seconds: what they took on a machine that
    was now quieter, now busier. parameters: trained numbers of all networks. samples: how many were
    judged; distance: theirs; floor: that of as many training images. classes: of ten, those with at
    least 1 % of the samples. seconds_per_1000: of drawing samples. data, machine, threads, torch.
    Raises FileNotFoundError where the table is missing.
    """
    return _rows("generative.csv")


def diffusion_steps():
    """The method "DDPM" of `generative`, sampled in fewer and fewer steps: one dict
    a row, for each seed and number.

    seed; steps: of 250 in training; sampler: "ancestral" for all of them, else "DDIM" (η = 0). The
    other columns as in `generative`. Raises FileNotFoundError where the table is missing.
    """
    return _rows("diffusion_steps.csv")


def over_seeds(rows, group, column):
    """One column of a table, gathered: {value of `group`: tensor (seeds,)
    float64}, in the order of the table.

    rows: as above. group: the name of a column, e.g. "method" or
        "steps". column: of one with numbers.
    """
    gathered = {}
    for row in rows:
        gathered.setdefault(row[group], []).append(row[column])
    return {name: torch.tensor(values, dtype=torch.float64) for name, values in gathered.items()}


def _rows(name):
    try:
        table = as_dicts(read_table(name))
    except FileNotFoundError as error:
        cure = "it comes with the library; python tests/bench/bench_generative.py makes it anew"
        raise FileNotFoundError(
            f"the table of results {error.filename} is missing: {cure}"
        ) from error
    return [{column: _value(column, cell) for column, cell in row.items()} for row in table]


def _value(column, cell):
    if column in TEXT:
        return cell
    return int(cell) if column in WHOLE else float(cell)
