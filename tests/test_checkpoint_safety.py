"""A link that somebody has put where a checkpoint is written aside is not followed."""

import os

import pytest
import torch

from dlcourse import checkpoint
from dlcourse.checkpoint import CheckpointError, save_checkpoint
from dlcourse.checks.data import resumable

NAMES = [f"run.pt.{os.getpid()}.part", "run.pt.part"]  # as they were, and can be foreseen


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "victim"
    path.write_text("mine")
    return path


@pytest.mark.parametrize("name", NAMES, ids=["the process's number", "no number"])
def test_a_foreseeable_name_is_not_used(name, victim, tmp_path):
    (tmp_path / name).symlink_to(victim)
    save_checkpoint(tmp_path / "run.pt", epoch=3)
    resumable._save(tmp_path / "run.pt", {}, [], None)
    assert victim.read_text() == "mine" and (tmp_path / name).is_symlink()


@pytest.mark.parametrize("module", [checkpoint, resumable], ids=lambda module: module.__name__)
def test_a_name_that_was_foreseen_is_not_followed(module, victim, tmp_path, monkeypatch):
    monkeypatch.setattr(module.secrets, "token_hex", lambda count: "known")
    (tmp_path / "run.pt.known.part").symlink_to(victim)
    with pytest.raises((CheckpointError, FileExistsError)):
        if module is checkpoint:
            save_checkpoint(tmp_path / "run.pt", epoch=3)
        else:
            resumable._save(tmp_path / "run.pt", {}, [], None)
    assert victim.read_text() == "mine"


class Bomb:
    def __reduce__(self):
        return print, ("it went off",)


def test_a_checkpoint_with_code_in_it_is_refused(tmp_path, capfd):
    path = tmp_path / "run.pt"
    torch.save(Bomb(), path)
    with pytest.raises(Exception, match="weights_only|Weights only"):
        resumable._fit(None, None, {}, path, 1, 1)
    with pytest.raises(CheckpointError):
        checkpoint.resume(path)
    assert "it went off" not in capfd.readouterr().out
