"""The diagram of the configurable CNN: nothing overlaps, and every shape is what the class
computes."""

import inspect

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
import torch
from layout import faults, words

from dlcourse.models.cnn import CNN
from dlcourse.pictures.diagrams_cnn import cnn
from dlcourse.plot import set_style

SETTINGS = {
    "as the notebook builds it": {},
    "small, without norm": {"channels": (1, 8, 16, 32), "norm": False},
    "two stages of colour pictures": {"channels": (3, 6, 12), "size": 13, "classes": 4},
    "one stage": {"channels": (1, 4), "size": 8, "classes": 3},
}


@pytest.fixture(autouse=True)
def style():
    with plt.rc_context():
        set_style()
        yield
    plt.close("all")


def said(x):
    return f"(B, {', '.join(str(size) for size in x.shape[1:])})"


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_diagram_has_no_fault(settings):
    assert list(faults(cnn(**settings))) == []


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_its_shapes_are_those_of_the_class(settings):
    settings = {"channels": (1, 16, 32, 64), "size": 28, "classes": 10, "norm": True} | settings
    model, size = CNN(**settings).eval(), settings["size"]
    x = torch.zeros(3, settings["channels"][0], size, size)
    stages, per_stage = [], len(model.features) // (len(settings["channels"]) - 1)
    seen = x
    for index, layer in enumerate(model.features):
        seen = layer(seen)
        if index % per_stage in (0, per_stage - 1):
            stages.append(said(seen))
    flat, dropped = said(model.head[0](seen)), said(model.head[:2](seen))
    logits = said(model(x))
    assert words(cnn(**settings), "shape") == [said(x), *stages, flat, dropped, logits, logits]


def test_without_norm_it_shows_none():
    names = [word for norm in (True, False) for word in words(cnn(norm=norm), "name")]
    assert sum("batch norm" in name for name in names) == 3


def test_its_sizes_are_those_that_the_class_has_by_default():
    ours, theirs = (inspect.signature(one).parameters for one in (cnn, CNN))
    assert all(ours[n].default == theirs[n].default for n in ("size", "classes", "norm"))


def test_it_needs_a_stage():
    with pytest.raises(ValueError, match="the input and a stage"):
        cnn((3,))
