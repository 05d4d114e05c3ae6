"""Recurrent cells from their equations,
in torch's order of gates, and the networks built from torch's own."""

from torch import nn


def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    """One step of an LSTM
    (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000), gates i, f, g, o.

    x: (B, D), h and c: (B, H), w_ih: (4 H, D), w_hh: (4 H, H), both biases (4 H,).
    Returns h, c, both (B, H).
    """
    i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, dim=1)  # (B, 4 H) → 4 × (B, H)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    """One step of a GRU (Cho et al. 2014), gates r, z, n, the reset after the product as in torch.

    x: (B, D), h: (B, H), w_ih: (3 H, D), w_hh: (3 H, H), both biases (3 H,). Returns h (B, H).
    """
    r_x, z_x, n_x = (x @ w_ih.T + b_ih).chunk(3, dim=1)  # (B, 3 H) → 3 × (B, H)
    r_h, z_h, n_h = (h @ w_hh.T + b_hh).chunk(3, dim=1)
    r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
    n = (n_x + r * n_h).tanh()
    return (1 - z) * n + z * h


class Last(nn.Module):
    """Reads a sequence (B, T, D), answers from the last state → (B, outputs).
    cell: nn.RNN, nn.LSTM or nn.GRU."""

    def __init__(self, cell, features, hidden, outputs=1):
        super().__init__()
        self.cell, self.head = cell(features, hidden, batch_first=True), nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])  # (B, T, H) → (B, H) → (B, outputs)


class CharacterLSTM(nn.Module):
    """ids (B, T) and a state or None → logits (B, T, V)
    of the characters that follow, and the new state."""

    def __init__(self, vocabulary, embedding=64, hidden=256):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.lstm, self.head = (
            nn.LSTM(embedding, hidden, batch_first=True),
            nn.Linear(hidden, vocabulary),
        )

    def forward(self, ids, state=None):
        hidden, state = self.lstm(self.embedding(ids), state)  # (B, T, H)
        return self.head(hidden), state
