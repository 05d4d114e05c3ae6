"""A clinic: language models of characters with one fault each,
seen in their losses on both parts of the text."""

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.checks.clinic import descend, diagnosis, fault_of, repeats

FAULTS = {
    "A": "softmax twice",
    "B": "target not shifted",
    "C": "target two characters on",
    "D": "input hidden",
}
SIGNS = {
    "softmax twice": "What goes into the loss as logits lies between 0 and 1: "
    "the loss stays near ln V for ever.",
    "target not shifted": "The loss goes to 0 on text it never saw, "
    "which no model of English does. It is asked for the character that it is shown.",
    "target two characters on": "It learns, but never gets below what counting pairs gives: "
    "it is asked to skip a character that it has not been shown.",
    "input hidden": "The loss falls to the unigram's and stays there: "
    "the model knows how frequent characters are, and nothing of what came before.",
}


class _Reader(nn.Module):
    def __init__(self, vocabulary, hidden=64):
        super().__init__()
        self.embedding, self.head = nn.Embedding(vocabulary, hidden), nn.Linear(hidden, vocabulary)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)

    def forward(self, ids):
        return self.head(self.lstm(self.embedding(ids))[0])  # (B, T, V)


def broken_reader(patient, ids, vocabulary, seed=0, steps=160, length=32):
    """One short training run on the first nine tenths of ids (N,); patient "healthy", "A" … "D".

    Returns {"training": (steps,), "validation": (steps // 20,)}, nats a character, the second on
    the last tenth. Raises KeyError for another patient.
    """
    fault = fault_of(patient, FAULTS)
    cut = 9 * len(ids) // 10
    losses = {"training": [], "validation": []}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _Reader(vocabulary)
        optimiser = torch.optim.Adam(model.parameters(), 1e-2)
        for number in repeats(steps, 20):
            loss = _loss(model, ids[:cut], length, fault)
            descend(loss, optimiser)
            losses["training"].append(loss.item())
            if number % 20 == 0:
                with torch.no_grad():
                    losses["validation"].append(
                        _loss(model, ids[cut:], length, fault, rows=128).item()
                    )
    return {name: torch.tensor(values) for name, values in losses.items()}


def _loss(model, ids, length, fault, rows=32):
    starts = torch.randint(len(ids) - length - 1, (rows, 1))
    text = ids[starts + torch.arange(length + 2)]  # (B, T + 2)
    shift = {"target not shifted": 0, "target two characters on": 2}.get(fault, 1)
    x, y = text[:, :length], text[:, shift : shift + length]
    logits = model(torch.zeros_like(x) if fault == "input hidden" else x)
    logits = logits.softmax(dim=-1) if fault == "softmax twice" else logits
    return F.cross_entropy(logits.flatten(0, 1), y.flatten())


diagnose_readers = diagnosis("diagnose_readers", FAULTS, SIGNS, what="patient")
