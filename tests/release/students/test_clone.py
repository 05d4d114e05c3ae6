"""A folder that is no clean clone of the students' repository is refused; the cures work."""

import shutil
import subprocess

import pytest
import release_fixtures as small
from publishing import FIRST, commit, git, make_clone

from dlcourse.release.course.tables import CourseError
from dlcourse.release.publish import publish, sync
from dlcourse.release.students.clone import clean_clone


@pytest.fixture
def course(tmp_path):
    (tmp_path / "course").mkdir()
    course = small.make_course(tmp_path / "course")
    (course.root / small.PDF).write_bytes(b"%PDF-1.7")
    return course


@pytest.fixture
def clone(tmp_path):
    return make_clone(tmp_path / "students")


def refusal(course, folder):
    before = {
        path: path.lstat().st_mtime_ns for path in folder.rglob("*") if ".git" not in str(path)
    }
    with pytest.raises(CourseError) as error:
        sync(course, FIRST, folder)
    assert before == {path: path.lstat().st_mtime_ns for path in before}
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_clean_clone_is_taken(course, clone, tmp_path):
    assert clean_clone(clone, course) == clone.resolve()
    (tmp_path / "link").symlink_to(clone)
    assert clean_clone(tmp_path / "link", course) == clone.resolve()


def test_a_repository_without_a_commit_is_taken(course, tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "new")], check=True)
    assert clean_clone(tmp_path / "new", course) == (tmp_path / "new").resolve()


def test_no_clone(course, tmp_path):
    (tmp_path / "plain").mkdir()
    cure = "make one: git clone https://github.com/someone/small-course.git"
    assert f"no such folder: {cure} {tmp_path / 'gone'}" in refusal(course, tmp_path / "gone")
    said = refusal(course, tmp_path / "plain")
    assert "git says: fatal: not a git repository" in said
    assert f"{cure} {tmp_path / 'plain'}" in said  # git clones into a folder that is empty


def test_a_folder_within_a_clone_and_a_bare_one(course, clone, tmp_path):
    (clone / "inner").mkdir()
    assert refusal(course, clone / "inner").endswith(f"{clone.resolve()} is: name that")
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "bare")], check=True)
    assert "must be run in a work tree" in refusal(course, tmp_path / "bare")


def test_the_course_itself(course):
    git(course.root, "init", "--quiet")
    commit(course.root)
    assert "this is the course itself" in refusal(course, course.root)


@pytest.mark.parametrize("config", ["normal", "no"])
def test_a_dirty_clone_and_its_cures(course, clone, config):
    git(clone, "config", "status.showUntrackedFiles", config)
    (clone / "forum.md").write_text("more\n")
    (clone / "später.md").write_text("new\n")
    said = refusal(course, clone)
    assert "not committed (forum.md, später.md): commit them, or" in said
    assert f"git -C {clone} stash --include-untracked" in said
    git(clone, "stash", "--include-untracked")
    assert clean_clone(clone, course)
    git(clone, "stash", "pop")
    commit(clone)
    assert clean_clone(clone, course)


def test_ignored_files_are_not_dirt(course, clone):
    (clone / ".git" / "info" / "exclude").write_text("*.log\n")
    (clone / "a.log").write_text("")
    assert clean_clone(clone, course)


def test_within_a_hook_git_still_looks_into_the_clone(course, clone, monkeypatch):
    git(course.root, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(course.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(course.root))
    assert clean_clone(clone, course) == clone.resolve()


def test_without_git(course, clone, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert refusal(course, clone) == "git is missing: install it from https://git-scm.com"


def test_a_file_that_git_does_not_know_stays_at_home(course, clone, tmp_path):
    (course.root / "dlcourse").mkdir()
    (course.root / "dlcourse" / "known.py").write_text("")
    assert publish(course, FIRST, tmp_path / "no_git_no_question")
    git(course.root, "init", "--quiet")
    commit(course.root)
    draft = course.root / "dlcourse" / "exam.py"
    draft.write_text("answer = 42")
    with pytest.raises(CourseError, match="^dlcourse/exam.py: not known to git, and students"):
        publish(course, FIRST, tmp_path / "out")
    assert "dlcourse/exam.py: not known to git" in refusal(course, clone)
    shutil.move(draft, course.root / "exam.py")
    publish(course, FIRST, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("exam.py"))
    shutil.move(course.root / "exam.py", draft)
    git(course.root, "add", "dlcourse")
    assert ("added", "dlcourse/exam.py") in sync(course, FIRST, clone)
