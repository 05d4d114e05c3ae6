"""Checks of the earth mover's distance and of a critic that estimates it.

A plan is judged by its cost and its sums;
the cheapest cost is found by trying every order of a few equal loads.
"""

import functools
import itertools
import math

import torch

from dlcourse.checks.core import Check, Mistake, Untouched, case
from dlcourse.checks.probes import with_gradient


def _loads(shares):
    """Shares that are whole multiples of 1/K, K ≤ 7, as the indices of K equal loads."""
    for count in range(1, 8):
        units = shares * count
        if torch.allclose(units, units.round(), atol=1e-9):
            return torch.repeat_interleave(torch.arange(len(shares)), units.round().long())
    raise ValueError("a case must have shares that are multiples of 1/7 or more")


@functools.cache
def _orders(count):
    if count > 7:  # 7! = 5,040; 12! would not fit into memory
        raise ValueError(f"{count} loads have too many orders to try")
    return torch.tensor(list(itertools.permutations(range(count))))  # (count!, count)


def _tried(cost, p, q, best=torch.argmin):
    """The cheapest plan (or best=torch.argmax: the dearest), by trying every order of the loads."""
    start, end = _loads(p), _loads(q)
    count = math.lcm(len(start), len(end))
    start, end = (
        start.repeat_interleave(count // len(start)),
        end.repeat_interleave(count // len(end)),
    )
    orders = _orders(count)
    order = orders[best(cost[start, end[orders]].sum(1))]
    plan = torch.zeros_like(cost)
    return plan.index_put(
        (start, end[order]), torch.tensor(1 / count, dtype=cost.dtype), accumulate=True
    )


def _judge(function, cost, p, q):
    plan = function(cost, p, q)
    if plan is None:
        raise Untouched("None: is `return` missing?")
    kind = f"tensor, {plan.dtype}" if isinstance(plan, torch.Tensor) else type(plan).__name__
    plan = torch.as_tensor(plan).double()
    if plan.shape != cost.shape:
        raise ValueError(f"the shape should be {list(cost.shape)}, yours is {list(plan.shape)}")
    return {
        "kind of the plan": kind,
        "smallest entry": min(0.0, plan.min().item()) if plan.min() < -1e-9 else 0.0,
        "leaves each place (sum over j)": plan.sum(1),
        "arrives at each place (sum over i)": plan.sum(0),
        "cost of the whole plan": (plan * cost).sum().item(),
    }


def _greedy(cost, p, q):
    plan, p, q = torch.zeros_like(cost), p.clone(), q.clone()
    for flat in cost.flatten().argsort().tolist():
        i, j = divmod(flat, cost.shape[1])
        plan[i, j] = torch.minimum(p[i], q[j])
        p[i], q[j] = p[i] - plan[i, j], q[j] - plan[i, j]
    return plan


def _in_order(cost, p, q):
    """The first of p to the first of q, and so on: right for sorted places on a line only."""
    edges_p, edges_q = (
        torch.cat([p.new_zeros(1), p.cumsum(0)]),
        torch.cat([q.new_zeros(1), q.cumsum(0)]),
    )
    upper = torch.minimum(edges_p[1:, None], edges_q[1:])
    return (upper - torch.maximum(edges_p[:-1, None], edges_q[:-1])).clamp(min=0)


def _nearest(cost, p, q):
    return torch.zeros_like(cost).scatter(1, cost.argmin(1, keepdim=True), p[:, None])


def _f64(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def _drawn(n, m, seed):
    return torch.rand(n, m, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _line(a, b):
    return (_f64(*a)[:, None] - _f64(*b)).abs()


transport_plan = Check(
    "transport_plan",
    reference=_tried,
    probe=_judge,
    rtol=1e-5,
    atol=1e-7,
    fallback="dlcourse.methods.wgan:transport_plan",
    cases=[
        case("one pile to two places", _f64([1.0, 3.0]), _f64(1.0), _f64(0.5, 0.5)),
        case("two piles: the cheapest single way is not part of the cheapest plan",
             _f64([1.0, 2.0], [2.0, 10.0]), _f64(0.5, 0.5), _f64(0.5, 0.5)),
        case("3 places to 4", _drawn(3, 4, 0), _f64(2.0, 1.0, 3.0) / 6,
             _f64(1.0, 2.0, 2.0, 1.0) / 6),
        case("five points to five on a line, unsorted",
             _line([3.0, -1.0, 0.5, 2.0, 8.0], [1.0, 4.0, -2.0, 0.0, 2.5]),
             torch.full((5,), 0.2).double(), torch.full((5,), 0.2).double()),
        case("a place without any sand, costs in a transposed array", _drawn(2, 4, 3).T,
             _f64(1.0, 0.0, 3.0, 2.0) / 6, _f64(1.0, 1.0) / 2),
        case("costs in the millions", 1e6 * _drawn(3, 3, 4), _f64(3.0, 2.0, 2.0) / 7,
             _f64(1.0, 5.0, 1.0) / 7),
    ],
    mistakes=[
        Mistake("every pile is spread over all places",
                "p·qᵀ has the right sums, but is no cheapest plan: minimise.",
                lambda cost, p, q: torch.outer(p, q)),
        Mistake("the cheapest way first",
                "What is cheap now can force something dear later: "
                "let the solver look at all ways together.", _greedy),
        Mistake("in the order of the list",
                "The first pile need not go to the first place: only the costs say where.",
                _in_order),
        Mistake("nothing is asked of what arrives",
                "Two kinds of equations: what leaves i sums to p_i, "
                "what arrives at j sums to q_j.", _nearest),
        Mistake("the dearest plan",
                "linprog minimises: hand it the cost as it is, without a minus.",
                lambda cost, p, q: _tried(cost, p, q, torch.argmax)),
        Mistake("the plan is transposed",
                "Rows are where the sand comes from, columns where it goes: (N, M).",
                lambda cost, p, q: _tried(cost, p, q).T),
        Mistake("the numbers are put back in the wrong order",
                "cost.flatten() goes through the rows: reshape the solution to (N, M), as it came.",
                lambda cost, p, q: _tried(cost, p, q).T.reshape(cost.shape)),
        Mistake("the distance instead of the plan",
                "Return all the amounts (N, M); the notebook adds up the cost.",
                lambda cost, p, q: (_tried(cost, p, q) * cost).sum()),
    ],
)  # fmt: skip


def _values(shape, seed, dtype=torch.float32):
    return 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def _softplus(x):
    return torch.logaddexp(x, torch.zeros_like(x))


critic_loss = Check(
    "critic_loss",
    reference=lambda real, fake: -(real.sum() / real.numel() - fake.sum() / fake.numel()),
    probe=with_gradient(0, 1),
    atol=1e-6,
    cases=[
        case("one of each", torch.tensor([2.0]), torch.tensor([-1.0])),
        case("2 real, 3 fake", torch.tensor([1.0, 2.0]), torch.tensor([4.0, 0.0, -1.0])),
        case("values (4, 1) in float64", _values((4, 1), 2, torch.float64),
             _values((4, 1), 3, torch.float64)),
        case("every second value of a longer row", _values((8,), 4)[::2], _values((4,), 5)),
        case("tables of 2 × 3 and 1 × 4", _values((2, 3), 6), _values((1, 4), 7)),
        case("the fakes have the higher values", torch.tensor([-3.0, -5.0]),
             torch.tensor([7.0, 2.0, 0.0])),
        case("values in the thousands", torch.tensor([4000.0, -1000.0]), torch.tensor([250.0])),
    ],
    mistakes=[
        Mistake("the sign is turned",
                "The critic wants f(real) high and f(fake) low, and an optimiser minimises: "
                "mean f(fake) − mean f(real).",
                lambda real, fake: real.mean() - fake.mean()),
        Mistake("this morning's loss",
                "A critic gives values, no logits: there is neither sigmoid nor logarithm.",
                lambda real, fake: _softplus(-real).mean() + _softplus(fake).mean()),
        Mistake("values through a sigmoid",
                "Between 0 and 1 a critic cannot measure a distance: no sigmoid.",
                lambda real, fake: fake.sigmoid().mean() - real.sigmoid().mean()),
        Mistake("sums over the batch", "Expectations are means over the batch.",
                lambda real, fake: fake.sum() - real.sum()),
        Mistake("the absolute difference",
                "Then a critic that ranks fakes above real ones would be praised.",
                lambda real, fake: -(fake.mean() - real.mean()).abs()),
        Mistake("the real half only", "Without the fakes any constant would do: both means count.",
                lambda real, fake: -real.mean()),
        Mistake("one value an example", "Return the two means' difference, a single number.",
                lambda real, fake: fake.mean() - real),
    ],
)  # fmt: skip
