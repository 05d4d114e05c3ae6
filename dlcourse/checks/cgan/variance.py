"""Check of the shares that labels and latents have in the variance of a measure."""

import torch

from dlcourse.checks.core import Check, Mistake, case


def _anova(values, fault=""):
    """Shares of the variance of a balanced table by sums of squares;
    `fault` names what is wrong."""
    rows, columns = values.shape
    mean = values.mean()
    row, column = values.mean(1, keepdim=True) - mean, values.mean(0, keepdim=True) - mean
    rest = values - mean - row - column
    total = (values - mean).square().sum()
    sums = [columns * row.square().sum(), rows * column.square().sum(), rest.square().sum()]
    if fault == "swapped":
        sums = [sums[1], sums[0], sums[2]]
    if fault == "unscaled":
        sums = [row.square().sum(), column.square().sum(), rest.square().sum()]
    if fault == "within":
        sums[1] = total - sums[0]
    if fault == "unbiased":
        return (
            torch.stack([row.var(), column.var(), values.var() - row.var() - column.var()])
            / values.var()
        )
    if fault == "means of variances":
        sums = [values.var(1, correction=0).mean(), values.var(0, correction=0).mean()]
        return torch.stack([*sums, total / values.numel() - sums[0] - sums[1]]) / (
            total / values.numel()
        )
    shares = torch.stack(sums) / (1.0 if fault == "sums" else total)
    return shares.sqrt() if fault == "deviations" else shares


def _shares_broken(fault):
    return lambda values: _anova(values, fault)


def _table(rows, columns, seed, dtype=torch.float32):
    return (
        torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=dtype) + 3
    )


variance_shares = Check(
    "variance_shares",
    reference=_anova,
    rtol=1e-3,
    atol=1e-5,
    cases=[
        case("rows differ, columns do not", torch.tensor([[1.0, 1.0, 1.0], [4.0, 4.0, 4.0]])),
        case("columns differ, rows do not", torch.tensor([[1.0, 2.0, 6.0], [1.0, 2.0, 6.0]])),
        case("2 classes, 3 latents", _table(2, 3, 0)),
        case("5 classes, 4 latents, float64, not contiguous", _table(4, 5, 1, torch.float64).T),
    ],
    mistakes=[
        Mistake("labels and latents exchanged",
                "Rows are labels: their effect is in the row means, mean(dim=1).",
                _shares_broken("swapped")),
        Mistake("variances with n − 1", "Row and column means are all there are: correction=0.",
                _shares_broken("unbiased")),
        Mistake("variances inside instead of between",
                "The label's part is the variance of the row means, "
                "not the mean variance of the rows.", _shares_broken("means of variances")),
        Mistake("sums of squares that are not scaled",
                "Each row mean stands for all columns: compare variances.",
                _shares_broken("unscaled")),
        Mistake("all that is not the label's is given to the latent",
                "What neither explains alone is the third part.", _shares_broken("within")),
        Mistake("roots", "Variances add up, deviations do not.", _shares_broken("deviations")),
        Mistake("not divided by the total", "Shares: divide by the variance of all values.",
                _shares_broken("sums")),
    ],
)  # fmt: skip
