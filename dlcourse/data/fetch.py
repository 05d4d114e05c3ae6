"""torchvision's data sets on disc: whole and undamaged, or fetched again, without noise and without a long wait."""

import contextlib
import hashlib
import io
import math
import os
import shutil
import socket
import struct
import tempfile
import threading
import time
import urllib.request
import warnings
from pathlib import Path

from dlcourse.data.cache import cache_folder, complain, set_aside

STALLED = 20  # seconds without a byte after which a download is given up
MD5 = {  # of the unpacked files
    "MNIST/raw/train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "MNIST/raw/train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "MNIST/raw/t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "MNIST/raw/t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def torchvision_sets(name):
    """The training and the test set of torchvision.datasets.<name>, from the cache folder or from the network.

    Damaged files in the cache are named, set aside and fetched again. Raises ConnectionError where the set is neither
    cached nor reachable.
    """
    import torchvision

    dataset, folder = getattr(torchvision.datasets, name), cache_folder()
    damaged = [file for file in _files(dataset) if _is_damaged(folder, file, _files(dataset)[file])]
    for file in damaged:
        set_aside(folder / file, "is truncated or damaged")
    if not damaged and all((folder / file).exists() for file in _files(dataset)):
        return _open(dataset, folder)
    return _fetch(dataset, folder)


def _files(dataset):
    """Path in the cache folder → MD5 (None: unknown) of every file that torchvision reads."""
    if hasattr(dataset, "meta"):  # CIFAR
        listed = [*dataset.train_list, *dataset.test_list, (dataset.meta["filename"], dataset.meta["md5"])]
        return {f"{dataset.base_folder}/{name}": md5 for name, md5 in listed}
    names = [f"{dataset.__name__}/raw/{archive.removesuffix('.gz')}" for archive, _ in dataset.resources]
    return {name: MD5.get(name) for name in names}


def _archives(dataset):
    """Paths of the files that are downloaded, and all addresses of the first of them."""
    if hasattr(dataset, "meta"):
        return [dataset.filename], [dataset.url]
    names = [archive for archive, _ in dataset.resources]
    return [f"{dataset.__name__}/raw/{name}" for name in names], [mirror + names[0] for mirror in dataset.mirrors]


def _is_damaged(folder, file, md5):
    path = folder / file
    if not path.exists():
        return False
    content = path.read_bytes()
    noted = _note(path)
    if md5 is None and noted.exists():
        md5 = noted.read_text().strip()
    if md5 is not None:
        return _md5(content) != md5
    if len(content) < 4:
        return True
    # An IDX file begins with two zeros, the type, the number of axes and their lengths (4 bytes each, big-endian).
    head = 4 + 4 * content[3]
    if len(content) < head:
        return True
    return len(content) != head + math.prod(struct.unpack(f">{content[3]}I", content[4:head]))


def _md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _note(path):
    """Where the MD5 of a file is noted when it has just been fetched and its hash is not known beforehand."""
    return path.with_name(path.name + ".md5")


def _fetch(dataset, folder):
    """Downloads next to the cache, reads, and only then moves the files in: half a download is never taken for one."""
    writable = os.access(folder, os.W_OK)
    with tempfile.TemporaryDirectory(dir=folder if writable else None, prefix="fetching-") as aside:
        aside = Path(aside)
        archives, addresses = _archives(dataset)
        for archive in archives:
            if (folder / archive).exists():  # torchvision checks its hash, and unpacks it without the network
                (aside / archive).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(folder / archive, aside / archive)
        if not all((aside / archive).exists() for archive in archives):
            if not _reachable(addresses):
                raise ConnectionError(f"{dataset.__name__} is neither cached in {folder} nor reachable")
            print(f"fetching {dataset.__name__} into {folder}, once")
        with _quiet():
            try:
                dataset(aside, download=True)
            except (OSError, RuntimeError) as error:
                raise ConnectionError(f"{dataset.__name__} is neither cached in {folder} nor reachable") from error
        sets = _open(dataset, aside)
        try:
            for file in _files(dataset):
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                _note(folder / file).write_text(_md5((aside / file).read_bytes()))
                os.replace(aside / file, folder / file)
        except OSError as error:  # also: another disc
            complain(folder, error)
    return sets


def _open(dataset, folder):
    with _quiet():
        return dataset(folder, train=True), dataset(folder, train=False)


def _reachable(addresses, seconds=4):
    """Does any of the addresses answer within so many seconds? In threads, for a name look-up has no time limit."""
    answered = threading.Event()

    def ask(address):
        request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": "dlcourse"})
        with contextlib.suppress(Exception), urllib.request.urlopen(request, timeout=seconds):
            answered.set()

    threads = [threading.Thread(target=ask, args=(address,), daemon=True) for address in addresses]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(thread.is_alive() for thread in threads) and not answered.is_set():
        answered.wait(0.05)
    return answered.is_set()


@contextlib.contextmanager
def _quiet():
    """torchvision's progress bars, prints and warnings go nowhere; a stalled connection ends."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED)
    nowhere = io.StringIO()
    try:
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        socket.setdefaulttimeout(before)
