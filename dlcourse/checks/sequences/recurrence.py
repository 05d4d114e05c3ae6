"""Checks of a plain recurrent network:
forward, backward through time, and the reach of its gradient."""

from functools import partial

import torch
from torch import nn

from dlcourse.checks.core import Check, Mistake, case
from dlcourse.checks.draws import drawn_each
from dlcourse.checks.sequences.slopes import steady, through

_draw = partial(drawn_each, scale=0.5, dtype=torch.float64)


def _weights(batch, steps, features, hidden, seed, scale=0.5, dtype=torch.float64):
    return _draw((batch, steps, features), (hidden, features), (hidden, hidden), (hidden,),
                 seed=seed, scale=scale, dtype=dtype)  # fmt: skip


def _by_torch(x, w_x, w_h, b):
    layer = nn.RNN(x.shape[2], len(b), batch_first=True, dtype=x.dtype)
    values = {
        "weight_ih_l0": w_x,
        "weight_hh_l0": w_h,
        "bias_ih_l0": b,
        "bias_hh_l0": torch.zeros_like(b),
    }
    return torch.func.functional_call(layer, values, (x,))[0]


def _loop(x, w_x, w_h, b, fault=None):
    h, states = x.new_zeros(len(x), len(b)), []
    for t in range(x.shape[1]):
        memory = h @ (w_h if fault == "transposed" else w_h.T)
        h = x[:, t] @ w_x.T + (0 if fault == "forgets" else memory) + (0 if fault == "bias" else b)
        h = h if fault == "linear" else h.relu() if fault == "relu" else torch.tanh(h)
        states.append(h)
    if fault == "reshaped":
        return torch.stack(states).reshape(len(x), len(states), len(b))
    return h if fault == "last" else torch.stack(states, dim=0 if fault == "time first" else 1)


def _faulty(fault):
    return lambda *args: _loop(*args, fault=fault)


rnn_forward = Check(
    "rnn_forward",
    single=False,
    reference=_by_torch,
    probe=through(x=0, w_x=1, w_h=2, b=3),
    cases=lambda: [
        case("one row, two steps, one unit", *_weights(1, 2, 1, 1, 0)),
        case("3 rows, 4 steps, 2 features, 5 units", *_weights(3, 4, 2, 5, 1)),
        case("time and batch exchanged in memory", _draw((4, 2, 3), seed=2)[0].transpose(0, 1),
             *_weights(2, 4, 3, 6, 2)[1:]),
        case("large weights, float32", *_weights(2, 6, 3, 4, 3, scale=4.0, dtype=torch.float32)),
    ],
    mistakes=[
        Mistake("the state before is not used", "Add h @ w_h.T: without it there is no memory.",
                _faulty("forgets")),
        Mistake("tanh is left out", "The new state is torch.tanh of the sum.", _faulty("linear")),
        Mistake("ReLU instead of tanh", "This cell squashes with torch.tanh.", _faulty("relu")),
        Mistake("w_h is not transposed", "Rows of a weight are outputs: h @ w_h.T.",
                _faulty("transposed")),
        Mistake("the bias is left out", "Add b inside the tanh.", _faulty("bias")),
        Mistake("only the last state", "Collect the state of every step: (B, T, H).",
                _faulty("last")),
        Mistake("stacked with time first", "Stack along dim=1, so that it is (B, T, H).",
                _faulty("time first")),
        Mistake("reshaped where axes must be exchanged",
                "reshape keeps the order in memory, so rows and steps get mixed: "
                "torch.stack(states, dim=1).", _faulty("reshaped")),
    ],
)  # fmt: skip


def _autograd(grad, x, h, w_x, w_h):
    """Each step is made again from the given states, so that b need not be known."""
    before = torch.cat([torch.zeros_like(h[:, :1]), h[:, :-1]], dim=1)
    b = (torch.atanh(h) - x @ w_x.T - before @ w_h.T).mean((0, 1))
    leaves = [value.detach().clone().requires_grad_() for value in (w_x, w_h, b, x)]
    return torch.autograd.grad(_loop(leaves[3], *leaves[:3]), leaves, grad)


def _backward(grad, x, h, w_x, w_h, fault=None):
    sums, carried, d_x = [0, 0, 0], torch.zeros_like(h[:, 0]), []
    for t in reversed(range(x.shape[1])):
        slope = 1 - h[:, t] ** 2
        arrived = grad[:, t] + carried
        a = arrived if fault == "slope" else arrived * slope
        a = grad[:, t] * slope + carried if fault == "own slope" else a
        before = h[:, t - 1] if t or fault == "wraps" else torch.zeros_like(carried)
        before = h[:, t] if fault == "own state" else before
        parts = a.T @ x[:, t], a.T @ before, a.sum(0)
        sums = (
            parts if fault == "last" else [old + new for old, new in zip(sums, parts, strict=True)]
        )
        d_x.insert(0, a @ w_x)
        back = arrived if fault == "before the slope" else a
        carried = (
            0 * carried if fault == "cut" else back @ (w_h.T if fault == "transposed" else w_h)
        )
    sums = [part / len(x) for part in sums] if fault == "mean" else sums
    return (*sums, torch.stack(d_x, dim=1))


def _backward_with(fault):
    return lambda *args: _backward(*args, fault=fault)


def _backward_case(label, batch, steps, features, hidden, seed):
    x, w_x, w_h, b = _weights(batch, steps, features, hidden, seed)
    grad = _draw((batch, steps, hidden), seed=seed + 50)[0]
    return case(label, grad, x, _by_torch(x, w_x, w_h, b).detach(), w_x, w_h)


