"""The repository cloned as Git for Windows does it: the same bytes, so that nothing has drifted."""

import shutil
import subprocess
from pathlib import Path

import pytest
from release_fixtures import make_course

from dlcourse.release.build import build, outputs
from dlcourse.release.course import reading

ROOT = Path(__file__).parents[2]


def git(root, *arguments):
    settings = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *settings, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "course"
    root.mkdir()
    build(make_course(root))
    (root / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\n")
    git(root, "init", "-q", "-b", "main")
    return root


def clone(root, *settings):
    """Path → bytes of a clone, and its folder."""
    git(root, "add", "."), git(root, "commit", "-qm", "All")
    there = root.parent / "clone"
    git(root.parent, "clone", "-q", *settings, str(root), str(there))
    files = [path for path in there.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {path.relative_to(there): path.read_bytes() for path in files}, there


WINDOWS = [("-c", "core.autocrlf=true"), ("-c", "core.eol=crlf", "-c", "core.autocrlf=false")]


@pytest.mark.parametrize("settings", WINDOWS)
def test_a_clone_on_windows_has_the_same_bytes(repository, settings):
    shutil.copy(ROOT / ".gitattributes", repository)
    found, there = clone(repository, *settings)
    assert {path: (repository / path).read_bytes() for path in found} == found
    assert all(
        (there / path).read_bytes() == content
        for path, content in outputs(reading.load(there)).items()
    )


def test_without_the_attributes_it_would_have_others(repository):
    found, _ = clone(repository, *WINDOWS[0])
    assert any((repository / path).read_bytes() != content for path, content in found.items())
