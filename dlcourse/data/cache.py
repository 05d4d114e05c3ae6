"""Where data is kept from one run to the next, and how it is kept safely.

A file is written aside and renamed when it is whole, so a program that dies while writing
leaves no half file behind; it begins with the SHA-256 of what follows, so a damaged one
is noticed, named and made again.
"""

import contextlib
import hashlib
import io
import os
import secrets
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

_complained = set()  # folders that could not be written to; each is mentioned once


def cache_folder():
    """The folder for downloads and rendered data, made where it is missing.

    The environment variable DLCOURSE_DATA names it; by default it is `dlcourse` in the user's cache
    folder, and where the user has no home a folder for temporary files. Where it can't be made a
    line is printed, and the work goes on without a cache.
    """
    named = os.environ.get("DLCOURSE_DATA")
    try:
        folder = Path(named).expanduser() if named else _user_cache() / "dlcourse"
    except RuntimeError as error:  # no HOME, and no entry of this user, as in some containers
        folder = Path(tempfile.gettempdir()) / f"dlcourse-{_user_number()}"
        complain(named or "the home folder", error, f"using {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        complain(folder, error)
    return folder


def _user_number():
    return os.getuid() if hasattr(os, "getuid") else "user"  # Windows has none


def _user_cache():
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def cached(name, make):
    """What make() returns, a dict of name → tensor; kept in the cache as `name`,
    and read from there the next time.

    A damaged file is named in one printed line, set aside and made again.
    """
    path = cache_folder() / f"{name}.cache"
    tensors = _read(path)
    if tensors is None:
        tensors = make()
        _write(path, tensors)
    return tensors


def set_aside(path, problem):
    """Renames a file that is not what it should be to *.corrupt, and says so in one line."""
    try:
        os.replace(path, path.with_name(path.name + ".corrupt"))
        print(f"{path} {problem}: renamed to {path.name}.corrupt, getting it again")
    except OSError:
        print(f"{path} {problem} and cannot be renamed: not using it")


def _read(path):
    try:
        content = memoryview(path.read_bytes())
    except OSError:
        return None  # not there, or not ours to read: the same to us
    digest, body = content[:64], content[64:]
    if hashlib.sha256(body).hexdigest().encode() != digest:
        set_aside(path, "is truncated or damaged")
        return None
    with np.load(io.BytesIO(body)) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays}


def _write(path, tensors):
    buffer = io.BytesIO()
    np.savez(buffer, **{name: tensor.numpy() for name, tensor in tensors.items()})
    body = buffer.getbuffer()
    aside = name_aside(path)
    try:
        with open(aside, "xb") as file:
            file.write(hashlib.sha256(body).hexdigest().encode())
            file.write(body)
        os.replace(aside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        complain(path.parent, error)


def name_aside(path):
    """Where `path` is written until it is whole: a name beside it that nobody can foresee, for
    mode "x", so that no link that somebody has put there is followed."""
    return path.with_name(f"{path.name}.{secrets.token_hex(6)}.part")


def complain(folder, error, instead="going on without a cache"):
    """Says, once for each folder, that it could not be written to, and what is done instead."""
    if folder not in _complained:
        _complained.add(folder)
        why = getattr(error, "strerror", None) or error
        print(f"cannot write to {folder} ({why}): {instead} (DLCOURSE_DATA names another folder)")
