"""The formulas of the slides of Day 11, each held by a computation: autograd,
closed forms or torch's own cells."""

import math
from pathlib import Path

import numpy as np
import torch
from prose import Shows, parts

SOURCE = Path(__file__).parents[2] / "Day11-RNNs_and_LSTMs" / "Day11-RNNs_and_LSTMs_slides.typ"
TEXT = parts(SOURCE)[1]
FORMULAS = shows = Shows()
B, D, H, T = 3, 2, 4, 5


def weights(*shapes, seed=0):
    maker = torch.Generator().manual_seed(seed)
    return [0.7 * torch.randn(*shape, generator=maker, dtype=torch.float64) for shape in shapes]


def states(inputs, w_x, w_h, b):
    """All h_t (B, H), h_0 = 0 first, of a tanh cell that reads inputs (T, B, D)."""
    h = [torch.zeros(inputs.shape[1], len(b), dtype=torch.float64)]
    for x in inputs:
        h.append(torch.tanh(x @ w_x.T + h[-1] @ w_h.T + b))
    return h


@shows("bh_t = tanh(Wx bx_t + Wh bh_(t-1) + bb)", "by_t = Wy bh_t + bb_y")
def test_the_cell_is_torchs():
    x, w_x, w_h, b = weights((T, B, D), (H, D), (H, H), (H,))
    cell = torch.nn.RNN(D, H, dtype=torch.float64)
    with torch.no_grad():
        for parameter, value in zip(cell.parameters(), (w_x, w_h, b, 0 * b), strict=True):
            parameter.copy_(value)
        assert torch.allclose(cell(x)[0], torch.stack(states(x, w_x, w_h, b)[1:]))


@shows(
    "bd_t = Wy^top (partial L_t) / (partial by_t) + bJ_(t+1)^top bd_(t+1), wide ba_t = bd_t dot.o "
    "(1 - bh_t^2), wide (partial L) / (partial Wh) = sum_(t=1)^T ba_t bh_(t-1)^top",
    "(partial bh_T) / (partial bh_t) = bJ_T bJ_(T-1) dots.c bJ_(t+1), wide bJ_k = diag(1 - bh_k^2) "
    "Wh",
)
def test_backpropagation_through_time():
    x, w_x, w_h, b, w_y = weights((T, 1, D), (H, D), (H, H), (H,), (2, H))
    w_h.requires_grad_()
    h = states(x, w_x, w_h, b)
    for one in h[1:]:
        one.retain_grad()
    y = [one @ w_y.T for one in h[1:]]
    sum((one**2).sum() for one in y).backward()  # L_t = |y_t|²
    with torch.no_grad():
        d, gradient, jacobian = (
            torch.zeros(H, dtype=torch.float64),
            torch.zeros_like(w_h),
            torch.zeros_like(w_h),
        )
        for t in range(T, 0, -1):
            d = w_y.T @ (2 * y[t - 1][0]) + jacobian.T @ d
            assert torch.allclose(d, h[t].grad[0])
            slope = 1 - h[t][0] ** 2
            gradient += torch.outer(d * slope, h[t - 1][0])
            jacobian = torch.diag(slope) @ w_h
    assert torch.allclose(gradient, w_h.grad)


@shows("norm((partial bh_T) / (partial bh_t)) <= (gamma s)^(T-t)")
def test_bound_of_the_product():
    x, w_x, w_h, b = weights((T, 1, D), (H, D), (H, H), (H,))
    h = states(x, w_x, w_h, b)
    product, s = torch.eye(H, dtype=torch.float64), torch.linalg.matrix_norm(w_h, 2)
    slopes = [1 - one[0] ** 2 for one in h[2:]]
    for slope in slopes:
        product = torch.diag(slope) @ w_h @ product
    bound = (max(slope.max() for slope in slopes) * s) ** len(slopes)
    assert torch.linalg.matrix_norm(product, 2) <= bound


@shows("bW = mat(0.9, 2; 0, 0.9)")
def test_powers_of_the_matrix_that_first_grows():
    assert np.allclose(np.linalg.eigvals([[0.9, 2], [0, 0.9]]), 0.9)


def test_the_starts_of_a_recurrent_matrix():
    torch.manual_seed(0)
    theirs = torch.nn.RNN(3, 512).weight_hh_l0.detach()
    assert theirs.abs().max() <= 1 / math.sqrt(512)
    assert math.isclose(
        torch.linalg.eigvals(theirs).abs().max().item(), 1 / math.sqrt(3), rel_tol=0.06
    )
    q = torch.nn.init.orthogonal_(torch.empty(H, H, dtype=torch.float64))
    assert torch.allclose(q.T @ q, torch.eye(H, dtype=torch.float64))
    step = torch.diag(torch.full((H,), 1 - 0.3**2, dtype=torch.float64)) @ q  # all states 0.3
    norm = torch.linalg.matrix_norm(torch.linalg.matrix_power(step, 20), 2)
    assert math.isclose(norm.item(), 0.91**20, rel_tol=1e-9)


@shows("bg <- bg dot min(1, c / norm(bg))")
def test_clipping():
    for g in ([3.0, 4.0], [0.3, 0.4]):
        weight = torch.nn.Parameter(torch.zeros(2))
        weight.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_([weight], 1.0)
        assert torch.allclose(weight.grad, torch.tensor(g) * min(1, 1 / math.hypot(*g)), atol=1e-5)


