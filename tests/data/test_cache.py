import os
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from dlcourse.data import cache


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(cache, "_complained", set())
    return tmp_path / "data"


def make(calls):
    calls.append(1)
    return {"x": torch.arange(6, dtype=torch.uint8).view(2, 3), "share": torch.tensor([0.5])}


def test_the_folder_is_made_where_the_variable_says(folder):
    assert cache.cache_folder() == folder and folder.is_dir()


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", None, "home/.cache/dlcourse"),
        ("linux", "XDG_CACHE_HOME", "other/dlcourse"),
        ("darwin", None, "home/Library/Caches/dlcourse"),
        ("win32", "LOCALAPPDATA", "other/dlcourse"),
        ("win32", None, "home/AppData/Local/dlcourse"),
    ],
)
def test_the_default_is_the_users_cache(platform, variable, expected, tmp_path, monkeypatch):
    for name in ("DLCOURSE_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "other"))
    assert cache.cache_folder() == tmp_path / expected


def test_made_once_then_read(folder, capfd):
    calls = []
    first, second = (cache.cached("set", lambda: make(calls)) for _ in range(2))
    assert len(calls) == 1
    assert first.keys() == second.keys()
    assert all(
        torch.equal(first[name], second[name]) and first[name].dtype == second[name].dtype
        for name in first
    )
    second["x"][0, 0] = 9  # what was read can be written to
    assert [path.name for path in folder.iterdir()] == ["set.cache"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "short"])
def test_a_damaged_file_is_named_set_aside_and_made_again(damage, folder, capfd):
    calls = []
    cache.cached("set", lambda: make(calls))
    path = folder / "set.cache"
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(
        {"truncated": content[:-10], "flipped": content, "empty": b"", "short": content[:20]}[
            damage
        ]
    )

    again = cache.cached("set", lambda: make(calls))
    out, err = capfd.readouterr()
    assert out.count("\n") == 1 and str(path) in out and err == ""
    assert len(calls) == 2 and again["x"][1, 2] == 5
    assert (folder / "set.cache.corrupt").exists()
    cache.cached("set", lambda: make(calls))
    assert len(calls) == 2  # the new file is good


def test_a_folder_that_cannot_be_made_is_said_once_and_work_goes_on(tmp_path, monkeypatch, capfd):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path / "file" / "data"))
    monkeypatch.setattr(cache, "_complained", set())
    calls = []
    for _ in range(2):
        assert cache.cached("set", lambda: make(calls))["share"] == 0.5
    out, err = capfd.readouterr()
    assert len(calls) == 2
    assert out.count("\n") == 1 and "going on without a cache" in out and err == ""


def test_a_full_disc_leaves_no_half_file(folder, monkeypatch, capfd):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "replace", full)
    assert cache.cached("set", lambda: make([]))["share"] == 0.5
    assert list(folder.iterdir()) == []
    assert "No space left on device" in capfd.readouterr().out


def homeless():
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize("named", [None, "~nobody-of-this-name/data"])
def test_a_user_without_a_home_gets_a_folder_and_a_line(named, tmp_path, monkeypatch, capfd):
    for name in ("DLCOURSE_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    if named:
        monkeypatch.setenv("DLCOURSE_DATA", named)
    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(cache, "_complained", set())
    calls = []
    for _ in range(2):
        assert cache.cached("set", lambda: make(calls))["share"] == 0.5
    out, err = capfd.readouterr()
    assert len(calls) == 1 and cache.cache_folder().parent == tmp_path
    assert out.count("\n") == 1 and f"using {cache.cache_folder()}" in out and err == ""


@pytest.mark.parametrize(
    "name",
    [f"set.cache.{os.getpid()}.part", "set.cache.known.part"],
    # each test worker has a number of its own: no part of a name
    ids=["as it was", "foreseen"],
)
def test_a_link_that_lies_where_a_file_is_written_is_not_followed(
    name, folder, tmp_path, monkeypatch, capfd
):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    cache.cache_folder().joinpath(name).symlink_to(victim)
    if "known" in name:  # as if somebody had foreseen it
        monkeypatch.setattr(cache.secrets, "token_hex", lambda count: "known")
    assert cache.cached("set", lambda: make([]))["share"] == 0.5
    assert victim.read_text() == "mine"
    assert ("cannot write to" in capfd.readouterr().out) == ("known" in name)
