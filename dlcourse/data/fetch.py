"""torchvision's data sets on disc: whole and undamaged, or fetched again, without
noise and without a long wait."""

import contextlib
import gzip
import hashlib
import io
import math
import os
import socket
import struct
import tempfile
import threading
import time
import urllib.error
import urllib.request
import warnings
import zlib
from pathlib import Path

from dlcourse.data.cache import cache_folder, complain, name_aside, set_aside

STALLED = 20  # seconds without a byte after which a download is given up
MD5 = {  # of the unpacked files
    "MNIST/raw/train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "MNIST/raw/train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "MNIST/raw/t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "MNIST/raw/t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def torchvision_sets(name):
    """The training and the test set of torchvision.datasets.<name>, from the
    cache folder or from the network.

    Damaged files in the cache are named, set aside and fetched again. Raises ConnectionError where
    the set is neither cached nor reachable.
    """
    import torchvision

    dataset, folder = getattr(torchvision.datasets, name), cache_folder()
    ready = [
        _is_ready(folder / file, md5) for file, md5 in _files(dataset).items()
    ]  # all of them: name every damage
    return _open(dataset, folder) if all(ready) else _fetch(dataset, folder)


def _files(dataset):
    """Path in the cache folder → MD5 (None: unknown) of every file that torchvision reads."""
    if hasattr(dataset, "meta"):  # CIFAR
        listed = [
            *dataset.train_list,
            *dataset.test_list,
            (dataset.meta["filename"], dataset.meta["md5"]),
        ]
        return {f"{dataset.base_folder}/{name}": md5 for name, md5 in listed}
    names = [
        f"{dataset.__name__}/raw/{archive.removesuffix('.gz')}" for archive, _ in dataset.resources
    ]
    return {name: MD5.get(name) for name in names}


def _addresses(dataset):
    """Everywhere that the first file can be had from."""
    if hasattr(dataset, "meta"):
        return [dataset.url]
    return [mirror + dataset.resources[0][0] for mirror in dataset.mirrors]


def _is_ready(path, md5):
    """Is the file there and sound, or can it be unpacked? A damaged one is set aside."""
    if path.exists():
        if not _is_damaged(path, md5):
            return True
        set_aside(path, "is truncated or damaged")
    if not _unpack(path):
        return False
    if _is_damaged(path, md5):
        path.unlink()
        set_aside(_packed(path), "does not hold what it should")
        return False
    return True


def _packed(path):
    return path.with_name(path.name + ".gz")


def _is_damaged(path, md5):
    content, note = path.read_bytes(), _note(path)
    if md5 is None and note.exists():
        md5 = note.read_text(errors="replace").strip()
    if md5 is not None:
        return _md5(content) != md5
    if len(content) < 4:
        return True
    # An IDX file begins with two zeros, the type, the number of axes and their lengths (4 bytes
    # each, big-endian).
    head = 4 + 4 * content[3]
    if len(content) < head:
        return True
    return len(content) != head + math.prod(struct.unpack(f">{content[3]}I", content[4:head]))


def _unpack(path):
    """Unpacks path.gz, which may have been put there by hand; tells whether it did.
    Gzip checks a sum of its own."""
    packed, aside = _packed(path), name_aside(path)
    if not packed.exists():
        return False
    try:
        content = gzip.decompress(packed.read_bytes())
    except (OSError, EOFError, zlib.error):
        set_aside(packed, "is truncated or damaged")
        return False
    try:
        with open(aside, "xb") as file:
            file.write(content)
        os.replace(aside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        complain(path.parent, error)
        return False
    return True


def _md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _note(path):
    """Where the MD5 of a file is noted when it has just been fetched and its
    hash is not known beforehand."""
    return path.with_name(path.name + ".md5")


def _fetch(dataset, folder):
    """Downloads next to the cache, reads, and only then moves the files in: half a
    download is never taken for one."""
    if not _reachable(_addresses(dataset)):
        raise ConnectionError(f"{dataset.__name__} is neither cached in {folder} nor reachable")
    print(f"fetching {dataset.__name__} into {folder}, once")
    with _aside(folder) as aside:
        with broken_downloads(dataset.__name__):
            with _quiet():
                dataset(aside, download=True)  # unpacks as well
            sets, aside = _open(dataset, aside), Path(aside)
        try:
            for file, md5 in _files(dataset).items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                if md5 is None:
                    _note(folder / file).write_text(_md5((aside / file).read_bytes()))
                os.replace(aside / file, folder / file)
        except OSError as error:  # also: the folder aside is on another disc
            complain(folder, error)
    return sets


@contextlib.contextmanager
def broken_downloads(name):
    """Whatever a download breaks of becomes a ConnectionError.

    Not only OSError and RuntimeError: http.client has errors of its own (IncompleteRead,
    BadStatusLine), and what is unpacked or read can be anything.
    """
    try:
        yield
    except Exception as error:
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ConnectionError(
            f"{name} could not be fetched ({why}); try again, or go on without it"
        ) from error


def _aside(folder):
    """A temporary folder inside the cache folder, or anywhere if that cannot be written to."""
    try:
        return tempfile.TemporaryDirectory(dir=folder, prefix="fetching-")
    except OSError as error:
        complain(folder, error)
        return tempfile.TemporaryDirectory(prefix="fetching-")


def _open(dataset, folder):
    with _quiet():
        return dataset(folder, train=True), dataset(folder, train=False)


def _reachable(addresses, seconds=4):
    """Does any of the addresses answer within so many seconds? In threads, for a
    name look-up has no time limit."""
    answered = threading.Event()

    def ask(address):
        request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": "dlcourse"})
        try:
            urllib.request.urlopen(request, timeout=seconds).close()
            answered.set()
        except urllib.error.HTTPError as error:
            if error.code in (405, 501):  # somebody is there who answers other questions only
                answered.set()
            error.close()
        except Exception:  # any other is no answer
            return

    threads = [threading.Thread(target=ask, args=(address,), daemon=True) for address in addresses]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while (
        time.monotonic() < end
        and any(thread.is_alive() for thread in threads)
        and not answered.is_set()
    ):
        answered.wait(0.05)
    return answered.is_set()


@contextlib.contextmanager
def _quiet():
    """torchvision's progress bars, prints and warnings go nowhere; a stalled connection ends."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED)
    nowhere = io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        socket.setdefaulttimeout(before)
