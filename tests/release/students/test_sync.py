"""A clone is brought to hold a tree: what publish wrote follows, what it did not write stays."""

import hashlib
import subprocess

import pytest
from publishing import commit, git, make_clone

from dlcourse.release import files
from dlcourse.release.course.tables import CourseError
from dlcourse.release.students.sync import HEAD, OWNED, bring_up_to_date, read_owned

TREE = {"README.md": b"one\n", "Day01/a.ipynb": b"{}\n", "Day01/deep/b.pdf": b"\x00\xff"}


@pytest.fixture
def clone(tmp_path):
    """A clone with a file of its own, and TREE in it, all committed."""
    root = make_clone(tmp_path / "students")
    bring_up_to_date(root, TREE)
    commit(root)
    return root


def refusal(root, tree):
    """The message; nothing may have changed."""
    before = git(root, "status", "--porcelain", "--ignored")
    with pytest.raises(CourseError) as error:
        bring_up_to_date(root, tree)
    assert git(root, "status", "--porcelain", "--ignored") == before
    assert str(error.value).endswith("nothing was changed") and "\n" not in str(error.value)
    return str(error.value)


def test_added_changed_removed_and_left(clone):
    tree = {"README.md": b"two\n", "Day01/a.ipynb": b"{}\n", "Day02/c.ipynb": b"[]\n"}
    assert bring_up_to_date(clone, tree) == [
        ("removed", "Day01/deep/b.pdf"),
        ("added", "Day02/c.ipynb"),
        ("changed", "README.md"),
    ]
    assert {path: (clone / path).read_bytes() for path in tree} == tree
    assert (clone / "forum.md").read_text() == "ours\n"
    assert not (clone / "Day01/deep").exists() and (clone / "Day01").is_dir()
    assert read_owned(clone).keys() == tree.keys()
    assert bring_up_to_date(clone, tree) == []


def test_the_list_is_one_that_sha256sum_reads(clone):
    head, *lines = (clone / OWNED).read_text().splitlines()
    wanted = sorted(TREE.items())
    assert lines == [f"{hashlib.sha256(data).hexdigest()}  {path}" for path, data in wanted]
    assert head == HEAD and head.startswith("#")


def test_a_folder_with_files_of_their_own_stays(clone):
    (clone / "Day01/deep/own.txt").write_text("ours")
    commit(clone)
    bring_up_to_date(clone, {"README.md": b"one\n"})
    assert [path.name for path in (clone / "Day01").rglob("*")] == ["deep", "own.txt"]


def own_file(root):
    (root / "Day02").mkdir()
    (root / "Day02/c.ipynb").write_text("mine")


def same_file(root):
    (root / "Day02").mkdir()
    (root / "Day02/c.ipynb").write_bytes(b"[]\n")


def folder_in_its_place(root):
    (root / "Day02/c.ipynb").mkdir(parents=True)
    (root / "Day02/c.ipynb/inner").write_text("mine")


def file_in_place_of_the_folder(root):
    (root / "Day02").write_text("mine")


def link_out(root):
    (root.parent / "elsewhere").mkdir()
    (root / "Day02").symlink_to(root.parent / "elsewhere")


def dangling_link(root):
    (root / "Day02").mkdir()
    (root / "Day02/c.ipynb").symlink_to("nowhere")


def ignored_file(root):
    (root / ".git/info/exclude").write_text("Day02\n")
    own_file(root)


OWN = [own_file, same_file, folder_in_its_place, file_in_place_of_the_folder, link_out]


@pytest.mark.parametrize("make_own", [*OWN, dangling_link, ignored_file])
def test_a_file_of_their_own_is_refused_until_it_is_removed(clone, make_own):
    make_own(clone)
    commit(clone)
    tree = TREE | {"Day02/c.ipynb": b"[]\n"}
    said = refusal(clone, tree)
    assert "Day02/c.ipynb: the students' repository's own, not written by publish" in said
    assert not list(clone.parent.glob("elsewhere/*"))
    if make_own is ignored_file:
        git(clone, "add", "--force", "Day02")
    git(clone, "rm", "-r", "--force", "--quiet", "Day02")
    commit(clone)
    assert bring_up_to_date(clone, tree) == [("added", "Day02/c.ipynb")]


@pytest.mark.parametrize("wanted", [TREE | {"README.md": b"two\n"}, {"Day01/a.ipynb": b"{}\n"}])
def test_what_somebody_edited_there_is_not_lost(clone, wanted):
    (clone / "README.md").write_text("corrected\n")
    commit(clone)
    said = refusal(clone, wanted)
    assert "README.md: edited there since publish wrote it: make the edit in the course" in said
    git(clone, "rm", "--quiet", "README.md")
    commit(clone)
    bring_up_to_date(clone, wanted)
    assert (clone / "README.md").is_file() == ("README.md" in wanted)


def test_the_same_edit_in_the_course_needs_no_cure(clone):
    (clone / "README.md").write_text("corrected\n")
    commit(clone)
    assert bring_up_to_date(clone, TREE | {"README.md": b"corrected\n"}) == []
    assert git(clone, "diff", "--stat").count("|") == 1  # the list alone


def test_what_was_deleted_there_comes_back(clone):
    git(clone, "rm", "--quiet", "README.md")
    commit(clone)
    assert bring_up_to_date(clone, TREE) == [("added", "README.md")]


DIGEST = "0" * 64
BROKEN = ["<<<<<<< HEAD", "README.md", f"{DIGEST}  ", f"{DIGEST} README.md"]
OUTSIDE = ["../course/a.py", "/etc/passwd", ".git/config", "Day01/../../a", ".GIT/config"]


@pytest.mark.parametrize("line", BROKEN + [f"{DIGEST}  {path}" for path in OUTSIDE])
def test_a_list_that_is_broken_is_named_and_can_be_brought_back(clone, line):
    good = git(clone, "rev-parse", "HEAD").strip()
    lines = (clone / OWNED).read_text().splitlines()
    (clone / OWNED).write_text("\n".join([lines[0], line, *lines[1:]]) + "\n")
    commit(clone)
    said = refusal(clone, {"README.md": b"two\n"})
    assert f"{clone / OWNED}: line 2: not a line that publish writes ({line[:40]!r})" in said
    cure = f"git -C {clone} checkout COMMIT -- {OWNED}"
    assert cure in said
    subprocess.run(cure.replace("COMMIT", good).split(), check=True, capture_output=True)
    commit(clone)
    assert ("changed", "README.md") in bring_up_to_date(clone, {"README.md": b"two\n"})


def test_a_list_without_its_first_line_is_somebody_elses(clone):
    (clone / OWNED).write_text("shopping\n")
    assert "line 1: not a line that publish writes ('shopping')" in refusal(clone, {})


def test_a_sync_that_ended_half_way_is_put_aside_and_done_again(clone, monkeypatch):
    tree = {"README.md": b"two\n", "Day02/c.ipynb": b"[]\n", "Day02/d.ipynb": b"[]\n"}
    real = files.write_atomic

    def dies(path, content):
        if path.name == "d.ipynb":
            raise KeyboardInterrupt
        return real(path, content)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files, "write_atomic", dies)
        bring_up_to_date(clone, tree)
    assert git(clone, "status", "--porcelain") != ""
    git(clone, "stash", "--include-untracked")  # what the refusal of a dirty clone advises
    bring_up_to_date(clone, tree)
    assert {path: (clone / path).read_bytes() for path in tree} == tree