rnn_backward = Check(
    "rnn_backward",
    probe=steady,
    single=False,
    reference=_autograd,
    cases=lambda: [
        _backward_case("one row, one step, one unit", 1, 1, 1, 1, 0),
        _backward_case("two rows, two steps", 2, 2, 1, 3, 1),
        _backward_case("3 rows, 6 steps, 4 features, 2 units", 3, 6, 4, 2, 2),
    ],
    mistakes=[
        Mistake("the slope of tanh is left out", "Multiply by 1 − h_t², the slope at this step.",
                _backward_with("slope")),
        Mistake("what is carried back has not passed this step's tanh",
                "carried = a @ w_h, with a after the slope 1 − h_t², for the way back leads "
                "through tanh.", _backward_with("before the slope")),
        Mistake("the slope of tanh for this step's grad only",
                "What later steps carry back passes the same tanh: (grad[:, t] + carried) · slope.",
                _backward_with("own slope")),
        Mistake("nothing comes from later steps",
                "carried = a @ w_h is added to the gradient of the step before: "
                "that is the 'through time'.", _backward_with("cut")),
        Mistake("carried back by the transpose", "Forward is h @ w_h.T, so backward is a @ w_h.",
                _backward_with("transposed")),
        Mistake("h_t where h_{t−1} belongs",
                "w_h multiplied the state before: h[:, t − 1], and 0 at t = 0.",
                _backward_with("own state")),
        Mistake("at t = 0 the last state",
                "h[:, t − 1] is h[:, −1] there: before the first step the state is 0.",
                _backward_with("wraps")),
        Mistake("one step's share only",
                "The weights are shared: their gradients are sums over all steps.",
                _backward_with("last")),
        Mistake("the mean over the batch",
                "Sum over the batch; a mean in the loss is in grad already.",
                _backward_with("mean")),
    ],
)  # fmt: skip


def _path(path, w_h):
    """Norms by differentiating the last state with respect to a state before,
    the inputs fixed to make the path."""
    w_h, norms = w_h.detach(), []
    before = torch.cat([torch.zeros_like(path[:1]), path[:-1]])
    inputs = torch.atanh(path) - before @ w_h.T

    def last(h, lag):
        for drive in inputs[len(path) - lag :]:
            h = torch.tanh(drive + h @ w_h.T)
        return h

    start = torch.cat([torch.zeros_like(path[:1]), path])
    for lag in range(len(path) + 1):
        jacobian = torch.autograd.functional.jacobian(
            lambda h, lag=lag: last(h, lag), start[len(path) - lag]
        )
        norms.append(torch.linalg.matrix_norm(jacobian, 2))
    return torch.stack(norms)


def _spectral(matrix):
    return torch.linalg.matrix_norm(matrix, 2)


def _products(h, w_h, slope=lambda s: 1 - s**2, backwards=True, norm=_spectral, left=False,
              columns=False):  # fmt: skip
    product, norms = torch.eye(len(w_h), dtype=h.dtype), []
    for state in [None, *(h.flip(0) if backwards else h)]:
        if state is not None:
            factor = slope(state)[:, None] * w_h
            factor = slope(state) * w_h if columns else factor
            product = factor @ product if left else product @ factor
        norms.append(norm(product))
    return torch.stack(norms)


def _factors(h, w_h):
    """The product of the factors' norms: a bound, reached where all stretch one direction."""
    each = [_spectral((1 - state**2)[:, None] * w_h) for state in h.flip(0)]
    return torch.stack([torch.ones_like(w_h[0, 0]), *each]).cumprod(0)


def _path_case(label, steps, hidden, seed, scale=0.6):
    (h,), (w_h,) = (
        _draw((steps, hidden), seed=seed),
        _draw((hidden, hidden), seed=seed + 9, scale=scale),
    )
    return case(label, torch.tanh(h), w_h)


jacobian_norms = Check(
    "jacobian_norms",
    probe=steady,
    single=False,
    reference=_path,
    cases=lambda: [_path_case("two steps, two units", 2, 2, 0),
                   _path_case("5 steps, 3 units", 5, 3, 1),
                   _path_case("one step, 3 units", 1, 3, 3),
                   _path_case("9 steps, 4 units, large weights", 9, 4, 2, 2.0)],
    mistakes=[
        Mistake("the slope of tanh is left out", "Each factor is diag(1 − h_s²) W_h.",
                lambda h, w: _products(h, w, slope=torch.ones_like)),
        Mistake("from the first step on", "Lag 1 is the last step: walk back from h_T.",
                lambda h, w: _products(h, w, backwards=False)),
        Mistake("the Frobenius norm", "The largest singular value: torch.linalg.matrix_norm(J, 2).",
                lambda h, w: _products(h, w, norm=torch.linalg.matrix_norm)),
        Mistake("the largest eigenvalue",
                "How much a direction is stretched is the largest singular value: "
                "torch.linalg.matrix_norm(J, 2).",
                lambda h, w: _products(h, w, norm=lambda j: torch.linalg.eigvals(j).abs().max())),
        Mistake("the product of the norms",
                "Norms multiply to a bound only: multiply the matrices, then take the norm.",
                _factors),
        Mistake("the slopes scale the columns",
                "diag(1 − h_s²) W_h scales rows: (1 − h_s ** 2)[:, None] * w_h.",
                lambda h, w: _products(h, w, columns=True)),
        Mistake("the factors stand in the wrong order",
                "Earlier steps come on the right: product @ factor. "
                "Transposed factors turn the order round as well.",
                lambda h, w: _products(h, w, left=True)),
    ],
)  # fmt: skip
