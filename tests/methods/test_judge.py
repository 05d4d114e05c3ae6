"""A judge from the cache is the judge that was asked for: same network, images and training."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.data.images import Images
from dlcourse.methods import judge as module
from dlcourse.methods.judge import train_judge

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randint(256, (60, 1, 4, 4), generator=GENERATOR).to(torch.uint8)
Y = torch.arange(60) % 2
IMAGES = Images("dots", X, Y, X[:20], Y[:20], ("a", "b"))


class Net(nn.Module):
    """Layers, and an activation that is a layer or a function."""

    def __init__(self, activation=None, width=6):
        super().__init__()
        self.first, self.last = nn.Linear(16, width), nn.Linear(width, 2)
        self.activation = activation or nn.ReLU()

    def features(self, x):
        return self.activation(self.first(x.flatten(1)))

    def forward(self, x):
        return self.last(self.features(x))


class InCode(Net):
    """The same layers; which function lies between them stands in the code alone."""

    def features(self, x):
        return torch.tanh(self.first(x.flatten(1)))


class InOtherCode(Net):
    def features(self, x):
        return F.silu(self.first(x.flatten(1)))


def name_of(network, images=IMAGES, **options):
    """The name under which the judge is kept."""
    names = []

    def keep(name, make):
        names.append(name)
        return make()

    train_judge(network, images, keep=keep, **({"epochs": 1} | options))
    return names[0]


OTHERS = {
    "Tanh for ReLU": lambda: name_of(Net(nn.Tanh())),
    "a function for a layer": lambda: name_of(Net(torch.tanh)),
    "another function": lambda: name_of(Net(F.silu)),
    "a function made here": lambda: name_of(Net(lambda x: x.relu())),
    "another one made here": lambda: name_of(Net(lambda x: -100 * x)),
    "another class": lambda: name_of(InCode()),
    "other code": lambda: name_of(InOtherCode()),
    "a layer that is wider": lambda: name_of(Net(width=7)),
    "other images of that name": lambda: name_of(Net(), IMAGES._replace(x=255 - X)),
    "other classes": lambda: name_of(Net(), IMAGES._replace(y=1 - Y)),
    "fewer images": lambda: name_of(Net(), n=40),
    "another seed": lambda: name_of(Net(), seed=1),
    "more epochs": lambda: name_of(Net(), epochs=2),
}


def test_the_same_judge_is_found_again_and_no_other():
    names = {"as it is": name_of(Net())} | {label: make() for label, make in OTHERS.items()}
    assert name_of(Net()) == names["as it is"]
    assert len(set(names.values())) == len(names), sorted(names.items(), key=lambda one: one[1])


def test_another_training_is_another_judge(monkeypatch):
    before, fit = name_of(Net()), module._fit
    monkeypatch.setattr(module, "_fit", lambda *args: fit(*args))
    assert name_of(Net()) != before


@pytest.mark.parametrize("activation", ["torch.relu(x)", "torch.tanh(x)"])
def test_a_network_whose_code_stands_in_no_file_has_a_name_of_its_own(activation):
    space = {"Net": Net, "torch": torch}
    text = "class Typed(Net):\n    def forward(self, x):\n        x = self.first(x.flatten(1))\n"
    exec(text + f"        return self.last({activation})", space)
    assert name_of(space["Typed"]()) == name_of(space["Typed"]()) not in {name_of(Net())}


def test_tanh_after_relu_gets_weights_of_its_own():
    kept = {}

    def keep(name, make):
        return kept.setdefault(name, make())

    bent, straight = (train_judge(Net(a), IMAGES, keep=keep) for a in (nn.Tanh(), nn.ReLU()))
    alone = train_judge(Net(nn.ReLU()), IMAGES)
    assert len(kept) == 2
    assert straight.reference.equal(alone.reference) and not bent.reference.equal(alone.reference)
