"""The checks of the day on recurrent networks: wrong answers no table foresees, right ones written differently."""

import pytest
import torch
from answers import WARNINGS_ARE_ERRORS, assert_caught, assert_passes
from torch.nn import functional as F

from dlcourse.checks import gates, padding

pytestmark = WARNINGS_ARE_ERRORS


def four_products(x, h, c, w_ih, w_hh, b_ih, b_hh):
    sums = [x @ w.T + h @ v.T + a + b for w, v, a, b in
            zip(w_ih.chunk(4), w_hh.chunk(4), b_ih.chunk(4), b_hh.chunk(4), strict=True)]  # fmt: skip
    c = torch.sigmoid(sums[1]) * c + torch.sigmoid(sums[0]) * torch.tanh(sums[2])
    return torch.sigmoid(sums[3]) * torch.tanh(c), c


def ignore_index(logits, targets, lengths):
    targets = targets.masked_fill(torch.arange(targets.shape[1]) >= lengths[:, None], -100)
    return F.cross_entropy(logits.transpose(1, 2), targets)


RIGHT = {
    "four products": (gates.lstm_cell, four_products),
    "ignore_index": (padding.masked_loss, ignore_index),
}
WRONG = {  # check, wrong answer, the case it must be shown, what the message must say
    "padding as class 0": (padding.masked_loss, lambda logits, y, n: F.cross_entropy(
        logits.flatten(0, 1), y.flatten(), ignore_index=0), "3 rows", "0 is taken"),
}  # fmt: skip


@pytest.mark.parametrize(("check", "answer"), RIGHT.values(), ids=RIGHT)
def test_a_right_answer_written_differently_passes(check, answer, capfd):
    assert_passes(check, answer, capfd)


@pytest.mark.parametrize(("check", "wrong", "label", "says"), WRONG.values(), ids=WRONG)
def test_an_unforeseen_mistake_is_caught(check, wrong, label, says):
    assert_caught(check, wrong, label, says)
