"""Check of the smallest game there is: one round as a matrix."""

import torch

from dlcourse.checks.core import Check, Mistake, case


def _round(rate, alternating):
    """The matrix of one round, column by column: what becomes of (1, 0) and of (0, 1)."""
    columns = []
    for start in ((1.0, 0.0), (0.0, 1.0)):
        x, y = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in start)
        slope_x, slope_y = torch.autograd.grad(x * y, (x, y))
        new_x = (x - rate * slope_x).detach().requires_grad_()
        if alternating:
            (slope_y,) = torch.autograd.grad(new_x * y, y)
        columns.append(torch.stack([new_x, y + rate * slope_y]).detach())
    return torch.stack(columns, dim=1)


def _matrix(a, b, c, d):
    return torch.tensor([[a, b], [c, d]], dtype=torch.float64)


game_round = Check(
    "game_round",
    reference=_round,
    rtol=1e-6,  # a rate that has been float32 on its way is as good
    atol=1e-8,
    cases=[
        case("both at once, rate 0.5", 0.5, False),
        case("in turns, rate 0.5", 0.5, True),
        case("both at once, rate 0.1", 0.1, False),
        case("in turns, rate 0.3", 0.3, True),
        case("in turns, rate 2", 2.0, True),
    ],
    mistakes=[
        Mistake("both descend", "y wants V large: it goes up its slope, y + rate · x.",
                lambda rate, alternating: _matrix(1.0, -rate, -rate, 1.0 + alternating * rate**2)),
        Mistake("in turns is the same as at once",
                "In turns y sees the x that has moved: y + rate · (x − rate · y).",
                lambda rate, alternating: _matrix(1.0, -rate, rate, 1.0)),
        Mistake("y moves first", "x moves first, y answers.",
                lambda rate, alternating: _matrix(1.0 - alternating * rate**2, -rate, rate, 1.0)),
        Mistake("the roles of x and y are exchanged, or rows and columns",
                "x makes V = x·y small, y makes it large; row 1 gives the new x, row 2 the new y.",
                lambda rate, alternating: _matrix(1.0, rate, -rate, 1.0 - alternating * rate**2)),
        Mistake("the change instead of the new point",
                "Add the old point: the matrix of a rate of 0 is the identity.",
                lambda rate, alternating: _matrix(0.0, -rate, rate, -alternating * rate**2)),
        Mistake("y before x in the point", "Row 1 gives the new x, row 2 the new y.",
                lambda rate, alternating: _matrix(1.0 - alternating * rate**2, rate, -rate, 1.0)),
    ],
)  # fmt: skip
