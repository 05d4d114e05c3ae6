"""Settings that end up in addresses, in code and in the names of files."""

import pytest
from release_fixtures import COURSE, complaint, make_course

REPOSITORIES = [
    "someone/small.git",
    "someone/../x",
    "someone/.",
    "a b/c",
    "-a/c",
    "ü/c",
    "https://github.com/a/b",
    "a/b/c",
    "a/b;rm",
]
BRANCHES = ["ma'in", "a b", "-x", "a..b", "a//b", "a/", "a.lock", ".a", "a/.b", "a;b", "a$(b)"]
EMAILS = ["ada@home", "a b@c.org", "a|b@c.org", "<a@b.org>", "a@b.org, c@d.org", "a@b.org)"]
PACKAGES = [
    "scikit-learn; rm -rf ~",
    "--index-url=http://a.b",
    "git+https://a.b/c",
    "",
    "a b",
    "$(a)",
]
FOLDERS = ["..", ".", ".git", "a/b", "a\\b", "-rf", "a:b", "Day01 ", "Day01.", 'a"b', "Day$1", "a*"]


def test_a_repository_is_owner_and_name(tmp_path):
    for value in REPOSITORIES:
        said = complaint(tmp_path, "someone/small-course", value)
        assert "[course]: key 'repository' " in said and value in said
    assert "leave .git out" in complaint(tmp_path, "small-course", "small.git")


def test_a_branch_is_one_that_needs_no_quotes(tmp_path):
    for value in BRANCHES:
        said = complaint(tmp_path, 'branch = "main"', f'branch = "{value}"')
        assert "[course]: key 'branch' must be the name of a branch, of letters" in said
    for value in ("gh-pages", "taught/2027", "v1.0"):
        toml = COURSE.replace('branch = "main"', f'branch = "{value}"')
        assert make_course(tmp_path, toml=toml).branch == value


@pytest.mark.parametrize("value", EMAILS)
def test_an_address_is_one_address(tmp_path, value):
    said = complaint(tmp_path, "ada@example.org", value)
    assert (
        "[staff]: key 'email' must be an address such as name@example.org" in said or "|" in value
    )


@pytest.mark.parametrize("value", PACKAGES)
def test_a_package_is_a_name_that_pip_takes(tmp_path, value):
    said = complaint(tmp_path, '"scikit-learn"', f'"{value}"')
    assert "[setup]: package 'sklearn' must name what pip installs, in quotes, such as" in said


def test_a_package_is_imported_by_a_name_and_never_colabs_own(tmp_path):
    said = complaint(tmp_path, "sklearn = ", '"import os; x" = ')
    assert "[setup]: package 'import os; x' is no name that Python can import" in said
    for value in ("torch>=2.6", "torchvision", "NumPy", "IPython[all]"):
        said = complaint(tmp_path, '"scikit-learn"', f'"{value}"')
        assert "must not be listed: a Colab runtime has to keep its own" in said
    for value in ("scikit-learn>=1.5,<2", "gymnasium[box2d]", "tqdm==4.*"):
        toml = COURSE.replace('"scikit-learn"', f'"{value}"')
        assert make_course(tmp_path, toml=toml).packages == {"sklearn": value}


@pytest.mark.parametrize("value", FOLDERS)
def test_a_folder_is_one_that_every_system_can_hold(tmp_path, value):
    said = complaint(tmp_path, '"Day02-Later"', f"'{value}'")
    assert "day 2: key 'folder' must be the name of a folder " in said


def test_a_file_has_a_name(tmp_path):
    for old, new in [("Day01_lecture.ipynb", ".ipynb"), ("Day01_notes.pdf", "../notes.pdf")]:
        said = complaint(tmp_path, old, new)
        assert "must be the name of a " in said and f"not '{new}'" in said
