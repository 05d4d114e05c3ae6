"""Recurrent models: cells against torch's own, shapes for odd sizes,
gradients that reach every weight."""

import pytest
import torch
from torch import nn

from dlcourse.models.rnn import CharacterLSTM, Last, gru_cell, lstm_cell


def test_the_cells_are_those_of_torch():
    torch.manual_seed(0)
    x, h, c = torch.randn(3, 5), torch.randn(3, 7), torch.randn(3, 7)
    long, short = nn.LSTMCell(5, 7), nn.GRUCell(5, 7)
    for ours, theirs in zip(lstm_cell(x, h, c, *long.parameters()), long(x, (h, c)), strict=True):
        torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gru_cell(x, h, *short.parameters()), short(x, h))


@pytest.mark.parametrize("cell", [nn.RNN, nn.LSTM, nn.GRU])
def test_last_reads_any_length_and_answers_from_the_end(cell):
    torch.manual_seed(0)
    model = Last(cell, 3, 5, outputs=2)
    for length in (1, 7):
        assert model(torch.randn(4, length, 3)).shape == (4, 2)
    x = torch.randn(4, 6, 3)
    torch.testing.assert_close(model(x), model.head(model.cell(x)[0][:, 5]))
    model(x).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_a_text_in_two_pieces_gives_the_logits_of_one():
    torch.manual_seed(0)
    model, ids = CharacterLSTM(11, embedding=3, hidden=5), torch.randint(11, (2, 9))
    whole, end = model(ids)
    first, state = model(ids[:, :4])
    second, other = model(ids[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(other, end)
    whole.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
