"""Results as a table of aligned rows, so that notebooks need not format them; arrays of tensors."""

import numpy as np
import torch


def table(rows, digits=3):
    """Prints one line for each row, under the names of the columns.

    rows: a dict name of the row → dict column → value. A value is a number, a text, or the values
    of several seeds (a list, an array, a tensor): mean, least and greatest of them are shown.
    digits: decimals of numbers that are not whole, or a format such as ".1e" or ".0%"; a dict
    column → digits or format where the columns differ (3 for those it lacks). Whole numbers get
    commas, a column that a row lacks "–". Raises ValueError where there are no rows.
    """
    if not rows:
        raise ValueError("no rows: give a dict with one dict for each row")
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    formats = digits if isinstance(digits, dict) else dict.fromkeys(columns, digits)
    lines = [["", *map(str, columns)]]
    for name, row in rows.items():
        cells = [_cell(row.get(column, "–"), formats.get(column, 3)) for column in columns]
        lines.append([str(name), *cells])
    first, *others = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for name, *cells in lines:
        right = [f"{cell:>{width}}" for cell, width in zip(cells, others, strict=True)]
        print("  ".join([f"{name:<{first}}", *right]).rstrip())


def _cell(value, digits):
    if isinstance(value, str):
        return value
    spec = digits if isinstance(digits, str) else f".{digits}f"
    values = to_numpy(value)
    if values.size > 1:
        low, high = values.min(), values.max()
        return f"{values.mean():{spec}} ({low:{spec}} – {high:{spec}})"
    if values.dtype.kind in "iu" and not isinstance(digits, str):
        return f"{values.item():,}"
    return f"{values.item():{spec}}"


def to_numpy(values):
    """NumPy array of numbers, of a tensor (on any device, with or without gradients), or of a
    list of such, nested or not."""
    if isinstance(values, torch.Tensor):
        return values.detach().cpu().numpy()
    if isinstance(values, (list, tuple)) and values:  # np.asarray refuses tensors on a GPU
        return np.stack([to_numpy(one) for one in values])
    return np.asarray(values)
