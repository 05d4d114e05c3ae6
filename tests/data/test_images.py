import gzip
import hashlib
import pickle
import shutil
import struct
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets

from dlcourse.data import cache, fetch, glyphs, images, scenes

LENGTHS = {"train": 20, "t10k": 8}


def idx(array):
    """The bytes of an IDX file."""
    return (
        bytes([0, 0, 8, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def contents():
    """Name → bytes of a very small MNIST."""
    rng = np.random.default_rng(0)
    files = {}
    for part, n in LENGTHS.items():
        files[f"{part}-images-idx3-ubyte"] = idx(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8))
        files[f"{part}-labels-idx1-ubyte"] = idx((np.arange(n) % 10).astype(np.uint8))
    return files


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A cache folder with a small MNIST and Fashion-MNIST, whose hashes are known;
    no network. Returns the folder."""
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path))
    monkeypatch.setattr(cache, "_complained", set())
    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    monkeypatch.setattr(
        fetch, "MD5", {f"MNIST/raw/{name}": md5(content) for name, content in contents().items()}
    )
    for name in ("MNIST", "FashionMNIST"):
        (tmp_path / name / "raw").mkdir(parents=True)
        for file, content in contents().items():
            (tmp_path / name / "raw" / file).write_bytes(content)
    return tmp_path


def unreachable(*args, **options):
    raise urllib.error.URLError("no network in this test")


@pytest.fixture
def few(monkeypatch):
    """Stand-ins of a few images: drawing 70,000 is measured elsewhere."""
    digits, letters, textures = glyphs.digits, glyphs.letters, scenes.textures
    monkeypatch.setattr(glyphs, "digits", lambda n, seed: digits(n // 1000, seed))
    monkeypatch.setattr(
        glyphs, "letters", lambda n, seed, alphabet: letters(n // 1000, seed, alphabet)
    )
    monkeypatch.setattr(scenes, "textures", lambda n, seed: textures(n // 1000, seed))


def put_archives(raw):
    """Puts the packed files next to the unpacked ones."""
    for file, content in contents().items():
        (raw / f"{file}.gz").write_bytes(gzip.compress(content))


def download(self):
    """What torchvision does, with its noise and without a network."""
    print("100%")
    print("100%", file=sys.stderr)
    Path(self.raw_folder).mkdir(parents=True)
    for file, content in contents().items():
        (Path(self.raw_folder) / file).write_bytes(content)


@pytest.mark.parametrize(
    ("load", "name"), [(images.mnist, "MNIST"), (images.fashion_mnist, "Fashion-MNIST")]
)
def test_what_is_cached_is_read_without_a_word(load, name, small, capfd):
    loaded = load(fallback=False)
    assert loaded.name == name and len(loaded.classes) == 10
    assert loaded.x.shape == (20, 1, 28, 28) and loaded.x_test.shape == (8, 1, 28, 28)
    assert loaded.x.dtype == torch.uint8 and loaded.y.dtype == torch.int64
    assert loaded.y.tolist() == [*range(10), *range(10)]
    assert loaded.x.numpy().tobytes() == contents()["train-images-idx3-ubyte"][16:]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_file_is_named_and_fetched_again(damage, small, monkeypatch, capfd):
    put_archives(small / "MNIST" / "raw")
    path = small / "MNIST" / "raw" / "train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes({"truncated": content[:-7], "flipped": content, "empty": b""}[damage])

    loaded = images.mnist(fallback=False)
    out, err = capfd.readouterr()
    assert out.count("\n") == 1 and str(path) in out and err == ""
    assert loaded.x.numpy().tobytes() == contents()["train-images-idx3-ubyte"][16:]
    assert (
        path.with_name(path.name + ".corrupt").exists()
        and path.read_bytes() == contents()[path.name]
    )
    images.mnist(fallback=False)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "content", [b"", b"\0\0", b"\0\0\x08\x03\0\0", contents()["train-images-idx3-ubyte"][:-1]]
)
def test_a_file_of_unknown_hash_must_at_least_be_whole(content, small, few, capfd):
    path = small / "FashionMNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(content)
    assert images.fashion_mnist().name == "procedural letters"
    assert str(path) in capfd.readouterr().out


def test_the_hash_of_what_was_fetched_is_remembered(small, few, monkeypatch, capfd):
    monkeypatch.setattr(fetch, "_reachable", lambda addresses: True)
    monkeypatch.setattr(datasets.FashionMNIST, "download", download)
    path = small / "FashionMNIST" / "raw" / "t10k-labels-idx1-ubyte"
    path.unlink()
    assert images.fashion_mnist().name == "Fashion-MNIST"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # of the right length
    path.write_bytes(content)
    assert images.fashion_mnist().y_test[-1] == 7
    assert f"{path} is truncated or damaged" in capfd.readouterr().out


def test_packed_files_are_unpacked_without_a_network(small, capfd):
    put_archives(small / "MNIST" / "raw")
    for file in contents():
        (small / "MNIST" / "raw" / file).unlink()
    assert images.mnist(fallback=False).x.shape == (20, 1, 28, 28)
    assert {
        path.name for path in (small / "MNIST" / "raw").iterdir() if path.suffix != ".gz"
    } == set(contents())
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "packed",
    [
        b"",
        gzip.compress(b"something else"),
        gzip.compress(contents()["t10k-labels-idx1-ubyte"])[:-9],
        b"<html>no</html>",
    ],
    # gzip writes the time into its output: names made of the bytes would differ between the test
    # workers
    ids=["empty", "something else", "cut short", "a web page"],
)
def test_a_damaged_archive_is_set_aside(packed, small, few, capfd):
    (small / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    archive = small / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz"
    archive.write_bytes(packed)
    assert images.mnist().name == "procedural digits"
    out, err = capfd.readouterr()
    assert out.count("\n") == 2 and str(archive) in out and err == ""
    assert not archive.exists()


def test_a_reachable_set_is_fetched_and_kept(small, monkeypatch, capfd):
    shutil.rmtree(small / "MNIST")
    monkeypatch.setattr(fetch, "_reachable", lambda addresses: True)
    monkeypatch.setattr(datasets.MNIST, "download", download)
    assert images.mnist(fallback=False).name == "MNIST"
    out, err = capfd.readouterr()
    assert out.count("\n") == 1 and "fetching MNIST" in out and err == ""
    assert {path.name for path in (small / "MNIST" / "raw").iterdir()} == set(contents())
    assert not list(small.glob("fetching-*"))
    images.mnist(fallback=False)
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_cannot_be_written_to_does_not_stop_a_download(small, monkeypatch, capfd):
    (small / "file").write_text("in the way")
    monkeypatch.setenv("DLCOURSE_DATA", str(small / "file" / "data"))
    monkeypatch.setattr(fetch, "_reachable", lambda addresses: True)
    monkeypatch.setattr(datasets.MNIST, "download", download)
    assert images.mnist(fallback=False).x.shape == (20, 1, 28, 28)
    out, err = capfd.readouterr()
    assert out.count("going on without a cache") == 1 and err == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "name", "shape"),
    [
        (images.mnist, "procedural digits", (1, 28, 28)),
        (images.fashion_mnist, "procedural letters", (1, 28, 28)),
        (images.cifar10, "procedural textures", (3, 32, 32)),
    ],
)
def test_without_a_network_one_line_names_the_stand_in(
    load, name, shape, tmp_path, few, monkeypatch, capfd
):
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    loaded = load()
    out, err = capfd.readouterr()
    assert (
        out.count("\n") == 1
        and "neither cached in" in out
        and name in out
        and str(tmp_path) in out
        and err == ""
    )
    assert loaded.name == name and len(loaded.classes) == 10
    assert loaded.x.shape[1:] == shape == loaded.x_test.shape[1:]
    assert loaded.x.dtype == torch.uint8 and loaded.y.dtype == torch.int64
    assert loaded.y.max() == 9 and len(loaded.x) == len(loaded.y)
    # the test set is another one
    assert not torch.equal(loaded.x[: len(loaded.x_test)], loaded.x_test)
    with pytest.raises(ConnectionError, match="connect to the network once"):
        load(fallback=False)
    assert capfd.readouterr() == ("", "")


def test_a_network_that_never_answers_costs_seconds(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(urllib.request, "urlopen", lambda *args, **options: release.wait(30))
    start = time.monotonic()
    assert not fetch._reachable(["https://example.org/a", "https://example.org/b"], seconds=0.3)
    assert time.monotonic() - start < 3
    release.set()


@pytest.mark.slow
def test_a_download_that_breaks_off_is_no_network(small, few, monkeypatch, capfd):
    def breaks(self):
        raise RuntimeError("Error downloading")

    shutil.rmtree(small / "MNIST")
    monkeypatch.setattr(fetch, "_reachable", lambda addresses: True)
    monkeypatch.setattr(datasets.MNIST, "download", breaks)
    assert images.mnist().name == "procedural digits"
    assert not (small / "MNIST").exists() and not list(small.glob("fetching-*"))
    assert capfd.readouterr().err == ""


def test_cifar_knows_its_files():
    files = fetch._files(datasets.CIFAR10)
    assert len(files) == 7 and all(len(md5) == 32 for md5 in files.values())
    assert "cifar-10-batches-py/test_batch" in files


def test_a_cached_cifar_is_read_with_its_channels_first(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path))
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (6, 3072), dtype=np.uint8)

    def put(name, content):
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, md5((folder / name).read_bytes())]

    batches = [put(f"batch{i}", {"data": pixels, "labels": [0, 1, 2, 3, 4, 9]}) for i in range(3)]
    monkeypatch.setattr(datasets.CIFAR10, "train_list", batches[:2])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", batches[2:])
    name, digest = put("names", {"label_names": list("abcdefghij")})
    monkeypatch.setattr(
        datasets.CIFAR10, "meta", {"filename": name, "key": "label_names", "md5": digest}
    )

    loaded = images.cifar10(fallback=False)
    assert loaded.name == "CIFAR-10" and loaded.classes == tuple("abcdefghij")
    assert loaded.x.shape == (12, 3, 32, 32) and loaded.x_test.shape == (6, 3, 32, 32)
    assert loaded.x.is_contiguous() and loaded.x[:6].numpy().tobytes() == pixels.tobytes()
    assert loaded.y.tolist() == 2 * [0, 1, 2, 3, 4, 9]
    assert capfd.readouterr() == ("", "")


def test_textures_are_seeded_and_balanced():
    x, y = scenes.textures(1500, seed=0)
    x_fewer, y_fewer = scenes.textures(700, seed=0)
    assert x.shape == (1500, 3, 32, 32) and x.dtype == torch.uint8
    assert torch.equal(x[:700], x_fewer) and torch.equal(y[:700], y_fewer)
    assert not torch.equal(x[:700], scenes.textures(700, seed=1)[0])
    assert (y[:1000].bincount() == 100).all()
    with pytest.raises(ValueError, match="at least 1"):
        scenes.textures(0)


def test_digits8_are_split_the_same_way_in_every_class():
    loaded = images.digits8()
    assert loaded.x.shape == (1347, 1, 8, 8) and loaded.x_test.shape == (450, 1, 8, 8)
    assert loaded.x.dtype == torch.float32 and loaded.x.min() == 0 and loaded.x.max() == 1
    assert loaded.y.dtype == torch.int64 and loaded.classes == tuple("0123456789")
    share = loaded.y_test.bincount() / (loaded.y_test.bincount() + loaded.y.bincount())
    assert (share - 0.25).abs().max() < 0.01
    assert torch.equal(loaded.x, images.digits8().x) and not torch.equal(
        loaded.y, images.digits8(seed=1).y
    )


@pytest.mark.parametrize("test", [0, 1, 1.5, -0.1])
def test_digits8_refuses_a_split_that_leaves_a_side_empty(test):
    with pytest.raises(ValueError, match="between 0 and 1"):
        images.digits8(test=test)
