"""Pretrained weights: read when they are whole, fetched when they are
not, and never a word too many."""

import hashlib
import shutil
import urllib.error
import urllib.request

import pytest
import torch
from torchvision.models import ResNet18_Weights, resnet18

from dlcourse.data import cache, fetch, weights


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder and no network."""
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_complained", set())
    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    return cache.cache_folder()


def unreachable(*args, **options):
    raise urllib.error.URLError("no network in this test")


def store(state, folder):
    """Writes a state dict under a name that ends in its hash; returns the path."""
    aside = folder / "aside"
    torch.save(state, aside)
    return aside.rename(folder / f"net-{digest(aside)}.pth")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def url(path):
    return f"https://example.org/models/{path.name}"


def put_network(monkeypatch, source):
    """A network on which every address leads to the file `source`."""

    def download(address, to, prefix, progress):
        shutil.copy(source, to)
        if not hashlib.sha256(source.read_bytes()).hexdigest().startswith(prefix):
            raise RuntimeError("invalid hash value")

    monkeypatch.setattr(fetch, "_reachable", lambda addresses: True)
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)


def same(state, other):
    return state.keys() == other.keys() and all(
        torch.equal(state[name], other[name]) for name in state
    )


STATE = {"weight": torch.arange(6.0).reshape(2, 3), "steps": torch.tensor(7)}


def test_cached_weights_are_read_without_a_word(folder, capfd):
    path = store(STATE, folder)
    assert same(weights.load_checked(url(path)), STATE)
    assert capfd.readouterr() == ("", "")


def test_without_cache_and_network_the_file_is_named(folder, capfd):
    with pytest.raises(ConnectionError) as error:
        weights.load_checked("https://example.org/net-01234567.pth")
    assert str(error.value) == "net-01234567.pth is neither in the cache folder nor reachable"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-100], lambda b: b"", lambda b: b[:200] + b"\0" + b[201:]]
)
def test_a_damaged_file_is_set_aside_and_fetched_again(
    damage, folder, tmp_path, monkeypatch, capfd
):
    path = store(STATE, folder)
    source = tmp_path / "source"
    shutil.copy(path, source)
    content = damage(path.read_bytes())
    assert content != path.read_bytes()
    path.write_bytes(content)
    put_network(monkeypatch, source)
    assert same(weights.load_checked(url(path)), STATE)
    out, err = capfd.readouterr()
    assert (
        out.count("\n") == 2 and "truncated or damaged" in out and "fetching" in out and err == ""
    )
    assert path.with_name(path.name + ".corrupt").exists()
    assert same(weights.load_checked(url(path)), STATE) and capfd.readouterr() == ("", "")
    assert sorted(one.name for one in folder.iterdir()) == [path.name, path.name + ".corrupt"]


def test_what_arrives_with_another_hash_is_not_used(folder, tmp_path, monkeypatch):
    (tmp_path / "source").write_bytes(b"<html>please log in</html>")
    put_network(monkeypatch, tmp_path / "source")
    with pytest.raises(ConnectionError, match="invalid hash"):
        weights.load_checked("https://example.org/net-01234567.pth")
    assert not list(folder.iterdir())


def test_a_file_with_the_right_hash_that_holds_no_weights(folder, tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.write_bytes(b"something else")
    put_network(monkeypatch, source)
    with pytest.raises(ConnectionError, match="holds no weights"):
        weights.load_checked(f"https://example.org/net-{digest(source)}.pth")


def test_a_cache_that_cannot_be_written_to_does_not_stop_a_download(
    folder, tmp_path, monkeypatch, capfd
):
    path = store(STATE, folder).rename(tmp_path / "source")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path / "file" / "cache"))
    put_network(monkeypatch, path)
    assert same(weights.load_checked(f"https://example.org/net-{digest(path)}.pth"), STATE)
    out, err = capfd.readouterr()
    assert out.count("going on without a cache") == 1 and err == ""


def test_resnet18_takes_a_state_dict_of_torchvisions_shapes(monkeypatch):
    asked, stub = [], resnet18().state_dict()
    monkeypatch.setattr(weights, "load_checked", lambda address: asked.append(address) or stub)
    model, prepare, classes = weights.imagenet_resnet18()
    assert asked == [ResNet18_Weights.IMAGENET1K_V1.url]
    assert same(model.state_dict(), stub) and not model.training
    assert len(classes) == 1000 and "daisy" in classes
    x = prepare(torch.rand(2, 3, 427, 640))
    assert x.shape == (2, 3, 224, 224) and x.dtype == torch.float32
    with torch.no_grad():
        assert model(x).shape == (2, 1000)


def test_weights_of_another_network_are_refused(monkeypatch):
    monkeypatch.setattr(weights, "load_checked", lambda address: STATE)
    with pytest.raises(RuntimeError, match="state_dict"):
        weights.imagenet_resnet18()


def test_the_address_carries_the_hash():
    name = ResNet18_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    assert name == "resnet18-f37072fd.pth"