@shows(
    "bc_t = bforget_t dot.o bc_(t-1) + bi_t dot.o bg_t",
    '(bi_t, bforget_t, bg_t, bo_t) = Wx bx_t + Wh bh_(t-1) + bb, wide "then" sigma, sigma, tanh, '
    "sigma",
    "bc_t = bforget_t dot.o bc_(t-1) + bi_t dot.o bg_t, wide bh_t = bo_t dot.o tanh(bc_t)",
)
def test_lstm_cell_is_torchs():
    cell = torch.nn.LSTMCell(D, H, dtype=torch.float64)
    x, h, c = weights((B, D), (B, H), (B, H))
    with torch.no_grad():
        a = x @ cell.weight_ih.T + h @ cell.weight_hh.T + cell.bias_ih + cell.bias_hh
        i, f, g, o = a.chunk(4, dim=1)
        c2 = f.sigmoid() * c + i.sigmoid() * g.tanh()
        wanted_h, wanted_c = cell(x, (h, c))
        assert torch.allclose(c2, wanted_c) and torch.allclose(o.sigmoid() * c2.tanh(), wanted_h)


@shows(
    "bh_t = (1 - bz_t) dot.o bn_t + bz_t dot.o bh_(t-1)",
    "bn_t = tanh(bW_n bx_t + bb_n + br_t dot.o (bV_n bh_(t-1) + bb'_n))",
)
def test_gru_cell_is_torchs():
    cell = torch.nn.GRUCell(D, H, dtype=torch.float64)
    x, h = weights((B, D), (B, H))
    with torch.no_grad():
        xr, xz, xn = (x @ cell.weight_ih.T + cell.bias_ih).chunk(3, dim=1)
        hr, hz, hn = (h @ cell.weight_hh.T + cell.bias_hh).chunk(3, dim=1)
        z, n = (xz + hz).sigmoid(), torch.tanh(xn + (xr + hr).sigmoid() * hn)
        assert torch.allclose((1 - z) * n + z * h, cell(x, h))


@shows(
    "p(x_1, …, x_T) = product_(t=1)^T p(x_t | x_(<t)), "
    "wide L = -1/T sum_(t=1)^T ln p(x_t | x_(<t))",
    '"bits per character" = L / (ln 2), wide "perplexity" = e^L wide (x_(<t)": all before" t)',
)
def test_chain_rule_bits_and_perplexity():
    joint = np.random.default_rng(0).dirichlet(np.ones(8)).reshape(2, 2, 2)
    first, second = joint.sum((1, 2)), joint.sum(2)
    chance = first[1] * (second[1, 0] / first[1]) * (joint[1, 0, 1] / second[1, 0])
    assert np.isclose(chance, joint[1, 0, 1])
    loss = -math.log(chance) / 3
    assert np.isclose(2 ** (loss / math.log(2)), math.exp(loss)) and np.isclose(
        math.exp(-3 * loss), chance
    )


@shows("p_i = e^(z_i \\/ tau) / (sum_j e^(z_j \\/ tau))")
def test_temperature():
    z = torch.tensor([2.0, 1.0, 0.0, -1.0], dtype=torch.float64)
    for tau in (0.5, 1, 2):
        assert torch.allclose((z / tau).softmax(0), (z / tau).exp() / (z / tau).exp().sum())


@shows("ell_q = max(q e, (q - 1) e)", "e = y - hat(y)")
def test_the_pinball_loss_is_least_at_the_quantile():
    y, q = np.random.default_rng(0).normal(size=20001), 0.9
    guesses = np.linspace(0.8, 1.8, 201)
    losses = [np.maximum(q * (y - guess), (q - 1) * (y - guess)).mean() for guess in guesses]
    assert abs(guesses[np.argmin(losses)] - np.quantile(y, q)) < 0.01


@shows(
    'bh_t = bA bh_(t-1) + bB bx_t quad "so" quad bh_T = sum_(t=1)^T bA^(T-t) bB bx_t wide (bh_0 = '
    'bf("0"))',
)
def test_a_linear_recurrence_is_a_convolution():
    a, b, x = weights((H, H), (H, D), (T, D))
    h = torch.zeros(H, dtype=torch.float64)
    for one in x:
        h = a @ h + b @ one
    closed = sum(torch.linalg.matrix_power(a, T - t) @ b @ x[t - 1] for t in range(1, T + 1))
    assert torch.allclose(h, closed)


@shows('alpha_t = "softmax"_t (bk_t^top bq \\/ sqrt(H)), wide "context" = sum_t alpha_t bk_t')
def test_attention_is_torchs():
    keys, query = weights((T, H), (H,))
    shares = (keys @ query / math.sqrt(H)).softmax(0)
    context = sum(share * one for share, one in zip(shares, keys, strict=True))
    wanted = torch.nn.functional.scaled_dot_product_attention(
        query[None, None], keys[None], keys[None]
    )
    assert torch.allclose(context, wanted[0, 0])


@shows('"skill" = 1 - "MSE" / "MSE of the baseline"')
def test_skill_of_the_baseline_is_0_and_of_the_truth_1():
    y = np.sin(np.arange(50.0))
    naive = np.mean((y[1:] - y[:-1]) ** 2)

    def skill(forecast):
        return 1 - np.mean((y[1:] - forecast) ** 2) / naive

    assert np.isclose(skill(y[:-1]), 0) and np.isclose(skill(y[1:]), 1) and skill(-y[:-1]) < 0


def test_every_displayed_formula_is_held():
    assert shows.lacks(TEXT) == []
